//! Idle dispatch: a word per slot that says whether its worker is free, and who has taken it. A reactor posts a message
//! only to a worker that it has claimed, so that no message waits behind a callback while another worker is free.
//!
//! ```text
//! away ── owner is ready ──► free ── reactor, its record's position ──► claimed ── end of that record ──► free
//!   ▲                         │  ▲                                         ▲                              (or given)
//!   └──── its owner died ─────┘  └───── given(reactor) ── that reactor ────┘
//! ```
//!
//! A record is named by its lane and its position there, which never come twice: a claim is ended by the end of that
//! very record and of no other one, also by recovery, which knows from the head of the lane whether it was taken.
//!
//! A reactor that finds nobody sets its *wants* bit, fences, and tries all once more before it holds the message back.
//! Whoever makes a word free fences and looks at the bits: one of the two sees the other. A word is given to the
//! reactors that want one in turn, so that a busy reactor does not take all of them; who is given one and cannot use
//! it passes it on in the same way.

use crate::sync::{AtomicU64, Ordering, Padded, Shared, Step, fence, step};
use crate::wake::{Waker, fence_after_publishing};

/// What a word says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idle {
    /// No process takes from the inbox.
    Away,
    /// The worker has nothing to do.
    Free,
    /// It has, or gets, the record at this position of this reactor's lane.
    Claimed {
        /// The reactor.
        reactor: u16,
        /// The position, a multiple of eight.
        position: u64,
    },
    /// It has nothing to do, and this reactor alone may claim it.
    Given(u16),
}

impl Idle {
    fn encode(self) -> u64 {
        let word = |state: u64, reactor: u16, position: u64| position >> 3 << 18 | u64::from(reactor) << 2 | state;
        match self {
            Self::Away => 0,
            Self::Free => 1,
            Self::Claimed { reactor, position } => word(2, reactor, position),
            Self::Given(reactor) => word(3, reactor, 0),
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "sixteen bits of the word")]
    fn decode(word: u64) -> Self {
        let reactor = (word >> 2) as u16;
        match word & 3 {
            0 => Self::Away,
            1 => Self::Free,
            2 => Self::Claimed { reactor, position: word >> 18 << 3 },
            _ => Self::Given(reactor),
        }
    }
}

/// So much of a position has room in a word. What lies in a lane at once is far less.
const POSITIONS: u64 = 1 << 49;

/// Whether the record at `position`, as a word has it, was not taken by a consumer that has come up to `head`.
fn is_unread(position: u64, head: u64) -> bool {
    position.wrapping_sub(head) % POSITIONS < POSITIONS / 2
}

/// The word of a slot.
#[repr(transparent)]
#[derive(Debug, Default)]
pub struct IdleWord(AtomicU64);

// SAFETY: a transparent wrapper of an atomic; zero is away.
unsafe impl Shared for IdleWord {}

impl IdleWord {
    /// What it says now.
    pub fn get(&self) -> Idle {
        Idle::decode(self.0.load(Ordering::Acquire))
    }

    /// Whether `reactor` may claim it, as far as can be seen.
    pub fn is_free_for(&self, reactor: u16) -> bool {
        matches!(self.get(), Idle::Free) || self.get() == Idle::Given(reactor)
    }

    /// Reactor: takes the worker for the record that it will write next, at `position` of its lane to it.
    pub fn claim(&self, reactor: u16, position: u64) -> bool {
        let found = self.get();
        (found == Idle::Free || found == Idle::Given(reactor))
            && self.change(found, Idle::Claimed { reactor, position })
    }

    /// Recovery, while nobody owns the inbox: the worker is away. A claim stays whose record was not taken yet: the next
    /// process takes it. `head` is the head of a reactor's lane, past the record that died with the worker; `None` where
    /// there is no such reactor.
    pub fn settle(&self, head: impl Fn(u16) -> Option<u64>) {
        loop {
            let found = self.get();
            let stays = match found {
                Idle::Away => true,
                Idle::Claimed { reactor, position } => head(reactor).is_some_and(|head| is_unread(position, head)),
                // A reactor may claim it now, and then the record stays.
                Idle::Free | Idle::Given(_) => false,
            };
            if stays || self.change(found, Idle::Away) {
                return;
            }
        }
    }

    /// Any step, for models of what must not be done.
    #[cfg(loom)]
    pub fn change_for_models(&self, from: Idle, to: Idle) -> bool {
        self.change(from, to)
    }

