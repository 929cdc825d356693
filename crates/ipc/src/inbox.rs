//! Which lanes of an inbox have something: a bitmap where there are many, all of them where there are few.

use crate::sync::{AtomicU64, Ordering, Step, step};

/// Up to so many lanes looking at each is cheaper than a bitmap.
const FEW_LANES: usize = 8;

/// The consumer's side: which lanes are worth a look.
#[derive(Debug)]
pub struct Marks {
    words: &'static [AtomicU64],
    rescan: &'static AtomicU64,
    rescan_seen: u64,
    lanes: usize,
    pending: Vec<u64>,
}

impl Marks {
    /// Takes over the inbox: the bits that a consumer before has fetched are gone, so all lanes are worth a look.
    pub fn attach(words: &'static [AtomicU64], rescan: &'static AtomicU64, lanes: usize) -> Self {
        let rescan_seen = rescan.load(Ordering::Acquire);
        let mut marks = Self { words, rescan, rescan_seen, lanes, pending: vec![0; lanes.div_ceil(64)] };
        marks.mark_all();
        marks
    }

    /// Fetches what producers have marked. After [`crate::wake::fence_after_announcing`], nothing that was
    /// published before the fence is missed.
    pub fn look(&mut self) {
        if self.lanes <= FEW_LANES {
            self.mark_all();
            return;
        }
        for (word, pending) in self.words.iter().zip(&mut self.pending) {
            if word.load(Ordering::Relaxed) != 0 {
                // Pairs with the Release in `Marker::mark`: the tails that it speaks of are seen.
                *pending |= word.swap(0, Ordering::AcqRel);
            }
        }
        // A bit without a lane would be pending for ever, and its consumer would never sleep again.
        if let Some(last) = self.pending.last_mut() {
            *last &= u64::MAX >> (self.lanes.next_multiple_of(64) - self.lanes);
        }
        // A producer that died between its tail and its bit is what the mark is for.
        let rescan = self.rescan.load(Ordering::Acquire);
        if rescan != self.rescan_seen {
            self.rescan_seen = rescan;
            self.mark_all();
        }
    }

    /// Whether the lane is worth a look.
    pub fn is_pending(&self, lane: usize) -> bool {
        self.pending[lane / 64] & 1 << (lane % 64) != 0
    }

    /// Whether any lane is worth a look.
    pub fn any_pending(&self) -> bool {
        self.pending.iter().any(|word| *word != 0)
    }

    /// The lane was not emptied: it is still worth a look.
    pub fn keep(&mut self, lane: usize) {
        self.pending[lane / 64] |= 1 << (lane % 64);
    }

    /// The lane was found empty.
    pub fn clear(&mut self, lane: usize) {
        self.pending[lane / 64] &= !(1 << (lane % 64));
    }

    /// The first lane worth a look at or after `from`, going round.
    pub fn next(&self, from: usize) -> Option<usize> {
        (from..self.lanes).chain(0..from.min(self.lanes)).find(|lane| self.is_pending(*lane))
    }

    fn mark_all(&mut self) {
        for lane in 0..self.lanes {
            self.pending[lane / 64] |= 1 << (lane % 64);
        }
    }
}

/// A producer's side: the bit of its lane.
#[derive(Clone, Copy, Debug)]
pub struct Marker {
    word: Option<&'static AtomicU64>,
    bit: u64,
}

impl Marker {
    /// The mark of lane number `lane` of an inbox with `lanes` lanes.
    pub fn new(words: &'static [AtomicU64], lane: usize, lanes: usize) -> Self {
        Self { word: (lanes > FEW_LANES).then(|| &words[lane / 64]), bit: 1 << (lane % 64) }
    }

    /// Says that the lane has something, after its tail was stored. Also where the bit is seen set: the consumer
    /// may be about to fetch it on behalf of an older tail.
    pub fn mark(&self) {
        if let Some(word) = self.word {
            word.fetch_or(self.bit, Ordering::Release);
            step(Step::BitSet);
        }
    }
}
