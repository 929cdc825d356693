//! The PHP stack of a process of this server, read out of its memory.
//!
//! All processes of a server are forks of one, so that the engine's globals are at the same address in each. Nothing
//! that is read is believed: lengths are bounded, the depth is, and whatever cannot be read ends the walk.

use std::mem::{MaybeUninit, offset_of};

use ext_php_rs::ffi;
use rotor_core::trace::{Frame, ReadMemory};

/// The calls of user code, innermost first.
pub fn read_stack(memory: &dyn ReadMemory) -> Vec<Frame> {
    let mut frames: Vec<Frame> = Vec::new();
    let walked = Walk { memory }.walk(&mut frames);
    if walked == Some(Walked::TooDeep) {
        frames.push(Frame { call: "... and further".into(), place: None });
    }
    frames
}

#[derive(PartialEq, Eq)]
enum Walked {
    ToTheEnd,
    TooDeep,
}

struct Walk<'a> {
    memory: &'a dyn ReadMemory,
}

impl Walk<'_> {
    /// `None`: something could not be read.
    fn walk(&self, frames: &mut Vec<Frame>) -> Option<Walked> {
        // SAFETY: asks for an address, which is a constant of the process.
        let globals = unsafe { ffi::ext_php_rs_executor_globals() }.addr();
        let mut frame: usize = self.number(globals + offset_of!(ffi::zend_executor_globals, current_execute_data))?;
        // Calls of functions without lines: they are where the function below is.
        let mut without_place = 0;
        while frame != 0 {
            // The last one is a function with lines, so that all have their place.
            if frames.len() >= DEEPEST + without_place.min(MOST_WITHOUT_PLACE) {
                return Some(Walked::TooDeep);
            }
            let previous: usize = self.number(frame + offset_of!(ffi::zend_execute_data, prev_execute_data))?;
            let function: usize = self.number(frame + offset_of!(ffi::zend_execute_data, func))?;
            // The engine puts frames without a function below calls that come from C.
            if function != 0 {
                let call = format!("{}()", self.name(function, previous == 0)?);
                let place =
                    if self.has_lines(function)? { self.place(frame, function, frames.is_empty()) } else { None };
                frames.push(Frame { call, place });
                match &frames[frames.len() - 1].place {
                    None => without_place += 1,
                    Some(place) => {
                        let place = place.clone();
                        let calls = frames.len() - 1 - without_place..frames.len() - 1;
                        frames[calls].iter_mut().for_each(|call| call.place = Some(place.clone()));
                        without_place = 0;
                    }
                }
            }
            frame = previous;
        }
        Some(Walked::ToTheEnd)
    }

    /// `function`, `Class->method`, `Class::method`.
    fn name(&self, function: usize, is_outermost: bool) -> Option<String> {
        // Functions of all types begin alike.
        let name: usize = self.number(function + offset_of!(ffi::zend_op_array, function_name))?;
        if name == 0 {
            return Some(if is_outermost { "{main}".into() } else { "include".into() });
        }
        let name = self.text(name)?;
        let scope: usize = self.number(function + offset_of!(ffi::zend_op_array, scope))?;
        if scope == 0 {
            return Some(name);
        }
        let class = self.text(self.number(scope + offset_of!(ffi::zend_class_entry, name))?)?;
        let flags: u32 = self.number(function + offset_of!(ffi::zend_op_array, fn_flags))?;
        let arrow = if flags & ffi::ZEND_ACC_STATIC == 0 { "->" } else { "::" };
        Some(format!("{class}{arrow}{name}"))
    }

    fn has_lines(&self, function: usize) -> Option<bool> {
        let kind: u8 = self.number(function + offset_of!(ffi::zend_op_array, type_))?;
        Some(u32::from(kind) & ffi::ZEND_INTERNAL_FUNCTION == 0)
    }

    fn place(&self, frame: usize, function: usize, is_innermost: bool) -> Option<(String, u32)> {
        let file = self.text(self.number(function + offset_of!(ffi::zend_op_array, filename))?)?;
        let saved: usize = self.number(frame + offset_of!(ffi::zend_execute_data, opline))?;
        let opline = if is_innermost { self.current(function).unwrap_or(saved) } else { saved };
        let line = if opline == 0 { 0 } else { self.number(opline + offset_of!(ffi::zend_op, lineno))? };
        Some((file, line))
    }

    /// The instruction that the innermost function is at. The engine writes it down where it may leave the function,
    /// which it does not in a loop; but while it runs one of its instructions, that is in a register.
    fn current(&self, function: usize) -> Option<usize> {
        let first: usize = self.number(function + offset_of!(ffi::zend_op_array, opcodes))?;
        let count: u32 = self.number(function + offset_of!(ffi::zend_op_array, last))?;
        let (size, count) = (size_of::<ffi::zend_op>(), usize::try_from(count).ok()?);
        self.memory.registers().iter().copied().find(|register| {
            register.checked_sub(first).is_some_and(|offset| offset % size == 0 && offset / size < count)
        })
    }

    /// A string of the engine's, fit for one line of a log.
    fn text(&self, string: usize) -> Option<String> {
        let len: usize = self.number(string + offset_of!(ffi::zend_string, len))?;
        let mut bytes = vec![0; len.min(LONGEST_TEXT)];
        self.memory.read(string + offset_of!(ffi::zend_string, val), &mut bytes).ok()?;
        // The name of an anonymous class has a NUL, behind which it says where the class is.
        let shown = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
        let text = String::from_utf8_lossy(shown);
        Some(if text.contains(char::is_control) { text.replace(char::is_control, "?") } else { text.into_owned() })
    }

    fn number<T: Number>(&self, address: usize) -> Option<T> {
        let mut room = MaybeUninit::<T>::zeroed();
        // SAFETY: all bytes of a number may be written, as bytes; they are zero by now.
        let bytes = unsafe { std::slice::from_raw_parts_mut(room.as_mut_ptr().cast::<u8>(), size_of::<T>()) };
        self.memory.read(address, bytes).ok()?;
        // SAFETY: every pattern of bits is one of these numbers.
        Some(unsafe { room.assume_init() })
    }
}

/// Numbers of which every pattern of bits is one.
trait Number: Copy {}
impl Number for u8 {}
impl Number for u32 {}
impl Number for usize {}

/// Calls that are shown.
const DEEPEST: usize = 64;
/// Calls of functions without lines in a row that may be shown beyond those.
const MOST_WITHOUT_PLACE: usize = 8;
/// Bytes of a name or path that are shown.
const LONGEST_TEXT: usize = 1024;
