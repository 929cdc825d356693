//! The class `Rotor\Server\Port`: one address that a server listens on, with settings and callbacks of its own.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::OnceLock;

use ext_php_rs::types::{ZendStr, Zval};
use rotor_core::host::EventKind;
use rotor_core::ports::PortInfo;
use rotor_core::settings::{Machine, Names, SettingError, SettingsInput, Warning};

use crate::aliases::names;
use crate::call::Callable;
use crate::callbacks::{Callbacks, about_unknown_event, event_named, name_of};
use crate::connections::{self, Connections};
use crate::errors::{EXCEPTION, SETTING_EXCEPTION, exception, misused, warn_of_settings, wrong_state};
use crate::functions::{Functions, Given};
use crate::running::Running;
use crate::settings::{from_php, publish};
use crate::sockets::{self, Unstarted};
use crate::zend::{
    self, Answer, Call, ClassRef, Fault, Handlers, Native, Property, PropertyDefault, Type, Value, functions,
};

/// The class `Rotor\Server\Port`.
pub static CLASS: ClassRef = ClassRef::new();

/// The public properties.
pub const PROPERTIES: &[Property] = &[
    ("host", PropertyDefault::Text("")),
    ("port", PropertyDefault::Int(0)),
    ("type", PropertyDefault::Int(0)),
    ("sock", PropertyDefault::Int(-1)),
    ("ssl", PropertyDefault::Bool(false)),
    ("setting", PropertyDefault::Null),
    ("connections", PropertyDefault::Null),
];

/// One port, as the server and its PHP object share it.
pub struct Port {
    /// Of connections and messages.
    pub callbacks: Callbacks,
    /// The settings that are functions.
    pub functions: Functions,
    /// The primary port's are the server's.
    settings: Rc<RefCell<SettingsInput>>,
    is_primary: bool,
    /// Whether it was told anything by itself: else it has the primary port's settings.
    has_own: Cell<bool>,
    started: Rc<Cell<bool>>,
}

impl Port {
    /// The primary port of a server with these settings.
    pub fn primary(settings: Rc<RefCell<SettingsInput>>, started: Rc<Cell<bool>>) -> Rc<Self> {
        let callbacks = Callbacks::default();
        let functions = Functions::default();
        Rc::new(Self { callbacks, functions, settings, is_primary: true, has_own: Cell::new(true), started })
    }

    /// Another port.
    pub fn other(machine: Machine, started: Rc<Cell<bool>>) -> Rc<Self> {
        let settings = Rc::new(RefCell::new(SettingsInput::of_port(machine)));
        let callbacks = Callbacks::default();
        let functions = Functions::default();
        Rc::new(Self { callbacks, functions, settings, is_primary: false, has_own: Cell::new(false), started })
    }

    /// Whether it was told anything by itself, or is the one that shares what the server was told.
    pub fn has_own(&self) -> bool {
        self.has_own.get()
    }

    /// What it was told by itself; `None` where it has the primary port's settings.
    pub fn own_settings(&self) -> Option<std::cell::Ref<'_, SettingsInput>> {
        (self.has_own.get() && !self.is_primary).then(|| self.settings.borrow())
    }

    fn merge(&self, given: Vec<(String, rotor_core::settings::Value)>) -> Result<Vec<Warning>, SettingError> {
        let mut settings = self.settings.borrow_mut();
        if self.is_primary { settings.merge_for_port(given, names()) } else { settings.merge(given, names()) }
    }

    fn not_started(&self) -> Result<(), Fault> {
        if self.started.get() { Err(wrong_state("server is running; call it before start()")) } else { Ok(()) }
    }
}

/// The Rust side of a port's object. There is one for each port, which lives as long as the server at least.
pub struct PortObject {
    port: Rc<Port>,
    place: usize,
    unstarted: Rc<Unstarted>,
    running: Rc<Running>,
}

impl Native for PortObject {
    const NOT_CONSTRUCTED: &'static str = "only listen() makes one";

    fn handlers() -> &'static OnceLock<Handlers> {
        static HANDLERS: OnceLock<Handlers> = OnceLock::new();
        &HANDLERS
    }

    fn fault_class() -> &'static ClassRef {
        &EXCEPTION
    }

    fn references(&self, visit: &mut dyn FnMut(&Zval)) {
        self.port.callbacks.visit(visit);
        self.port.functions.visit(visit);
    }
}

