//! The peer's functions that make sense here.

use ext_php_rs::types::ZendHashTable;
use nix::ifaddrs::getifaddrs;
use nix::sys::socket::SockaddrStorage;
use rotor_core::error::describe_errno;

use crate::errors::{last_error, set_last_error};
use crate::zend::{Answer, Call, Type, Value, functions};
use crate::{call, codes, process_title, zend};

/// Which table `swoole_strerror` looks into.
pub const STRERROR_SYSTEM: i64 = 0;
pub const STRERROR_GAI: i64 = 1;
pub const STRERROR_SWOOLE: i64 = 9;

functions! {
    /// The functions of the module `swoole`.
    pub static FUNCTIONS = [
        function "swoole_version" (): Type::STRING => version;
        function "swoole_cpu_num" (): Type::INT => cpu_num;
        function "swoole_last_error" (): Type::INT => get_last_error;
        function "swoole_clear_error" (): Type::VOID => clear_error;
        function "swoole_errno" (): Type::INT => errno;
        function "swoole_strerror" (("errno", Type::INT), ("error_type", Type::INT, "SWOOLE_STRERROR_SYSTEM")): Type::STRING => strerror;
        function "swoole_set_process_name" (("process_name", Type::STRING)): Type::BOOL => set_process_name;
        function "swoole_get_local_ip" (): Type::ARRAY => get_local_ip;
    ]
}

/// `swoole_version(): string`
fn version(_call: &mut Call<'_>) -> Answer {
    Ok(Value::Text(super::VERSION.to_string_lossy().into_owned()))
}

/// `swoole_cpu_num(): int`, of the machine: also those that this process may not use.
fn cpu_num(_call: &mut Call<'_>) -> Answer {
    Ok(Value::Int(zend::cpus_online()))
}

/// `swoole_last_error(): int`
fn get_last_error(_call: &mut Call<'_>) -> Answer {
    Ok(last_error().into())
}

/// `swoole_clear_error(): void`
fn clear_error(_call: &mut Call<'_>) -> Answer {
    set_last_error(0);
    Ok(Value::Null)
}

/// `swoole_errno(): int`, of the last system call that failed.
fn errno(_call: &mut Call<'_>) -> Answer {
    Ok(std::io::Error::last_os_error().raw_os_error().unwrap_or(0).into())
}

/// `swoole_strerror(int $errno, int $error_type = SWOOLE_STRERROR_SYSTEM): string`
fn strerror(call: &mut Call<'_>) -> Answer {
    let number = call.int(0)?.unwrap_or_default();
    let table = call.int(1)?.unwrap_or(STRERROR_SYSTEM);
    let text = match (i32::try_from(number), table) {
        (Ok(number), STRERROR_SYSTEM) if number < FIRST_OWN => describe_errno(number),
        (Ok(number), STRERROR_SYSTEM | STRERROR_SWOOLE) => codes::describe(number).unwrap_or("unknown error").into(),
        (Ok(number), STRERROR_GAI) => zend::describe_lookup_error(number),
        _ => format!("unknown error {number}"),
    };
    Ok(Value::Text(text))
}

/// `swoole_set_process_name(string $process_name): bool`
fn set_process_name(call: &mut Call<'_>) -> Answer {
    let name = String::from_utf8_lossy(call.bytes(0)?.unwrap_or_default()).into_owned();
    let mut done = false;
    call::attempt(|| done = process_title::set(&name))?;
    Ok(done.into())
}

/// `swoole_get_local_ip(): array`, IPv4 addresses by interface, without the loopback.
fn get_local_ip(_call: &mut Call<'_>) -> Answer {
    let mut array = ZendHashTable::new();
    for interface in getifaddrs().into_iter().flatten() {
        let Some(address) = interface.address.as_ref().and_then(SockaddrStorage::as_sockaddr_in) else { continue };
        if !address.ip().is_loopback() {
            // Fails for a name with a NUL only.
            let _ = array.insert(interface.interface_name.as_str(), address.ip().to_string());
        }
    }
    Ok(array.into())
}

/// Codes from here on are no errnos.
const FIRST_OWN: i32 = 500;
