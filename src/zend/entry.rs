//! How PHP enters Rust: one generated C function around each safe Rust function, the arguments of the call,
//! and what comes of it.

use std::ffi::{CStr, CString};
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, Ordering};
use std::{ptr, slice};

use ext_php_rs::boxed::ZBox;
use ext_php_rs::ffi;
use ext_php_rs::types::{ZendHashTable, ZendObject, Zval};

use super::object::Native;
use super::report::{self, Report, SizedMessage};
use super::{ClassRef, api, engine};

/// What a function gives back to PHP.
pub enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Text(String),
    Array(ZBox<ZendHashTable>),
    Zval(Zval),
}

/// Why a function has no result.
pub enum Fault {
    /// It returns false, and the caller learns why from a warning.
    Warning(String),
    /// It returns false, which is an answer that callers expect.
    Failed,
    /// It throws.
    Thrown { class: &'static ClassRef, message: String, code: i32 },
    /// An exception, or an exit, is under way already.
    Pending,
    /// The engine has bailed out and what is above has to follow.
    BailedOut,
}

/// The outcome of a function.
pub type Answer = Result<Value, Fault>;

/// A session id as PHP code gives it: a number, or a string.
pub enum Id<'a> {
    Int(i64),
    Text(&'a [u8]),
}

/// One call of one of our functions.
pub struct Call<'a> {
    frame: *mut ffi::zend_execute_data,
    given: u32,
    warnings: Vec<String>,
    lifetime: PhantomData<&'a Zval>,
}

