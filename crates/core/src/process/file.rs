//! Sending files, from any process. Whoever calls opens the file: what is wrong with it is known at once, and what is put
//! in its place later is another file.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rotor_ipc::SessionId;
use rotor_ipc::record::Kind;
use rotor_ipc::sync::Ordering::Relaxed;
use rotor_sys::regular::{NotOpened, RegularFile};

use super::{Process, Way, closing};
use crate::error::{CallError, code, describe_errno};
use crate::outlets::{FileRecord, header};
use crate::reactor::{FilePart, Mail};

/// A part that is no longer is read here and goes as bytes: passing a descriptor would cost more.
const SENT_AS_BYTES: u64 = 64 << 10;
/// The kernel has no path longer than this.
const ENAMETOOLONG: i32 = 36;

impl Process {
    /// Hands a part of a file over for sending to a session: `len` bytes from `offset` on, or all up to the end where that
    /// is 0. `Ok` means queued, not received.
    pub fn send_file(&self, session: i64, path: &[u8], offset: i64, len: i64) -> Result<(), CallError> {
        let id = self.open_session(session)?.0;
        let part = open_part(path, offset, len)?;
        if part.len == 0 {
            return Ok(());
        }
        if part.len <= SENT_AS_BYTES.min(self.context.settings.output_buffer_size) {
            let mut bytes = vec![0; rotor_ipc::to_usize(part.len)];
            part.file.read_exact_at(&mut bytes, part.offset).map_err(|error| unreadable(path, &error))?;
            return self.send(session, &bytes);
        }
        let sessions = self.context.segment.sessions();
        let Some((reactor, overflows)) = sessions.route(id) else { return Err(self.no_session(id)) };
        if sessions.is_closing(id) {
            return Err(closing(id));
        }
        if overflows {
            self.wait_for_queue(id)?;
        }
        self.pass_on(usize::from(reactor), id, part)?;
        if let Some(seat) = self.seat {
            seat.counters.responses.fetch_add(1, Relaxed);
        }
        Ok(())
    }

    fn pass_on(&self, reactor: usize, id: SessionId, part: FilePart) -> Result<(), CallError> {
        let Some(way) = self.context.files.get(reactor) else {
            let what = "a session belongs to reactor";
            return Err(self.broken(rotor_ipc::ring::Broken { what, found: reactor as u64 }));
        };
        match &self.way {
            Way::Mailboxes(mailboxes) => self.put_mail(mailboxes, reactor, Mail::SendFile { session: id, part }),
            Way::Lanes(outlets) => {
                let FilePart { file, offset, len } = part;
                let record = FileRecord { offset, len, number: 0 };
                let posted = outlets.borrow_mut().post_file(reactor, header(Kind::SendFile, id.0), record, way, &file);
                posted.map_err(|failure| self.not_posted(failure, 0))
            }
        }
    }
}

/// Opens what is to be sent.
fn open_part(path: &[u8], offset: i64, len: i64) -> Result<FilePart, CallError> {
    let invalid = |what: String| Err(CallError::new(code::INVALID_PARAMS, what));
    if path.is_empty() || path.contains(&0) {
        let what = if path.is_empty() { "is empty" } else { "has a NUL byte" };
        return invalid(format!("$file {what}; give the path of a file"));
    }
    let (Ok(from), Ok(wanted)) = (u64::try_from(offset), u64::try_from(len)) else {
        let (name, value) = if offset < 0 { ("offset", offset) } else { ("length", len) };
        return invalid(format!("${name} must not be negative, {value} given"));
    };
    let file = RegularFile::open(Path::new(OsStr::from_bytes(path))).map_err(|error| match error {
        NotOpened::NotRegular => {
            let message = format!("{} is no regular file; directories, pipes and devices cannot be sent", shown(path));
            CallError::new(code::NOT_REGULAR_FILE, message)
        }
        NotOpened::System(error) => failed("open", path, &error),
    })?;
    let size = file.size().map_err(|error| failed("look at", path, &error))?;
    let Some(left) = size.checked_sub(from) else {
        return invalid(format!("$offset is {from}, beyond the {size} bytes of {}", shown(path)));
    };
    if wanted > left {
        let end = from.saturating_add(wanted);
        return invalid(format!("$offset and $length end at {end}, beyond the {size} bytes of {}", shown(path)));
    }
    Ok(FilePart { file, offset: from, len: if wanted == 0 { left } else { wanted } })
}

fn failed(doing: &str, path: &[u8], error: &std::io::Error) -> CallError {
    let errno = error.raw_os_error().unwrap_or(0);
    let code = if errno == ENAMETOOLONG { code::NAME_TOO_LONG } else { errno };
    CallError::new(code, format!("cannot {doing} {}: {}", shown(path), describe_errno(errno)))
}

fn unreadable(path: &[u8], error: &std::io::Error) -> CallError {
    if error.kind() == std::io::ErrorKind::UnexpectedEof {
        return CallError::new(code::INVALID_PARAMS, format!("{} has become shorter meanwhile", shown(path)));
    }
    failed("read", path, error)
}

/// A path for a message.
fn shown(path: &[u8]) -> String {
    const LONGEST: usize = 200;
    let all = String::from_utf8_lossy(path);
    let begin: String = all.chars().take(LONGEST).collect();
    if begin.len() < all.len() { format!("{begin}...") } else { begin }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The code with which a part is refused.
    fn refused(path: &[u8], offset: i64, len: i64) -> i32 {
        open_part(path, offset, len).unwrap_err().code
    }

    #[test]
    fn a_part_lies_within_its_file() {
        let path = std::env::temp_dir().join(format!("rotor-part-{}", std::process::id()));
        std::fs::write(&path, [7; 100]).unwrap();
        let path = path.as_os_str().as_bytes();
        for (offset, len, expected) in [(0, 0, 100), (0, 100, 100), (99, 0, 1), (100, 0, 0), (40, 20, 20), (0, 1, 1)] {
            let part = open_part(path, offset, len).unwrap();
            assert_eq!((part.offset, part.len), (offset.unsigned_abs(), expected), "{offset} {len}");
        }
        for (offset, len) in [(101, 0), (0, 101), (100, 1), (i64::MAX, 0), (1, i64::MAX), (i64::MAX, i64::MAX)] {
            assert_eq!(refused(path, offset, len), code::INVALID_PARAMS, "{offset} {len}");
        }
        for (offset, len) in [(-1, 0), (0, -1), (i64::MIN, i64::MIN)] {
            assert_eq!(refused(path, offset, len), code::INVALID_PARAMS, "{offset} {len}");
        }
        std::fs::remove_file(OsStr::from_bytes(path)).unwrap();
    }

    #[test]
    fn what_is_no_file_says_why() {
        assert_eq!(refused(b"", 0, 0), code::INVALID_PARAMS);
        assert_eq!(refused(b"/tmp/a\0b", 0, 0), code::INVALID_PARAMS);
        assert_eq!(refused(b"/", 0, 0), code::NOT_REGULAR_FILE);
        assert_eq!(refused(b"/dev/null", 0, 0), code::NOT_REGULAR_FILE);
        assert_eq!(refused(b"/there/is/no/such/file", 0, 0), 2);
        assert_eq!(refused(&[b'a'; 300], 0, 0), code::NAME_TOO_LONG);
        let error = open_part(b"/there/is/no/such/file", 0, 0).unwrap_err();
        assert_eq!(error.message, "cannot open /there/is/no/such/file: no such file or directory");
        assert_eq!(shown(&[b'a'; 300]).len(), 203);
    }
}
