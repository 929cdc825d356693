//! A regular file that is read and sent, at positions that its readers name.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use crate::check;
use crate::own::Own;

/// A regular file, open for reading.
#[derive(Debug)]
pub struct RegularFile {
    file: Own<File>,
}

/// Why there is none.
#[derive(Debug)]
pub enum NotOpened {
    /// The kernel says so.
    System(io::Error),
    /// It is something else: a directory, a device, a pipe, a socket.
    NotRegular,
}

/// Whether a part of a file can be read without waiting for a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cached {
    /// It is in memory, wherever was looked.
    Yes,
    /// Some of it is not.
    No,
    /// The file system does not tell.
    Unknown,
}

/// A part of a file is looked at at places that are so far from each other, and at its end.
const LOOK_EVERY: u64 = 64 << 10;
/// Behind what was read ahead the kernel is asked to go on with so much.
const GOES_ON: u64 = 1 << 20;

impl RegularFile {
    /// Opens it. What is no regular file is not waited for: a pipe would have this wait for its other end.
    pub fn open(path: &Path) -> Result<Self, NotOpened> {
        let flags = libc::O_NONBLOCK | libc::O_NOCTTY | libc::O_CLOEXEC;
        let opened = OpenOptions::new().read(true).custom_flags(flags).open(path);
        match opened {
            Ok(file) => Self::of(file),
            // A socket.
            Err(error) if error.raw_os_error() == Some(libc::ENXIO) => Err(NotOpened::NotRegular),
            Err(error) => Err(NotOpened::System(error)),
        }
    }

    /// One whose descriptor another process has opened.
    pub fn from_descriptor(descriptor: OwnedFd) -> Result<Self, NotOpened> {
        Self::of(File::from(descriptor))
    }

    fn of(file: File) -> Result<Self, NotOpened> {
        let metadata = file.metadata().map_err(NotOpened::System)?;
        if metadata.is_file() { Ok(Self { file: Own::new(file) }) } else { Err(NotOpened::NotRegular) }
    }

    /// How long it is now.
    pub fn size(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.size())
    }

    /// Whether it has a name. The last descriptor of one that has none frees its disk space, which may take a while.
    pub fn has_name(&self) -> bool {
        self.file.metadata().is_ok_and(|metadata| metadata.nlink() > 0)
    }

    /// Reads what is there at `offset`, up to the length of `into`; 0 is the end.
    pub fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        loop {
            match self.file.read_at(into, offset) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => return read,
            }
        }
    }

    /// Reads exactly as many bytes as `into` has room for.
    pub fn read_exact_at(&self, into: &mut [u8], offset: u64) -> io::Result<()> {
        self.file.read_exact_at(into, offset)
    }

    /// Whether a part is in memory. It is looked at here and there, by a byte at a time: what lies between was read by
    /// the same requests, and goes with them.
    pub fn is_cached(&self, offset: u64, len: u64) -> Cached {
        let Some(last) = (offset + len).checked_sub(1).filter(|_| len > 0) else { return Cached::Yes };
        let steps = len.div_ceil(LOOK_EVERY);
        for place in (0..steps).map(|step| offset + step * LOOK_EVERY).chain([last]) {
            match self.read_byte_in_memory(place) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Cached::No,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => return Cached::No,
                Err(_) => return Cached::Unknown,
            }
        }
        Cached::Yes
    }

    /// Reads a byte, or the end of the file, unless that takes a disk.
    fn read_byte_in_memory(&self, offset: u64) -> io::Result<()> {
        let offset = libc::off_t::try_from(offset).map_err(io::Error::other)?;
        let mut byte = 0_u8;
        let vector = libc::iovec { iov_base: (&raw mut byte).cast(), iov_len: 1 };
        // SAFETY: one vector, a local, over one byte, another: both outlive the call.
        check(unsafe { libc::preadv2(self.file.as_raw_fd(), &raw const vector, 1, offset, libc::RWF_NOWAIT) })?;
        Ok(())
    }

    /// Waits until a part is in memory; `room` is used for what is read. What is behind the end of the file is not there.
    pub fn read_ahead(&self, mut offset: u64, len: u64, room: &mut [u8]) -> io::Result<()> {
        let end = offset + len;
        while offset < end {
            let step = usize::try_from(end - offset).unwrap_or(usize::MAX).min(room.len());
            match self.read_at(&mut room[..step], offset)? {
                0 => return Ok(()),
                read => offset += read as u64,
            }
        }
        let (Ok(offset), Ok(len)) = (libc::off_t::try_from(offset), libc::off_t::try_from(GOES_ON)) else {
            return Ok(());
        };
        // An advice: what comes next is read while this is sent.
        // SAFETY: no pointers.
        unsafe { libc::posix_fadvise(self.file.as_raw_fd(), offset, len, libc::POSIX_FADV_WILLNEED) };
        Ok(())
    }
}

impl AsFd for RegularFile {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> std::path::PathBuf {
        let folder = std::env::temp_dir().join(format!("rotor-regular-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn what_is_no_regular_file_is_told_apart_and_not_waited_for() {
        let folder = folder("kinds");
        let pipe = folder.join("pipe");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let socket = std::os::unix::net::UnixListener::bind(folder.join("socket")).unwrap();
        for path in [&folder, &pipe, &folder.join("socket"), Path::new("/dev/null")] {
            assert!(matches!(RegularFile::open(path), Err(NotOpened::NotRegular)), "{}", path.display());
        }
        let missing = RegularFile::open(&folder.join("missing"));
        assert!(matches!(missing, Err(NotOpened::System(error)) if error.kind() == io::ErrorKind::NotFound));
        let (pipe, _) = nix::unistd::pipe().unwrap();
        assert!(matches!(RegularFile::from_descriptor(pipe), Err(NotOpened::NotRegular)));
        drop(socket);
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_file_stays_what_it_was_when_its_name_is_anothers() {
        let folder = folder("replaced");
        let path = folder.join("file");
        std::fs::write(&path, b"first").unwrap();
        let file = RegularFile::open(&path).unwrap();
        assert!(file.has_name());
        std::fs::write(folder.join("next"), b"second one").unwrap();
        std::fs::rename(folder.join("next"), &path).unwrap();
        assert!(!file.has_name());
        let mut bytes = [0; 10];
        assert_eq!(file.read_at(&mut bytes, 1).unwrap(), 4);
        assert_eq!((&bytes[..4], file.size().unwrap()), (&b"irst"[..], 5));
        assert_eq!(file.read_at(&mut bytes, 5).unwrap(), 0);
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_was_read_ahead_is_in_memory() {
        let folder = folder("ahead");
        let path = folder.join("file");
        std::fs::write(&path, vec![7; 300_000]).unwrap();
        let file = RegularFile::open(&path).unwrap();
        // Beyond its end as well: nothing is there to wait for.
        file.read_ahead(1000, 500_000, &mut vec![0; 64 << 10]).unwrap();
        for (offset, len) in [(0, 300_000), (1000, 0), (100, 1), (299_999, 1), (299_000, 100_000)] {
            assert_ne!(file.is_cached(offset, len), Cached::No, "{len} bytes at {offset}");
        }
        std::fs::remove_dir_all(folder).unwrap();
    }
}
