//! What a process of the server is doing: the stack of its user code, read from outside.
//!
//! How that stack lies in memory is the host's to know ([`StackReader`]). A process that waits in the kernel is read as
//! it is, and so nothing that it waits for ends early; one that runs is held for the time of the look. Where the kernel
//! permits neither the process looks [at itself](crate::self_look).

use std::fmt;
use std::io;
use std::time::Duration;

use rotor_sys::trace::{Hold, Memory, Pulse, Stillness};

/// Memory that is read piece by piece, and may be another process's.
pub trait ReadMemory {
    /// Fills `into` from `address` on, or fails.
    fn read(&self, address: usize, into: &mut [u8]) -> io::Result<()>;

    /// What a held process has in its registers; nothing of one that is not held.
    fn registers(&self) -> &[usize] {
        &[]
    }
}

impl ReadMemory for Memory {
    fn read(&self, address: usize, into: &mut [u8]) -> io::Result<()> {
        Memory::read(self, address, into)
    }
}

/// A held process.
struct HeldMemory {
    memory: Memory,
    registers: Vec<usize>,
}

impl ReadMemory for HeldMemory {
    fn read(&self, address: usize, into: &mut [u8]) -> io::Result<()> {
        self.memory.read(address, into)
    }

    fn registers(&self) -> &[usize] {
        &self.registers
    }
}

/// One call of the stack of user code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The call, as `function()`, `Class->method()` or `Class::method()`.
    pub call: String,
    /// The file and line it is at; of a function without lines, those where it was called.
    pub place: Option<(String, u32)>,
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.call)?;
        self.place.as_ref().map_or(Ok(()), |(file, line)| write!(f, " {file}:{line}"))
    }
}

/// Reads the stack of user code out of a process of this server, innermost call first. It believes nothing that it
/// reads, and ends where something cannot be read. It may be called in any thread.
pub type StackReader = fn(&dyn ReadMemory) -> Vec<Frame>;

/// The lines of a stack: `#0 function() file:line`.
pub fn lines(frames: &[Frame]) -> impl Iterator<Item = String> {
    frames.iter().enumerate().map(|(number, frame)| format!("#{number} {frame}"))
}

/// A process to look at.
pub struct Subject<'a> {
    /// It.
    pub pid: i32,
    /// How its stack is read.
    pub reader: StackReader,
    /// Whether it still does what the look is for.
    pub is_there: &'a dyn Fn() -> bool,
}

/// How to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Without touching a process that waits in the kernel.
    AsItIs,
    /// Holding it in any case.
    Held,
}

/// What came of a look at a process.
#[derive(Debug)]
pub enum Look {
    /// Its stack at one moment, at which it did what the look is for.
    Stack {
        /// The calls, innermost first.
        frames: Vec<Frame>,
        /// What holds it, until this is dropped; `None`: it is not held.
        hold: Option<Hold>,
    },
    /// It does not do any more what the look was for.
    Elsewhere,
    /// It has ended.
    Over,
    /// The kernel has not got to it yet: to be [gone on with](Subject::go_on) later.
    NotYet(Hold),
    /// The kernel does not permit it, or cannot do it.
    Refused(io::Error),
}

impl Subject<'_> {
    /// Looks. `patience` is for the kernel to hold it.
    pub fn look(&self, manner: Manner, patience: Duration) -> Look {
        let Ok(before) = Pulse::of(self.pid) else { return Look::Over };
        if before.is_over() {
            return Look::Over;
        }
        if manner == Manner::AsItIs && before.is_still() {
            let frames = self.read();
            let has_moved = Pulse::of(self.pid).is_ok_and(|after| after != before);
            if !has_moved && !frames.is_empty() {
                return self.result(frames, None);
            }
        }
        match Hold::begin(self.pid) {
            Ok(hold) => self.go_on(hold, patience),
            // Somebody debugs it: it cannot be held, but read.
            Err(_) if before.tracer != 0 => self.result(self.read_unsteady(), None),
            Err(error) if error.raw_os_error() == Some(ESRCH) => Look::Over,
            // One that has ended meanwhile is refused, too.
            Err(_) if Pulse::of(self.pid).is_ok_and(|pulse| pulse.is_over()) => Look::Over,
            Err(error) => Look::Refused(error),
        }
    }

    /// Goes on with a look for which the kernel needed more time.
    pub fn go_on(&self, hold: Hold, patience: Duration) -> Look {
        match hold.wait(patience) {
            Stillness::Over => Look::Over,
            Stillness::NotYet => Look::NotYet(hold),
            Stillness::Held => {
                // Without them the line of a loop may be a few lines off.
                let registers = hold.registers().unwrap_or_default();
                let frames = (self.reader)(&HeldMemory { memory: Memory::of(self.pid), registers });
                self.result(frames, Some(hold))
            }
        }
    }

    fn result(&self, frames: Vec<Frame>, hold: Option<Hold>) -> Look {
        if (self.is_there)() { Look::Stack { frames, hold } } else { Look::Elsewhere }
    }

    fn read(&self) -> Vec<Frame> {
        (self.reader)(&Memory::of(self.pid))
    }

    /// Reads a process that nobody holds until two looks agree, or it is in vain.
    pub(crate) fn read_unsteady(&self) -> Vec<Frame> {
        let mut last = self.read();
        for _ in 0..UNSTEADY_LOOKS {
            let next = self.read();
            if next == last {
                break;
            }
            last = next;
        }
        last
    }
}

const ESRCH: i32 = 3;
const UNSTEADY_LOOKS: u32 = 20;