    fn change(&self, from: Idle, to: Idle) -> bool {
        // Release: what the worker has done with its last record is over for who claims it next. Acquire: the other side.
        self.0.compare_exchange(from.encode(), to.encode(), Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}

/// Which reactors hold messages back, and what they were given.
#[derive(Clone, Copy, Debug)]
pub struct Wants {
    /// One bit for each reactor, written by it.
    bits: &'static [AtomicU64],
    /// For each reactor: somebody has given it a word since it last looked.
    given: &'static [Padded<AtomicU64>],
    /// The reactor that is looked at first.
    turn: &'static AtomicU64,
}

impl Wants {
    /// A view of the words of the segment, or of a model.
    pub fn new(bits: &'static [AtomicU64], given: &'static [Padded<AtomicU64>], turn: &'static AtomicU64) -> Self {
        Self { bits, given, turn }
    }

    /// Reactor: it is about to hold a message back. It has to try all words once more.
    pub fn want(&self, reactor: u16) {
        self.bits[usize::from(reactor / 64)].fetch_or(1 << (reactor % 64), Ordering::Relaxed);
        // Pairs with the fence in `Giver::let_go`: our bit and a word that was made free must not both be missed.
        fence(Ordering::SeqCst);
    }

    /// Reactor: it holds nothing back any more. What it has been given it has to pass on: it looks at the words behind this.
    pub fn want_no_more(&self, reactor: u16) {
        self.bits[usize::from(reactor / 64)].fetch_and(!(1 << (reactor % 64)), Ordering::Relaxed);
        // Pairs with the fence in `Giver::give`: that our bit is gone and a word that we are given must not both be missed,
        // since we may not look again for long.
        fence(Ordering::SeqCst);
    }

    /// Reactor: whether it was given a word since it last asked. To be asked also after announcing a sleep.
    pub fn was_given(&self, reactor: u16) -> bool {
        let mark = &self.given[usize::from(reactor)].0;
        // Pairs with the Release in `tell`: the word is seen.
        mark.load(Ordering::Relaxed) != 0 && mark.swap(0, Ordering::AcqRel) != 0
    }

    /// Reactor: the same, and it stays to be asked.
    pub fn has_gift(&self, reactor: u16) -> bool {
        self.given[usize::from(reactor)].0.load(Ordering::Relaxed) != 0
    }

    /// The next reactor that wants a worker. It is somebody else's turn afterwards.
    fn next(&self) -> Option<u16> {
        let reactors = self.given.len();
        let first = crate::to_usize(self.turn.load(Ordering::Relaxed)) % reactors.max(1);
        let next = (first..reactors).chain(0..first).find(|reactor| self.has_bit(*reactor))?;
        self.turn.store(next as u64 + 1, Ordering::Relaxed);
        u16::try_from(next).ok()
    }

    fn has_bit(&self, reactor: usize) -> bool {
        self.bits[reactor / 64].load(Ordering::Relaxed) & 1 << (reactor % 64) != 0
    }

    fn tell(&self, reactor: u16) {
        self.given[usize::from(reactor)].0.store(1, Ordering::Release);
        step(Step::GiftMarked);
    }
}

/// Whoever lets workers go: each of them when it is done with a record, and a reactor that was given one in vain.
#[derive(Debug)]
pub struct Giver {
    wants: Wants,
    reactors: Vec<Waker>,
}

impl Giver {
    /// With what wakes each reactor.
    pub fn new(wants: Wants, reactors: Vec<Waker>) -> Self {
        Self { wants, reactors }
    }

    /// Owner of the inbox, before it takes its first record: it is there.
    pub fn enter(&mut self, word: &IdleWord) {
        self.let_go(word, Idle::Away);
    }

    /// Makes the word free that says `from`, or gives it to the next reactor that wants one. Does nothing when it says
    /// anything else.
    pub fn let_go(&mut self, word: &IdleWord, from: Idle) {
        if let Some(reactor) = self.wants.next() {
            self.give(word, from, reactor);
            return;
        }
        if !word.change(from, Idle::Free) {
            return;
        }
        step(Step::Freed);
        // Pairs with the fence in `Wants::want`.
        fence(Ordering::SeqCst);
        if let Some(reactor) = self.wants.next() {
            self.give(word, Idle::Free, reactor);
        }
    }

    fn give(&mut self, word: &IdleWord, from: Idle, reactor: u16) {
        if !word.change(from, Idle::Given(reactor)) {
            return;
        }
        step(Step::Given);
        self.wants.tell(reactor);
        fence_after_publishing();
        if let Some(waker) = self.reactors.get_mut(usize::from(reactor)) {
            waker.wake();
        }
        // It may have ceased to want one since its bit was seen, and before it could see the word.
        if !self.wants.has_bit(usize::from(reactor)) {
            self.let_go(word, Idle::Given(reactor));
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_word_says_what_it_was_told() {
        for idle in [
            Idle::Away,
            Idle::Free,
            Idle::Given(0),
            Idle::Given(u16::MAX),
            Idle::Claimed { reactor: 0, position: 0 },
            Idle::Claimed { reactor: u16::MAX, position: POSITIONS - 8 },
        ] {
            assert_eq!(Idle::decode(idle.encode()), idle);
        }
    }

    #[test]
    fn a_worker_is_claimed_once_and_let_go_by_the_end_of_that_record_alone() {
        let word = IdleWord::default();
        let (mut giver, _) = giver(2);
        assert!(!word.claim(0, 8), "nobody is there");
        giver.enter(&word);
        assert!(word.claim(1, 8) && !word.claim(0, 16));
        giver.let_go(&word, Idle::Claimed { reactor: 1, position: 16 });
        assert_eq!(word.get(), Idle::Claimed { reactor: 1, position: 8 });
        giver.enter(&word);
        assert_eq!(word.get(), Idle::Claimed { reactor: 1, position: 8 }, "a new owner finds it claimed");
        giver.let_go(&word, Idle::Claimed { reactor: 1, position: 8 });
        assert_eq!(word.get(), Idle::Free);
    }

    #[test]
    fn reactors_that_want_are_given_workers_in_turn() {
        let words = [(); 4].map(|()| IdleWord::default());
        let (mut giver, wants) = giver(70);
        wants.want(69);
        wants.want(3);
        for word in &words {
            giver.enter(word);
        }
        assert_eq!(words.each_ref().map(IdleWord::get), [3, 69, 3, 69].map(Idle::Given));
        assert!(wants.was_given(3) && !wants.was_given(3) && wants.has_gift(69));
        assert!(!words[0].claim(69, 8) && words[0].claim(3, 8), "the one that it was given to alone");
        wants.want_no_more(3);
        giver.let_go(&words[2], Idle::Given(3));
        assert_eq!(words[2].get(), Idle::Given(69), "passed on");
        wants.want_no_more(69);
        giver.let_go(&words[3], Idle::Given(69));
        assert_eq!(words[3].get(), Idle::Free);
    }

    #[test]
    fn after_a_death_a_claim_stays_if_its_record_was_not_taken() {
        let (mut giver, _) = giver(2);
        let word = IdleWord::default();
        for (head, expected) in [(8, Idle::Claimed { reactor: 1, position: 8 }), (16, Idle::Away)] {
            giver.enter(&word);
            word.claim(1, 8);
            word.settle(|reactor| (reactor == 1).then_some(head));
            assert_eq!(word.get(), expected);
        }
        giver.enter(&word);
        word.settle(|_| None);
        assert_eq!(word.get(), Idle::Away, "a free one is away, too");
        giver.enter(&word);
        assert!(word.claim(7, 8));
        word.settle(|_| None);
        assert_eq!(word.get(), Idle::Away, "nobody will ever post what a damaged word speaks of");
        // A lane that has carried more than a word has room for.
        let far = 5 * POSITIONS + 8;
        for (head, is_away) in [(far, false), (far + 8, true)] {
            giver.enter(&word);
            assert!(word.claim(1, far));
            word.settle(|_| Some(head));
            assert_eq!(word.get() == Idle::Away, is_away);
            giver.let_go(&word, Idle::Claimed { reactor: 1, position: far });
        }
    }

    fn giver(reactors: usize) -> (Giver, Wants) {
        let bits: Vec<AtomicU64> = (0..reactors.div_ceil(64)).map(|_| AtomicU64::default()).collect();
        let given: Vec<Padded<AtomicU64>> = (0..reactors).map(|_| Padded::default()).collect();
        let wants = Wants::new(bits.leak(), given.leak(), Box::leak(Box::default()));
        (Giver::new(wants, Vec::new()), wants)
    }
}
