//! Shared memory: an anonymous file, mapped once, inherited by every fork.

use std::fs::File;
use std::io;
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::ptr::NonNull;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicPtr, AtomicUsize};

use memmap2::{MmapOptions, MmapRaw};

use crate::check;
use crate::file::punch;
use crate::own::Own;

/// An anonymous file in memory and its one mapping.
///
/// The mapping lives until the process ends, so that a pointer into it can never dangle; what it holds can
/// be given back by [`SharedMemory::punch`].
#[derive(Debug)]
pub struct SharedMemory {
    file: Own<File>,
    map: MmapRaw,
}

impl SharedMemory {
    /// Maps `len` zero bytes that do not exist before they are touched. `name` shows in `/proc/PID/maps`.
    pub fn create(name: &std::ffi::CStr, len: usize) -> io::Result<&'static Self> {
        // SAFETY: the name ends with NUL; a descriptor that is returned is ours alone.
        let file = unsafe {
            let fd = check(libc::memfd_create(name.as_ptr(), libc::MFD_CLOEXEC))?;
            Own::new(File::from(OwnedFd::from_raw_fd(fd)))
        };
        file.set_len(len as u64)?;
        let map = MmapOptions::new().len(len).map_raw(&*file)?;
        MAPPED.0.store(map.as_mut_ptr(), Relaxed);
        MAPPED.1.store(len, Relaxed);
        Ok(Box::leak(Box::new(Self { file, map })))
    }

    /// The length of the mapping in bytes.
    pub fn len(&self) -> usize {
        self.map.len()
    }

    /// Whether the mapping is empty.
    pub fn is_empty(&self) -> bool {
        self.map.len() == 0
    }

    /// Makes the range exist, so that touching it cannot fail later.
    pub fn allocate(&self, offset: usize, len: usize) -> io::Result<()> {
        let (offset, len) = (to_off(offset)?, to_off(len)?);
        // SAFETY: no pointers.
        check(unsafe { libc::fallocate(self.file.as_raw_fd(), 0, offset, len) })?;
        Ok(())
    }

    /// Gives the range's memory back; its bytes are zero from then on, in all processes.
    pub fn punch(&self, offset: usize, len: usize) -> io::Result<()> {
        punch(self.file.as_raw_fd(), offset as u64, len as u64)
    }

    /// Makes the range read-only for this process. `offset` and `len` are multiples of the page size.
    pub fn protect(&self, offset: usize, len: usize) -> io::Result<()> {
        let range = self.range(offset, len);
        // SAFETY: the range lies in our own mapping; whoever writes to it afterwards dies of SIGSEGV, which
        // is the purpose.
        check(unsafe { libc::mprotect(range.as_ptr().cast(), len, libc::PROT_READ) })?;
        Ok(())
    }

    /// The place of a `T` in the mapping.
    ///
    /// # Panics
    /// When it would not lie inside, or not be aligned: the caller's layout is wrong.
    pub fn place<T>(&self, offset: usize) -> NonNull<T> {
        let place = self.range(offset, size_of::<T>()).cast::<T>();
        assert!(place.is_aligned(), "offset {offset} is not aligned for its type");
        place
    }

    /// The place of `len` bytes in the mapping.
    ///
    /// # Panics
    /// When they would not lie inside: the caller's layout is wrong.
    pub fn range(&self, offset: usize, len: usize) -> NonNull<u8> {
        assert!(offset <= self.len() && len <= self.len() - offset, "{len} bytes at {offset} are outside the mapping");
        // SAFETY: the offset was just checked to lie inside the mapping, or at its end.
        let place = unsafe { self.map.as_mut_ptr().add(offset) };
        NonNull::new(place).expect("a mapping does not start at null")
    }

    /// `len` bytes of the mapping.
    ///
    /// # Panics
    /// As [`Self::range`].
    pub fn bytes(&'static self, offset: usize, len: usize) -> SharedBytes<'static> {
        SharedBytes { place: self.range(offset, len), len, mapping: PhantomData }
    }
}

/// Puts private zero bytes in the place of the mapping that was made last: for a process that is no part of the
/// server, whose owners of places in the mapping live on. Async-signal-safe.
pub(crate) fn leave() {
    let (start, len) = (MAPPED.0.load(Relaxed), MAPPED.1.load(Relaxed));
    if start.is_null() {
        return;
    }
    let access = libc::PROT_READ | libc::PROT_WRITE;
    let kind = libc::MAP_FIXED | libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    // SAFETY: exactly the range of our mapping, which lives until the process ends; nobody has a reference to plain
    // bytes in it. Where it fails, the old mapping stays.
    unsafe { libc::mmap(start.cast(), len, access, kind, -1, 0) };
}

/// Where the last mapping is, and how long.
static MAPPED: (AtomicPtr<u8>, AtomicUsize) = (AtomicPtr::new(std::ptr::null_mut()), AtomicUsize::new(0));

/// Bytes that another process may write at any time: never a `&[u8]`, only copied, received into and sent from.
#[derive(Clone, Copy, Debug)]
pub struct SharedBytes<'a> {
    place: NonNull<u8>,
    len: usize,
    mapping: PhantomData<&'a SharedMemory>,
}

