//! Both ends of a connection, for tests.

use std::net::{Ipv4Addr, TcpStream};
use std::os::fd::AsFd;
use std::time::Duration;

use rotor_sys::socket::{Ipv6, Listener, Stream, wait_readable};

/// An accepted socket and its client.
pub(super) fn connected() -> (Stream, TcpStream) {
    let listener = Listener::bind((Ipv4Addr::LOCALHOST, 0).into(), Ipv6::Alone).unwrap();
    listener.listen(1).unwrap();
    let client = TcpStream::connect(listener.address().unwrap()).unwrap();
    assert!(wait_readable(listener.as_fd(), Duration::from_secs(10)).unwrap());
    let (stream, _) = listener.accept().unwrap();
    (stream, client)
}
