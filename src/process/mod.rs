//! The class `Rotor\Process`: a process of the script's own, run by the server or started by hand.
//!
//! Its pipe is a pair of sockets, made before any fork, so that every process of a server has both ends: the process
//! itself uses one, all others the other. Each restart of it goes on with the same pipe.

mod control;
mod life;
mod pipe;
mod signals;

use std::cell::{Cell, RefCell};
use std::sync::OnceLock;

use ext_php_rs::types::{ZendObject, Zval};
use rotor_core::host::{End, Outcome};

use crate::call::{Callable, guarded};
use crate::errors::EXCEPTION;
use crate::zend::{self, ClassRef, Constant, Fault, Handlers, Native, Property, PropertyDefault, Type, functions};

pub use signals::{forget as forget_signal_handlers, run_pending as run_signal_handlers};

/// The class `Rotor\Process`.
pub static CLASS: ClassRef = ClassRef::new();

/// The class constants: what `close()` closes.
pub const CONSTANTS: &[Constant] =
    &[("PIPE_MASTER", PIPE_MASTER), ("PIPE_WORKER", PIPE_WORKER), ("PIPE_READ", PIPE_READ), ("PIPE_WRITE", PIPE_WRITE)];

/// The public properties.
pub const PROPERTIES: &[Property] =
    &[("pid", PropertyDefault::Null), ("id", PropertyDefault::Null), ("pipe", PropertyDefault::Null)];

const PIPE_MASTER: i64 = 1;
const PIPE_WORKER: i64 = 2;
const PIPE_READ: i64 = 3;
const PIPE_WRITE: i64 = 4;

/// The Rust side of a process object.
pub struct UserProcess {
    callback: Callable,
    redirects: bool,
    pipe: RefCell<pipe::Pipe>,
    /// Whether this very process is the one that the object stands for.
    is_inside: Cell<bool>,
    /// Whether a server runs it.
    is_added: Cell<bool>,
    /// The child that `start()` has forked last.
    child: Cell<Option<i32>>,
}

impl UserProcess {
    /// A server takes it over; false when it has an owner already.
    pub fn add(&self) -> bool {
        self.child.get().is_none() && !self.is_added.replace(true)
    }

    /// Sets `$id`: the process's number among those that the server runs.
    pub fn set_id(&self, object: &Zval, index: i64) {
        if let Some(object) = object.object() {
            self.publish(std::ptr::from_ref::<ZendObject>(object).cast_mut(), "id", Some(index));
        }
    }

    /// This is the process: takes its side of the pipe and runs the callback. `object` is the one that it is the
    /// Rust side of.
    pub fn run(&self, object: Zval) -> Outcome {
        match self.enter(&object) {
            Ok(()) => self.callback.call([object]),
            Err(error) => {
                let what = "cannot make the pipe standard input and output";
                match guarded(|| zend::warn_now(&format!("{what}: {}", words(&error)))) {
                    Outcome::Ended(end) => Outcome::Ended(end),
                    Outcome::Returned | Outcome::Threw => Outcome::Ended(End::Leave { code: 1 }),
                }
            }
        }
    }

    /// Becomes the process that the object stands for.
    fn enter(&self, object: &Zval) -> std::io::Result<()> {
        self.is_inside.set(true);
        if let Some(object) = object.object() {
            let object = std::ptr::from_ref::<ZendObject>(object).cast_mut();
            self.publish(object, "pid", Some(i64::from(std::process::id())));
            self.publish_pipe(object);
        }
        if self.redirects { self.pipe.borrow().redirect() } else { Ok(()) }
    }

    /// Sets a public property.
    fn publish(&self, object: *mut ZendObject, name: &str, value: Option<i64>) {
        let mut zval = Zval::null();
        if let Some(value) = value {
            zval.set_long(value);
        }
        zend::set_property(&CLASS, object, name, zval);
    }

    /// Sets `$pipe`: this side's descriptor.
    fn publish_pipe(&self, object: *mut ZendObject) {
        let descriptor = self.pipe.borrow().descriptor(self.is_inside.get());
        self.publish(object, "pipe", descriptor.map(i64::from));
    }
}

impl Native for UserProcess {
    const NOT_CONSTRUCTED: &'static str = "parent::__construct() was not called";

    fn handlers() -> &'static OnceLock<Handlers> {
        static HANDLERS: OnceLock<Handlers> = OnceLock::new();
        &HANDLERS
    }

    fn fault_class() -> &'static ClassRef {
        &EXCEPTION
    }

    fn references(&self, visit: &mut dyn FnMut(&Zval)) {
        self.callback.visit(visit);
    }
}

functions! {
    /// The methods of `Rotor\Process`.
    pub static METHODS = [
        public "__construct" (
            ("callback", Type::CALLABLE),
            ("redirect_stdin_and_stdout", Type::BOOL, "false"),
            ("pipe_type", Type::INT, "2"),
            ("enable_coroutine", Type::BOOL, "false")
        ) => life::construct;
        public "start" (): Type::INT.or(Type::FALSE) => life::start;
        public "name" (("process_name", Type::STRING)): Type::BOOL => life::name;
        public "exit" (("exit_code", Type::INT, "0")): Type::VOID => life::exit;
        public "write" (("data", Type::STRING)): Type::INT.or(Type::FALSE) => pipe::write;
        public "read" (("size", Type::INT, "8192")): Type::STRING.or(Type::FALSE) => pipe::read;
        public "close" (("which", Type::INT, "0")): Type::BOOL => pipe::close;
        public "setTimeout" (("seconds", Type::FLOAT)): Type::BOOL => pipe::set_timeout;
        public "setBlocking" (("blocking", Type::BOOL)): Type::BOOL => pipe::set_blocking;
        public_static "kill" (("pid", Type::INT), ("signal_no", Type::INT, "15")): Type::BOOL => control::kill;
        public_static "wait" (("blocking", Type::BOOL, "true")): Type::ARRAY.or(Type::FALSE) => control::wait;
        public_static "signal" (
            ("signal_no", Type::INT),
            ("callback", Type::CALLABLE.or(Type::NULL), "null")
        ): Type::BOOL => signals::signal;
        public_static "daemon" (("nochdir", Type::BOOL, "true"), ("noclose", Type::BOOL, "true")): Type::BOOL
            => control::daemon;
    ]
}

/// False and a warning, with the errno for `getLastError()`.
fn system_fault(what: &str, error: &std::io::Error) -> Fault {
    crate::errors::set_last_error(error.raw_os_error().unwrap_or(0));
    Fault::Warning(format!("{what}: {}", words(error)))
}

/// The kernel's words.
fn words(error: &std::io::Error) -> String {
    rotor_core::error::describe_errno(error.raw_os_error().unwrap_or(0))
}
