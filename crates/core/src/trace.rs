//! What a process of the server is doing: the stack of its user code, read from outside.
//!
//! How that stack lies in memory is the host's to know ([`StackReader`]). A process that waits in the kernel is read as
//! it is, and so nothing that it waits for ends early; one that runs is held for the time of the look. Where the kernel
//! permits neither the process looks [at itself](crate::self_look).

use std::fmt;
use std::io;
use std::time::Duration;

use rotor_sys::process;
use rotor_sys::trace::{Hold, Memory, Pulse, Stillness, may_look};

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
            Err(error) => self.look_unheld(before.tracer, error),
        }
    }

    /// Looks at a process that cannot be held. `tracer` is who traced it before.
    fn look_unheld(&self, tracer: i32, error: io::Error) -> Look {
        // One that has ended meanwhile is refused, too.
        if error.raw_os_error() == Some(ESRCH) || Pulse::of(self.pid).is_ok_and(|pulse| pulse.is_over()) {
            return Look::Over;
        }
        // Somebody else holds it, a debugger or another process of the server, which may have begun just now: it can be
        // read. Nobody holds a thread of its own process.
        if tracer != 0 || (self.pid != process::id() && may_look(self.pid).is_ok()) {
            return self.result(self.read_unsteady(), None);
        }
        Look::Refused(error)
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

#[cfg(test)]
mod tests {
    use rotor_sys::process::Fork;
    use rotor_sys::trace::allow;

    use super::*;
    use crate::signals::SIGKILL;

    /// A child that is gone with the test, whatever becomes of that.
    struct Child(i32);

    impl Child {
        fn run(body: impl FnOnce()) -> Self {
            match process::fork().unwrap() {
                Fork::Parent { child } => Self(child),
                Fork::Child => {
                    let _ = process::die_with_parent();
                    body();
                    process::exit_now(0)
                }
            }
        }
    }

    impl Drop for Child {
        fn drop(&mut self) {
            let _ = process::kill(self.0, SIGKILL);
            let _ = process::wait(self.0);
        }
    }

    #[test]
    fn a_process_that_another_one_holds_is_read_and_not_taken_for_one_that_may_not_be_looked_into() {
        let here = process::id();
        let is_there = || true;
        let of =
            |pid| Subject { pid, reader: |_| vec![Frame { call: "f()".into(), place: None }], is_there: &is_there };
        let look = |pid| of(pid).look(Manner::Held, Duration::from_secs(30));
        let looked_at = Child::run(|| {
            allow(here);
            std::thread::sleep(Duration::from_secs(300));
        });
        let pid = looked_at.0;
        while let Look::Refused(_) = look(pid) {}
        let holder = Child::run(|| {
            let hold = Hold::begin(pid);
            std::thread::sleep(Duration::from_secs(300));
            drop(hold);
        });
        while Pulse::of(pid).unwrap().tracer != holder.0 {}
        assert!(matches!(look(pid), Look::Stack { hold: None, .. }));
        let refused = || Hold::begin(pid).unwrap_err();
        // The other one came just after the look for a tracer.
        assert!(matches!(of(pid).look_unheld(0, refused()), Look::Stack { hold: None, .. }));
        // A thread of this process cannot be held, and is asked at a safe point instead.
        assert!(matches!(of(here).look_unheld(0, refused()), Look::Refused(_)));
    }
}
