//! The guarded call into PHP: it returned, it threw, it asked to exit, or the engine bailed out.
//!
//! After a bailout the engine's own stack is not unwound: no PHP code may run in this process any more but
//! the shutdown functions, which run once [`start`](crate::server) has passed the bailout on. The same holds
//! while an exit is under way. Both make every later call here come back at once.

use std::cell::Cell;
use std::ffi::{CStr, c_char};
use std::mem::MaybeUninit;
use std::panic::AssertUnwindSafe;
use std::{io, ptr, slice};

use ext_php_rs::ffi;
use ext_php_rs::types::Zval;
use ext_php_rs::zend::{CatchError, try_catch};
use rotor_core::host::{End, Outcome};

use crate::errors::exception;
use crate::stranger;
use crate::zend::{self, Fault};

/// A PHP callable, looked up once.
pub struct Callable {
    zval: Zval,
    /// The object of its method. What the script gave need not hold it: `[self::class, 'method']` means the object whose
    /// method was running, and an array may refer to a variable that gets another value.
    object: Option<Zval>,
    /// How many parameters it has.
    parameters: u32,
    target: ffi::zend_fcall_info_cache,
}

impl Callable {
    /// Looks a callable up; the error says why it is none.
    pub fn resolve(zval: &Zval) -> Result<Self, String> {
        let zval = zval.shallow_clone();
        let mut target = ffi::zend_fcall_info_cache {
            function_handler: ptr::null_mut(),
            calling_scope: ptr::null_mut(),
            called_scope: ptr::null_mut(),
            object: ptr::null_mut(),
        };
        let mut call = MaybeUninit::<ffi::zend_fcall_info>::zeroed();
        let mut error: *mut c_char = ptr::null_mut();
        // SAFETY: the value is ours; the engine only reads it. An error text is ours to free.
        let parameters = unsafe {
            let outcome = zend::api::zend_fcall_info_init(
                ptr::from_ref(&zval).cast_mut(),
                0,
                call.as_mut_ptr(),
                &raw mut target,
                ptr::null_mut(),
                &raw mut error,
            );
            let text = (!error.is_null()).then(|| {
                let text = CStr::from_ptr(error).to_string_lossy().into_owned();
                ffi::_efree(error.cast());
                text
            });
            if outcome != ffi::ZEND_RESULT_CODE_SUCCESS {
                return Err(text.unwrap_or_else(|| "no valid callback".into()));
            }
            let function = &(*target.function_handler).common;
            let takes_any = ffi::ZEND_ACC_VARIADIC | ffi::ZEND_ACC_CALL_VIA_TRAMPOLINE;
            let parameters = if function.fn_flags & takes_any != 0 { u32::MAX } else { function.num_args };
            // A call by way of __call has a function made for it, which that call frees. Without it in the
            // cache the engine makes one for each call.
            if (*target.function_handler).common.fn_flags & ffi::ZEND_ACC_CALL_VIA_TRAMPOLINE != 0 {
                zend::api::zend_release_fcall_info_cache(&raw mut target);
                target.function_handler = ptr::null_mut();
            }
            parameters
        };
        let object = (!target.function_handler.is_null() && !target.object.is_null()).then(|| {
            let mut object = Zval::new();
            // SAFETY: the lookup has found it, and nothing has run since that could have released it; `set_object` adds
            // the reference that the new value owns.
            object.set_object(unsafe { &mut *target.object });
            object
        });
        Ok(Self { zval, object, parameters, target })
    }

    /// Shows the collector what it owns.
    pub fn visit(&self, visit: &mut dyn FnMut(&Zval)) {
        visit(&self.zval);
        self.object.iter().for_each(visit);
    }

    /// The callable as the script gave it.
    pub fn zval(&self) -> &Zval {
        &self.zval
    }

    /// Whether it has a parameter at this place; one that takes what comes, such as `__call`, has.
    pub fn takes(&self, place: u32) -> bool {
        place < self.parameters
    }

    /// Calls it for its answer: `read` is shown it, and may not run PHP code.
    pub fn ask<const N: usize>(&self, args: [Zval; N], read: impl FnOnce(&Zval)) -> Outcome {
        guarded(move || {
            // Dropped in here: a destructor of what the callback has put into one of them may throw, too.
            let mut args = args;
            read(&self.invoke(&mut args));
        })
    }

    /// Calls it. What it returns is dropped.
    pub fn call<const N: usize>(&self, args: [Zval; N]) -> Outcome {
        self.ask(args, |_| {})
    }

    /// Calls it from a method that hands on what it throws, or at a safe point of a running script.
    pub fn call_through<const N: usize>(&self, mut args: [Zval; N]) {
        drop(self.invoke(&mut args));
    }

