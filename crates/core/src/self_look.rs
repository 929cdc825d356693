//! A process that looks at itself, for a manager that may not look into it. A thread of its own waits for being asked,
//! and costs nothing until then. It reads the stack of the main thread while that waits in the kernel; one that runs
//! is asked to do it itself, at its next safe point. Neither is a signal, which would end what it waits for.

use std::cell::RefCell;
use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rotor_ipc::WorkerId;
use rotor_ipc::workers::{Held, SeatEntry};
use rotor_sys::clock::monotonic_ns;
use rotor_sys::epoll::{Epoll, Events, Interest};
use rotor_sys::eventfd::EventFd;
use rotor_sys::process;
use rotor_sys::trace::{Memory, waits_in};

use crate::disk;
use crate::host::Host;
use crate::process::Context;
use crate::slow_log::Account;
use crate::trace::{Frame, Look, Manner, StackReader, Subject};

/// The thread that looks, until this is dropped.
pub struct SelfLook {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    context: Context,
    worker: WorkerId,
    pid: i32,
    seat: &'static SeatEntry,
    reader: StackReader,
    /// Has the main thread come to a safe point.
    interrupt: fn(),
    /// The record that the main thread shall tell of, by its clock; 0: none.
    wanted_ns: AtomicU64,
    is_over: AtomicBool,
    /// Ends the thread's wait when this is over.
    end: EventFd,
}

thread_local! {
    /// What the main thread finds at its safe points.
    static CURRENT: RefCell<Option<Arc<Shared>>> = const { RefCell::new(None) };
}

/// Whether anything waits for a safe point of the main thread.
static IS_WANTED: AtomicBool = AtomicBool::new(false);

/// To be called at the safe points of user code.
pub fn at_safe_point() {
    if IS_WANTED.swap(false, Ordering::AcqRel) {
        CURRENT.with_borrow(|current| {
            if let Some(shared) = current.as_ref().filter(|shared| shared.pid == process::id()) {
                shared.tell_of_itself();
            }
        });
    }
}

impl SelfLook {
    /// Starts the thread, in the process whose seat this is.
    pub fn start(context: &Context, worker: WorkerId, seat: usize, host: &dyn Host) -> io::Result<Self> {
        let epoll = Epoll::new()?;
        let end = EventFd::new()?;
        epoll.add(context.segment.seat_bell(worker, seat).as_fd(), 0, Interest::ReadEdge)?;
        epoll.add(end.as_fd(), 0, Interest::ReadEdge)?;
        let shared = Arc::new(Shared {
            context: context.clone(),
            worker,
            pid: process::id(),
            seat: context.segment.seat(worker, seat),
            reader: host.stack_reader(),
            interrupt: host.interrupter(),
            wanted_ns: AtomicU64::new(0),
            is_over: AtomicBool::new(false),
            end,
        });
        let body = shared.clone();
        let thread = disk::spawn("rotor-look", move || body.run(&epoll))?;
        CURRENT.replace(Some(shared.clone()));
        shared.seat.self_look.set_ready();
        Ok(Self { shared, thread: Some(thread) })
    }
}

impl Drop for SelfLook {
    fn drop(&mut self) {
        // A process that user code has forked has no such thread.
        if self.shared.pid != process::id() {
            return;
        }
        CURRENT.replace(None);
        self.shared.is_over.store(true, Ordering::Release);
        self.shared.end.write();
        if let Some(thread) = self.thread.take() {
            // It has panicked: then it has ended as well.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn run(&self, epoll: &Epoll) {
        let mut events = Events::with_capacity(2);
        let mut last = 0;
        while !self.is_over.load(Ordering::Acquire) {
            match self.seat.self_look.question() {
                Some(question) if question.number != last => {
                    last = question.number;
                    self.look(question.since_ns);
                }
                // Who asks rings.
                _ => drop(epoll.wait(&mut events, None)),
            }
        }
    }

    /// Finds out what the main thread is doing for the record in its hand since `since_ns`.
    fn look(&self, since_ns: u64) {
        let is_there = || self.held(since_ns).is_some();
        let subject = Subject { pid: self.pid, reader: self.reader, is_there: &is_there };
        self.wanted_ns.store(since_ns, Ordering::Release);
        let end = Instant::now() + PATIENCE;
        while !self.is_over.load(Ordering::Acquire) && self.wanted_ns.load(Ordering::Acquire) == since_ns {
            match subject.look(Manner::AsItIs, Duration::ZERO) {
                Look::Stack { frames, .. } => return self.tell(since_ns, frames),
                Look::Elsewhere | Look::Over => {
                    self.claim(since_ns);
                    return;
                }
                // It runs, and nobody may hold a thread of its own process.
                Look::NotYet(_) | Look::Refused(_) if Instant::now() < end => {
                    IS_WANTED.store(true, Ordering::Release);
                    (self.interrupt)();
                    std::thread::sleep(PAUSE);
                }
                // It is in one call all the time that has no safe point.
                Look::NotYet(_) | Look::Refused(_) => {
                    let frames = subject.read_unsteady();
                    if is_there() {
                        self.tell(since_ns, frames);
                    }
                    return;
                }
            }
        }
    }

    /// The main thread, at a safe point.
    fn tell_of_itself(&self) {
        let since_ns = self.wanted_ns.load(Ordering::Acquire);
        if since_ns != 0 && self.held(since_ns).is_some() {
            self.tell(since_ns, (self.reader)(&Memory::of(self.pid)));
        }
    }

    fn tell(&self, since_ns: u64, frames: Vec<Frame>) {
        let Some(held) = self.held(since_ns).filter(|_| self.claim(since_ns)) else { return };
        let facts = waits_in(self.pid).map_or_else(String::new, |place| format!("in={place}"));
        let account = Account {
            worker: self.worker,
            pid: self.pid,
            session: held.session,
            seconds: Duration::from_nanos(monotonic_ns().saturating_sub(since_ns)).as_secs_f64(),
            kind: Some(held.kind),
            facts,
            frames,
        };
        let Some(question) = self.seat.self_look.question() else { return };
        let Context { log, slow_log, .. } = &self.context;
        if question.time_is_over {
            account.log(log, &|log, line| log.warning(line), "request_timeout is over");
        } else {
            slow_log.add(&account, log);
        }
        self.seat.self_look.answer(question.number);
        self.context.segment.manager_bell().write();
    }

    /// Whether the caller is the one to tell.
    fn claim(&self, since_ns: u64) -> bool {
        self.wanted_ns.compare_exchange(since_ns, 0, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    fn held(&self, since_ns: u64) -> Option<Held> {
        self.seat.in_hand.look().filter(|held| held.since_ns == since_ns)
    }
}

/// Between two looks at a thread that runs.
const PAUSE: Duration = Duration::from_millis(2);
/// A thread that runs comes to a safe point sooner, unless it is in one long call.
const PATIENCE: Duration = Duration::from_millis(100);
