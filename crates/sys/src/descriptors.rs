//! A way for descriptors from many processes to one: each goes as a message of its own, with two numbers beside it by
//! which the receiver knows what it is for. Nobody waits in it.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use crate::check;
use crate::own::Own;
use crate::pair::{Kind, pair};

/// The end into which they go; its copies in other processes are ends as well.
#[derive(Debug)]
pub struct DescriptorSender {
    socket: Own,
}

/// The end from which they come.
#[derive(Debug)]
pub struct DescriptorReceiver {
    socket: Own,
}

/// The numbers that go with a descriptor.
pub type Tag = [u64; 2];

/// What has come.
#[derive(Debug)]
pub struct Passed {
    /// Its numbers.
    pub tag: Tag,
    /// The descriptor; `None`: this process could not take another.
    pub descriptor: Option<OwnedFd>,
}

const TAG_BYTES: usize = size_of::<Tag>();
#[expect(clippy::cast_possible_truncation, reason = "4 bytes")]
const FD_BYTES: u32 = size_of::<RawFd>() as u32;

/// Room for the header of one descriptor, aligned as the kernel wants it.
#[repr(C, align(8))]
struct Control([u8; 32]);

/// Makes both ends.
pub fn way() -> io::Result<(DescriptorSender, DescriptorReceiver)> {
    let (sender, receiver) = pair(Kind::Datagram)?;
    Ok((DescriptorSender { socket: Own::new(sender) }, DescriptorReceiver { socket: Own::new(receiver) }))
}

/// The length of a control message with one descriptor, without the padding behind it, in which another had room.
fn control_len() -> usize {
    // SAFETY: computes a length.
    unsafe { libc::CMSG_LEN(FD_BYTES) as usize }
}

impl DescriptorSender {
    /// Sends a descriptor; the caller's stays open. It is there for the receiver when this returns.
    ///
    /// # Errors
    /// `WouldBlock` when too many are on their way, to be tried again.
    pub fn send(&self, tag: Tag, descriptor: BorrowedFd<'_>) -> io::Result<()> {
        let mut control = Control([0; 32]);
        let mut vector = libc::iovec { iov_base: (&raw const tag).cast_mut().cast(), iov_len: TAG_BYTES };
        let sent = loop {
            // SAFETY: a zeroed msghdr is valid. Its vector and its control buffer are locals that outlive the call. The
            // buffer is aligned for a cmsghdr and has room for one with a descriptor, which is written where the macros say.
            let sent = unsafe {
                let mut message: libc::msghdr = std::mem::zeroed();
                message.msg_iov = &raw mut vector;
                message.msg_iovlen = 1;
                message.msg_control = control.0.as_mut_ptr().cast();
                message.msg_controllen = control_len() as _;
                let header = libc::CMSG_FIRSTHDR(&raw const message);
                (*header).cmsg_level = libc::SOL_SOCKET;
                (*header).cmsg_type = libc::SCM_RIGHTS;
                (*header).cmsg_len = control_len() as _;
                libc::CMSG_DATA(header).cast::<RawFd>().write_unaligned(descriptor.as_raw_fd());
                check(libc::sendmsg(self.socket.as_raw_fd(), &raw const message, FLAGS))
            };
            match sent {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                sent => break sent,
            }
        };
        match sent {
            Ok(_) => Ok(()),
            // The descriptors that are on their way count, too, for each user.
            Err(error) if matches!(error.raw_os_error(), Some(libc::ETOOMANYREFS | libc::ENOBUFS)) => {
                Err(io::ErrorKind::WouldBlock.into())
            }
            Err(error) => Err(error),
        }
    }
}

impl DescriptorReceiver {
    /// Takes what has come next, if anything has.
    pub fn receive(&self) -> io::Result<Option<Passed>> {
        let mut control = Control([0; 32]);
        let mut tag: Tag = [0; 2];
        let mut vector = libc::iovec { iov_base: (&raw mut tag).cast(), iov_len: TAG_BYTES };
        loop {
            // SAFETY: a zeroed msghdr is valid; its vector and its control buffer are locals that outlive the call, and the
            // kernel writes at most the lengths that it is told.
            let (received, message) = unsafe {
                let mut message: libc::msghdr = std::mem::zeroed();
                message.msg_iov = &raw mut vector;
                message.msg_iovlen = 1;
                message.msg_control = control.0.as_mut_ptr().cast();
                message.msg_controllen = control_len() as _;
                let flags = FLAGS | libc::MSG_CMSG_CLOEXEC;
                (check(libc::recvmsg(self.socket.as_raw_fd(), &raw mut message, flags)), message)
            };
            match received {
                Ok(received) => {
                    let descriptor = descriptor_in(&message);
                    // Nothing else is ever sent.
                    return Ok((received.unsigned_abs() == TAG_BYTES).then_some(Passed { tag, descriptor }));
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) => return Err(error),
            }
        }
    }
}