    /// Calls it with a string of `len` bytes: `fill` writes the bytes straight into it, then `taken` runs, then the
    /// callable, with what `arrange` makes of the string behind the other arguments. When `fill` fails nothing else runs.
    pub fn call_with_bytes<const N: usize, const M: usize>(
        &self,
        args: [Zval; N],
        len: usize,
        fill: impl FnOnce(&mut [MaybeUninit<u8>]) -> io::Result<()>,
        taken: &mut dyn FnMut(),
        arrange: impl FnOnce(Zval) -> [Zval; M],
    ) -> Outcome {
        self.ask_with_bytes(args, len, fill, taken, arrange, |_| {})
    }

    /// The same for a callable whose answer is wanted: `read` is shown it, and may not run PHP code.
    pub fn ask_with_bytes<const N: usize, const M: usize>(
        &self,
        args: [Zval; N],
        len: usize,
        fill: impl FnOnce(&mut [MaybeUninit<u8>]) -> io::Result<()>,
        taken: &mut dyn FnMut(),
        arrange: impl FnOnce(Zval) -> [Zval; M],
        read: impl FnOnce(&Zval),
    ) -> Outcome {
        let mut filled = Ok(());
        let outcome = guarded(|| {
            let mut string = PhpString::allocate(len);
            filled = fill(string.bytes());
            if filled.is_err() {
                return;
            }
            taken();
            let mut all = [const { MaybeUninit::<Zval>::uninit() }; MOST_ARGUMENTS];
            for (place, arg) in all.iter_mut().zip(args) {
                place.write(arg);
            }
            for (place, arg) in all[N..].iter_mut().zip(arrange(string.finish())) {
                place.write(arg);
            }
            const { assert!(N + M <= MOST_ARGUMENTS) };
            // SAFETY: so many have been written, one behind the other, and there is room for them.
            let all = unsafe { slice::from_raw_parts_mut(all.as_mut_ptr().cast::<Zval>(), N + M) };
            read(&self.invoke(all));
            for arg in all {
                // SAFETY: written above, and dropped nowhere else.
                unsafe { ptr::drop_in_place(arg) };
            }
        });
        drop(filled);
        outcome
    }

    /// The call itself, and its answer, which may be an object with a destructor. Runs under a guard.
    fn invoke(&self, args: &mut [Zval]) -> Zval {
        let mut result = Zval::new();
        // Copies, since the engine writes into both; a callback may also replace itself meanwhile.
        let mut target = self.target;
        let mut call = ffi::zend_fcall_info {
            size: size_of::<ffi::zend_fcall_info>(),
            // SAFETY: a second owner of the value, which `forget` below takes back.
            function_name: unsafe { ptr::read(&raw const self.zval) },
            retval: &raw mut result,
            params: args.as_mut_ptr(),
            object: ptr::null_mut(),
            #[expect(clippy::cast_possible_truncation, reason = "a handful")]
            param_count: args.len() as u32,
            named_params: ptr::null_mut(),
        };
        // SAFETY: a complete description; the callable lives in `self`, the arguments are copied.
        unsafe { zend::api::zend_call_function(&raw mut call, &raw mut target) };
        std::mem::forget(call);
        result
    }
}

/// Runs something that may run PHP code, and reports what it threw. Does not return in a process that user code has
/// forked meanwhile.
pub fn guarded(run: impl FnOnce()) -> Outcome {
    if let Some(end) = pending_end() {
        return Outcome::Ended(end);
    }
    let outcome = outcome_of(run);
    if stranger::is_this_process() {
        stranger::end(outcome);
    }
    outcome
}

fn outcome_of(run: impl FnOnce()) -> Outcome {
    match try_catch(AssertUnwindSafe(run)) {
        Ok(()) => settle(),
        Err(CatchError::Bailout) => bailed_out(),
        Err(error) => {
            // A panic of ours: PHP goes on, and the log shows it.
            let text = error.to_string();
            match try_catch(AssertUnwindSafe(move || zend::warn_now(&text))) {
                Ok(()) => match settle() {
                    Outcome::Returned => Outcome::Threw,
                    other => other,
                },
                Err(_) => bailed_out(),
            }
        }
    }
}

/// Runs something that may run PHP code, for a method that hands on what it threw.
pub fn attempt(run: impl FnOnce()) -> Result<(), Fault> {
    match try_catch(AssertUnwindSafe(run)) {
        Ok(()) if zend::exception_is_pending() => Err(Fault::Pending),
        Ok(()) => Ok(()),
        Err(CatchError::Bailout) => {
            BAILED_OUT.set(true);
            Err(Fault::BailedOut)
        }
        Err(error) => Err(exception(format!("internal error: {error}"))),
    }
}

/// Why no PHP code may run any more, if that is so.
pub fn pending_end() -> Option<End> {
    if BAILED_OUT.get() {
        return Some(End::BailedOut);
    }
    zend::exit_is_pending().then_some(End::Exited)
}

