//! Where lines go: a file, a pipe, a terminal or a socket that takes each line by one write, and never holds its
//! writer up for longer than that one allows.

use std::fs::OpenOptions;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::check;
use crate::own::Own;

/// A descriptor for lines.
#[derive(Debug)]
pub struct Output {
    fd: Own<OwnedFd>,
    way: Way,
}

/// How a line is kept from waiting for whoever reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// A file on a disk: nobody reads there.
    File,
    /// The descriptor does not block, and its flags are ours alone.
    NonBlocking,
    /// Each send says that it must not block.
    Socket,
    /// The descriptor blocks and others write by it, too: it is asked for room first. Before Linux 6.5 somebody else may
    /// take that room in between, which is why this is the last choice.
    Asked,
}

/// A line that was not taken, or not all of it.
#[derive(Debug)]
pub struct Unwritten {
    /// Bytes of it that were taken.
    pub written: usize,
    /// Why no more; [`io::ErrorKind::WouldBlock`] when nobody has made room for them.
    pub error: io::Error,
}

impl Output {
    /// Opens `path` for appending, made if it is not there. A named pipe has to have a reader.
    pub fn open(path: &Path) -> io::Result<Self> {
        Self::append(path, OpenOptions::new().create(true))
    }

    /// Opens `path`. If it is not there, it is made and given to a user and a group, where this process may do so. A
    /// file that is there may be anybody's, by way of a link: it is given to nobody.
    pub fn open_for(path: &Path, user: Option<u32>, group: Option<u32>) -> io::Result<Self> {
        match Self::append(path, OpenOptions::new().create_new(true)) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Self::open(path),
            made => {
                let output = made?;
                let _ = std::os::unix::fs::fchown(&*output.fd, user, group);
                Ok(output)
            }
        }
    }

    fn append(path: &Path, options: &mut OpenOptions) -> io::Result<Self> {
        let flags = libc::O_NONBLOCK | libc::O_NOCTTY;
        let file = options.append(true).mode(0o644).custom_flags(flags).open(path)?;
        let is_file = file.metadata()?.is_file();
        Ok(Self { fd: Own::new(file.into()), way: if is_file { Way::File } else { Way::NonBlocking } })
    }

    /// Standard output as it is now, whatever becomes of descriptor 1 later.
    ///
    /// A pipe or a terminal is opened anew: that it does not block is a flag which all who share it would get.
    pub fn standard() -> io::Result<Self> {
        // SAFETY: no pointers; a descriptor that is returned is ours alone.
        let fd = unsafe { OwnedFd::from_raw_fd(check(libc::fcntl(libc::STDOUT_FILENO, libc::F_DUPFD_CLOEXEC, 3))?) };
        let fd = Own::new(fd);
        let way = match kind(&fd)? {
            libc::S_IFSOCK => Way::Socket,
            libc::S_IFIFO | libc::S_IFCHR => {
                let flags = libc::O_NONBLOCK | libc::O_NOCTTY;
                let path = format!("/proc/self/fd/{}", fd.as_raw_fd());
                // Not possible for a pipe of another user, or without /proc.
                if let Ok(file) = OpenOptions::new().write(true).custom_flags(flags).open(path) {
                    return Ok(Self { fd: Own::new(file.into()), way: Way::NonBlocking });
                }
                Way::Asked
            }
            _ => Way::File,
        };
        Ok(Self { fd, way })
    }

    /// Whether it is what `path` names now: somebody may have moved it away.
    pub fn is_at(&self, path: &Path) -> bool {
        let named = path.metadata().map(|named| (named.dev(), named.ino()));
        named.is_ok_and(|named| identity(self.fd.as_raw_fd()).is_ok_and(|open| open == named))
    }

    /// Whether it is a file on a disk.
    pub fn is_file(&self) -> bool {
        self.way == Way::File
    }

    /// Writes `line`, by one system call if there is room for all of it; where there is none, waits up to `patience`
    /// for it.
    pub fn write(&self, line: &[u8], patience: Duration) -> Result<(), Unwritten> {
        let mut written = 0;
        let mut end = None;
        while written < line.len() {
            let error = match self.write_once(&line[written..]) {
                Ok(more) => {
                    written += more;
                    continue;
                }
                Err(error) => error,
            };
            match error.kind() {
                io::ErrorKind::Interrupted => {}
                io::ErrorKind::WouldBlock => {
                    let now = Instant::now();
                    let left = end.get_or_insert(now + patience).saturating_duration_since(now);
                    if left.is_zero() || !matches!(self.wait_for_room(left), Ok(true)) {
                        return Err(Unwritten { written, error });
                    }
                }
                _ => return Err(Unwritten { written, error }),
            }
        }
        Ok(())
    }

    /// Lets standard output and error of this process be this file, where they are `before`.
    pub fn replace_standard_streams(&self, before: &Self) -> io::Result<()> {
        let old = identity(before.fd.as_raw_fd())?;
        for stream in [libc::STDOUT_FILENO, libc::STDERR_FILENO] {
            // One that was closed, or leads elsewhere by now, is somebody else's.
            if identity(stream).is_ok_and(|identity| identity == old) {
                // SAFETY: no pointers; `stream` stays what it is, a standard stream.
                check(unsafe { libc::dup2(self.fd.as_raw_fd(), stream) })?;
            }
        }
        Ok(())
    }

    fn write_once(&self, bytes: &[u8]) -> io::Result<usize> {
        let (fd, start, len) = (self.fd.as_raw_fd(), bytes.as_ptr().cast::<libc::c_void>(), bytes.len());
        if self.way == Way::Asked && !self.wait_for_room(Duration::ZERO)? {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        // A pipe with room takes this much without waiting.
        let len = if self.way == Way::Asked { len.min(libc::PIPE_BUF) } else { len };
        // SAFETY: the first `len` bytes of `bytes` are read; so is `piece`, which says just that.
        let written = unsafe {
            match self.way {
                Way::File | Way::NonBlocking => check(libc::write(fd, start, len)),
                Way::Socket => check(libc::send(fd, start, len, libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL)),
                Way::Asked => {
                    let piece = libc::iovec { iov_base: start.cast_mut(), iov_len: len };
                    match check(libc::pwritev2(fd, &raw const piece, 1, -1, libc::RWF_NOWAIT)) {
                        Err(error) if error.raw_os_error() == Some(libc::EOPNOTSUPP) => {
                            check(libc::write(fd, start, len))
                        }
                        written => written,
                    }
                }
            }
        }?;
        // No kernel says it, but a loop that believed it would never end.
        if written == 0 { Err(io::ErrorKind::WriteZero.into()) } else { Ok(written.cast_unsigned()) }
    }

    /// Waits up to `patience`; an interrupt is as good as room: whoever finds none waits again.
    fn wait_for_room(&self, patience: Duration) -> io::Result<bool> {
        let mut poll = libc::pollfd { fd: self.fd.as_raw_fd(), events: libc::POLLOUT, revents: 0 };
        let milliseconds = i32::try_from(patience.as_nanos().div_ceil(1_000_000)).unwrap_or(i32::MAX);
        // SAFETY: one valid pollfd.
        match check(unsafe { libc::poll(&raw mut poll, 1, milliseconds) }) {
            Ok(ready) => Ok(ready > 0),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(!patience.is_zero()),
            Err(error) => Err(error),
        }
    }
}

