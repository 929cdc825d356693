//! The class `Rotor\Server`: converts, delegates, converts back.

mod broadcast;
mod constants;
mod lifecycle;
mod runtime;

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::OnceLock;

use ext_php_rs::types::{ZendHashTable, ZendObject, Zval};
use rotor_core::host::EventKind;
use rotor_core::ports::PortInfo;
use rotor_core::settings::{Key, Machine, SettingError, Settings, SettingsInput, Warning};

use crate::aliases::names;
use crate::call::Callable;
use crate::callbacks::{Callbacks, name_of};
use crate::errors::{EXCEPTION, wrong_state};
use crate::functions::{DATA_AT, PhpHooks};
use crate::port::{self, Port};
use crate::running::Running;
use crate::sockets::Unstarted;
use crate::zend::{self, ClassRef, Fault, Handlers, Native, Type, functions};

pub use constants::{CONSTANTS, PROPERTIES};

/// The class `Rotor\Server`.
pub static CLASS: ClassRef = ClassRef::new();

/// The Rust side of `$server`.
pub struct Server {
    /// The bound port, until `start()` takes it.
    unstarted: Rc<Unstarted>,
    settings: Rc<RefCell<SettingsInput>>,
    /// Of the server; those of connections are the ports'.
    callbacks: Callbacks,
    ports: RefCell<Vec<Rc<Port>>>,
    /// Their objects, each of which shows the collector what its port owns: so the server has to hold them.
    port_objects: RefCell<Vec<Zval>>,
    /// The objects given to `addProcess()`.
    processes: RefCell<Vec<Zval>>,
    running: Rc<Running>,
    started: Rc<Cell<bool>>,
}

impl Server {
    fn new(bound: rotor_core::server::Server, machine: Machine) -> Self {
        EXISTS.set(true);
        let settings = Rc::new(RefCell::new(SettingsInput::new(machine)));
        let started = Rc::new(Cell::new(false));
        Self {
            unstarted: Rc::new(RefCell::new(Some(bound))),
            ports: RefCell::new(vec![Port::primary(settings.clone(), started.clone())]),
            port_objects: RefCell::default(),
            settings,
            callbacks: Callbacks::default(),
            processes: RefCell::default(),
            running: Rc::default(),
            started,
        }
    }

    /// The callback for an event, on a port where it is one of ports: its own, or the primary port's.
    pub fn callback(&self, kind: EventKind, port: usize) -> Option<Rc<Callable>> {
        if !kind.is_of_port() {
            return self.callbacks.get(kind);
        }
        let ports = self.ports.borrow();
        let own = ports.get(port).and_then(|port| port.callbacks.get(kind));
        own.or_else(|| ports[0].callbacks.get(kind))
    }

    /// The functions that ports have in the way of their messages.
    pub fn hooks(&self, object: Zval) -> PhpHooks {
        let ports = self.ports.borrow();
        // A port without settings of its own has the primary one's.
        let of = |port: &Port, key| if port.has_own() { port.functions.get(key) } else { ports[0].functions.get(key) };
        let worker = |port: &Port| {
            let function = port.functions.get(Key::DispatchFunc).or_else(|| ports[0].functions.get(Key::DispatchFunc));
            function.map(|function| (function.takes(DATA_AT), function))
        };
        PhpHooks {
            object,
            length: ports.iter().map(|port| of(port, Key::PackageLengthFunc)).collect(),
            worker: ports.iter().map(|port| worker(port)).collect(),
        }
    }

    /// The first port without a callback for what its clients send, and which.
    fn lacks_callback(&self) -> Option<(usize, EventKind)> {
        let unstarted = self.unstarted.borrow();
        let server = unstarted.as_ref()?;
        (0..self.port_count())
            .map(|place| {
                let is_datagram = server.port(place).sock_type.is_datagram();
                (place, if is_datagram { EventKind::Packet } else { EventKind::Receive })
            })
            .find(|(place, kind)| self.callback(*kind, *place).is_none())
    }

    /// How many ports it has.
    fn port_count(&self) -> usize {
        self.ports.borrow().len()
    }