/// The PHP object for the port at a place of a server.
pub fn object(port: Rc<Port>, place: usize, info: &PortInfo, unstarted: Rc<Unstarted>, running: Rc<Running>) -> Zval {
    let object = zend::new_object(&CLASS, PortObject { port, place, unstarted, running: running.clone() });
    let Some(raw) = object.object() else { return object };
    let raw = std::ptr::from_ref(raw).cast_mut();
    let set = |name, value| zend::set_property(&CLASS, raw, name, value);
    let mut host = Zval::new();
    host.set_zend_string(ZendStr::new(info.address.host(), false));
    set("host", host);
    let numbers = [
        ("port", i64::from(info.address.number())),
        ("type", info.sock_type as i64),
        ("sock", i64::try_from(place).unwrap_or(i64::MAX)),
    ];
    for (name, number) in numbers {
        let mut zval = Zval::new();
        zval.set_long(number);
        set(name, zval);
    }
    set("connections", zend::new_object(&connections::CLASS, Connections::new(running, Some(place))));
    let mut ssl = Zval::new();
    ssl.set_bool(info.is_tls);
    set("ssl", ssl);
    object
}

functions! {
    /// The methods of `Rotor\Server\Port`.
    pub static METHODS = [
        private "__construct" () => construct;
        public "set" (("settings", Type::ARRAY)): Type::BOOL => set;
        public "on" (("event", Type::STRING), ("callback", Type::CALLABLE)): Type::BOOL => on;
        public "getCallback" (("event", Type::STRING)):
            Type::class(c"Closure").or(Type::STRING).or(Type::ARRAY).or(Type::NULL) => get_callback;
        public "getSocket" (): Type::class(c"Socket").or(Type::FALSE) => get_socket;
    ]
}

/// Private: nobody but the server makes one.
fn construct(_call: &mut Call<'_>) -> Answer {
    Ok(Value::Null)
}

/// `set(array $settings): bool`
fn set(call: &mut Call<'_>) -> Answer {
    let array = call.array(0)?;
    let mut given = from_php(array);
    let functions = Given::take(array, &mut given);
    let port = call.this::<PortObject>()?.port.clone();
    port.not_started()?;
    let before: Vec<&'static str> = port.settings.borrow().values().map(|(name, _)| name).collect();
    let warnings = port.merge(given).map_err(|error| Fault::Thrown {
        class: &SETTING_EXCEPTION,
        message: format!("Rotor\\Server\\Port::set(): {}", error.message()),
        code: 0,
    })?;
    port.has_own.set(true);
    port.functions.put(functions);
    publish(&CLASS, call.object(), &port.settings, &port.functions, &before);
    Ok(warn_of_settings(call, warnings))
}

/// `on(string $event, callable $callback): bool`
fn on(call: &mut Call<'_>) -> Answer {
    let name = call.bytes(0)?.unwrap_or_default();
    let Some(given) = call.any(1) else { return Err(Fault::Pending) };
    let port = call.this::<PortObject>()?.port.clone();
    port.not_started()?;
    let refused = |about: String| match names() {
        Names::Rotor => exception(format!("Rotor\\Server\\Port::on(): {about}")),
        Names::Swoole => misused(about),
    };
    let kind = event_named(name).ok_or_else(|| refused(about_unknown_event(name)))?;
    if !kind.is_of_port() {
        let name = name_of(kind);
        return Err(refused(format!("event \"{name}\" is one of the whole server; register it with $server->on()")));
    }
    let callable = Callable::resolve(given.dereference()).map_err(|why| call.wrong_callback(1, &why))?;
    port.callbacks.set(kind, callable);
    Ok(Value::Bool(true))
}

/// `getCallback(string $event): Closure|string|array|null`
fn get_callback(call: &mut Call<'_>) -> Answer {
    let name = call.bytes(0)?.unwrap_or_default();
    let port = call.this::<PortObject>()?.port.clone();
    let callable =
        event_named(name).filter(|kind: &EventKind| kind.is_of_port()).and_then(|kind| port.callbacks.get(kind));
    Ok(callable.map_or(Value::Null, |callable| Value::Zval(callable.zval().shallow_clone())))
}

/// `getSocket(): Socket|false`
fn get_socket(call: &mut Call<'_>) -> Answer {
    let this = call.this::<PortObject>()?;
    sockets::of_port(&this.unstarted, &this.running, this.place)
}
