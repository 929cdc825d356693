//! The class `Rotor\Server`: converts, delegates, converts back.

mod constants;
mod lifecycle;
mod runtime;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::OnceLock;

use ext_php_rs::types::Zval;
use rotor_core::settings::{Machine, SettingsInput};

use crate::callbacks::Callbacks;
use crate::errors::{EXCEPTION, wrong_state};
use crate::running::Running;
use crate::zend::{ClassRef, Fault, Handlers, Native, Type, functions};

pub use constants::{CONSTANTS, PROPERTIES, SOCK_TCP, SOCK_TCP6};

/// The class `Rotor\Server`.
pub static CLASS: ClassRef = ClassRef::new();

/// The Rust side of `$server`.
pub struct Server {
    /// The bound port, until `start()` takes it.
    bound: RefCell<Option<rotor_core::server::Server>>,
    settings: RefCell<SettingsInput>,
    callbacks: Callbacks,
    running: Rc<Running>,
    started: Cell<bool>,
}

impl Server {
    fn new(bound: rotor_core::server::Server, machine: Machine) -> Self {
        EXISTS.set(true);
        Self {
            bound: RefCell::new(Some(bound)),
            settings: RefCell::new(SettingsInput::new(machine)),
            callbacks: Callbacks::default(),
            running: Rc::default(),
            started: Cell::new(false),
        }
    }

    /// The registered callbacks.
    pub fn callbacks(&self) -> &Callbacks {
        &self.callbacks
    }

    /// The running server.
    pub fn running(&self) -> &Running {
        &self.running
    }

    /// Fails when it is too late to change anything.
    fn not_started(&self) -> Result<(), Fault> {
        if self.started.get() { Err(wrong_state("server is running; call it before start()")) } else { Ok(()) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        EXISTS.set(false);
    }
}

impl Native for Server {
    const NOT_CONSTRUCTED: &'static str = "parent::__construct() was not called";

    fn handlers() -> &'static OnceLock<Handlers> {
        static HANDLERS: OnceLock<Handlers> = OnceLock::new();
        &HANDLERS
    }

    fn fault_class() -> &'static ClassRef {
        &EXCEPTION
    }

    fn references(&self, visit: &mut dyn FnMut(&Zval)) {
        self.callbacks.visit(visit);
    }
}

thread_local! {
    /// Whether this process has a server object: there can be one at a time.
    static EXISTS: Cell<bool> = const { Cell::new(false) };
}

functions! {
    /// The methods of `Rotor\Server`.
    pub static METHODS = [
        public "__construct" (
            ("host", Type::STRING, "'0.0.0.0'"),
            ("port", Type::INT, "0"),
            ("mode", Type::INT, "self::MODE_PROCESS"),
            ("sock_type", Type::INT, "self::SOCK_TCP")
        ) => lifecycle::construct;
        public "set" (("settings", Type::ARRAY)): Type::BOOL => lifecycle::set;
        public "on" (("event", Type::STRING), ("callback", Type::CALLABLE)): Type::BOOL => lifecycle::on;
        public "getCallback" (("event", Type::STRING)):
            Type::class(c"Closure").or(Type::STRING).or(Type::ARRAY).or(Type::NULL) => lifecycle::get_callback;
        public "start" (): Type::BOOL => lifecycle::start;
        public "send" (
            ("fd", Type::INT.or(Type::STRING)),
            ("data", Type::STRING),
            ("serverSocket", Type::INT, "-1")
        ): Type::BOOL => runtime::send;
        public "close" (("fd", Type::INT), ("reset", Type::BOOL, "false")): Type::BOOL => runtime::close;
        public "exists" (("fd", Type::INT)): Type::BOOL => runtime::exists;
        public "exist" (("fd", Type::INT)): Type::BOOL => runtime::exists;
        public "shutdown" (): Type::BOOL => runtime::shutdown;
        public "reload" (("only_task", Type::BOOL, "false")): Type::BOOL => runtime::reload;
        public "stop" (("workerId", Type::INT, "-1")): Type::BOOL => runtime::stop;
        public "stats" (): Type::ARRAY.or(Type::FALSE) => runtime::stats;
        public "getClientInfo" (
            ("fd", Type::INT),
            ("reactor_id", Type::INT, "-1"),
            ("ignoreError", Type::BOOL, "false")
        ): Type::ARRAY.or(Type::FALSE) => runtime::get_client_info;
        public "connection_info" (
            ("fd", Type::INT),
            ("reactor_id", Type::INT, "-1"),
            ("ignoreError", Type::BOOL, "false")
        ): Type::ARRAY.or(Type::FALSE) => runtime::get_client_info;
        public "getWorkerId" (): Type::INT.or(Type::FALSE) => runtime::get_worker_id;
        public "getWorkerPid" (("id", Type::INT, "-1")): Type::INT.or(Type::FALSE) => runtime::get_worker_pid;
        public "getWorkerStatus" (("id", Type::INT, "-1")): Type::INT.or(Type::FALSE) => runtime::get_worker_status;
        public "getMasterPid" (): Type::INT.or(Type::FALSE) => runtime::get_master_pid;
        public "getManagerPid" (): Type::INT.or(Type::FALSE) => runtime::get_manager_pid;
        public "getLastError" (): Type::INT => runtime::get_last_error;
    ]
}
