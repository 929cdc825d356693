//! Signal handlers of the script. They run as PHP's own do: at the next safe point of the running code, or between
//! two callbacks, never inside a system call.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use ext_php_rs::types::Zval;
use rotor_sys::signal::{self, Former};

use super::system_fault;
use crate::call::Callable;
use crate::errors::{misused, wrong_state};
use crate::zend::{self, Answer, Call, Value};

/// `signal(int $signal_no, ?callable $callback = null): bool`
pub fn signal(call: &mut Call<'_>) -> Answer {
    let given = call.int(0)?.unwrap_or_default();
    let callback = match call.any(1).map(Zval::dereference) {
        None => None,
        Some(zval) if zval.is_null() => None,
        Some(zval) => Some(Callable::resolve(zval).map_err(|why| call.wrong_callback(1, &why))?),
    };
    let Some(number) = i32::try_from(given).ok().filter(|number| (1..=64).contains(number)) else {
        return Err(misused(format!("$signal_no must be 1 to 64, {given} given")));
    };
    if signal::is_noted(number) {
        let name = rotor_sys::process::signal_name(number);
        return Err(wrong_state(&format!("{name} is the server's in this process")));
    }
    let Some(callback) = callback else {
        // A callback from before the server may be here whose place the server has taken.
        return match take(number) {
            Some(handler) if signal::is_observed(number) => {
                handler.former.restore();
                Ok(Value::Bool(true))
            }
            _ => Err(wrong_state(&format!("signal {number} has no callback"))),
        };
    };
    let former = signal::observe(number, zend::ask_for_safe_point)
        .map_err(|error| system_fault(&format!("cannot handle signal {number}"), &error))?;
    let former = match take(number) {
        // What was there before the first callback.
        Some(handler) if former.was_observed() => handler.former,
        _ => former,
    };
    HANDLERS.with_borrow_mut(|all| all.push(Handler { number, callback: Rc::new(callback), former }));
    Ok(Value::Bool(true))
}

/// Runs the callbacks of the signals that have come. One that comes while a callback runs waits for its end.
pub fn run_pending() {
    if IS_RUNNING.get() {
        return;
    }
    loop {
        for number in signal::observed() {
            LEFT.set(LEFT.get() | 1 << (number - 1));
        }
        if LEFT.get() == 0 {
            return;
        }
        if zend::exception_is_pending() {
            // The others come at the next safe point.
            zend::ask_for_safe_point();
            return;
        }
        let number = LEFT.get().trailing_zeros() + 1;
        LEFT.set(LEFT.get() & (LEFT.get() - 1));
        let callback = HANDLERS.with_borrow(|all| {
            all.iter().find(|handler| handler.number.cast_unsigned() == number).map(|handler| handler.callback.clone())
        });
        let Some(callback) = callback else { continue };
        let mut argument = Zval::new();
        argument.set_long(i64::from(number));
        // Where it ends the process by a fatal error, what is here is not dropped and no other callback runs.
        IS_RUNNING.set(true);
        callback.call_through([argument]);
        IS_RUNNING.set(false);
    }
}

/// This is a child that user code has forked, perhaps in a callback that never comes back here: what came before was for
/// its parent.
pub fn begin_anew() {
    signal::observed().for_each(drop);
    LEFT.set(0);
    IS_RUNNING.set(false);
}

/// Puts back what was before the callbacks. The end of a script: they may not outlive it.
pub fn forget() {
    for handler in HANDLERS.take() {
        if signal::is_observed(handler.number) {
            handler.former.restore();
        }
    }
}

struct Handler {
    number: i32,
    callback: Rc<Callable>,
    former: Former,
}

fn take(number: i32) -> Option<Handler> {
    HANDLERS.with_borrow_mut(|all| {
        let at = all.iter().position(|handler| handler.number == number)?;
        Some(all.swap_remove(at))
    })
}

thread_local! {
    static HANDLERS: RefCell<Vec<Handler>> = const { RefCell::new(Vec::new()) };
    /// Signals that have come and whose callbacks have not run yet.
    static LEFT: Cell<u64> = const { Cell::new(0) };
    static IS_RUNNING: Cell<bool> = const { Cell::new(false) };
}