/// The bits of a file's mode that say what it is.
fn kind(fd: &OwnedFd) -> io::Result<libc::mode_t> {
    Ok(stat(fd.as_raw_fd())?.st_mode & libc::S_IFMT)
}

fn identity(fd: i32) -> io::Result<(libc::dev_t, libc::ino_t)> {
    stat(fd).map(|stat| (stat.st_dev, stat.st_ino))
}

fn stat(fd: i32) -> io::Result<libc::stat> {
    // SAFETY: the kernel fills `stat`, for which all zeros are valid; a wrong descriptor only yields EBADF.
    unsafe {
        let mut stat: libc::stat = std::mem::zeroed();
        check(libc::fstat(fd, &raw mut stat))?;
        Ok(stat)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::os::unix::net::UnixStream;

    const LONG: Duration = Duration::from_secs(60);

    fn of(fd: OwnedFd, way: Way) -> Output {
        if way == Way::NonBlocking {
            // SAFETY: no pointers.
            check(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_SETFL, libc::O_NONBLOCK) }).unwrap();
        }
        Output { fd: Own::new(fd), way }
    }

    /// A pipe or a socket in each of the ways, and the end that is read.
    fn all() -> Vec<(Output, std::fs::File)> {
        let pipe = || nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC).unwrap();
        let ((read, write), (asked_read, asked_write)) = (pipe(), pipe());
        let (one, other) = UnixStream::pair().unwrap();
        vec![
            (of(write, Way::NonBlocking), read.into()),
            (of(asked_write, Way::Asked), asked_read.into()),
            (of(one.into(), Way::Socket), OwnedFd::from(other).into()),
        ]
    }

    fn fill(output: &Output) -> usize {
        let mut total = 0;
        loop {
            match output.write(&[b'x'; 1000], Duration::ZERO) {
                Ok(()) => total += 1000,
                Err(unwritten) => {
                    assert_eq!(unwritten.error.kind(), io::ErrorKind::WouldBlock);
                    return total + unwritten.written;
                }
            }
        }
    }

    #[test]
    fn nobody_waits_for_a_reader_that_does_not_read() {
        for (output, mut reader) in all() {
            let mut total = fill(&output);
            let unwritten = output.write(&[b'x'; 1000], Duration::from_millis(1)).unwrap_err();
            assert_eq!(unwritten.error.kind(), io::ErrorKind::WouldBlock);
            total += unwritten.written;
            reader.read_exact(&mut vec![0; total]).unwrap();
            output.write(b"more", Duration::ZERO).unwrap();
            let mut more = [0; 4];
            reader.read_exact(&mut more).unwrap();
            assert_eq!(&more, b"more");
        }
    }

    #[test]
    fn a_reader_that_is_slow_gets_all() {
        for (output, mut reader) in all() {
            let bytes: Vec<u8> = (0..500_000_u32).map(|number| (number % 251) as u8).collect();
            let expected = bytes.clone();
            let slow = std::thread::spawn(move || {
                let mut all = vec![0; expected.len()];
                reader.read_exact(&mut all).unwrap();
                all == expected
            });
            output.write(&bytes, LONG).unwrap();
            assert!(slow.join().unwrap());
        }
    }

    #[test]
    fn a_reader_that_is_gone_is_an_error() {
        // SIGPIPE is ignored by the runtime of Rust, as it is by every process of a server.
        for (output, reader) in all() {
            drop(reader);
            assert_eq!(output.write(b"line\n", LONG).unwrap_err().error.kind(), io::ErrorKind::BrokenPipe);
        }
    }

    #[test]
    fn a_file_is_appended_to_and_a_pipe_without_a_reader_is_refused() {
        let folder = std::env::temp_dir().join(format!("rotor-output-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("log");
        let (one, other) = (Output::open(&path).unwrap(), Output::open(&path).unwrap());
        assert!(one.is_file());
        one.write(b"one\n", Duration::ZERO).unwrap();
        other.write(b"other\n", Duration::ZERO).unwrap();
        one.write(b"one\n", Duration::ZERO).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "one\nother\none\n");
        let fifo = folder.join("fifo");
        nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert_eq!(Output::open(&fifo).unwrap_err().raw_os_error(), Some(libc::ENXIO));
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_file_that_is_made_is_given_away_and_one_that_is_there_is_not() {
        let folder = std::env::temp_dir().join(format!("rotor-given-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let owner = |name: &str| {
            let stat = std::fs::metadata(folder.join(name)).unwrap();
            (std::os::unix::fs::MetadataExt::uid(&stat), std::os::unix::fs::MetadataExt::gid(&stat))
        };
        std::fs::write(folder.join("there"), "").unwrap();
        std::os::unix::fs::symlink("there", folder.join("link")).unwrap();
        let before = owner("there");
        // Only root may give files away; others make them all the same.
        let given = if nix::unistd::geteuid().is_root() { (4711, 815) } else { before };
        for name in ["made", "there", "link"] {
            Output::open_for(&folder.join(name), Some(4711), Some(815)).unwrap().write(b"line\n", LONG).unwrap();
        }
        assert_eq!((owner("made"), owner("there")), (given, before));
        assert_eq!(std::fs::read_to_string(folder.join("there")).unwrap(), "line\nline\n");
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn standard_output_is_kept_whatever_becomes_of_its_descriptor() {
        let output = Output::standard().unwrap();
        assert!(output.fd.as_raw_fd() > 2);
        assert_eq!(identity(output.fd.as_raw_fd()).unwrap(), identity(1).unwrap());
    }
}
