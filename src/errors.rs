//! The core's errors as PHP sees them: an exception, or false with a last-error code and sometimes a warning.

use std::sync::atomic::{AtomicI32, Ordering};

use rotor_core::error::{CallError, Error, code};
use rotor_core::settings::{SettingError, Warning};

use crate::zend::{Answer, Call, ClassRef, Fault, Value};

/// `Rotor\Exception`, the base of all our exceptions.
pub static EXCEPTION: ClassRef = ClassRef::new();
/// `Rotor\SettingException`.
pub static SETTING_EXCEPTION: ClassRef = ClassRef::new();

/// What `getLastError()` gives: the code of the last method that failed in this process.
static LAST_ERROR: AtomicI32 = AtomicI32::new(0);

/// The code of the last method that failed.
pub fn last_error() -> i32 {
    LAST_ERROR.load(Ordering::Relaxed)
}

/// Sets what [`last_error`] gives.
pub fn set_last_error(code: i32) {
    LAST_ERROR.store(code, Ordering::Relaxed);
}

/// A `Rotor\Exception`.
pub fn exception(message: impl Into<String>) -> Fault {
    Fault::Thrown { class: &EXCEPTION, message: message.into(), code: 0 }
}

/// The exception for a server that could not be set up or run; its code is the errno.
pub fn server_exception(method: &str, error: &Error) -> Fault {
    Fault::Thrown { class: &EXCEPTION, message: format!("{method}(): {error}"), code: error.errno() }
}

/// The exception for settings that were refused.
pub fn setting_exception(error: &SettingError) -> Fault {
    Fault::Thrown { class: &SETTING_EXCEPTION, message: error.to_string(), code: 0 }
}

/// A method that cannot do anything in this state: a warning, and false.
pub fn wrong_state(message: &str) -> Fault {
    set_last_error(code::WRONG_OPERATION);
    Fault::Warning(message.into())
}

/// A method that was asked for what does not exist: a warning, and false.
pub fn misused(message: String) -> Fault {
    set_last_error(code::INVALID_PARAMS);
    Fault::Warning(message)
}

/// What `set()` answers after it has taken what it could: false, with a warning for each setting that it could not.
pub fn warn_of_settings(call: &mut Call<'_>, warnings: Vec<Warning>) -> Value {
    let all_taken = warnings.is_empty();
    if !all_taken {
        set_last_error(code::INVALID_PARAMS);
    }
    for warning in warnings {
        call.warn(warning.to_string());
    }
    Value::Bool(all_taken)
}

/// What a method of the running server answers.
pub fn answer(done: Result<(), CallError>) -> Answer {
    match done {
        Ok(()) => Ok(Value::Bool(true)),
        Err(error) => Err(refused(error)),
    }
}

/// False as the answer to a question, and the reason for `getLastError()`: never worth a warning.
pub fn unknown(error: &CallError) -> Fault {
    set_last_error(error.code);
    Fault::Failed
}

/// False, and the reason for `getLastError()`. Only what is wrong in the caller's code is worth a warning:
/// that a client has gone is everyday life.
pub fn refused(error: CallError) -> Fault {
    set_last_error(error.code);
    match error.code {
        code::INVALID_PARAMS
        | code::SESSION_INVALID_ID
        | code::DATA_TOO_LARGE
        | code::MESSAGE_TOO_LONG
        | code::NAME_TOO_LONG
        | code::NOT_REGULAR_FILE => Fault::Warning(error.message),
        _ => Fault::Failed,
    }
}
