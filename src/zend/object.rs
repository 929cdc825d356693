//! PHP objects with a Rust side.

use std::cell::OnceCell;
use std::ffi::c_int;
use std::mem::{ManuallyDrop, MaybeUninit, offset_of};
use std::ptr;
use std::sync::OnceLock;

use ext_php_rs::ffi;
use ext_php_rs::types::{ZendObject, Zval};

use super::{ClassRef, GcBuffer, api};

/// The Rust side of a PHP class.
pub trait Native: Sized + 'static {
    /// What a method says when the constructor has not run: a subclass may have forgotten it.
    const NOT_CONSTRUCTED: &'static str;

    /// The class's handlers, made once by [`handlers`].
    fn handlers() -> &'static OnceLock<Handlers>;

    /// The exception that methods of an object without a Rust side throw.
    fn fault_class() -> &'static ClassRef;

    /// Shows the collector each PHP value that the Rust side owns.
    fn references(&self, _visit: &mut dyn FnMut(&Zval)) {}
}

/// The engine's operations on objects of one class.
pub struct Handlers(ffi::zend_object_handlers);

// SAFETY: function pointers and an offset, written before anybody else sees them.
unsafe impl Send for Handlers {}
// SAFETY: as above.
unsafe impl Sync for Handlers {}

/// How an object lies in memory: the engine's part comes last, since its properties follow it.
#[repr(C)]
struct Layout<T> {
    native: OnceCell<T>,
    std: ZendObject,
}

/// The place of an object's Rust side, which the constructor fills.
///
/// # Safety
/// `object` was made by [`create`] for `T` and lives for `'a`.
pub unsafe fn native_of<'a, T: Native>(object: *mut ZendObject) -> &'a OnceCell<T> {
    // SAFETY: the object is the last field of a Layout.
    unsafe { &*object.byte_sub(offset_of!(Layout<T>, std)).cast::<Layout<T>>() }.native_ref()
}

impl<T> Layout<T> {
    fn native_ref(&self) -> &OnceCell<T> {
        &self.native
    }
}

/// The Rust side of an object of `class` or below it; `None` for anything else, and where the constructor has not
/// run.
pub fn native<'a, T: Native>(zval: &'a Zval, class: &ClassRef) -> Option<&'a T> {
    let object = zval.object().filter(|object| is_of(object, class))?;
    // SAFETY: objects of the class are made by `create::<T>`, and the value holds this one.
    unsafe { native_of::<T>(ptr::from_ref(object).cast_mut()) }.get()
}

/// Whether an object is of `class` or below it.
pub fn is_of(object: &ZendObject, class: &ClassRef) -> bool {
    // SAFETY: registered at module startup, as the class of every object of it.
    unsafe { class.get().as_ref() }.is_some_and(|class| object.instance_of(class))
}

/// The `create_object` of a class whose Rust side is `T`.
pub unsafe extern "C" fn create<T: Native>(class: *mut ffi::zend_class_entry) -> *mut ZendObject {
    // SAFETY: allocates the Layout and, behind it, room for the properties of `class`; the object is then
    // initialised in the order that the engine asks for.
    unsafe {
        let layout = ffi::ext_php_rs_zend_object_alloc(size_of::<Layout<T>>(), class).cast::<Layout<T>>();
        (&raw mut (*layout).native).write(OnceCell::new());
        let object = &raw mut (*layout).std;
        ffi::zend_object_std_init(object, class);
        ffi::object_properties_init(object, class);
        (*object).handlers = &raw const T::handlers().get_or_init(handlers::<T>).0;
        object
    }
}

/// A new object of `T`'s class, without its constructor having run.
pub fn new_object<T: Native>(class: &ClassRef, value: T) -> Zval {
    let mut zval = Zval::new();
    // SAFETY: the class has been registered with `create::<T>`; the new object's one reference is the value's.
    unsafe {
        let object = create::<T>(class.get());
        let _ = native_of::<T>(object).set(value);
        zval.value.obj = object;
        zval.u1.type_info = ffi::IS_OBJECT_EX;
    }
    zval
}

/// A new object of a class without a Rust side, with these values for the first of its properties, in the order in which
/// they were declared, and of their types.
pub fn data_object<const N: usize>(class: &ClassRef, values: [Zval; N]) -> Zval {
    let mut zval = Zval::new();
    // SAFETY: registered at module startup; an object that is made so has its properties behind its head, one slot for each,
    // with their defaults, which own nothing.
    unsafe {
        if api::object_init_ex(&raw mut zval, class.get()) != ffi::ZEND_RESULT_CODE_SUCCESS {
            return zval;
        }
        let object = zval.value.obj;
        debug_assert!(usize::try_from((*(*object).ce).default_properties_count).is_ok_and(|count| N <= count));
        let slots = (&raw mut (*object).properties_table).cast::<ffi::zval>();
        for (place, value) in values.into_iter().enumerate() {
            let value = ManuallyDrop::new(value);
            // The second word of a slot belongs to the engine.
            (*slots.add(place)).value = value.value;
            (*slots.add(place)).u1.type_info = value.u1.type_info;
        }
    }
    zval
}

