//! `$server->connections` and `$port->connections`: the sessions of all clients, or of a port's, to be walked, counted and
//! looked up.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::OnceLock;

use rotor_core::error::code;
use rotor_core::process::ClientInfo;

use crate::client_info;
use crate::errors::{EXCEPTION, set_last_error, unknown};
use crate::running::Running;
use crate::zend::{Answer, Call, ClassRef, Handlers, Native, Type, Value, Walk, functions};

/// The class `Rotor\Connection\Iterator`.
pub static CLASS: ClassRef = ClassRef::new();

/// The Rust side of the iterator.
pub struct Connections {
    of: Of,
    /// Where its methods are.
    position: RefCell<Position>,
}

/// Which connections are meant.
#[derive(Clone)]
struct Of {
    running: Rc<Running>,
    /// Those of one port alone, by its place.
    port: Option<usize>,
}

/// Where a walk is.
#[derive(Default)]
struct Position {
    /// The session; `None` before the walk and behind the last.
    at: Option<i64>,
    /// The number of the step.
    step: i64,
    /// Where in the table it goes on.
    place: usize,
}

/// One `foreach`.
pub struct Loop {
    of: Of,
    position: Position,
}

impl Connections {
    /// The connections of a server, or of one of its ports, not walked yet.
    pub fn new(running: Rc<Running>, port: Option<usize>) -> Self {
        Self { of: Of { running, port }, position: RefCell::default() }
    }

    /// Whether they are those of this server.
    pub fn is_of(&self, running: &Rc<Running>) -> bool {
        Rc::ptr_eq(&self.of.running, running)
    }

    /// The place of the port whose they are; `None`: all.
    pub fn port(&self) -> Option<usize> {
        self.of.port
    }

    /// Whether a connection is one of these.
    fn is_mine(&self, info: &ClientInfo) -> bool {
        self.of.port.is_none_or(|port| usize::from(info.session.port) == port)
    }
}

impl Position {
    fn rewind(&mut self, of: &Of) {
        *self = Self::default();
        self.advance(of);
    }

    fn next(&mut self, of: &Of) {
        self.step = self.step.saturating_add(1);
        if self.at.is_some() {
            self.advance(of);
        }
    }

    /// Goes to the first session from the place on.
    fn advance(&mut self, of: &Of) {
        let next = of.running.try_process().and_then(|process| process.session_from(self.place, of.port));
        self.at = next.map(|(session, _)| session);
        if let Some((_, place)) = next {
            self.place = place;
        }
    }
}

impl Walk for Loop {
    type Over = Connections;

    fn over(object: &Connections) -> Self {
        Self { of: object.of.clone(), position: Position::default() }
    }

    fn rewind(&mut self) {
        self.position.rewind(&self.of);
    }

    fn next(&mut self) {
        self.position.next(&self.of);
    }

    fn current(&self) -> Option<i64> {
        self.position.at
    }

    fn key(&self) -> i64 {
        self.position.step
    }
}

impl Native for Connections {
    const NOT_CONSTRUCTED: &'static str = "only $connections of a server or a port is one";

    fn handlers() -> &'static OnceLock<Handlers> {
        static HANDLERS: OnceLock<Handlers> = OnceLock::new();
        &HANDLERS
    }

    fn fault_class() -> &'static ClassRef {
        &EXCEPTION
    }
}

functions! {
    /// The methods of `Rotor\Connection\Iterator`.
    pub static METHODS = [
        private "__construct" () => construct;
        public "rewind" (): Type::VOID => rewind;
        public "next" (): Type::VOID => next;
        public "valid" (): Type::BOOL => valid;
        public "current" (): Type::INT.or(Type::FALSE) => current;
        public "key" (): Type::INT => key;
        public "count" (): Type::INT => count;
        public "offsetExists" (("fd", Type::MIXED)): Type::BOOL => offset_exists;
        public "offsetGet" (("fd", Type::MIXED)): Type::ARRAY.or(Type::FALSE) => offset_get;
        public "offsetSet" (("fd", Type::MIXED), ("value", Type::MIXED)): Type::VOID => offset_set;
        public "offsetUnset" (("fd", Type::MIXED)): Type::VOID => offset_unset;
    ]
}

/// Private: nobody but the server makes one.
fn construct(_call: &mut Call<'_>) -> Answer {
    Ok(Value::Null)
}

fn rewind(call: &mut Call<'_>) -> Answer {
    let this = call.this::<Connections>()?;
    this.position.borrow_mut().rewind(&this.of);
    Ok(Value::Null)
}

fn next(call: &mut Call<'_>) -> Answer {
    let this = call.this::<Connections>()?;
    this.position.borrow_mut().next(&this.of);
    Ok(Value::Null)
}

fn valid(call: &mut Call<'_>) -> Answer {
    Ok(Value::Bool(call.this::<Connections>()?.position.borrow().at.is_some()))
}

fn current(call: &mut Call<'_>) -> Answer {
    let session = call.this::<Connections>()?.position.borrow().at;
    Ok(session.map_or(Value::Bool(false), Value::Int))
}

fn key(call: &mut Call<'_>) -> Answer {
    Ok(Value::Int(call.this::<Connections>()?.position.borrow().step))
}

fn count(call: &mut Call<'_>) -> Answer {
    let of = &call.this::<Connections>()?.of;
    let Some(process) = of.running.try_process() else { return Ok(Value::Int(0)) };
    Ok(Value::Int(i64::try_from(process.connection_num(of.port)).unwrap_or(i64::MAX)))
}

fn offset_exists(call: &mut Call<'_>) -> Answer {
    let this = call.this::<Connections>()?;
    let found = session_at(call).zip(this.of.running.try_process());
    Ok(Value::Bool(found.is_some_and(|(fd, process)| {
        process.exists(fd) && process.client_info(fd).is_ok_and(|info| this.is_mine(&info))
    })))
}

fn offset_get(call: &mut Call<'_>) -> Answer {
    let this = call.this::<Connections>()?;
    let Some(process) = this.of.running.try_process() else { return Ok(Value::Bool(false)) };
    let fd = session_at(call).unwrap_or_default();
    let info = process.client_info(fd).map_err(|error| unknown(&error))?;
    if !this.is_mine(&info) {
        set_last_error(code::SESSION_NOT_EXIST);
        return Ok(Value::Bool(false));
    }
    Ok(Value::Array(client_info::to_php(&info)))
}

/// The connections are the clients' doing: nothing can be put there.
fn offset_set(_call: &mut Call<'_>) -> Answer {
    Ok(Value::Null)
}

/// As with [`offset_set`]; `close()` ends a connection.
fn offset_unset(_call: &mut Call<'_>) -> Answer {
    Ok(Value::Null)
}

/// The session id between the brackets: an integer, or a numeric string as array keys may be.
fn session_at(call: &Call<'_>) -> Option<i64> {
    let key = call.any(0)?.dereference();
    key.long().or_else(|| key.str()?.parse().ok())
}