impl<'a> Call<'a> {
    /// The Rust side of the object that the method was called on; an exception when it was never made.
    pub fn this<T: Native>(&self) -> Result<&'a T, Fault> {
        let object = self.object();
        // SAFETY: a method of T's class was called, so the object is of it or of a class below; the frame
        // holds a reference to the object until the call has returned.
        unsafe { super::object::native_of::<T>(object) }.get().ok_or_else(|| Fault::Thrown {
            class: T::fault_class(),
            message: format!("{}(): {}", self.name(), T::NOT_CONSTRUCTED),
            code: 0,
        })
    }

    /// Gives the object its Rust side. False when it has one.
    pub fn construct<T: Native>(&self, value: T) -> bool {
        // SAFETY: as in `this`.
        unsafe { super::object::native_of::<T>(self.object()) }.set(value).is_ok()
    }

    /// The object that the method was called on.
    pub fn object(&self) -> *mut ZendObject {
        // SAFETY: only methods that are not static ask, so the frame has an object.
        unsafe { (*self.frame).This.value.obj }
    }

    /// A new reference to the object that the method was called on.
    pub fn object_zval(&self) -> Zval {
        let mut zval = Zval::new();
        // SAFETY: as in `object`; `set_object` adds the reference that the new value owns.
        zval.set_object(unsafe { &mut *self.object() });
        zval
    }

    /// An integer argument; `None` when it was left out.
    pub fn int(&self, index: u32) -> Result<Option<i64>, Fault> {
        let Some(arg) = self.argument(index) else { return Ok(None) };
        // SAFETY: the argument lies in the frame.
        if let Some(number) = unsafe { &*arg }.long() {
            return Ok(Some(number));
        }
        let mut number = 0;
        // SAFETY: as above; the conversion may replace the argument by what it was converted to.
        if unsafe { api::zend_parse_arg_long_slow(arg, &raw mut number, index + 1) } {
            return Ok(Some(number));
        }
        Err(self.wrong_type(index, ffi::_zend_expected_type_Z_EXPECTED_LONG))
    }

    /// A float argument; `None` when it was left out.
    pub fn float(&self, index: u32) -> Result<Option<f64>, Fault> {
        let Some(arg) = self.argument(index) else { return Ok(None) };
        // SAFETY: the argument lies in the frame.
        if let Some(number) = unsafe { &*arg }.double() {
            return Ok(Some(number));
        }
        let mut number = 0.0;
        // SAFETY: as above.
        if unsafe { api::zend_parse_arg_double_slow(arg, &raw mut number, index + 1) } {
            return Ok(Some(number));
        }
        Err(self.wrong_type(index, ffi::_zend_expected_type_Z_EXPECTED_DOUBLE))
    }

    /// A boolean argument; `None` when it was left out.
    pub fn bool(&self, index: u32) -> Result<Option<bool>, Fault> {
        let Some(arg) = self.argument(index) else { return Ok(None) };
        // SAFETY: the argument lies in the frame.
        if let Some(flag) = unsafe { &*arg }.bool() {
            return Ok(Some(flag));
        }
        let mut flag = false;
        // SAFETY: as above.
        if unsafe { api::zend_parse_arg_bool_slow(arg, &raw mut flag, index + 1) } {
            return Ok(Some(flag));
        }
        Err(self.wrong_type(index, ffi::_zend_expected_type_Z_EXPECTED_BOOL))
    }

    /// An argument that is an object of `class` or below it, and its Rust side.
    pub fn native<T: Native>(&self, index: u32, class: &ClassRef) -> Result<(&'a Zval, &'a T), Fault> {
        let arg = self.any(index).map(Zval::dereference);
        let Some(zval) = arg.filter(|arg| arg.object().is_some_and(|object| super::object::is_of(object, class)))
        else {
            return Err(self.wrong_class(index, class));
        };
        let native = super::object::native::<T>(zval, class).ok_or_else(|| Fault::Thrown {
            class: T::fault_class(),
            message: format!("{}(): argument #{}: {}", self.name(), index + 1, T::NOT_CONSTRUCTED),
            code: 0,
        })?;
        Ok((zval, native))
    }

    /// PHP's TypeError for argument `index`, which is no object of `class`.
    fn wrong_class(&self, index: u32, class: &ClassRef) -> Fault {
        if !engine::exception_is_pending() {
            let mut missing = Zval::null();
            let arg = self.argument(index).unwrap_or(&raw mut missing);
            // SAFETY: a live value and the name of a class that lives as long as the process.
            unsafe {
                let name = (&raw const (*(*class.get()).name).val).cast();
                api::zend_wrong_parameter_class_error(index + 1, name, arg);
            }
        }
        Fault::Pending
    }

    /// A string argument, where it lies; `None` when it was left out.
    pub fn bytes(&self, index: u32) -> Result<Option<&'a [u8]>, Fault> {
        let Some(arg) = self.argument(index) else { return Ok(None) };
        // SAFETY: the argument lies in the frame.
        if unsafe { &*arg }.is_string() {
            // SAFETY: a string, which the frame keeps until the call has returned.
            return Ok(Some(unsafe { string_bytes((*arg).value.str_) }));
        }
        let mut string = ptr::null_mut();
        // SAFETY: as above; the string it gives is the converted argument.
        if unsafe { api::zend_parse_arg_str_slow(arg, &raw mut string, index + 1) } {
            // SAFETY: as above.
            return Ok(Some(unsafe { string_bytes(string) }));
        }
        Err(self.wrong_type(index, ffi::_zend_expected_type_Z_EXPECTED_STRING))
    }

    /// An `int|string` argument; `None` when it was left out.
    pub fn id(&self, index: u32) -> Result<Option<Id<'a>>, Fault> {
        let Some(arg) = self.argument(index) else { return Ok(None) };
        // SAFETY: the argument lies in the frame.
        if let Some(number) = unsafe { &*arg }.long() {
            return Ok(Some(Id::Int(number)));
        }
        // SAFETY: as above.
        if unsafe { &*arg }.is_string() {
            // SAFETY: a string, which the frame keeps until the call has returned.
            return Ok(Some(Id::Text(unsafe { string_bytes((*arg).value.str_) })));
        }
        let (mut string, mut number) = (ptr::null_mut(), 0);
        // SAFETY: as above; a null string says that the number is meant.
        if unsafe { api::zend_parse_arg_str_or_long_slow(arg, &raw mut string, &raw mut number, index + 1) } {
            if string.is_null() {
                return Ok(Some(Id::Int(number)));
            }
            // SAFETY: the converted argument.
            return Ok(Some(Id::Text(unsafe { string_bytes(string) })));
        }
        Err(self.wrong_type(index, ffi::_zend_expected_type_Z_EXPECTED_STRING_OR_LONG))
    }

    /// An array argument.
    pub fn array(&self, index: u32) -> Result<&'a ZendHashTable, Fault> {
        if let Some(arg) = self.argument(index) {
            // SAFETY: the argument lies in the frame, which keeps it until the call has returned.
            if let Some(array) = unsafe { &*arg }.array() {
                return Ok(array);
            }
        }
        Err(self.wrong_type(index, ffi::_zend_expected_type_Z_EXPECTED_ARRAY))
    }

    /// How many arguments were given.
    pub fn count(&self) -> u32 {
        self.given
    }

    /// An argument of any type.
    pub fn any(&self, index: u32) -> Option<&'a Zval> {
        // SAFETY: the argument lies in the frame, which keeps it until the call has returned.
        self.argument(index).map(|arg| unsafe { &*arg })
    }

    /// A warning that is given once the method has returned.
    pub fn warn(&mut self, message: String) {
        self.warnings.push(message);
    }

    /// PHP's TypeError for argument `index`.
    pub fn wrong_type(&self, index: u32, expected: ffi::_zend_expected_type) -> Fault {
        if !engine::exception_is_pending() {
            let mut missing = Zval::null();
            let arg = self.argument(index).unwrap_or(&raw mut missing);
            // SAFETY: a live value; the engine names its type.
            unsafe { api::zend_wrong_parameter_type_error(index + 1, expected, arg) };
        }
        Fault::Pending
    }

    /// PHP's TypeError for what `value`, a part of argument `index`, is; `format` has a `%s` for its type.
    pub fn wrong_argument(&self, index: u32, format: &'static CStr, value: &Zval) -> Fault {
        if !engine::exception_is_pending() {
            // SAFETY: a live value, whose type has a name that lives as long as the process, and a format that takes one.
            unsafe { api::zend_argument_type_error(index + 1, format.as_ptr(), api::zend_zval_type_name(value)) };
        }
        Fault::Pending
    }

    /// PHP's TypeError for a callback that is none.
    pub fn wrong_callback(&self, index: u32, why: &str) -> Fault {
        if let (false, Ok(why)) = (engine::exception_is_pending(), CString::new(why)) {
            // SAFETY: the engine frees the copy of the text.
            unsafe { api::zend_wrong_callback_error(index + 1, ffi::_estrdup(why.as_ptr())) };
        }
        Fault::Pending
    }

    /// The function as PHP names it in messages, e.g. `Rotor\Server::send`.
    pub fn name(&self) -> String {
        // SAFETY: the frame runs one of our functions, all of which have a name.
        let function = unsafe { &(*(*self.frame).func).common };
        // SAFETY: the engine keeps a function's name as long as the function.
        let name = String::from_utf8_lossy(unsafe { string_bytes(function.function_name) }).into_owned();
        // SAFETY: a method's scope is a class that lives as long as the function; a function has none.
        match unsafe { function.scope.as_ref() } {
            // SAFETY: a class has a name.
            Some(class) => format!("{}::{name}", String::from_utf8_lossy(unsafe { string_bytes(class.name) })),
            None => name,
        }
    }

    /// The argument at `index`, if it was given.
    fn argument(&self, index: u32) -> Option<*mut Zval> {
        if index >= self.given {
            return None;
        }
        // SAFETY: the engine lays `given` arguments out behind the frame's head, in whole zvals.
        let arg = unsafe { self.frame.cast::<Zval>().add(FRAME_HEAD + index as usize) };
        // SAFETY: as above. An argument that named arguments skipped, and that has no default, is undefined.
        (unsafe { (*arg).u1.v.type_ } != 0).then_some(arg)
    }
}

