//! The only place that names atomics and raw shared bytes: the machine's, or the model checker's.
//!
//! The algorithms above are the same code in both builds. In a model the segment comes from the heap: each
//! shared struct is leaked there instead of being placed in a mapping.

#[cfg(not(loom))]
pub use std::sync::atomic::{AtomicI32, AtomicU32, AtomicU64, Ordering, fence};

#[cfg(loom)]
pub use loom::sync::atomic::{AtomicI32, AtomicU32, AtomicU64, Ordering, fence};

/// A type that may lie in the segment: `repr(C)`, nothing but atomics, and valid when all its bytes are zero.
///
/// # Safety
/// The type is `repr(C)` (or `repr(transparent)`), consists of atomics and of types that are `Shared`, holds
/// no address, and its all-zero bytes are its initial state.
pub unsafe trait Shared: Sync + 'static {}

// SAFETY: an atomic integer is what the trait asks for.
unsafe impl Shared for AtomicU64 {}
// SAFETY: as above.
unsafe impl Shared for AtomicU32 {}
// SAFETY: as above.
unsafe impl Shared for AtomicI32 {}

/// A value on a cache line of its own, so that its writer and its neighbour's do not slow each other down.
#[repr(C, align(64))]
#[derive(Debug, Default)]
pub struct Padded<T>(pub T);

// SAFETY: a transparent wrapper with an alignment.
unsafe impl<T: Shared> Shared for Padded<T> {}

impl<T> std::ops::Deref for Padded<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// The bytes of a lane: whoever writes where is settled by the positions beside it.
#[cfg(not(loom))]
#[derive(Clone, Copy, Debug)]
pub struct LaneBytes(rotor_sys::memory::SharedBytes<'static>);

#[cfg(not(loom))]
impl LaneBytes {
    /// Bytes of the segment; their number is a power of two, their address a multiple of eight.
    pub fn new(bytes: rotor_sys::memory::SharedBytes<'static>) -> Self {
        debug_assert!(bytes.len().is_power_of_two() && bytes.as_ptr().addr().is_multiple_of(8));
        Self(bytes)
    }

    /// How many.
    #[expect(clippy::len_without_is_empty, reason = "a lane has bytes")]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The word at `at`, a multiple of eight within the bytes.
    pub fn word(&self, at: usize) -> u64 {
        self.atomic(at).load(Ordering::Relaxed)
    }

    /// Writes the word at `at`, a multiple of eight within the bytes.
    pub fn set_word(&self, at: usize, value: u64) {
        self.atomic(at).store(value, Ordering::Relaxed);
    }

    /// Copies `bytes` to `at`.
    pub fn copy_from(&self, at: usize, bytes: &[u8]) {
        self.0.slice(at, bytes.len()).copy_from(bytes);
    }

    /// `len` bytes at `at`.
    pub fn bytes(&self, at: usize, len: usize) -> rotor_sys::memory::SharedBytes<'static> {
        self.0.slice(at, len)
    }

    fn atomic(&self, at: usize) -> &'static AtomicU64 {
        let word = self.0.slice(at, 8);
        debug_assert!(at.is_multiple_of(8));
        // SAFETY: eight bytes of the mapping, which lives as long as the process; aligned, since both the start
        // and `at` are multiples of eight. Every other access to them is by raw copies and atomics.
        unsafe { &*word.as_ptr().cast::<AtomicU64>() }
    }
}

