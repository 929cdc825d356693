//! Walking over arrays, and over what PHP code gives as `iterable`, whose own code may run at each step.

use std::ptr;

use ext_php_rs::ffi;
use ext_php_rs::types::{ZendHashTable, Zval};

use super::entry::{Fault, string_bytes};
use super::{api, engine};

/// A key of an array.
pub enum Key<'a> {
    Int(i64),
    Text(&'a [u8]),
}

/// The keys and values of an array, in order. ext-php-rs's own iterators panic at a key that is not UTF-8.
pub fn entries(array: &ZendHashTable) -> impl Iterator<Item = (Key<'_>, &Zval)> {
    let mut rest = array.iter();
    std::iter::from_fn(move || {
        let (key, value) = rest.next_zval()?;
        let key = match key.long() {
            Some(number) => Key::Int(number),
            // SAFETY: not a number, so it is a string. The array has a reference to it, and does not change as long as it
            // is borrowed.
            None => Key::Text(unsafe { string_bytes(key.value.str_) }),
        };
        Some((key, value))
    })
}

/// The values of an array, in order.
pub fn values(array: &ZendHashTable) -> impl Iterator<Item = &Zval> {
    entries(array).map(|(_, value)| value)
}

/// Whether its keys are 0, 1, 2 and so on.
pub fn is_list(array: &ZendHashTable) -> bool {
    entries(array).zip(0_i64..).all(|((key, _), place)| matches!(key, Key::Int(number) if number == place))
}

/// Shows `each` the elements of an array or a `Traversable`, until one is refused. To be called under a guard against
/// bailouts, with nothing at hand in the guarded code that needs to be dropped.
///
/// # Errors
/// That of `each`, or an exception of the iterator's. `None`: it is neither.
pub fn for_each(iterable: &Zval, each: &mut dyn FnMut(&Zval) -> Result<(), Fault>) -> Option<Result<(), Fault>> {
    if let Some(array) = iterable.array() {
        return Some(values(array).try_for_each(|element| each(element.dereference())));
    }
    let class = iterable.object()?.ce;
    // SAFETY: an object has a class.
    let make = unsafe { (*class).get_iterator }?;
    // SAFETY: the class's own function, for one of its objects.
    let iterator = unsafe { make(class, ptr::from_ref(iterable).cast_mut(), 0) };
    if iterator.is_null() || engine::exception_is_pending() {
        return Some(Err(Fault::Pending));
    }
    // SAFETY: just made, and released once, below.
    let outcome = unsafe { walk(iterator, each) };
    // SAFETY: as above.
    unsafe { api::zend_iterator_dtor(iterator) };
    Some(if engine::exception_is_pending() { Err(Fault::Pending) } else { outcome })
}

/// As `foreach` does it.
///
/// # Safety
/// The iterator is whole, and nobody else uses it.
unsafe fn walk(
    iterator: *mut ffi::zend_object_iterator,
    each: &mut dyn FnMut(&Zval) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let pending = |()| if engine::exception_is_pending() { Err(Fault::Pending) } else { Ok(()) };
    // SAFETY: by the caller's promise. The functions are the class's own; `valid`, `get_current_data` and `move_forward` are
    // never missing. What `get_current_data` gives lives until the iterator is moved.
    unsafe {
        let functions = &*(*iterator).funcs;
        let (Some(valid), Some(current), Some(forward)) =
            (functions.valid, functions.get_current_data, functions.move_forward)
        else {
            return Ok(());
        };
        (*iterator).index = 0;
        if let Some(rewind) = functions.rewind {
            rewind(iterator);
            pending(())?;
        }
        loop {
            let is_valid = valid(iterator) == ffi::ZEND_RESULT_CODE_SUCCESS;
            pending(())?;
            if !is_valid {
                return Ok(());
            }
            let element = current(iterator);
            pending(())?;
            if let Some(element) = element.as_ref() {
                each(element.dereference())?;
            }
            (*iterator).index += 1;
            forward(iterator);
            pending(())?;
        }
    }
}