    /// Where `on()` registers the callback for an event.
    fn callbacks_for(&self, kind: EventKind) -> CallbacksFor<'_> {
        if kind.is_of_port() {
            CallbacksFor::Port(self.ports.borrow()[0].clone())
        } else {
            CallbacksFor::Server(&self.callbacks)
        }
    }

    /// Makes `$ports` begin with the primary port.
    fn show_primary(&self, info: &PortInfo, object: *mut ZendObject) {
        let primary = self.ports.borrow()[0].clone();
        show_port(object, self.port_object(primary, 0, info));
    }

    /// Makes another port known, and shows it in `$ports`.
    fn add_port(&self, info: &PortInfo, object: *mut ZendObject, machine: Machine) -> Zval {
        let port = Port::other(machine, self.started.clone());
        let place = {
            let mut ports = self.ports.borrow_mut();
            ports.push(port.clone());
            ports.len() - 1
        };
        let zval = self.port_object(port, place, info);
        show_port(object, zval.shallow_clone());
        zval
    }

    fn port_object(&self, port: Rc<Port>, place: usize, info: &PortInfo) -> Zval {
        let object = port::object(port, place, info, self.unstarted.clone(), self.running.clone());
        self.port_objects.borrow_mut().push(object.shallow_clone());
        object
    }

    /// What holds for the server and each of its ports.
    fn resolve(&self, machine: &Machine) -> Result<(Settings, Vec<Warning>), SettingError> {
        let (mut settings, mut warnings) = self.settings.borrow().resolve(machine, names())?;
        for port in &self.ports.borrow()[1..] {
            let own =
                port.own_settings().map(|own| own.resolve_port(&settings.ports[0], machine, names())).transpose()?;
            let own = own.map(|(own, about)| {
                warnings.extend(about);
                own
            });
            settings.ports.push(own.unwrap_or_else(|| settings.ports[0].clone()));
        }
        Ok((settings, warnings))
    }

    /// Callbacks whose place in the order of a connection's messages nobody can keep, by port, and what is wrong with
    /// each.
    fn unsafe_events(&self, settings: &Settings) -> Vec<(Rc<Port>, EventKind, String)> {
        let mode = settings.dispatch_mode;
        if mode.keeps_worker() || settings.enable_unsafe_event {
            return Vec::new();
        }
        let ports = self.ports.borrow();
        let about = |place: usize, kind: EventKind| {
            let whose = if ports.len() == 1 { String::new() } else { format!(" on port {place}") };
            let (name, mode) = (name_of(kind).to_ascii_lowercase(), mode as u8);
            format!(
                "the event \"{name}\"{whose} needs connections that keep their worker, and in dispatch_mode {mode} \
                 they do not"
            )
        };
        let of_port = |(place, port): (usize, &Rc<Port>)| {
            let kinds = EventKind::IN_ORDER.iter().copied().filter(|kind| port.callbacks.has(*kind));
            kinds.map(|kind| (port.clone(), kind, about(place, kind))).collect::<Vec<_>>()
        };
        ports.iter().enumerate().flat_map(of_port).collect()
    }

    /// How many user processes it has.
    pub fn process_count(&self) -> usize {
        self.processes.borrow().len()
    }

    /// The object of a user process.
    pub fn process_object(&self, index: usize) -> Option<Zval> {
        self.processes.borrow().get(index).map(Zval::shallow_clone)
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

/// The callbacks of a server or of its primary port.
enum CallbacksFor<'a> {
    Server(&'a Callbacks),
    Port(Rc<Port>),
}

impl std::ops::Deref for CallbacksFor<'_> {
    type Target = Callbacks;

    fn deref(&self) -> &Callbacks {
        match self {
            Self::Server(callbacks) => callbacks,
            Self::Port(port) => &port.callbacks,
        }
    }
}

