//! Files: unnamed temporary ones, pid files, logs.

use std::fs::{File, OpenOptions};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::check;
use crate::memory::SharedBytes;
use crate::own::Own;

/// A file without a name: it is gone with its last descriptor, however the process ends.
#[derive(Debug)]
pub struct UnnamedFile {
    file: Own<File>,
}

impl UnnamedFile {
    /// A new one in `folder`.
    pub fn create_in(folder: &Path) -> io::Result<Self> {
        let unnamed = OpenOptions::new().read(true).write(true).custom_flags(libc::O_TMPFILE).mode(0o600).open(folder);
        match unnamed {
            Ok(file) => Ok(Self { file: Own::new(file) }),
            // File systems that cannot make unnamed files (overlay on old kernels, some network ones).
            Err(error) if matches!(error.raw_os_error(), Some(libc::EOPNOTSUPP | libc::EISDIR | libc::ENOENT)) => {
                Self::create_and_unlink(folder)
            }
            Err(error) => Err(error),
        }
    }

    /// A new one that is memory, and a second descriptor of it that can only read.
    pub fn in_memory(name: &std::ffi::CStr) -> io::Result<(Self, Self)> {
        // SAFETY: the name ends with NUL; a descriptor that is returned is ours alone.
        let file = unsafe {
            let fd = check(libc::memfd_create(name.as_ptr(), libc::MFD_CLOEXEC))?;
            Own::new(File::from(OwnedFd::from_raw_fd(fd)))
        };
        let read_only = Own::new(File::open(format!("/proc/self/fd/{}", file.as_raw_fd()))?);
        Ok((Self { file }, Self { file: read_only }))
    }

    fn create_and_unlink(folder: &Path) -> io::Result<Self> {
        let mut template = folder.join("rotor.spill.XXXXXX").as_os_str().as_bytes().to_vec();
        template.push(0);
        // SAFETY: the template is a writable string that ends with NUL; the descriptor returned is ours alone.
        let file = unsafe {
            let fd = check(libc::mkostemp(template.as_mut_ptr().cast(), libc::O_CLOEXEC))?;
            libc::unlink(template.as_ptr().cast());
            File::from(OwnedFd::from_raw_fd(fd))
        };
        Ok(Self { file: Own::new(file) })
    }

    /// Writes all of `bytes` at `offset`.
    pub fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.file.write_all_at(bytes, offset)
    }

    /// Reads exactly `into.len()` bytes from `offset`, into memory that need not be initialised.
    pub fn read_at(&self, into: &mut [MaybeUninit<u8>], offset: u64) -> io::Result<()> {
        let mut done = 0;
        while done < into.len() {
            let at = libc::off_t::try_from(offset + done as u64).map_err(io::Error::other)?;
            // SAFETY: the rest of `into` is writable memory of the length that is passed.
            let read =
                unsafe { libc::pread(self.file.as_raw_fd(), into[done..].as_mut_ptr().cast(), into.len() - done, at) };
            match read {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                1.. => done += read.cast_unsigned(),
                _ => {
                    let error = io::Error::last_os_error();
                    if error.kind() != io::ErrorKind::Interrupted {
                        return Err(error);
                    }
                }
            }
        }
        Ok(())
    }

    /// Reads exactly `into.len()` bytes from `offset`.
    pub fn read_exact_at(&self, into: &mut [u8], offset: u64) -> io::Result<()> {
        self.file.read_exact_at(into, offset)
    }

    /// Gives the range's disk space back; its bytes read as zero from then on.
    pub fn punch(&self, offset: u64, len: u64) -> io::Result<()> {
        punch(self.file.as_raw_fd(), offset, len)
    }

    /// Writes all of `bytes`, which lie in shared memory, at `offset`.
    pub fn write_shared_at(&self, bytes: SharedBytes<'_>, offset: u64) -> io::Result<()> {
        let mut copy = Vec::new();
        bytes.append_to(&mut copy);
        self.write_at(&copy, offset)
    }
}