/// The bytes of a lane in a model: plain words, and the checker fails where two accesses are not ordered.
#[cfg(loom)]
#[derive(Clone, Copy, Debug)]
pub struct LaneBytes(&'static [loom::cell::UnsafeCell<u64>]);

// SAFETY: the checker runs one thread at a time.
#[cfg(loom)]
unsafe impl Send for LaneBytes {}
// SAFETY: as above.
#[cfg(loom)]
unsafe impl Sync for LaneBytes {}

#[cfg(loom)]
impl LaneBytes {
    /// `words` times eight bytes on the heap.
    pub fn on_heap(words: usize) -> Self {
        Self(Box::leak((0..words).map(|_| loom::cell::UnsafeCell::new(0)).collect::<Vec<_>>().into_boxed_slice()))
    }

    /// How many bytes.
    #[expect(clippy::len_without_is_empty, reason = "a lane has bytes")]
    pub fn len(&self) -> usize {
        self.0.len() * 8
    }

    /// The word at `at`.
    pub fn word(&self, at: usize) -> u64 {
        // SAFETY: a valid word; the checker has just made sure that nobody writes it meanwhile.
        self.0[at / 8].with(|word| unsafe { *word })
    }

    /// Writes the word at `at`.
    pub fn set_word(&self, at: usize, value: u64) {
        // SAFETY: as above, and nobody reads it.
        self.0[at / 8].with_mut(|word| unsafe { *word = value });
    }

    /// Copies `bytes`, whole words only, to `at`.
    pub fn copy_from(&self, at: usize, bytes: &[u8]) {
        for (index, word) in bytes.chunks(8).enumerate() {
            let mut padded = [0; 8];
            padded[..word.len()].copy_from_slice(word);
            self.set_word(at + index * 8, u64::from_ne_bytes(padded));
        }
    }
}

/// A place at which a test kills or stops a process; nothing in a product build.
#[cfg(not(any(feature = "steps", loom)))]
#[inline(always)]
pub fn step(_name: Step) {}

/// The places at which a process may be killed with the most effect: between two stores that others see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
#[allow(missing_docs, reason = "each names what has just been done")]
pub enum Step {
    BodyCopied = 1,
    TailStored,
    BitSet,
    SleepWordSeen,
    InHandCleared,
    InHandWritten,
    BytesCopied,
    HeadStored,
    BlockFilling,
    BlockPosted,
    BlockFreed,
    Announced,
    Committed,
    Freed,
    Given,
    GiftMarked,
    BlockShared,
    PlaceWritten,
    BlockLeft,
}

#[cfg(any(feature = "steps", loom))]
pub use hook::{set_hook, step};

#[cfg(any(feature = "steps", loom))]
mod hook {
    use super::Step;
    use std::cell::Cell;

    #[cfg(not(loom))]
    std::thread_local! {
        static HOOK: Cell<Option<fn(Step)>> = const { Cell::new(None) };
    }

    // All threads of a model are one thread of the machine.
    #[cfg(loom)]
    loom::thread_local! {
        static HOOK: Cell<Option<fn(Step)>> = Cell::new(None);
    }

    /// Calls the thread's hook, if it has one.
    pub fn step(name: Step) {
        if let Some(hook) = HOOK.with(Cell::get) {
            hook(name);
        }
    }

    /// Lets `hook` be called at each step that this thread takes.
    pub fn set_hook(hook: Option<fn(Step)>) {
        HOOK.with(|cell| cell.set(hook));
    }
}

/// What a waker rings and a sleeper hears.
#[cfg(not(loom))]
pub type Bell = rotor_sys::eventfd::EventFd;

/// A bell in a model: counts rings; its one hearer remembers how many it has heard.
#[cfg(loom)]
#[derive(Debug, Default)]
pub struct Bell {
    rings: loom::sync::Mutex<u64>,
    rung: loom::sync::Condvar,
}

#[cfg(loom)]
impl Bell {
    /// Rings.
    pub fn write(&self) {
        *self.rings.lock().unwrap() += 1;
        self.rung.notify_all();
    }

    /// Waits until the bell has rung more often than `heard` says, as an edge-triggered epoll does.
    pub fn wait(&self, heard: &mut u64) {
        let mut rings = self.rings.lock().unwrap();
        while *rings == *heard {
            rings = self.rung.wait(rings).unwrap();
        }
        *heard = *rings;
    }

    /// Consumes the edge, if there is one, without waiting: a wait that ended for another reason.
    pub fn hear(&self, heard: &mut u64) {
        *heard = *self.rings.lock().unwrap();
    }
}