/// Puts a port's object behind those that `$ports` has.
fn show_port(server: *mut ZendObject, port: Zval) {
    let shown = zend::property(&CLASS, server, "ports");
    let mut ports = shown.array().map_or_else(ZendHashTable::new, ToOwned::to_owned);
    drop(shown);
    // Fails when the next index is out of range only.
    let _ = ports.push(port);
    let mut zval = Zval::new();
    zval.set_hashtable(ports);
    zend::set_property(&CLASS, server, "ports", zval);
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
        self.port_objects.borrow().iter().for_each(&mut *visit);
        self.processes.borrow().iter().for_each(visit);
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
        public "listen" (("host", Type::STRING), ("port", Type::INT), ("sock_type", Type::INT)):
            Type::class(c"Rotor\\Server\\Port").or(Type::FALSE) => lifecycle::listen;
        public "addlistener" (("host", Type::STRING), ("port", Type::INT), ("sock_type", Type::INT)):
            Type::class(c"Rotor\\Server\\Port").or(Type::FALSE) => lifecycle::listen;
        public "addProcess" (("process", Type::class(c"Rotor\\Process"))): Type::INT.or(Type::FALSE)
            => lifecycle::add_process;
        public "start" (): Type::BOOL => lifecycle::start;
        public "send" (
            ("fd", Type::INT.or(Type::STRING)),
            ("data", Type::STRING),
            ("serverSocket", Type::INT, "-1")
        ): Type::BOOL => runtime::send;
        public "sendto" (
            ("ip", Type::STRING),
            ("port", Type::INT),
            ("data", Type::STRING),
            ("server_socket", Type::INT, "-1")
        ): Type::BOOL => runtime::sendto;
        public "sendfile" (
            ("fd", Type::INT),
            ("file", Type::STRING),
            ("offset", Type::INT, "0"),
            ("length", Type::INT, "0")
        ): Type::BOOL => runtime::sendfile;
        public "broadcast" (
            ("data", Type::STRING),
            ("fds", Type::ITERABLE.or(Type::NULL), "null"),
            ("except", Type::INT.variadic())
        ): Type::INT => broadcast::broadcast;
        public "close" (("fd", Type::INT), ("reset", Type::BOOL, "false")): Type::BOOL => runtime::close;
        public "bind" (("fd", Type::INT), ("uid", Type::INT)): Type::BOOL => runtime::bind;
        public "exists" (("fd", Type::INT)): Type::BOOL => runtime::exists;
        public "exist" (("fd", Type::INT)): Type::BOOL => runtime::exists;
        public "pause" (("fd", Type::INT)): Type::BOOL => runtime::pause;
        public "resume" (("fd", Type::INT)): Type::BOOL => runtime::resume;
        public "confirm" (("fd", Type::INT)): Type::BOOL => runtime::resume;
        public "protect" (("fd", Type::INT), ("on", Type::BOOL, "true")): Type::BOOL => runtime::protect;
        public "heartbeat" (("close", Type::BOOL, "true")): Type::ARRAY.or(Type::FALSE) => runtime::heartbeat;
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
        public "getClientList" (("start_fd", Type::INT, "0"), ("count", Type::INT, "10")): Type::ARRAY.or(Type::FALSE)
            => runtime::get_client_list;
        public "connection_list" (("start_fd", Type::INT, "0"), ("count", Type::INT, "10")): Type::ARRAY.or(Type::FALSE)
            => runtime::get_client_list;
        public "getWorkerId" (): Type::INT.or(Type::FALSE) => runtime::get_worker_id;
        public "getWorkerPid" (("id", Type::INT, "-1")): Type::INT.or(Type::FALSE) => runtime::get_worker_pid;
        public "getWorkerStatus" (("id", Type::INT, "-1")): Type::INT.or(Type::FALSE) => runtime::get_worker_status;
        public "getMasterPid" (): Type::INT.or(Type::FALSE) => runtime::get_master_pid;
        public "getManagerPid" (): Type::INT.or(Type::FALSE) => runtime::get_manager_pid;
        public "trace" (("workerId", Type::INT)): Type::STRING.or(Type::FALSE) => runtime::trace;
        public "extendTimeout" (("seconds", Type::FLOAT)): Type::BOOL => runtime::extend_timeout;
        public "getSocket" (("port", Type::INT, "0")): Type::class(c"Socket").or(Type::FALSE) => runtime::get_socket;
        public "getLastError" (): Type::INT => runtime::get_last_error;
    ]
}
