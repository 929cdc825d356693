//! The methods of a running server.

use std::ffi::CString;

use ext_php_rs::types::ZendHashTable;
use rotor_core::error::{CallError, code};
use rotor_ipc::workers::SeatState;

use super::Server;
use super::constants::{WORKER_BUSY, WORKER_EXIT, WORKER_IDLE};
use crate::errors::{answer, last_error, refused, set_last_error, unknown};
use crate::zend::{self, Answer, Call, Fault, Id, Value};
use crate::{client_info, sockets};

/// `send(int|string $fd, string $data, int $serverSocket = -1): bool`
pub fn send(call: &mut Call<'_>) -> Answer {
    let fd = call.id(0)?;
    let data = call.bytes(1)?.unwrap_or_default();
    let socket = socket(call.int(2)?);
    let process = call.this::<Server>()?.running.process()?;
    let session = match fd {
        Some(Id::Int(number)) => number,
        Some(Id::Text(path)) if path.starts_with(b"/") => return answer(process.send_to(path, 0, data, socket)),
        Some(Id::Text(text)) => session_named(text)?,
        None => 0,
    };
    answer(process.send(session, data))
}

/// `sendto(string $ip, int $port, string $data, int $server_socket = -1): bool`
pub fn sendto(call: &mut Call<'_>) -> Answer {
    let host = call.bytes(0)?.unwrap_or_default();
    let port = call.int(1)?.unwrap_or_default();
    let data = call.bytes(2)?.unwrap_or_default();
    let socket = socket(call.int(3)?);
    answer(call.this::<Server>()?.running.process()?.send_to(host, port, data, socket))
}

/// `sendfile(int $fd, string $file, int $offset = 0, int $length = 0): bool`
pub fn sendfile(call: &mut Call<'_>) -> Answer {
    let session = call.int(0)?.unwrap_or_default();
    let file = call.bytes(1)?.unwrap_or_default();
    let offset = call.int(2)?.unwrap_or(0);
    let length = call.int(3)?.unwrap_or(0);
    let process = call.this::<Server>()?.running.process()?;
    // A path with a NUL is refused behind this.
    if CString::new(file).is_ok_and(|path| !zend::may_open(&path)) {
        set_last_error(EPERM);
        return Err(Fault::Warning(format!("open_basedir does not allow {}", String::from_utf8_lossy(file))));
    }
    process.send_file(session, file, offset, length).map(|()| Value::Bool(true)).map_err(|error| {
        // The file's errors are those of the system, and worth a word as in PHP's own functions.
        if error.code < FIRST_OWN_CODE {
            set_last_error(error.code);
            return Fault::Warning(error.message);
        }
        refused(error)
    })
}

/// `close(int $fd, bool $reset = false): bool`
pub fn close(call: &mut Call<'_>) -> Answer {
    let session = call.int(0)?.unwrap_or_default();
    let reset = call.bool(1)?.unwrap_or(false);
    answer(call.this::<Server>()?.running.process()?.close(session, reset))
}

/// `bind(int $fd, int $uid): bool`
pub fn bind(call: &mut Call<'_>) -> Answer {
    let session = call.int(0)?.unwrap_or_default();
    let uid = call.int(1)?.unwrap_or_default();
    answer(call.this::<Server>()?.running.process()?.bind(session, uid))
}

/// `exists(int $fd): bool`
pub fn exists(call: &mut Call<'_>) -> Answer {
    let session = call.int(0)?.unwrap_or_default();
    Ok(call.this::<Server>()?.running.process()?.exists(session).into())
}

/// `pause(int $fd): bool`
pub fn pause(call: &mut Call<'_>) -> Answer {
    let session = call.int(0)?.unwrap_or_default();
    answer(call.this::<Server>()?.running.process()?.pause(session))
}

/// `resume(int $fd): bool`
pub fn resume(call: &mut Call<'_>) -> Answer {
    let session = call.int(0)?.unwrap_or_default();
    answer(call.this::<Server>()?.running.process()?.resume(session))
}

/// `protect(int $fd, bool $on = true): bool`
pub fn protect(call: &mut Call<'_>) -> Answer {
    let session = call.int(0)?.unwrap_or_default();
    let is_on = call.bool(1)?.unwrap_or(true);
    answer(call.this::<Server>()?.running.process()?.protect(session, is_on))
}

/// `heartbeat(bool $close = true): array|false`
pub fn heartbeat(call: &mut Call<'_>) -> Answer {
    let closes = call.bool(0)?.unwrap_or(true);
    Ok(list_of(call.this::<Server>()?.running.process()?.heartbeat(closes).map_err(refused)?))
}

/// `shutdown(): bool`
pub fn shutdown(call: &mut Call<'_>) -> Answer {
    answer(call.this::<Server>()?.running.process()?.shutdown())
}

/// `reload(bool $only_task = false): bool`
pub fn reload(call: &mut Call<'_>) -> Answer {
    let only_task = call.bool(0)?.unwrap_or(false);
    answer(call.this::<Server>()?.running.process()?.reload(only_task))
}

/// `stop(int $workerId = -1): bool`
pub fn stop(call: &mut Call<'_>) -> Answer {
    let worker = worker(call)?;
    answer(call.this::<Server>()?.running.process()?.stop(worker))
}