/// Reports the exception that is under way, if one is.
fn settle() -> Outcome {
    if !zend::exception_is_pending() {
        return Outcome::Returned;
    }
    if zend::exit_is_pending() {
        return Outcome::Ended(End::Exited);
    }
    match try_catch(AssertUnwindSafe(report_uncaught)) {
        Ok(()) if zend::exit_is_pending() => Outcome::Ended(End::Exited),
        Ok(()) => Outcome::Threw,
        Err(_) => bailed_out(),
    }
}

fn bailed_out() -> Outcome {
    BAILED_OUT.set(true);
    Outcome::Ended(End::BailedOut)
}

/// Does with an uncaught exception what PHP does at the end of a script: the user's handler, else the report
/// of a fatal error. Afterwards none is under way, but an exit that user code asked for meanwhile.
///
/// The engine's own function for this is meant for the end of a script: below a running frame it swallows
/// an exception that the handler throws, and loses an exit.
fn report_uncaught() {
    // SAFETY: the main thread; an exception is under way, so the pointer is good.
    unsafe {
        let globals = ffi::ext_php_rs_executor_globals();
        let handler = &raw mut (*globals).user_exception_handler;
        if u32::from((*handler).u1.v.type_) != ffi::IS_UNDEF {
            let exception = (*globals).exception;
            (*globals).exception = ptr::null_mut();
            // Off while it runs, as at the end of a script.
            let own = ptr::read(handler);
            (*handler).u1.type_info = ffi::IS_UNDEF;
            let mut arg = Zval::new();
            arg.value.obj = exception;
            arg.u1.type_info = ffi::IS_OBJECT_EX;
            match Callable::resolve(&own) {
                Ok(callable) => drop(callable.invoke(&mut [arg])),
                // It may have been one only where it was set: then the report is what is left.
                Err(_) if (*globals).exception.is_null() => {
                    (*globals).exception = exception;
                    std::mem::forget(arg);
                }
                Err(_) => {}
            }
            if u32::from((*handler).u1.v.type_) == ffi::IS_UNDEF {
                ptr::write(handler, own);
            }
        }
        // A report runs user code: the exception's __toString(), destructors of what it has kept. What that throws would
        // keep the next callback from running.
        for _ in 0..MOST_REPORTS {
            let exception = (*globals).exception;
            if exception.is_null() || zend::api::zend_is_unwind_exit(exception) {
                return;
            }
            // The report sets 255 as the exit status of a process that goes on.
            let status = (*globals).exit_status;
            zend::api::zend_exception_error(exception, ffi::E_ERROR.cast_signed());
            if !zend::exit_is_pending() {
                (*globals).exit_status = status;
            }
        }
        if !zend::exit_is_pending() {
            zend::api::zend_clear_exception();
        }
    }
}

thread_local! {
    /// Whether the engine has bailed out of a call in this process.
    static BAILED_OUT: Cell<bool> = const { Cell::new(false) };
}

/// A string of the engine's that is still being written.
struct PhpString(*mut ffi::zend_string);

impl PhpString {
    /// Room for `len` bytes. Bails out when the memory limit is reached.
    fn allocate(len: usize) -> Self {
        let head = std::mem::offset_of!(ffi::zend_string, val);
        let size = (head + len + 1).next_multiple_of(align_of::<ffi::zend_string>());
        // SAFETY: room for the head, the bytes and the NUL; all of the head is written.
        unsafe {
            let string = ffi::_emalloc(size).cast::<ffi::zend_string>();
            (*string).gc.refcount = 1;
            (*string).gc.u.type_info = STRING_HEADER;
            (*string).h = 0;
            (*string).len = len;
            (&raw mut (*string).val).cast::<u8>().add(len).write(0);
            Self(string)
        }
    }

    /// The bytes, to be written.
    fn bytes(&mut self) -> &mut [MaybeUninit<u8>] {
        // SAFETY: allocated with `len` bytes behind the head, and not shared yet.
        unsafe { slice::from_raw_parts_mut((&raw mut (*self.0).val).cast::<MaybeUninit<u8>>(), (*self.0).len) }
    }

    /// The string as a value, once all bytes have been written.
    fn finish(self) -> Zval {
        let mut zval = Zval::new();
        zval.value.str_ = self.0;
        zval.u1.type_info = ffi::IS_STRING_EX;
        std::mem::forget(self);
        zval
    }
}

impl Drop for PhpString {
    fn drop(&mut self) {
        // SAFETY: allocated above, and nobody else has it.
        unsafe { ffi::_efree(self.0.cast()) };
    }
}

/// `GC_STRING`: type string, not collectable.
const STRING_HEADER: u32 = ffi::IS_STRING | 1 << 4;
/// More than any callback takes.
const MOST_ARGUMENTS: usize = 8;
/// Exceptions that are told of one after the other where telling of one throws the next.
const MOST_REPORTS: usize = 8;
