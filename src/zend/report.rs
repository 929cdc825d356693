//! What a function has to say to PHP once it has returned: warnings, and an exception. It is kept in the
//! engine's memory, which a bailout releases, while PHP code (error handlers) runs.

use std::any::Any;
use std::ffi::c_char;
use std::ptr;

use ext_php_rs::ffi;

use super::engine::exception_is_pending;
use super::entry::{Fault, string_bytes};

/// A message as a string of the engine; nothing is released when it is dropped.
#[derive(Clone, Copy)]
pub struct SizedMessage(*mut ffi::zend_string);

impl SizedMessage {
    fn of(text: &str) -> Self {
        // The engine prints messages as C strings.
        let text = text.replace('\0', "\\0");
        // SAFETY: copies `len` bytes from `text`.
        Self(unsafe { ffi::ext_php_rs_zend_string_init(text.as_ptr().cast(), text.len(), false) })
    }

    /// What a panic said.
    pub fn of_panic(panic: &(dyn Any + Send)) -> Self {
        let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        Self::of(&format!("Rust panic: {}", text.unwrap_or("without a message")))
    }

    fn as_ptr(self) -> *const c_char {
        // SAFETY: made by `of`, and not released yet.
        unsafe { string_bytes(self.0) }.as_ptr().cast()
    }

    /// # Safety
    /// Nobody uses the message again.
    unsafe fn release(self) {
        // SAFETY: made by `of`, released once.
        unsafe { ffi::ext_php_rs_zend_string_release(self.0) };
    }
}

/// The warnings of a call, in order; null when there are none.
#[derive(Clone, Copy)]
pub struct Warnings {
    messages: *mut SizedMessage,
    len: usize,
}

impl Warnings {
    const NONE: Self = Self { messages: ptr::null_mut(), len: 0 };

    /// Takes a copy of the messages.
    pub fn of(texts: &[String]) -> Self {
        if texts.is_empty() {
            return Self::NONE;
        }
        // SAFETY: allocates room for as many messages as are then written.
        unsafe {
            let messages = ffi::_emalloc(size_of_val(texts).max(size_of::<SizedMessage>())).cast::<SizedMessage>();
            for (index, text) in texts.iter().enumerate() {
                messages.add(index).write(SizedMessage::of(text));
            }
            Self { messages, len: texts.len() }
        }
    }

    /// # Safety
    /// Called once, with nothing on the stack below that a bailout must not skip.
    unsafe fn deliver(self) {
        for index in 0..self.len {
            // SAFETY: within the messages written by `of`; each is released once.
            unsafe {
                let message = *self.messages.add(index);
                // An error handler may have thrown: what comes after would be lost, or replace it.
                if !exception_is_pending() {
                    warn(message);
                }
                message.release();
            }
        }
        if self.len > 0 {
            // SAFETY: allocated by `of`.
            unsafe { ffi::_efree(self.messages.cast()) };
        }
    }
}

enum Ending {
    Fine,
    Failed,
    Warning(SizedMessage),
    Thrown { class: *mut ffi::zend_class_entry, message: SizedMessage, code: i64 },
    Pending,
    BailedOut,
}

/// All that is left of a call when its Rust function has returned. It has no destructor.
pub struct Report {
    warnings: Warnings,
    ending: Ending,
}

impl Report {
    /// The function has a result.
    pub fn fine(warnings: Warnings) -> Self {
        Self { warnings, ending: Ending::Fine }
    }

    /// The function has none.
    pub fn of(warnings: Warnings, fault: &Fault) -> Self {
        let ending = match fault {
            Fault::Failed => Ending::Failed,
            Fault::Warning(message) => Ending::Warning(SizedMessage::of(message)),
            Fault::Thrown { class, message, code } => {
                Ending::Thrown { class: class.get(), message: SizedMessage::of(message), code: i64::from(*code) }
            }
            Fault::Pending => Ending::Pending,
            Fault::BailedOut => Ending::BailedOut,
        };
        Self { warnings, ending }
    }

    /// The function panicked.
    pub fn panicked(message: SizedMessage) -> Self {
        // SAFETY: set by the engine at its start, before any module.
        let class = unsafe { ffi::zend_ce_error };
        Self { warnings: Warnings::NONE, ending: Ending::Thrown { class, message, code: 0 } }
    }

    /// Says it.
    ///
    /// # Safety
    /// `result` is the function's, still null unless the function was fine. No value with a destructor
    /// lives in the caller's frame: this may not return.
    pub unsafe fn deliver(self, result: *mut ffi::zval) {
        // SAFETY: by the caller's promise; messages are released once.
        unsafe {
            if matches!(self.ending, Ending::BailedOut) {
                ffi::ext_php_rs_zend_bailout();
            }
            self.warnings.deliver();
            match self.ending {
                Ending::Fine | Ending::Pending | Ending::BailedOut => {}
                Ending::Failed => (*result).u1.type_info = ffi::IS_FALSE,
                Ending::Warning(message) => {
                    (*result).u1.type_info = ffi::IS_FALSE;
                    warn(message);
                    message.release();
                }
                Ending::Thrown { class, message, code } => {
                    ffi::zend_throw_exception(class, message.as_ptr(), code);
                    message.release();
                }
            }
        }
    }
}

/// Gives a warning at once, from code that is itself called under a guard against bailouts.
pub fn warn_now(text: &str) {
    let message = SizedMessage::of(text);
    // SAFETY: the message is the engine's: it is released by a bailout, too.
    unsafe {
        warn(message);
        message.release();
    }
}

/// # Safety
/// The message has not been released. A user's error handler may run.
unsafe fn warn(message: SizedMessage) {
    // SAFETY: a C string for a format that takes one.
    unsafe { ffi::php_error_docref(ptr::null(), ffi::E_WARNING.cast_signed(), c"%s".as_ptr(), message.as_ptr()) };
}
