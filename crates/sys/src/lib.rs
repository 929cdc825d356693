//! System calls as safe types, one kernel object per file. Nothing here knows what a server is.
//!
//! Every function returns [`std::io::Result`] with the kernel's errno; who calls adds what it was doing.

pub mod affinity;
pub mod clock;
pub mod crash;
pub mod credentials;
pub mod datagram;
pub mod descriptors;
pub mod directory;
pub mod epoll;
pub mod eventfd;
pub mod file;
pub mod inherited;
pub mod limits;
pub mod memory;
pub mod output;
pub mod own;
pub mod pair;
pub mod process;
pub mod random;
pub mod regular;
pub mod signal;
pub mod socket;
pub mod socket_option;
pub mod ticker;
pub mod trace;

/// Turns the -1 of a system call into the error that errno names.
fn check<T: PartialEq + From<i8>>(result: T) -> std::io::Result<T> {
    if result == T::from(-1) { Err(std::io::Error::last_os_error()) } else { Ok(result) }
}
