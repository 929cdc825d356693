//! The server as the methods of this process reach it: not yet, running, or no more.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use rotor_core::process::Process;

use crate::errors::{exception, wrong_state};
use crate::stranger;
use crate::zend::Fault;

/// Shared by `$server` and what hangs on it.
#[derive(Default)]
pub struct Running {
    process: RefCell<Option<Rc<Process>>>,
    over: Cell<bool>,
}

impl Running {
    /// This process has become a part of the server.
    pub fn enter(&self, process: Rc<Process>) {
        HERE.set(Some(process.clone()));
        self.process.replace(Some(process));
    }

    /// This process has ended its part.
    pub fn leave(&self) {
        self.process.replace(None);
        HERE.set(None);
        self.over.set(true);
    }

    /// The running server; else the method warns and returns false.
    pub fn process(&self) -> Result<Rc<Process>, Fault> {
        if stranger::is_this_process() {
            return Err(exception(
                "this process was forked by a callback and is no part of the server; call its methods in the process \
                 that runs the callback",
            ));
        }
        match &*self.process.borrow() {
            Some(process) => Ok(process.clone()),
            None if self.over.get() => Err(wrong_state("server is not running any more")),
            None => Err(wrong_state("server is not running; call start() first")),
        }
    }

    /// The running server, for those that have an answer without it.
    pub fn try_process(&self) -> Option<Rc<Process>> {
        if stranger::is_this_process() { None } else { self.process.borrow().clone() }
    }
}

/// The running server that this process is a part of, for those that have no `$server`.
pub fn here() -> Option<Rc<Process>> {
    if stranger::is_this_process() { None } else { HERE.with_borrow(Clone::clone) }
}

thread_local! {
    static HERE: RefCell<Option<Rc<Process>>> = const { RefCell::new(None) };
}