fn handlers<T: Native>() -> Handlers {
    // SAFETY: the engine's own handlers, constant since its start.
    let mut handlers = unsafe {
        let mut copy = MaybeUninit::<ffi::zend_object_handlers>::uninit();
        ptr::copy_nonoverlapping(&raw const ffi::std_object_handlers, copy.as_mut_ptr(), 1);
        copy.assume_init()
    };
    let offset = offset_of!(Layout<T>, std);
    handlers.offset = offset.try_into().expect("an object's Rust side is not gigabytes large");
    handlers.free_obj = Some(free::<T>);
    handlers.clone_obj = None;
    handlers.unset_property = Some(unset_property);
    handlers.get_gc = Some(get_gc::<T>);
    Handlers(handlers)
}

unsafe extern "C" fn free<T: Native>(object: *mut ZendObject) {
    // SAFETY: the engine frees an object once, after its last use, and does not move it.
    unsafe {
        let native = &raw mut (*object.byte_sub(offset_of!(Layout<T>, std)).cast::<Layout<T>>()).native;
        release(native);
        ffi::zend_object_std_dtor(object);
        // A destructor that ran meanwhile may have called the constructor.
        release(native);
    }
}

/// Drops an object's Rust side. Destructors of PHP objects that it owns may run, and reach the object by a weak reference:
/// they find one without a Rust side.
///
/// # Safety
/// The place is valid, and nobody holds a reference into it.
unsafe fn release<T>(place: *mut OnceCell<T>) {
    // SAFETY: by the caller's promise.
    let native = unsafe { place.replace(OnceCell::new()) };
    // A panic must not cross into C; what is left of the value is lost.
    let _ = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(native)));
}

/// A property of ours that is gone would break the code that reads it: only those of subclasses and dynamic ones can be
/// unset.
unsafe extern "C" fn unset_property(
    object: *mut ZendObject,
    member: *mut ffi::zend_string,
    cache_slot: *mut *mut std::ffi::c_void,
) {
    // SAFETY: the engine passes a live object and a name. Above each class of a script that has these handlers is ours.
    unsafe {
        let mut class = (*object).ce;
        while (*class).type_ != INTERNAL_CLASS {
            class = (*class).__bindgen_anon_1.parent;
        }
        if ffi::zend_hash_find(&raw const (*class).properties_info, member).is_null() {
            ffi::zend_std_unset_property(object, member, cache_slot);
        } else {
            ffi::zend_throw_error(
                ptr::null_mut(),
                c"Cannot unset property %s::$%s".as_ptr(),
                (&raw const (*(*(*object).ce).name).val).cast::<std::ffi::c_char>(),
                (&raw const (*member).val).cast::<std::ffi::c_char>(),
            );
        }
    }
}

/// `ZEND_INTERNAL_CLASS`: a class of an extension's.
const INTERNAL_CLASS: std::ffi::c_char = 1;

/// Without this a callback that uses `$server` would keep it alive for ever.
unsafe extern "C" fn get_gc<T: Native>(
    object: *mut ZendObject,
    table: *mut *mut ffi::zval,
    count: *mut c_int,
) -> *mut ffi::HashTable {
    // SAFETY: the engine passes a live object of the class; the buffer is the engine's, good until the next
    // object is looked at.
    unsafe {
        let buffer = api::zend_get_gc_buffer_create();
        if let Some(native) = native_of::<T>(object).get() {
            native.references(&mut |zval| add(buffer, zval));
        }
        let used = (*buffer).cur.offset_from((*buffer).start);
        *table = (*buffer).start;
        *count = c_int::try_from(used).unwrap_or(c_int::MAX);
        ffi::zend_std_get_properties(object)
    }
}

/// Adds a value to the collector's buffer without counting a reference.
///
/// # Safety
/// `buffer` is the collector's.
unsafe fn add(buffer: *mut GcBuffer, zval: &Zval) {
    // SAFETY: by the caller's promise; there is room once the buffer has grown. The union's type is set.
    unsafe {
        if u32::from(zval.u1.v.type_flags) & (ffi::IS_TYPE_REFCOUNTED | ffi::IS_TYPE_COLLECTABLE) == 0 {
            return;
        }
        if (*buffer).cur == (*buffer).end {
            api::zend_get_gc_buffer_grow(buffer);
        }
        ptr::copy_nonoverlapping(zval, (*buffer).cur, 1);
        (*buffer).cur = (*buffer).cur.add(1);
    }
}
