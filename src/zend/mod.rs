//! What ext-php-rs lacks: classes and functions whose signatures Reflection shows as the stub has them,
//! arguments that are converted and complained about as PHP does it, and the engine's odds and ends.
//!
//! The binding is safe code but for this folder and `call.rs`. Two rules keep it that way:
//!
//! - A bailout is a `longjmp` over Rust frames. What may run PHP code (a warning, an exception, the
//!   conversion of an argument) happens in [`entry`], where nothing has a destructor, or before a method
//!   has made anything that has one.
//! - Nothing here keeps a reference into a PHP value over a call into PHP.

pub(crate) mod api;
mod class;
mod engine;
mod entry;
mod function;
mod iterate;
mod iterator;
mod memory;
mod object;
mod report;
mod sockets;
mod stack;
mod system;

pub use class::{Class, ClassRef, Constant, Property, PropertyDefault, RegisteredClass, TypedProperty};
pub use engine::{
    Module, OutsideFibers, ask_for_safe_point, at_safe_points, call_function, end_process, end_time_limit,
    exception_is_pending, exit_is_pending, extensions, flush_output, forget_paths, ini_flag, ini_text,
    interrupt_is_pending, may_open, module_is_loaded, property, register_constant, register_text_constant,
    request_exit, run_interrupt, sapi, set_ini, set_property, show_ini_entries, unregister_ini_entries,
};
pub use entry::{Answer, Call, Fault, Id, Value, handler, ignore_surplus_arguments};
pub(crate) use function::functions;
pub use function::{END, Functions, Param, Signature, Type, c_literal, function};
pub use iterate::{Key, entries, for_each, is_list, values};
pub use iterator::Walk;
pub use memory::string_fits;
pub use object::{Handlers, Native, data_object, native, new_object};
pub use report::warn_now;
pub use sockets::socket_object;
pub use stack::read_stack;
pub use system::{after_fork_in_child, c_library, cpus_online, describe_lookup_error};

use api::GcBuffer;
