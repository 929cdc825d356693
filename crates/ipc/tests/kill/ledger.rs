//! What was delivered, echoed and lost, in shared memory of its own: who dies takes no count with it.

use std::sync::atomic::{AtomicU32, Ordering};

use rotor_ipc::workers::Generation;
use rotor_sys::memory::SharedMemory;

use crate::load::{REACTORS, WORKERS};

/// One message: from a reactor to a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Message {
    pub reactor: usize,
    pub worker: usize,
    pub number: u32,
}

/// Who has handled each message, by generation; what stands at number 0 is the last message's number.
#[derive(Clone, Copy)]
pub struct Ledger {
    memory: &'static SharedMemory,
    messages: u32,
}

#[derive(Clone, Copy, Debug)]
pub enum What {
    Delivered = 0,
    Echoed,
    Posted,
}

/// How many there are.
const WHATS: usize = 3;

impl Ledger {
    pub fn new(messages: u32) -> Self {
        let counts = WHATS * REACTORS * WORKERS * (messages as usize + 1);
        let memory = SharedMemory::create(c"rotor-ledger", counts * 4).expect("memory for the ledger");
        Self { memory, messages }
    }

    /// Notes a message, which comes once and after all others of its lane that came before.
    pub fn note(&self, what: What, message: Message, generation: Generation) {
        assert!((1..=self.messages).contains(&message.number), "{message:?} was never posted");
        let before = self.at(what, message).swap(generation, Ordering::Relaxed);
        assert_eq!(before, 0, "{message:?} {what:?} again");
        let last = self.at(what, Message { number: 0, ..message }).swap(message.number, Ordering::Relaxed);
        assert!(last < message.number, "{message:?} {what:?} after {last}");
    }

    /// The generation that has handled a message, if any has.
    pub fn noted(&self, what: What, message: Message) -> Option<Generation> {
        Some(self.at(what, message).load(Ordering::Relaxed)).filter(|generation| *generation != 0)
    }

    /// All messages that were posted.
    pub fn all(&self) -> impl Iterator<Item = Message> {
        let pairs = (0..REACTORS).flat_map(|reactor| (0..WORKERS).map(move |worker| (reactor, worker)));
        pairs.flat_map(move |(reactor, worker)| {
            let last = self.at(What::Posted, Message { reactor, worker, number: 0 }).load(Ordering::Relaxed);
            (1..=last).map(move |number| Message { reactor, worker, number })
        })
    }

    fn at(&self, what: What, message: Message) -> &'static AtomicU32 {
        let lane = (what as usize * REACTORS + message.reactor) * WORKERS + message.worker;
        let place = self.memory.place::<AtomicU32>((lane * (self.messages as usize + 1) + message.number as usize) * 4);
        // SAFETY: within the mapping and aligned, which `place` has checked; it is never unmapped, zero at first,
        // and written through atomics alone.
        unsafe { place.as_ref() }
    }
}
