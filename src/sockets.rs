//! `getSocket()`: the sockets that a server listens on, as objects of the extension sockets.

use std::cell::RefCell;

use rotor_core::error::code;
use rotor_core::server;

use crate::errors::{misused, set_last_error};
use crate::running::Running;
use crate::zend::{self, Answer, Fault, Value};

/// The server's part that knows its ports until `start()`.
pub type Unstarted = RefCell<Option<server::Server>>;

/// A `Socket` of the port at a place: a second descriptor of the same socket, so that closing it closes nothing else.
pub fn of_port(unstarted: &Unstarted, running: &Running, place: usize) -> Answer {
    let copy = match &*unstarted.borrow() {
        Some(server) => server.copy_of_socket(place),
        None => running.process()?.copy_of_socket(place),
    };
    let copy = copy.map_err(|error| {
        set_last_error(error.code);
        Fault::Warning(error.message)
    })?;
    match zend::socket_object(copy) {
        Some(socket) => Ok(Value::Zval(socket)),
        None => {
            set_last_error(code::UNSUPPORTED);
            Err(Fault::Warning("the extension sockets, whose object this gives, is not loaded".into()))
        }
    }
}

/// A `Socket` of the port with a number; 0 is the primary port.
pub fn of_number(unstarted: &Unstarted, running: &Running, number: i64) -> Answer {
    let place = match &*unstarted.borrow() {
        Some(server) => server.place_of_number(number),
        None => running.process()?.place_of_number(number),
    };
    match place {
        Some(place) => of_port(unstarted, running, place),
        None => Err(misused(format!("no port has the number {number}; 0 is the primary one"))),
    }
}
