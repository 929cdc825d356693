//! Functions among the settings: what user code decides on the way of a message.

use std::cell::{Cell, RefCell};
use std::io;
use std::mem::MaybeUninit;
use std::rc::Rc;

use ext_php_rs::flags::DataType;
use ext_php_rs::types::{ZendHashTable, Zval};
use rotor_core::hooks::{About, Answer, Hooks};
use rotor_core::host::Outcome;
use rotor_core::settings::{Key, Value};

use crate::call::Callable;
use crate::zend;

/// The settings that are functions.
pub const KEYS: [Key; 2] = [Key::PackageLengthFunc, Key::DispatchFunc];
/// The place of the parameter of `dispatch_func` for the data, which it is given if it has one.
pub const DATA_AT: u32 = 3;

/// The functions that a port was given.
#[derive(Default)]
pub struct Functions(RefCell<[Option<Rc<Callable>>; KEYS.len()]>);

/// The functions of one `set()`: for each whether it is spoken of, and what it is then.
pub struct Given([Option<Option<Callable>>; KEYS.len()]);

impl Given {
    /// Finds the functions in the array that `set()` was given, and says so in `values`, where each is a name without a
    /// value so far.
    pub fn take(array: &ZendHashTable, values: &mut [(String, Value)]) -> Self {
        Self(KEYS.map(|key| {
            let name = key.row().name;
            let (_, value) = values.iter_mut().find(|(given, _)| given == name)?;
            let callable = array.get(name).and_then(|zval| Callable::resolve(zval.dereference()).ok());
            if callable.is_some() {
                *value = Value::Callable;
            }
            Some(callable)
        }))
    }
}

impl Functions {
    /// What is set for `key`. The caller owns it, so that a function may outlive its setting.
    pub fn get(&self, key: Key) -> Option<Rc<Callable>> {
        self.0.borrow()[place(key)?].clone()
    }

    /// Keeps what was given, once all of it is taken.
    pub fn put(&self, given: Given) {
        for (place, given) in given.0.into_iter().enumerate() {
            let Some(callable) = given else { continue };
            let before = std::mem::replace(&mut self.0.borrow_mut()[place], callable.map(Rc::new));
            // Here, where nothing is borrowed: a destructor of the old one may call us.
            drop(before);
        }
    }

    /// Shows the collector what the functions own.
    pub fn visit(&self, visit: &mut dyn FnMut(&Zval)) {
        for callable in self.0.borrow().iter().flatten() {
            callable.visit(visit);
        }
    }

    /// Shows each function, under the name of its setting.
    pub fn show(&self, visit: &mut dyn FnMut(&'static str, &Zval)) {
        for (key, callable) in KEYS.iter().zip(self.0.borrow().iter()) {
            if let Some(callable) = callable {
                visit(key.row().name, callable.zval());
            }
        }
    }
}

/// The functions of all ports.
pub struct PhpHooks {
    /// `$server`.
    pub object: Zval,
    /// `package_length_func`, by port.
    pub length: Vec<Option<Rc<Callable>>>,
    /// `dispatch_func`, by port, and whether it wants the data.
    pub worker: Vec<Option<(bool, Rc<Callable>)>>,
}

impl Hooks for PhpHooks {
    fn package_length(&self, port: u16, received: &[u8]) -> Answer {
        let Some(Some(callable)) = self.length.get(usize::from(port)) else { return Answer::Other(NOT_THERE) };
        if !zend::string_fits(received.len()) {
            return Answer::NoRoom;
        }
        ask(callable, [], Some(received))
    }

    fn worker(&self, port: u16, from: u64, about: About, data: &[u8]) -> Answer {
        let Some(Some((wants_data, callable))) = self.worker.get(usize::from(port)) else {
            return Answer::Other(NOT_THERE);
        };
        if !zend::string_fits(data.len()) {
            return Answer::NoRoom;
        }
        let int = |number: i64| {
            let mut zval = Zval::new();
            zval.set_long(number);
            zval
        };
        let args = [self.object.shallow_clone(), int(from.cast_signed()), int(about as i64)];
        ask(callable, args, Some(data).filter(|_| *wants_data))
    }
}

/// Calls a function that returns an int, with bytes behind the other arguments.
fn ask<const N: usize>(callable: &Callable, args: [Zval; N], bytes: Option<&[u8]>) -> Answer {
    let answer = Cell::new(Answer::Threw);
    let read = |result: &Zval| answer.set(number(result));
    let outcome = match bytes {
        Some(bytes) => {
            let fill = |room: &mut [MaybeUninit<u8>]| copy_into(room, bytes);
            callable.ask_with_bytes(args, bytes.len(), fill, &mut || {}, |bytes| [bytes], read)
        }
        None => callable.ask(args, read),
    };
    match outcome {
        Outcome::Returned => answer.get(),
        Outcome::Threw => Answer::Threw,
        Outcome::Ended(end) => Answer::Ended(end),
    }
}

/// Writes all of `bytes` into room for just so many.
pub fn copy_into(room: &mut [MaybeUninit<u8>], bytes: &[u8]) -> io::Result<()> {
    for (place, byte) in room.iter_mut().zip(bytes) {
        place.write(*byte);
    }
    Ok(())
}

/// What a function that returns an int has returned.
fn number(result: &Zval) -> Answer {
    let result = result.dereference();
    match result.get_type() {
        DataType::Long => Answer::Number(result.long().unwrap_or_default()),
        DataType::Null | DataType::Undef => Answer::Other("returned null instead of an int"),
        DataType::True | DataType::False | DataType::Bool => Answer::Other("returned a bool instead of an int"),
        DataType::Double => Answer::Other("returned a float instead of an int"),
        DataType::String => Answer::Other("returned a string instead of an int"),
        DataType::Array => Answer::Other("returned an array instead of an int"),
        _ => Answer::Other("returned an object instead of an int"),
    }
}

/// What a port did whose function is asked and is not there; the core asks for none of those.
const NOT_THERE: &str = "is not set for this port";

fn place(key: Key) -> Option<usize> {
    KEYS.iter().position(|known| *known == key)
}
