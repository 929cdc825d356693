//! A process's begin and end: the constructor, `start()` outside a server, `exit()`.

use rotor_core::host::{End, Outcome};
use rotor_sys::pair::Kind;
use rotor_sys::process::{self, Fork};

use super::pipe::{Pipe, before_a_wait};
use super::{UserProcess, signals, system_fault, words};
use crate::call::{Callable, attempt};
use crate::errors::{exception, wrong_state};
use crate::process_title;
use crate::zend::{self, Answer, Call, Fault, Value};

/// `__construct(callable $callback, bool $redirect_stdin_and_stdout = false, int $pipe_type = 2, bool $enable_coroutine = false)`
pub fn construct(call: &mut Call<'_>) -> Answer {
    let Some(given) = call.any(0) else { return Err(Fault::Pending) };
    let callback = Callable::resolve(given.dereference()).map_err(|why| call.wrong_callback(0, &why))?;
    let redirects = call.bool(1)?.unwrap_or(false);
    let pipe_type = call.int(2)?.unwrap_or(DATAGRAM);
    let refuse = |what: String| exception(format!("Rotor\\Process::__construct(): {what}"));
    if call.bool(3)?.unwrap_or(false) {
        return Err(refuse(
            "$enable_coroutine must be false, true given; Rotor has no coroutines; the callback runs as ordinary code"
                .into(),
        ));
    }
    let kind = match pipe_type {
        // Standard input and output are streams.
        _ if redirects => Some(Kind::Stream),
        NONE => None,
        STREAM => Some(Kind::Stream),
        DATAGRAM => Some(Kind::Datagram),
        other => {
            return Err(refuse(format!("$pipe_type must be 0 (none), 1 (stream) or 2 (datagrams), {other} given")));
        }
    };
    let pipe = Pipe::new(kind).map_err(|error| refuse(format!("cannot make the pipe: {}", words(&error))))?;
    let made = UserProcess {
        callback,
        redirects,
        pipe: pipe.into(),
        is_inside: false.into(),
        is_added: false.into(),
        child: None.into(),
    };
    if !call.construct(made) {
        return Err(refuse("the process was constructed before".into()));
    }
    call.this::<UserProcess>()?.publish_pipe(call.object());
    Ok(Value::Null)
}

/// `start(): int|false`
pub fn start(call: &mut Call<'_>) -> Answer {
    let this = call.this::<UserProcess>()?;
    if this.is_inside.get() || this.is_added.get() {
        return Err(wrong_state("the server runs this process, or this is the process itself; it cannot be started"));
    }
    // Signal 0 asks whether there is such a process.
    if this.child.get().is_some_and(|child| process::kill(child, 0).is_ok()) {
        return Err(wrong_state("the process runs already; wait() for its end first"));
    }
    this.pipe.borrow_mut().make().map_err(|error| system_fault("cannot make the pipe", &error))?;
    // What is buffered would come out twice.
    attempt(zend::flush_output)?;
    before_a_wait();
    match process::fork_stranger().map_err(|error| system_fault("cannot fork", &error))? {
        Fork::Parent { child } => {
            this.child.set(Some(child));
            this.pipe.borrow_mut().keep_one_end(false);
            this.publish(call.object(), "pid", Some(child.into()));
            this.publish_pipe(call.object());
            Ok(Value::Int(child.into()))
        }
        Fork::Child => {
            signals::begin_anew();
            this.pipe.borrow_mut().keep_one_end(true);
            // Else all children would draw the numbers that their parent would have drawn next.
            attempt(|| drop(zend::call_function("mt_srand", &mut [])))?;
            let code = match this.run(call.object_zval()) {
                Outcome::Returned => 0,
                Outcome::Threw => UNCAUGHT,
                Outcome::Ended(End::Leave { code }) => code,
                Outcome::Ended(End::Exited | End::Stopped) => return Err(Fault::Pending),
                Outcome::Ended(End::BailedOut) => return Err(Fault::BailedOut),
            };
            zend::request_exit(code);
            Err(Fault::Pending)
        }
    }
}

/// `name(string $process_name): bool`
pub fn name(call: &mut Call<'_>) -> Answer {
    let name = String::from_utf8_lossy(call.bytes(0)?.unwrap_or_default()).into_owned();
    call.this::<UserProcess>()?;
    let mut done = false;
    attempt(|| done = process_title::set(&name))?;
    Ok(done.into())
}

/// `exit(int $exit_code = 0): void`
pub fn exit(call: &mut Call<'_>) -> Answer {
    let code = call.int(0)?.unwrap_or(0);
    let this = call.this::<UserProcess>()?;
    if !this.is_inside.get() {
        call.warn("this is not the process itself; kill() ends another one".into());
        return Ok(Value::Null);
    }
    // The kernel keeps the lowest byte.
    zend::request_exit(i32::from(code.to_le_bytes()[0]));
    Err(Fault::Pending)
}

/// The exit code of PHP for a script that an uncaught exception has ended.
const UNCAUGHT: i32 = 255;
const NONE: i64 = 0;
const STREAM: i64 = 1;
const DATAGRAM: i64 = 2;