/// Frees a range of a file or memfd.
pub(crate) fn punch(fd: i32, offset: u64, len: u64) -> io::Result<()> {
    let (offset, len) = (libc::off_t::try_from(offset), libc::off_t::try_from(len));
    let (Ok(offset), Ok(len)) = (offset, len) else { return Err(io::ErrorKind::InvalidInput.into()) };
    // SAFETY: no pointers.
    check(unsafe { libc::fallocate(fd, libc::FALLOC_FL_PUNCH_HOLE | libc::FALLOC_FL_KEEP_SIZE, offset, len) })?;
    Ok(())
}

/// A file with the process's number, locked while the process lives.
#[derive(Debug)]
pub struct PidFile {
    file: Own<File>,
    path: PathBuf,
}

impl PidFile {
    /// Opens and locks `path`. A file that nobody holds is taken over, whatever it says.
    ///
    /// Fails with `WouldBlock` when a living process holds it.
    pub fn lock(path: &Path) -> io::Result<Self> {
        loop {
            let mut options = OpenOptions::new();
            options.read(true).write(true).create(true).truncate(false).mode(0o644);
            let file = Self { file: Own::new(options.open(path)?), path: path.to_owned() };
            // SAFETY: no pointers.
            check(unsafe { libc::flock(file.file.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) })?;
            // Whoever held it may have removed it between the two calls: the lock of a file without a name is none.
            if file.is_in_place()? {
                return Ok(file);
            }
        }
    }

    /// Puts `pid` into the file.
    pub fn write(&self, pid: i32) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.write_all_at(format!("{pid}\n").as_bytes(), 0)
    }

    /// Removes the file, then unlocks it. One that somebody has put in its place stays.
    pub fn remove(self) -> io::Result<()> {
        if self.is_in_place()? { std::fs::remove_file(&self.path) } else { Ok(()) }
    }

    /// Whether the path still names the file.
    fn is_in_place(&self) -> io::Result<bool> {
        let held = self.file.metadata()?;
        match std::fs::metadata(&self.path) {
            Ok(named) => Ok((named.dev(), named.ino()) == (held.dev(), held.ino())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// Opens `path` for appending, made if it is not there.
pub fn open_append(path: &Path) -> io::Result<Own<File>> {
    OpenOptions::new().append(true).create(true).mode(0o644).open(path).map(Own::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unnamed_file_gives_back_what_was_written_and_leaves_no_name() {
        let folder = std::env::temp_dir().join(format!("rotor-sys-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        for file in [UnnamedFile::create_in(&folder).unwrap(), UnnamedFile::create_and_unlink(&folder).unwrap()] {
            file.write_at(b"hello", 10).unwrap();
            let mut read = [MaybeUninit::new(0); 5];
            file.read_at(&mut read, 10).unwrap();
            assert_eq!(
                read.map(|byte| {
                    // SAFETY: read_at has filled every byte.
                    unsafe { byte.assume_init() }
                }),
                *b"hello"
            );
            assert!(file.read_at(&mut read, 100).is_err());
        }
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
        std::fs::remove_dir(&folder).unwrap();
    }

    #[test]
    fn a_pid_file_that_is_held_cannot_be_locked_again_and_a_stale_one_can() {
        let path = std::env::temp_dir().join(format!("rotor-sys-{}.pid", std::process::id()));
        std::fs::write(&path, "999999999 stale\n").unwrap();
        let held = PidFile::lock(&path).unwrap();
        held.write(42).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "42\n");
        assert_eq!(PidFile::lock(&path).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        drop(held);
        let again = PidFile::lock(&path).unwrap();
        again.remove().unwrap();
        assert!(!path.exists());
    }

    #[test]
    fn a_pid_file_that_another_process_has_made_anew_is_left_to_it() {
        let path = std::env::temp_dir().join(format!("rotor-sys-other-{}.pid", std::process::id()));
        let old = PidFile::lock(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let new = PidFile::lock(&path).unwrap();
        old.remove().unwrap();
        assert!(path.exists());
        new.remove().unwrap();
        assert!(!path.exists());
    }
}