/// The C function around `function`, for a table of functions.
///
/// A function item has no size: the C function makes it from nothing, so it needs no place to keep it.
pub const fn handler<F: Fn(&mut Call<'_>) -> Answer + Copy>(_function: F) -> ffi::zif_handler {
    assert!(size_of::<F>() == 0, "only function items: a closure with captures has nowhere to live");
    Some(enter::<F>)
}

/// From here on all our functions take more arguments than they have parameters, as the peer's do.
pub fn ignore_surplus_arguments() {
    SURPLUS_IGNORED.store(true, Ordering::Relaxed);
}

static SURPLUS_IGNORED: AtomicBool = AtomicBool::new(false);

unsafe extern "C" fn enter<F: Fn(&mut Call<'_>) -> Answer + Copy>(
    frame: *mut ffi::zend_execute_data,
    result: *mut ffi::zval,
) {
    // SAFETY: the engine passes the frame of the call.
    let (given, required, declared, is_variadic) = unsafe {
        let function = &(*(*frame).func).common;
        let is_variadic = function.fn_flags & ffi::ZEND_ACC_VARIADIC != 0;
        ((*frame).This.u2.num_args, function.required_num_args, function.num_args, is_variadic)
    };
    if is_variadic {
        // SAFETY: the frame of the call; throws, for its function.
        unsafe {
            if (*frame).This.u1.type_info & EXTRA_NAMED != 0 {
                api::zend_unexpected_extra_named_error();
                return;
            }
        }
    }
    // Those of a variadic function lie one behind the other like all of them.
    let declared = if is_variadic { u32::MAX } else { declared };
    if given < required || (given > declared && !SURPLUS_IGNORED.load(Ordering::Relaxed)) {
        // SAFETY: throws, for the function of the current frame.
        unsafe { ffi::zend_wrong_parameters_count_error(required, declared) };
        return;
    }
    let call = Call { frame, given: given.min(declared), warnings: Vec::new(), lifetime: PhantomData };
    let report = run::<F>(call, result);
    // No value with a destructor is left: what follows may run PHP code, and may bail out.
    // SAFETY: `result` is the caller's, and a failed function's result is still null.
    unsafe { report.deliver(result) };
}

