//! The array of `getClientInfo()`.

use ext_php_rs::boxed::ZBox;
use ext_php_rs::types::{ZendHashTable, ZendStr, Zval};
use rotor_core::process::ClientInfo;

use crate::time::{seconds, whole_seconds};

/// What is known of a connection, under the peer's keys. Times are seconds since 1970, 0 where nothing has
/// happened yet.
pub fn to_php(info: &ClientInfo) -> ZBox<ZendHashTable> {
    let session = &info.session;
    // A unix socket's client has no address; the peer shows its path, which is empty unless the client has bound one.
    let remote_ip = session.peer.map_or_else(String::new, |peer| peer.ip().to_canonical().to_string());
    let mut array = ZendHashTable::new();
    // Each fails for a key with a NUL only.
    let mut int = |key: &str, value: i64| drop(array.insert(key, value));
    int("server_port", info.server_port.into());
    int("server_fd", session.port.into());
    int("socket_fd", session.fd.into());
    int("socket_type", info.sock_type as i64);
    int("remote_port", session.peer.map_or(0, |peer| peer.port().into()));
    int("reactor_id", session.reactor.into());
    int("worker_id", session.worker.0.into());
    if let Some(uid) = info.uid {
        int("uid", uid.into());
    }
    int("connect_time", whole_seconds(session.connected_us));
    int("last_time", whole_seconds(session.received_us));
    int("close_errno", session.close_errno.into());
    int("recv_queued_bytes", i64::try_from(info.recv_queued).unwrap_or(i64::MAX));
    int("send_queued_bytes", i64::try_from(session.send_queued).unwrap_or(i64::MAX));
    if let Some(proxy) = session.proxy {
        int("proxy_port", proxy.port().into());
        drop(array.insert("proxy_ip", proxy.ip().to_canonical().to_string()));
    }
    drop(array.insert("remote_ip", remote_ip));
    if let Some(tls) = &info.tls {
        drop(array.insert("ssl_protocol", tls.protocol));
        drop(array.insert("ssl_cipher", tls.cipher.as_str()));
        if let Some(alpn) = &tls.alpn {
            drop(array.insert("ssl_alpn_protocol", binary(alpn)));
        }
        if let Some(certificate) = &tls.certificate {
            drop(array.insert("ssl_client_cert", certificate.as_str()));
        }
    }
    for (key, time_us) in [
        ("last_recv_time", session.received_us),
        ("last_send_time", session.sent_us),
        ("last_dispatch_time", session.dispatched_us),
    ] {
        drop(array.insert(key, seconds(time_us)));
    }
    array
}

/// A string of any bytes.
fn binary(bytes: &[u8]) -> Zval {
    let mut zval = Zval::new();
    zval.set_zend_string(ZendStr::new(bytes, false));
    zval
}