// SAFETY: the pointer is to a mapping that lives as long as the process, and all access to its bytes is by raw
// copies that assume nothing of them.
unsafe impl Send for SharedBytes<'_> {}
// SAFETY: as above.
unsafe impl Sync for SharedBytes<'_> {}

impl<'a> SharedBytes<'a> {
    /// No bytes.
    pub fn empty() -> Self {
        Self { place: NonNull::dangling(), len: 0, mapping: PhantomData }
    }

    /// How many bytes.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The part from `from`, `len` bytes long.
    ///
    /// # Panics
    /// When it would reach over the end.
    #[must_use]
    pub fn slice(&self, from: usize, len: usize) -> SharedBytes<'a> {
        assert!(from <= self.len && len <= self.len - from, "{len} bytes at {from} of {}", self.len);
        // SAFETY: `from` was just checked to lie inside.
        Self { place: unsafe { self.place.add(from) }, len, mapping: PhantomData }
    }

    /// Copies all bytes to the start of `into`.
    ///
    /// # Panics
    /// When `into` is shorter.
    pub fn copy_into(&self, into: &mut [MaybeUninit<u8>]) {
        assert!(into.len() >= self.len, "{} bytes do not fit into {}", self.len, into.len());
        // SAFETY: both ranges are valid for `len` bytes; private memory does not overlap the mapping.
        unsafe { self.place.as_ptr().copy_to_nonoverlapping(into.as_mut_ptr().cast(), self.len) };
    }

    /// The word at `index`, as the machine writes words; `None` beyond the last whole one.
    pub fn word(&self, index: usize) -> Option<u64> {
        let from = index.checked_mul(8).filter(|from| from.checked_add(8).is_some_and(|end| end <= self.len))?;
        let mut word = [0_u8; 8];
        // SAFETY: eight bytes from `from` on lie inside, as was just checked; private memory does not overlap the mapping.
        unsafe { self.place.as_ptr().add(from).copy_to_nonoverlapping(word.as_mut_ptr(), 8) };
        Some(u64::from_ne_bytes(word))
    }

    /// Appends all bytes to `into`.
    pub fn append_to(&self, into: &mut Vec<u8>) {
        into.reserve(self.len);
        self.copy_into(into.spare_capacity_mut());
        // SAFETY: the copy has filled `len` bytes behind the old length, within what was reserved.
        unsafe { into.set_len(into.len() + self.len) };
    }

    /// Copies `from` over the start of these bytes.
    ///
    /// # Panics
    /// When `from` is longer.
    pub fn copy_from(&self, from: &[u8]) {
        assert!(from.len() <= self.len, "{} bytes do not fit into {}", from.len(), self.len);
        // SAFETY: both ranges are valid for the length; private memory does not overlap the mapping.
        unsafe { self.place.as_ptr().copy_from_nonoverlapping(from.as_ptr(), from.len()) };
    }

    /// The address, for system calls.
    pub fn as_ptr(&self) -> *mut u8 {
        self.place.as_ptr()
    }
}

/// How much memory this process has, as `ps` shows it.
#[derive(Debug)]
pub struct Resident(File);

impl Resident {
    /// To be asked for in the process that is meant: a fork's child has numbers of its own.
    pub fn of_this_process() -> io::Result<Self> {
        Ok(Self(File::open("/proc/self/statm")?))
    }

    /// Bytes.
    pub fn bytes(&self) -> io::Result<u64> {
        let mut text = [0; 128];
        let len = self.0.read_at(&mut text, 0)?;
        let pages = std::str::from_utf8(&text[..len]).ok().and_then(|text| text.split(' ').nth(1)?.parse::<u64>().ok());
        pages
            .map(|pages| pages * page_size() as u64)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "/proc/self/statm has no second number"))
    }
}

/// The size of a page
pub fn page_size() -> usize {
    // SAFETY: no pointers.
    usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096)
}

fn to_off(value: usize) -> io::Result<libc::off_t> {
    libc::off_t::try_from(value).map_err(|_| io::ErrorKind::InvalidInput.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_punched_out_reads_as_zero() {
        let memory = SharedMemory::create(c"rotor-test", 3 * page_size()).unwrap();
        let bytes = memory.bytes(page_size(), 5);
        bytes.copy_from(b"hello");
        let mut copy = Vec::new();
        bytes.append_to(&mut copy);
        assert_eq!(copy, b"hello");
        memory.punch(page_size(), page_size()).unwrap();
        copy.clear();
        bytes.append_to(&mut copy);
        assert_eq!(copy, [0; 5]);
    }

    #[test]
    fn words_are_read_up_to_the_last_whole_one() {
        let bytes = SharedMemory::create(c"rotor-test", page_size()).unwrap().bytes(1, 23);
        bytes.slice(8, 8).copy_from(&7_u64.to_ne_bytes());
        assert_eq!([0, 1, 2, usize::MAX].map(|index| bytes.word(index)), [Some(0), Some(7), None, None]);
    }

    #[test]
    #[should_panic(expected = "outside the mapping")]
    fn a_place_outside_the_mapping_is_refused() {
        SharedMemory::create(c"rotor-test", page_size()).unwrap().place::<u64>(page_size() - 4);
    }
}
