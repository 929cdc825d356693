//! The array that tells a packet callback whom its datagram comes from.

use std::cell::RefCell;

use ext_php_rs::boxed::ZBox;
use ext_php_rs::types::{ZendHashTable, ZendStr, Zval};
use rotor_core::datagram;
use rotor_core::host::Sender;

use crate::running::Running;
use crate::time::seconds;

/// One array for each port, made for its first datagram: the keys and what is the same for all of them. Each
/// callback gets a copy with its sender, for which no key is made anew.
#[derive(Default)]
pub struct Senders(RefCell<Vec<Option<ZBox<ZendHashTable>>>>);

impl Senders {
    /// The array for a datagram.
    pub fn show(&self, from: &Sender<'_>, running: &Running) -> Zval {
        let place = usize::from(from.port);
        let mut made = self.0.borrow_mut();
        if made.len() <= place {
            made.resize_with(place + 1, || None);
        }
        let mut array = made[place].get_or_insert_with(|| common(from.port, running)).to_owned();
        drop(made);
        let mut address = Zval::new();
        datagram::host(from.address, &mut |text| address.set_zend_string(ZendStr::new(text, false)));
        // Each fails for a key with a NUL only.
        drop(array.insert("dispatch_time", seconds(from.received_us)));
        drop(array.insert("address", address));
        drop(array.insert("port", i64::from(datagram::port(from.address))));
        let mut zval = Zval::new();
        zval.set_hashtable(array);
        zval
    }
}

/// The array of a port before there is a datagram, in the peer's order.
fn common(port: u16, running: &Running) -> ZBox<ZendHashTable> {
    let number = running.process().map_or(0, |process| process.port_number(port));
    let mut array = ZendHashTable::new();
    for (key, value) in [("server_socket", i64::from(port)), ("server_port", number.into())] {
        drop(array.insert(key, value));
    }
    for key in ["dispatch_time", "address", "port"] {
        drop(array.insert(key, 0_i64));
    }
    array
}