/// `stats(): array|false`
pub fn stats(call: &mut Call<'_>) -> Answer {
    let process = call.this::<Server>()?.running.process()?;
    let mut array = ZendHashTable::new();
    for (name, value) in process.stats() {
        // Fails for a key with a NUL only.
        let _ = array.insert(name, value);
    }
    Ok(array.into())
}

/// `getClientInfo(int $fd, int $reactor_id = -1, bool $ignoreError = false): array|false`
pub fn get_client_info(call: &mut Call<'_>) -> Answer {
    let session = call.int(0)?.unwrap_or_default();
    // The session alone says which connection is meant, and it resolves until onClose has returned.
    call.int(1)?;
    call.bool(2)?;
    let info = call.this::<Server>()?.running.process()?.client_info(session).map_err(|error| unknown(&error))?;
    Ok(client_info::to_php(&info).into())
}

/// `getClientList(int $start_fd = 0, int $count = 10): array|false`
pub fn get_client_list(call: &mut Call<'_>) -> Answer {
    let after = call.int(0)?.unwrap_or(0);
    let count = call.int(1)?.unwrap_or(10);
    let page = call.this::<Server>()?.running.process()?.client_list(after, count).map_err(refused)?;
    // As with the peer, the page behind the last one is no array.
    Ok(if page.is_empty() { Value::Bool(false) } else { list_of(page) })
}

/// `getSocket(int $port = 0): Socket|false`
pub fn get_socket(call: &mut Call<'_>) -> Answer {
    let number = call.int(0)?.unwrap_or(0);
    let this = call.this::<Server>()?;
    sockets::of_number(&this.unstarted, &this.running, number)
}

/// `getWorkerId(): int|false`
pub fn get_worker_id(call: &mut Call<'_>) -> Answer {
    let number = call.this::<Server>()?.running.process()?.worker_number().map_err(|error| unknown(&error))?;
    Ok(Value::Int(number.into()))
}

/// `getWorkerPid(int $id = -1): int|false`
pub fn get_worker_pid(call: &mut Call<'_>) -> Answer {
    let worker = worker(call)?;
    Ok(call.this::<Server>()?.running.process()?.worker_pid(worker).map_err(|error| unknown(&error))?.into())
}

/// `getWorkerStatus(int $id = -1): int|false`
pub fn get_worker_status(call: &mut Call<'_>) -> Answer {
    let worker = worker(call)?;
    let state = call.this::<Server>()?.running.process()?.worker_state(worker).map_err(|error| unknown(&error))?;
    Ok(Value::Int(match state {
        SeatState::Empty | SeatState::Starting | SeatState::Busy => WORKER_BUSY,
        SeatState::Ready | SeatState::Idle => WORKER_IDLE,
        SeatState::Leaving => WORKER_EXIT,
    }))
}

/// `getMasterPid(): int|false`
pub fn get_master_pid(call: &mut Call<'_>) -> Answer {
    Ok(call.this::<Server>()?.running.process()?.master_pid().into())
}

/// `getManagerPid(): int|false`
pub fn get_manager_pid(call: &mut Call<'_>) -> Answer {
    Ok(call.this::<Server>()?.running.process()?.manager_pid().into())
}

/// `trace(int $workerId): string|false`
pub fn trace(call: &mut Call<'_>) -> Answer {
    let worker = call.int(0)?.unwrap_or_default();
    match call.this::<Server>()?.running.process()?.trace(worker, zend::read_stack) {
        Ok(text) => Ok(Value::Text(text)),
        Err(error) => {
            // Whoever asks wants to know why, whatever the reason.
            set_last_error(error.code);
            Err(Fault::Warning(error.message))
        }
    }
}

/// `extendTimeout(float $seconds): bool`
pub fn extend_timeout(call: &mut Call<'_>) -> Answer {
    let seconds = call.float(0)?.unwrap_or_default();
    answer(call.this::<Server>()?.running.process()?.extend_timeout(seconds))
}

/// `getLastError(): int`
pub fn get_last_error(call: &mut Call<'_>) -> Answer {
    call.this::<Server>()?;
    Ok(last_error().into())
}

fn list_of(sessions: Vec<i64>) -> Value {
    let mut array = ZendHashTable::new();
    for session in sessions {
        // Fails when the next index is out of range only.
        let _ = array.push(session);
    }
    array.into()
}

/// The errno of what is not permitted.
const EPERM: i32 = 1;
/// Codes below are errnos.
const FIRST_OWN_CODE: i32 = 500;

/// The port that a socket's number means; `None` is any.
fn socket(number: Option<i64>) -> Option<i64> {
    number.filter(|number| *number != -1)
}

/// The worker that the first argument means; `None` is this one.
fn worker(call: &Call<'_>) -> Result<Option<i64>, Fault> {
    Ok(call.int(0)?.filter(|worker| *worker != -1))
}

/// The session that a string means: PHP code reads ids from forms and files.
fn session_named(text: &[u8]) -> Result<i64, Fault> {
    std::str::from_utf8(text).ok().and_then(|text| text.trim().parse().ok()).ok_or_else(|| {
        let shown: String = String::from_utf8_lossy(text).chars().take(40).flat_map(char::escape_debug).collect();
        refused(CallError::new(
            code::SESSION_INVALID_ID,
            format!("session ids are positive numbers, \"{shown}\" given"),
        ))
    })
}
