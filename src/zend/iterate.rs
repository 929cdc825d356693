//! Walking over what PHP code gives as `iterable`, whose own code may run at each step.

use std::ptr;

use ext_php_rs::ffi;
use ext_php_rs::types::Zval;

use super::entry::Fault;
use super::{api, engine};

/// Shows `each` the elements of an array or a `Traversable`, until one is refused. To be called under a guard against
/// bailouts, with nothing at hand in the guarded code that needs to be dropped.
///
/// # Errors
/// That of `each`, or an exception of the iterator's. `None`: it is neither.
pub fn for_each(iterable: &Zval, each: &mut dyn FnMut(&Zval) -> Result<(), Fault>) -> Option<Result<(), Fault>> {
    if let Some(array) = iterable.array() {
        return Some(array.values().try_for_each(|element| each(element.dereference())));
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
