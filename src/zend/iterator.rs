//! `foreach` over objects of ours: each loop has a position of its own, beside the one that the object's methods move.

use std::ffi::{CString, c_int};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use ext_php_rs::ffi;
use ext_php_rs::types::Zval;

use super::object::{Native, native_of};
use super::{RegisteredClass, api};

/// A walk over an object: what one `foreach` is at. Nothing of it may run PHP code.
pub trait Walk: Sized + 'static {
    /// The Rust side of what is walked over.
    type Over: Native;

    /// A walk that has not begun.
    fn over(object: &Self::Over) -> Self;

    /// Goes to the first one.
    fn rewind(&mut self);

    /// Goes to the next one.
    fn next(&mut self);

    /// The one it is at; `None` behind the last.
    fn current(&self) -> Option<i64>;

    /// The number of the step.
    fn key(&self) -> i64;
}

impl RegisteredClass {
    /// Has `foreach` walk over its objects, instead of calling their methods. Behind [`Self::like_an_array`].
    pub fn walked_by<W: Walk>(self) -> Self {
        // SAFETY: module startup; nothing has used the class yet.
        unsafe { (*self.0).get_iterator = Some(begin::<W>) };
        self
    }
}

/// How a walk lies in memory: the engine's part comes first.
#[repr(C)]
struct Layout<W> {
    iterator: ffi::zend_object_iterator,
    /// What the engine is shown; a number, which owns nothing.
    current: ffi::zval,
    walk: W,
}

struct Table<W>(std::marker::PhantomData<W>);

impl<W: Walk> Table<W> {
    const FUNCTIONS: &'static ffi::zend_object_iterator_funcs = &ffi::zend_object_iterator_funcs {
        dtor: Some(end::<W>),
        valid: Some(valid::<W>),
        get_current_data: Some(current::<W>),
        get_current_key: Some(key::<W>),
        move_forward: Some(next::<W>),
        rewind: Some(rewind::<W>),
        invalidate_current: None,
        get_gc: None,
    };
}

/// The `get_iterator` of a class.
unsafe extern "C" fn begin<W: Walk>(
    _class: *mut ffi::zend_class_entry,
    object: *mut ffi::zval,
    by_reference: c_int,
) -> *mut ffi::zend_object_iterator {
    if by_reference != 0 {
        // SAFETY: throws, for the code that runs.
        unsafe {
            ffi::zend_throw_error(ptr::null_mut(), c"An iterator cannot be used with foreach by reference".as_ptr());
        }
        return ptr::null_mut();
    }
    // SAFETY: the engine passes an object of the class.
    let Some(over) = unsafe { native_of::<W::Over>((*object).value.obj) }.get() else {
        let message = CString::new(W::Over::NOT_CONSTRUCTED).unwrap_or_default();
        // SAFETY: the engine copies the message.
        unsafe { ffi::zend_throw_exception(W::Over::fault_class().get(), message.as_ptr(), 0) };
        return ptr::null_mut();
    };
    // SAFETY: room for the layout, of which every field is written; the object gets one more owner.
    unsafe {
        let layout = ffi::_emalloc(size_of::<Layout<W>>()).cast::<Layout<W>>();
        let iterator = &raw mut (*layout).iterator;
        api::zend_iterator_init(iterator);
        (*(*object).value.counted).gc.refcount += 1;
        ptr::copy_nonoverlapping(object, &raw mut (*iterator).data, 1);
        (*iterator).funcs = Table::<W>::FUNCTIONS;
        (&raw mut (*layout).current).write(Zval::null());
        (&raw mut (*layout).walk).write(W::over(over));
        iterator
    }
}

/// The layout around the iterator that the engine has.
///
/// # Safety
/// `iterator` was made by [`begin`] for `W` and is not ended.
unsafe fn layout<'a, W: Walk>(iterator: *mut ffi::zend_object_iterator) -> &'a mut Layout<W> {
    // SAFETY: the iterator is the first field, and the engine uses one at a time.
    unsafe { &mut *iterator.cast::<Layout<W>>() }
}

/// The engine frees the memory afterwards.
unsafe extern "C" fn end<W: Walk>(iterator: *mut ffi::zend_object_iterator) {
    // SAFETY: the engine's last use of it.
    unsafe {
        ptr::drop_in_place(&raw mut layout::<W>(iterator).walk);
        ffi::zval_ptr_dtor(&raw mut (*iterator).data);
    }
}

unsafe extern "C" fn valid<W: Walk>(iterator: *mut ffi::zend_object_iterator) -> c_int {
    // SAFETY: the engine's iterator.
    if unsafe { layout::<W>(iterator) }.walk.current().is_some() { 0 } else { -1 }
}

unsafe extern "C" fn current<W: Walk>(iterator: *mut ffi::zend_object_iterator) -> *mut ffi::zval {
    // SAFETY: the engine's iterator; what it is shown stays until the next step.
    unsafe { &raw mut layout::<W>(iterator).current }
}

unsafe extern "C" fn key<W: Walk>(iterator: *mut ffi::zend_object_iterator, key: *mut ffi::zval) {
    // SAFETY: the engine's iterator, and room for a value that owns nothing yet.
    unsafe {
        (*key).value.lval = layout::<W>(iterator).walk.key();
        (*key).u1.type_info = ffi::IS_LONG;
    }
}

unsafe extern "C" fn next<W: Walk>(iterator: *mut ffi::zend_object_iterator) {
    // SAFETY: the engine's iterator.
    step(unsafe { layout::<W>(iterator) }, W::next);
}

unsafe extern "C" fn rewind<W: Walk>(iterator: *mut ffi::zend_object_iterator) {
    // SAFETY: the engine's iterator.
    step(unsafe { layout::<W>(iterator) }, W::rewind);
}

/// A step, and what the engine is shown then. A panic must not cross into C; the walk stays where it was.
fn step<W: Walk>(layout: &mut Layout<W>, step: impl FnOnce(&mut W)) {
    let walk = &mut layout.walk;
    let _ = catch_unwind(AssertUnwindSafe(|| step(walk)));
    match layout.walk.current() {
        Some(number) => layout.current.set_long(number),
        None => layout.current.set_null(),
    }
}
