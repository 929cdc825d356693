//! What the kernel is told of a port's sockets. Connections have it from the listening socket, but for those of unix
//! sockets, which begin anew.

use rotor_sys::socket::Stream;
use rotor_sys::socket_option::SocketOption;

use super::{Address, Bound, Socket};
use crate::error::Error;
use crate::settings::SocketSettings;

/// Clients that may wait at once with bytes in their first packet. Whoever forges addresses can fill this queue; then
/// others connect the ordinary way.
const FAST_OPEN_QUEUE: i32 = 256;

/// Tells the socket of a port. Returns what is not as it was asked for.
pub(super) fn tell_port(port: &Bound, settings: &SocketSettings) -> Result<Vec<String>, Error> {
    let Bound { socket, info, .. } = port;
    let mut warnings = Vec::new();
    if matches!((socket, &info.address), (Socket::Stream(_), Address::Inet(_))) {
        for (option, value, name) in of_tcp(settings) {
            option
                .set(socket, value)
                .map_err(|error| Error::system(format!("cannot set {name} to {value} on {}", info.address), &error))?;
        }
        if settings.fast_open && !system_allows_fast_open() {
            warnings.push(format!(
                "tcp_fastopen on {} has no effect: the kernel does not allow it; sysctl \
                 net.ipv4.tcp_fastopen=3 would",
                info.address
            ));
        }
    }
    for (option, asked, name, limit) in buffers(settings) {
        warnings.extend(
            tell_buffer(socket, option, asked).map(|got| {
                format!("{name} on {} is {got} bytes instead of {asked}: {limit} is the most", info.address)
            }),
        );
    }
    Ok(warnings)
}

/// Tells a connection that was accepted from a unix socket. What fails has been told of when the port began to listen.
pub(crate) fn tell_unix_connection(stream: &Stream, settings: &SocketSettings) {
    for (option, asked, ..) in buffers(settings) {
        let _ = option.set(stream, asked);
    }
}

/// The options of TCP with their values and their settings' names.
fn of_tcp(settings: &SocketSettings) -> impl Iterator<Item = (SocketOption, i32, &'static str)> {
    let keep_alive = settings.keep_alive;
    [
        // Always, since the kernel of a socket that somebody else has made may have been told otherwise.
        (SocketOption::Nodelay, Some(i32::from(settings.nodelay)), "open_tcp_nodelay"),
        (SocketOption::DeferAccept, settings.defer_accept_seconds, "tcp_defer_accept"),
        (SocketOption::FastOpen, settings.fast_open.then_some(FAST_OPEN_QUEUE), "tcp_fastopen"),
        (SocketOption::KeepAlive, keep_alive.map(|_| 1), "open_tcp_keepalive"),
        (SocketOption::KeepIdle, keep_alive.map(|keep| keep.idle_seconds), "tcp_keepidle"),
        (SocketOption::KeepInterval, keep_alive.map(|keep| keep.interval_seconds), "tcp_keepinterval"),
        (SocketOption::KeepCount, keep_alive.map(|keep| keep.count), "tcp_keepcount"),
        (SocketOption::UserTimeout, settings.user_timeout_ms, "tcp_user_timeout"),
    ]
    .into_iter()
    .filter_map(|(option, value, name)| Some((option, value?, name)))
}

/// The sizes of buffers that were asked for, with their settings' names and what limits them.
fn buffers(settings: &SocketSettings) -> impl Iterator<Item = (SocketOption, i32, &'static str, &'static str)> {
    let receive = settings
        .receive_buffer
        .map(|bytes| (SocketOption::ReceiveBuffer, bytes, "kernel_socket_recv_buffer_size", "net.core.rmem_max"));
    let send = settings
        .send_buffer
        .map(|bytes| (SocketOption::SendBuffer, bytes, "kernel_socket_send_buffer_size", "net.core.wmem_max"));
    receive.into_iter().chain(send)
}

/// Asks for a buffer of a size; what it got if that is less.
fn tell_buffer(socket: &Socket, option: SocketOption, asked: i32) -> Option<i32> {
    // The kernel takes any size and makes of it what it allows.
    let _ = option.set(socket, asked);
    option.get(socket).ok().filter(|got| *got < asked)
}

/// Whether servers may use TCP Fast Open. Where nobody says so they may: the container's own files may be hidden.
fn system_allows_fast_open() -> bool {
    let text = std::fs::read_to_string("/proc/sys/net/ipv4/tcp_fastopen").unwrap_or_default();
    text.trim().parse::<u32>().map_or(true, |bits| bits & 2 != 0)
}
