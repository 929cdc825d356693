//! Both ends of a process's pipe, and the methods that use them.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::Duration;

use ext_php_rs::types::{ZendStr, Zval};
use rotor_sys::pair::{self, Kind, Wait};

use super::{PIPE_MASTER, PIPE_READ, PIPE_WORKER, PIPE_WRITE, UserProcess, system_fault};
use crate::errors::{misused, set_last_error, wrong_state};
use crate::running;
use crate::zend::{self, Answer, Call, Fault, Value};

/// A process's two ends, as far as they are open here, and how this side waits.
pub struct Pipe {
    kind: Option<Kind>,
    /// The end of all others.
    outer: Option<OwnedFd>,
    /// The end of the process itself.
    inner: Option<OwnedFd>,
    /// How long a read or write may wait; `None`: for ever.
    limit: Option<Duration>,
    is_blocking: bool,
}

impl Pipe {
    /// A pipe of this kind; `None` is none.
    pub fn new(kind: Option<Kind>) -> io::Result<Self> {
        let mut pipe = Self { kind, outer: None, inner: None, limit: None, is_blocking: true };
        pipe.make()?;
        Ok(pipe)
    }

    /// Makes sockets where one is missing: for another child after one that had its end for itself.
    pub fn make(&mut self) -> io::Result<()> {
        if let Some(kind) = self.kind
            && (self.outer.is_none() || self.inner.is_none())
        {
            rotor_sys::process::open_standard_streams()?;
            let (outer, inner) = pair::pair(kind)?;
            (self.outer, self.inner) = (Some(outer), Some(inner));
        }
        Ok(())
    }

    /// Closes the end of the other side, so that either side sees the other's death. Not for a process of a server:
    /// the next one goes on with its end.
    pub fn keep_one_end(&mut self, is_inside: bool) {
        *(if is_inside { &mut self.outer } else { &mut self.inner }) = None;
    }

    /// The descriptor of this side.
    pub fn descriptor(&self, is_inside: bool) -> Option<i32> {
        self.end(is_inside).map(|end| end.as_raw_fd())
    }

    /// Lets standard input and output be the process's end.
    pub fn redirect(&self) -> io::Result<()> {
        match &self.inner {
            Some(inner) => rotor_sys::process::redirect_input_and_output(inner.as_fd()),
            None => Ok(()),
        }
    }

    fn end(&self, is_inside: bool) -> Option<&OwnedFd> {
        if is_inside { self.inner.as_ref() } else { self.outer.as_ref() }
    }

    fn wait(&self) -> Wait<'static> {
        Wait {
            limit: if self.is_blocking { self.limit } else { Some(Duration::ZERO) },
            is_interrupted: &zend::interrupt_is_pending,
        }
    }
}

/// `write(string $data): int|false`
pub fn write(call: &mut Call<'_>) -> Answer {
    let data = call.bytes(0)?.unwrap_or_default();
    let this = call.this::<UserProcess>()?;
    if data.is_empty() {
        return Err(misused("the data is empty; there is nothing to write".into()));
    }
    before_a_wait();
    let pipe = this.pipe.borrow();
    let end = pipe.end(this.is_inside.get()).ok_or_else(no_pipe)?;
    match pair::send(end.as_fd(), data, &pipe.wait()) {
        Ok(sent) => Ok(Value::Int(i64::try_from(sent).unwrap_or(i64::MAX))),
        Err(error) => Err(refusal("cannot write to the pipe", &error)),
    }
}

/// `read(int $size = 8192): string|false`
pub fn read(call: &mut Call<'_>) -> Answer {
    let size = call.int(0)?.unwrap_or(8192);
    let this = call.this::<UserProcess>()?;
    let Some(size) = usize::try_from(size).ok().filter(|size| *size > 0) else {
        return Err(misused(format!("$size must be a positive number of bytes, {size} given")));
    };
    before_a_wait();
    let pipe = this.pipe.borrow();
    let end = pipe.end(this.is_inside.get()).ok_or_else(no_pipe)?;
    let mut bytes = Vec::with_capacity(size.min(LARGEST_READ));
    match pair::receive(end.as_fd(), &mut bytes, &pipe.wait()) {
        Ok(()) => {
            let mut text = Zval::new();
            text.set_zend_string(ZendStr::new(&bytes, false));
            Ok(Value::Zval(text))
        }
        Err(error) => Err(refusal("cannot read from the pipe", &error)),
    }
}

/// `close(int $which = 0): bool`
pub fn close(call: &mut Call<'_>) -> Answer {
    let which = call.int(0)?.unwrap_or(0);
    let this = call.this::<UserProcess>()?;
    let is_inside = this.is_inside.get();
    let closed = {
        let mut pipe = this.pipe.borrow_mut();
        if pipe.outer.is_none() && pipe.inner.is_none() {
            return Err(no_pipe());
        }
        match which {
            0 => (pipe.outer, pipe.inner) = (None, None),
            PIPE_MASTER => pipe.outer = None,
            PIPE_WORKER => pipe.inner = None,
            PIPE_READ | PIPE_WRITE => {
                let end = pipe.end(is_inside).ok_or_else(no_pipe)?;
                pair::shut(end.as_fd(), which == PIPE_READ)
                    .map_err(|error| system_fault("cannot shut the pipe", &error))?;
            }
            other => return Err(misused(format!("$which must be 0 (both ends) or a PIPE_ constant, {other} given"))),
        }
        true
    };
    this.publish_pipe(call.object());
    Ok(Value::Bool(closed))
}

/// `setTimeout(float $seconds): bool`
pub fn set_timeout(call: &mut Call<'_>) -> Answer {
    let seconds = call.float(0)?.unwrap_or_default();
    let this = call.this::<UserProcess>()?;
    let mut pipe = this.pipe.borrow_mut();
    pipe.end(this.is_inside.get()).ok_or_else(no_pipe)?;
    // As for a socket, what is no time means no limit.
    pipe.limit = Duration::try_from_secs_f64(seconds).ok().filter(|limit| !limit.is_zero());
    Ok(Value::Bool(true))
}

/// `setBlocking(bool $blocking): bool`
pub fn set_blocking(call: &mut Call<'_>) -> Answer {
    let is_blocking = call.bool(0)?.unwrap_or(true);
    let this = call.this::<UserProcess>()?;
    let mut pipe = this.pipe.borrow_mut();
    pipe.end(this.is_inside.get()).ok_or_else(no_pipe)?;
    pipe.is_blocking = is_blocking;
    Ok(Value::Bool(true))
}

/// What this process owes the reactors must not wait for what it waits for (P9).
pub fn before_a_wait() {
    if let Some(process) = running::here() {
        process.flush();
    }
}

fn no_pipe() -> Fault {
    wrong_state("the process has no pipe, or its end is closed")
}

/// That nothing came in time, or that a signal did, is no mistake of the caller's.
fn refusal(what: &str, error: &io::Error) -> Fault {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => {
            set_last_error(error.raw_os_error().unwrap_or(0));
            Fault::Failed
        }
        _ => system_fault(what, error),
    }
}

/// No message of a datagram pipe is larger, and a stream may give less than it is asked for.
const LARGEST_READ: usize = 1 << 20;