/// The descriptor that a message has brought.
fn descriptor_in(message: &libc::msghdr) -> Option<OwnedFd> {
    // SAFETY: the kernel has filled the control buffer, which the caller still has, and says how far. A header of this
    // kind and length is followed by one descriptor, which is this process's own from now on.
    unsafe {
        let header = libc::CMSG_FIRSTHDR(message);
        let is_one = !header.is_null()
            && (*header).cmsg_level == libc::SOL_SOCKET
            && (*header).cmsg_type == libc::SCM_RIGHTS
            && (*header).cmsg_len as usize >= control_len();
        is_one.then(|| OwnedFd::from_raw_fd(libc::CMSG_DATA(header).cast::<RawFd>().read_unaligned()))
    }
}

/// Nobody waits, and a receiver that is gone is an error and no signal.
const FLAGS: libc::c_int = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::{Read, Seek, SeekFrom, Write};
    use std::os::fd::AsFd;

    use nix::sys::resource::{Resource, getrlimit, setrlimit};

    use super::*;
    use crate::process::{self, Fork};

    fn file(text: &[u8]) -> File {
        let path = std::env::temp_dir().join(format!("rotor-descriptors-{}-{}", std::process::id(), text.len()));
        let mut file = File::options().create(true).truncate(true).read(true).write(true).open(&path).unwrap();
        std::fs::remove_file(path).unwrap();
        file.write_all(text).unwrap();
        file
    }

    fn has_ended_well(child: i32) -> bool {
        loop {
            match process::reap(child).unwrap() {
                Some(exit) => return exit.is_clean(),
                None => std::thread::sleep(std::time::Duration::from_millis(1)),
            }
        }
    }

    fn text_of(passed: Passed) -> (Tag, String) {
        let mut file = File::from(passed.descriptor.unwrap());
        file.seek(SeekFrom::Start(0)).unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        (passed.tag, text)
    }

    #[test]
    fn descriptors_of_other_processes_come_with_their_numbers_in_order() {
        let (sender, receiver) = way().unwrap();
        assert!(receiver.receive().unwrap().is_none());
        match process::fork().unwrap() {
            Fork::Child => {
                let is_sent = [(1, &b"one"[..]), (2, &b"three"[..])]
                    .into_iter()
                    .all(|(number, text)| sender.send([number, u64::MAX - number], file(text).as_fd()).is_ok());
                process::exit_now(i32::from(!is_sent))
            }
            Fork::Parent { child } => assert!(has_ended_well(child)),
        }
        // Whoever has sent them is gone.
        assert_eq!(text_of(receiver.receive().unwrap().unwrap()), ([1, u64::MAX - 1], "one".to_owned()));
        let second = receiver.receive().unwrap().unwrap();
        // SAFETY: no pointers.
        let flags = unsafe { libc::fcntl(second.descriptor.as_ref().unwrap().as_raw_fd(), libc::F_GETFD) };
        assert_eq!(flags, libc::FD_CLOEXEC);
        assert_eq!(text_of(second), ([2, u64::MAX - 2], "three".to_owned()));
        assert!(receiver.receive().unwrap().is_none());
    }

    #[test]
    fn a_full_way_says_so_and_has_room_again_for_each_that_is_taken() {
        let (sender, receiver) = way().unwrap();
        let file = file(b"full");
        let mut sent = 0;
        let error = loop {
            match sender.send([sent, 0], file.as_fd()) {
                Ok(()) => sent += 1,
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
        assert!(sent > 10, "{sent}");
        for number in 0..sent {
            assert_eq!(receiver.receive().unwrap().unwrap().tag, [number, 0]);
        }
        sender.send([sent, 0], file.as_fd()).unwrap();
    }

    #[test]
    fn a_process_that_can_take_no_descriptor_learns_what_it_has_missed() {
        let (sender, receiver) = way().unwrap();
        match process::fork().unwrap() {
            Fork::Child => {
                let file = file(b"missed");
                let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
                let is_sent = sender.send([5, 6], file.as_fd()).is_ok();
                setrlimit(Resource::RLIMIT_NOFILE, 0, hard).unwrap();
                let missed = receiver.receive();
                setrlimit(Resource::RLIMIT_NOFILE, hard, hard).unwrap();
                let is_told = matches!(missed, Ok(Some(Passed { tag: [5, 6], descriptor: None })));
                process::exit_now(i32::from(!is_sent || !is_told))
            }
            Fork::Parent { child } => assert!(has_ended_well(child)),
        }
    }

    #[test]
    fn a_receiver_that_is_gone_is_an_error() {
        let (sender, receiver) = way().unwrap();
        drop(receiver);
        assert!(sender.send([0, 0], file(b"gone").as_fd()).is_err());
    }
}
