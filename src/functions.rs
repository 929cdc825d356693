//! Functions among the settings: what user code decides on the way of a message.

use std::cell::{Cell, RefCell};
use std::io;
use std::mem::MaybeUninit;
use std::rc::Rc;

use ext_php_rs::flags::DataType;
use ext_php_rs::types::{ZendHashTable, Zval};
use rotor_core::hooks::{Answer, Hooks};
use rotor_core::host::Outcome;
use rotor_core::settings::{Key, Value};

use crate::call::Callable;
use crate::zend;

/// The settings that are functions.
pub const KEYS: [Key; 1] = [Key::PackageLengthFunc];

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

    /// Shows each function, under the name of its setting.
    pub fn visit(&self, visit: &mut dyn FnMut(&'static str, &Zval)) {
        for (key, callable) in KEYS.iter().zip(self.0.borrow().iter()) {
            if let Some(callable) = callable {
                visit(key.row().name, callable.zval());
            }
        }
    }
}

/// The functions of all ports.
pub struct PhpHooks {
    /// By port.
    pub length: Vec<Option<Rc<Callable>>>,
}

impl Hooks for PhpHooks {
    fn package_length(&self, port: u16, received: &[u8]) -> Answer {
        let Some(Some(callable)) = self.length.get(usize::from(port)) else { return Answer::Other("nothing") };
        if !zend::string_fits(received.len()) {
            return Answer::NoRoom;
        }
        let fill = |room: &mut [MaybeUninit<u8>]| copy_into(room, received);
        let answer = Cell::new(Answer::Threw);
        let outcome =
            callable.ask_with_bytes([], received.len(), fill, &mut || {}, |result| answer.set(number(result)));
        match outcome {
            Outcome::Returned => answer.get(),
            Outcome::Threw => Answer::Threw,
            Outcome::Ended(end) => Answer::Ended(end),
        }
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
        DataType::Long => result.long().map_or(Answer::Other("int"), Answer::Number),
        DataType::Null | DataType::Undef => Answer::Other("null"),
        DataType::True | DataType::False | DataType::Bool => Answer::Other("bool"),
        DataType::Double => Answer::Other("float"),
        DataType::String => Answer::Other("string"),
        DataType::Array => Answer::Other("array"),
        _ => Answer::Other("object"),
    }
}

fn place(key: Key) -> Option<usize> {
    KEYS.iter().position(|known| *known == key)
}
