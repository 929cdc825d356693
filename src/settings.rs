//! PHP arrays as the core's settings, and back.

use std::cell::RefCell;

use ext_php_rs::boxed::ZBox;
use ext_php_rs::flags::DataType;
use ext_php_rs::types::{ZendHashTable, ZendObject, ZendStr, Zval};
use rotor_core::settings::{SettingsInput, Value};

use crate::functions::Functions;
use crate::zend::{self, ClassRef, Key};

/// The entries of the array that `set()` was given.
pub fn from_php(array: &ZendHashTable) -> Vec<(String, Value)> {
    entries(array, 0)
}

fn entries(array: &ZendHashTable, depth: usize) -> Vec<(String, Value)> {
    zend::entries(array)
        .map(|(key, value)| {
            let key = match key {
                Key::Int(number) => number.to_string(),
                Key::Text(name) => String::from_utf8_lossy(name).into_owned(),
            };
            (key, value_from_php(value, depth))
        })
        .collect()
}

/// What `$server->setting` shows: what has been set, beside what the script has put there. `gone` are settings
/// that are back at their default.
fn to_php(settings: &SettingsInput, shown: Option<&ZendHashTable>, gone: &[&'static str]) -> ZBox<ZendHashTable> {
    let mut array = shown.map_or_else(ZendHashTable::new, ToOwned::to_owned);
    for name in gone {
        array.remove(*name);
    }
    for (name, value) in settings.values() {
        // Fails for a key with a NUL only, and the names are ours.
        let _ = array.insert(name, value_to_php(value));
    }
    array
}

/// Shows in an object's `$setting` what has been set; `before` is what had been.
pub fn publish(
    class: &ClassRef,
    object: *mut ZendObject,
    input: &RefCell<SettingsInput>,
    functions: &Functions,
    before: &[&'static str],
) {
    let shown = zend::property(class, object, "setting");
    let mut zval = Zval::new();
    {
        let settings = input.borrow();
        let mut gone = before.to_vec();
        gone.retain(|name| settings.values().all(|(set, _)| set != *name));
        let mut array = to_php(&settings, shown.array(), &gone);
        functions.show(&mut |name, callable| {
            // Fails for a key with a NUL only, and the names are ours.
            let _ = array.insert(name, callable.shallow_clone());
        });
        zval.set_hashtable(array);
    }
    drop(shown);
    zend::set_property(class, object, "setting", zval);
}

fn value_from_php(zval: &Zval, depth: usize) -> Value {
    let zval = zval.dereference();
    match zval.get_type() {
        DataType::Null | DataType::Undef => Value::Null,
        DataType::True => Value::Bool(true),
        DataType::False => Value::Bool(false),
        DataType::Long => Value::Int(zval.long().unwrap_or_default()),
        DataType::Double => Value::Float(zval.double().unwrap_or_default()),
        DataType::String => Value::Str(zval.zend_str().map(|text| text.as_bytes().to_vec()).unwrap_or_default()),
        DataType::Array => match zval.array() {
            // No setting is deeper; an array may contain itself.
            Some(array) if depth < DEEPEST && zend::is_list(array) => {
                Value::List(zend::values(array).map(|item| value_from_php(item, depth + 1)).collect())
            }
            Some(array) if depth < DEEPEST => Value::Map(entries(array, depth + 1)),
            _ => Value::Other("array"),
        },
        DataType::Object(_) => match zval.object().and_then(|object| object.get_class_name().ok()) {
            Some(name) if name == "Closure" => Value::Other("Closure"),
            _ => Value::Other("object"),
        },
        DataType::Resource => Value::Other("resource"),
        _ => Value::Other("unknown"),
    }
}

fn value_to_php(value: &Value) -> Zval {
    let mut zval = Zval::new();
    match value {
        Value::Null | Value::Callable | Value::Other(_) => zval.set_null(),
        Value::Bool(flag) => zval.set_bool(*flag),
        Value::Int(number) => zval.set_long(*number),
        Value::Float(number) => zval.set_double(*number),
        Value::Str(bytes) => zval.set_zend_string(ZendStr::new(bytes, false)),
        Value::List(items) => {
            let mut list = ZendHashTable::new();
            for item in items {
                // Fails when the next index is out of range only.
                let _ = list.push(value_to_php(item));
            }
            zval.set_hashtable(list);
        }
        Value::Map(entries) => {
            let mut map = ZendHashTable::new();
            for (name, item) in entries {
                // Fails for a key with a NUL only.
                let _ = map.insert(name.as_str(), value_to_php(item));
            }
            zval.set_hashtable(map);
        }
    }
    zval
}

/// Levels of arrays that are looked at.
const DEEPEST: usize = 4;