/// Runs the function; its result is written, and all else that it has to say is in plain memory.
fn run<F: Fn(&mut Call<'_>) -> Answer + Copy>(mut call: Call<'_>, result: *mut ffi::zval) -> Report {
    // SAFETY: `handler` admits only types without size, which any aligned pointer is good for.
    let function: F = unsafe { NonNull::dangling().read() };
    let answer = catch_unwind(AssertUnwindSafe(|| function(&mut call)));
    let warnings = report::Warnings::of(&call.warnings);
    match answer {
        Ok(Ok(value)) => {
            // SAFETY: the engine has initialised the result to null, which needs no release.
            unsafe { write(value, result) };
            Report::fine(warnings)
        }
        Ok(Err(fault)) => Report::of(warnings, &fault),
        Err(panic) => Report::panicked(SizedMessage::of_panic(&*panic)),
    }
}

/// # Safety
/// `result` is valid for a write and owns nothing.
unsafe fn write(value: Value, result: *mut ffi::zval) {
    let mut zval = Zval::new();
    match value {
        Value::Null => zval.set_null(),
        Value::Bool(flag) => zval.set_bool(flag),
        Value::Int(number) => zval.set_long(number),
        Value::Text(text) => zval.set_zend_string(ext_php_rs::types::ZendStr::new(text, false)),
        Value::Array(array) => zval.set_hashtable(array),
        Value::Zval(other) => zval = other,
    }
    // SAFETY: by the caller's promise; ownership moves into the result. Only value and type are written:
    // the second word of a result belongs to the engine.
    unsafe {
        let zval = ManuallyDrop::new(zval);
        (*result).value = zval.value;
        (*result).u1.type_info = zval.u1.type_info;
    }
}

/// The bytes of a string, where they lie.
///
/// # Safety
/// The string is valid and stays so, unchanged, for `'a`.
pub(super) unsafe fn string_bytes<'a>(string: *const ffi::zend_string) -> &'a [u8] {
    // SAFETY: a zend_string is its head and `len` bytes behind it.
    unsafe { slice::from_raw_parts((&raw const (*string).val).cast::<u8>(), (*string).len) }
}

/// `ZEND_CALL_HAS_EXTRA_NAMED_PARAMS`: arguments were named that are no parameters.
const EXTRA_NAMED: u32 = 1 << 27;

/// The arguments begin behind the frame's head, at the next whole zval.
const FRAME_HEAD: usize = size_of::<ffi::zend_execute_data>().div_ceil(size_of::<Zval>());

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Bool(flag)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<i32> for Value {
    fn from(number: i32) -> Self {
        Self::Int(number.into())
    }
}

impl From<ZBox<ZendHashTable>> for Value {
    fn from(array: ZBox<ZendHashTable>) -> Self {
        Self::Array(array)
    }
}
