//! What callbacks are told, as objects (`event_object`).

use ext_php_rs::types::{ZendStr, Zval};
use rotor_core::datagram;
use rotor_core::host::Sender;

use crate::running::Running;
use crate::time::seconds;
use crate::zend::{ClassRef, PropertyDefault, Type, TypedProperty, data_object};

/// The class `Rotor\Server\Event`.
pub static EVENT: ClassRef = ClassRef::new();
/// The class `Rotor\Server\Packet`.
pub static PACKET: ClassRef = ClassRef::new();
/// The class `Rotor\Server\StatusInfo`.
pub static STATUS_INFO: ClassRef = ClassRef::new();

/// Applications put what they have made of the data back into it: hence any type.
pub const EVENT_PROPERTIES: &[TypedProperty] = &[
    ("reactor_id", Type::INT, PropertyDefault::Int(0)),
    ("fd", Type::INT, PropertyDefault::Int(0)),
    ("dispatch_time", Type::FLOAT, PropertyDefault::Float(0.0)),
    ("data", Type::MIXED, PropertyDefault::Null),
];

/// As [`EVENT_PROPERTIES`].
pub const PACKET_PROPERTIES: &[TypedProperty] = &[
    ("server_socket", Type::INT, PropertyDefault::Int(0)),
    ("server_port", Type::INT, PropertyDefault::Int(0)),
    ("dispatch_time", Type::FLOAT, PropertyDefault::Float(0.0)),
    ("address", Type::STRING, PropertyDefault::Text("")),
    ("port", Type::INT, PropertyDefault::Int(0)),
    ("data", Type::MIXED, PropertyDefault::Null),
];

/// Of a process that has ended.
pub const STATUS_INFO_PROPERTIES: &[TypedProperty] = &[
    ("worker_id", Type::INT, PropertyDefault::Int(0)),
    ("worker_pid", Type::INT, PropertyDefault::Int(0)),
    ("status", Type::INT, PropertyDefault::Int(0)),
    ("exit_code", Type::INT, PropertyDefault::Int(0)),
    ("signal", Type::INT, PropertyDefault::Int(0)),
    ("fd", Type::INT, PropertyDefault::Int(0)),
];

/// What a connect, receive or close callback is told.
pub fn event(session: i64, reactor: i64, at_us: u64, data: Zval) -> Zval {
    data_object(&EVENT, [int(reactor), int(session), float(seconds(at_us)), data])
}

/// What a packet callback is told.
pub fn packet(from: &Sender<'_>, running: &Running, data: Zval) -> Zval {
    let number = running.process().map_or(0, |process| process.port_number(from.port));
    let mut address = Zval::new();
    datagram::host(from.address, &mut |text| address.set_zend_string(ZendStr::new(text, false)));
    let (place, time) = (int(from.port.into()), float(seconds(from.received_us)));
    let port = int(datagram::port(from.address).into());
    data_object(&PACKET, [place, int(number.into()), time, address, port, data])
}

/// What a callback for a worker that has died is told.
pub fn status_info(worker: i64, pid: i32, exit_code: i32, signal: i32, session: i64) -> Zval {
    // As waitpid() gives it.
    let status = exit_code << 8 | signal;
    let numbers = [worker, pid.into(), status.into(), exit_code.into(), signal.into(), session];
    data_object(&STATUS_INFO, numbers.map(int))
}

fn int(number: i64) -> Zval {
    let mut zval = Zval::new();
    zval.set_long(number);
    zval
}

fn float(number: f64) -> Zval {
    let mut zval = Zval::new();
    zval.set_double(number);
    zval
}
