//! What needs no object: signals to others, the end of children, becoming a daemon.

use ext_php_rs::types::ZendHashTable;
use rotor_core::host::Role;
use rotor_sys::process;

use super::pipe::before_a_wait;
use super::system_fault;
use crate::call::attempt;
use crate::errors::{set_last_error, wrong_state};
use crate::running;
use crate::zend::{self, Answer, Call, Fault, Value};

/// `kill(int $pid, int $signal_no = SIGTERM): bool`
pub fn kill(call: &mut Call<'_>) -> Answer {
    let (pid, signal) = (call.int(0)?.unwrap_or_default(), call.int(1)?.unwrap_or(SIGTERM));
    let done = match (i32::try_from(pid), i32::try_from(signal)) {
        (Ok(pid), Ok(signal)) => process::kill(pid, signal),
        _ => Err(std::io::Error::from_raw_os_error(libc::EINVAL)),
    };
    match done {
        Ok(()) => Ok(Value::Bool(true)),
        // Signal 0 asks whether there is such a process, and this is an answer.
        Err(error) if signal == 0 && error.raw_os_error() == Some(libc::ESRCH) => {
            set_last_error(libc::ESRCH);
            Err(Fault::Failed)
        }
        Err(error) => Err(system_fault(&format!("cannot send signal {signal} to process {pid}"), &error)),
    }
}

/// `wait(bool $blocking = true): array|false`
pub fn wait(call: &mut Call<'_>) -> Answer {
    let is_blocking = call.bool(0)?.unwrap_or(true);
    if running::here().is_some_and(|process| matches!(process.role(), Role::Master | Role::Manager)) {
        return Err(wrong_state(
            "the children of this process are the server's, which waits for them itself; name yours to pcntl_waitpid()",
        ));
    }
    before_a_wait();
    match process::wait_any(is_blocking) {
        Ok(Some(exit)) => {
            let mut array = ZendHashTable::new();
            for (name, value) in [("pid", exit.pid), ("code", exit.code), ("signal", exit.signal)] {
                // Fails for a key with a NUL only.
                let _ = array.insert(name, i64::from(value));
            }
            Ok(array.into())
        }
        Ok(None) => Err(Fault::Failed),
        // No children, or a signal came first.
        Err(error) => {
            set_last_error(error.raw_os_error().unwrap_or(0));
            Err(Fault::Failed)
        }
    }
}

/// `daemon(bool $nochdir = true, bool $noclose = true): bool`
pub fn daemon(call: &mut Call<'_>) -> Answer {
    let (keeps_folder, keeps_streams) = (call.bool(0)?.unwrap_or(true), call.bool(1)?.unwrap_or(true));
    if running::here().is_some() {
        return Err(wrong_state("a process of a running server cannot leave it; set daemonize instead"));
    }
    // What is buffered belongs to the process that ends.
    attempt(zend::flush_output)?;
    process::become_daemon(keeps_folder, keeps_streams)
        .map_err(|error| system_fault("cannot become a daemon", &error))?;
    Ok(Value::Bool(true))
}

const SIGTERM: i64 = libc::SIGTERM as i64;
