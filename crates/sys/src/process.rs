//! Processes: fork, wait, parent's death.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid};

use crate::check;
use crate::own::Own;

/// Which side of a fork this is.
#[derive(Debug)]
pub enum Fork {
    /// The process that called, with its child's number.
    Parent {
        /// The child.
        child: i32,
    },
    /// The new process.
    Child,
}

/// Forks.
///
/// The caller is the only thread of its own code in this process: another thread's locks would stay locked in
/// the child for ever. Threads of other libraries are [`threads`]' to find.
pub fn fork() -> io::Result<Fork> {
    IS_FORKING.store(true, Relaxed);
    // SAFETY: the child goes on with ordinary code, which POSIX allows only for a single-threaded parent; that
    // is what the caller is bound to by the contract above.
    let forked = unsafe { nix::unistd::fork() };
    IS_FORKING.store(false, Relaxed);
    match forked? {
        ForkResult::Parent { child } => Ok(Fork::Parent { child: child.as_raw() }),
        ForkResult::Child => Ok(Fork::Child),
    }
}

/// Forks for user code: the child is none of the server's.
pub fn fork_stranger() -> io::Result<Fork> {
    // SAFETY: user code may fork by functions of PHP's own, and this does no more for it.
    match unsafe { nix::unistd::fork() }? {
        ForkResult::Parent { child } => Ok(Fork::Parent { child: child.as_raw() }),
        ForkResult::Child => Ok(Fork::Child),
    }
}

/// Whether [`fork`] is under way: for a hook of the C library, which hears of user code's forks as well.
pub fn is_forking() -> bool {
    IS_FORKING.load(Relaxed)
}

static IS_FORKING: AtomicBool = AtomicBool::new(false);

/// How many threads this process has.
pub fn threads() -> io::Result<usize> {
    Ok(std::fs::read_dir("/proc/self/task")?.count())
}

/// How a child ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit {
    /// The child.
    pub pid: i32,
    /// Its exit code; 0 when a signal ended it.
    pub code: i32,
    /// The signal that ended it; 0 when it exited.
    pub signal: i32,
}

impl Exit {
    /// Whether it ended as it should.
    pub fn is_clean(&self) -> bool {
        self.code == 0 && self.signal == 0
    }
}

/// Reaps a child if it has ended.
pub fn reap(pid: i32) -> io::Result<Option<Exit>> {
    loop {
        match wait_once(pid, libc::WNOHANG) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
            Ok(Waited::Ended(exit)) => return Ok(Some(exit)),
            Ok(Waited::Nothing) => return Ok(None),
            Ok(Waited::Stopped) => {}
        }
    }
}

/// Reaps any one child that has ended.
pub fn reap_any() -> io::Result<Option<Exit>> {
    match reap(ANY) {
        Err(error) if error.raw_os_error() == Some(libc::ECHILD) => Ok(None),
        reaped => reaped,
    }
}

/// Waits until a child has ended, and reaps it.
pub fn wait(pid: i32) -> io::Result<()> {
    loop {
        match wait_once(pid, 0) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
            Ok(Waited::Ended(_)) => return Ok(()),
            Ok(Waited::Nothing | Waited::Stopped) => {}
        }
    }
}

/// A child that has ended and that nobody has reaped yet, if there is one.
pub fn ended_child() -> io::Result<Option<i32>> {
    // SAFETY: a zeroed siginfo is valid, and the call fills it; when no child has ended its pid stays 0.
    let pid = unsafe {
        let mut info: libc::siginfo_t = std::mem::zeroed();
        let how = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
        check(libc::waitid(libc::P_ALL, 0, &raw mut info, how))?;
        info.si_pid()
    };
    Ok((pid != 0).then_some(pid))
}

/// All children that have ended and that nobody has reaped yet. Reads the list of all processes in `/proc`.
pub fn ended_children() -> io::Result<Vec<i32>> {
    let is_ended = |pid: &i32| state_and_parent(*pid).is_some_and(|(state, parent)| state == 'Z' && parent == id());
    let numbers = std::fs::read_dir("/proc")?.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    Ok(numbers.filter(is_ended).collect())
}

/// Whether a process lives. Without `/proc`, one that has ended lives until it is reaped.
pub fn is_alive(pid: i32) -> bool {
    let exists = kill(pid, 0).map_or_else(|error| error.raw_os_error() != Some(libc::ESRCH), |()| true);
    exists && !state_and_parent(pid).is_some_and(|(state, _)| matches!(state, 'Z' | 'X'))
}

/// The letter of a process's state and its parent's number, as `/proc` has them.
pub(crate) fn state_and_parent(pid: i32) -> Option<(char, i32)> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // Behind the number and the name, which is in parentheses and may contain any.
    let mut words = stat.rsplit_once(')')?.1.split_ascii_whitespace();
    Some((words.next()?.chars().next()?, words.next()?.parse().ok()?))
}

/// Reaps any one child: waits for one to end if `blocking`, unless a signal comes. `None`: none has ended.
pub fn wait_any(blocking: bool) -> io::Result<Option<Exit>> {
    match wait_once(ANY, if blocking { 0 } else { libc::WNOHANG })? {
        Waited::Ended(exit) => Ok(Some(exit)),
        Waited::Nothing | Waited::Stopped => Ok(None),
    }
}

/// What the kernel says of a child.
enum Waited {
    /// There is nothing to say.
    Nothing,
    /// It lives, and was stopped or held.
    Stopped,
    /// It has ended, and is reaped.
    Ended(Exit),
}

/// Asks the kernel about one child, or [`ANY`]. Not by nix, for which the real-time signals are errors: a child that one of
/// them has ended would be reaped and its end lost.
fn wait_once(pid: i32, flags: i32) -> io::Result<Waited> {
    let mut status = 0;
    // SAFETY: the kernel writes to a local.
    let pid = check(unsafe { libc::waitpid(pid, &raw mut status, flags) })?;
    Ok(match pid {
        0 => Waited::Nothing,
        _ if libc::WIFEXITED(status) => Waited::Ended(Exit { pid, code: libc::WEXITSTATUS(status), signal: 0 }),
        _ if libc::WIFSIGNALED(status) => Waited::Ended(Exit { pid, code: 0, signal: libc::WTERMSIG(status) }),
        _ => Waited::Stopped,
    })
}

/// For whichever child there is something to say of.
const ANY: i32 = -1;

/// Sends `signal` to a process.
pub fn kill(pid: i32, signal: i32) -> io::Result<()> {
    // SAFETY: no pointers.
    check(unsafe { libc::kill(pid, signal) })?;
    Ok(())
}

/// This process's number.
pub fn id() -> i32 {
    Pid::this().as_raw()
}

/// The parent's number.
pub fn parent_id() -> i32 {
    Pid::parent().as_raw()
}

/// Asks the kernel for SIGKILL when the parent dies. To be called after credentials have changed, which clears
/// it, and followed by a look at [`parent_id`]: the parent may be dead already.
pub fn die_with_parent() -> io::Result<()> {
    nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL)?;
    Ok(())
}

/// The 15 characters that `ps -o comm` and `/proc/PID/comm` show.
pub fn set_name(name: &str) {
    if let Ok(name) = std::ffi::CString::new(name) {
        // A name is a help for people: that it could not be set changes nothing.
        let _ = nix::sys::prctl::set_name(&name);
    }
}

/// The text name of a signal, `SIGSEGV` for 11.
pub fn signal_name(signal: i32) -> String {
    nix::sys::signal::Signal::try_from(signal)
        .map_or_else(|_| format!("signal {signal}"), |known| known.as_str().to_owned())
}

/// Which side of [`detach`] this is.
#[derive(Debug)]
pub enum Detached {
    /// The process that called: it waits for the daemon to be ready, and ends.
    Parent(ReadyWait),
    /// The daemon, leader of a session of its own.
    Daemon(ReadyTell),
}

/// Waits for a daemon to be ready.
#[derive(Debug)]
pub struct ReadyWait {
    told: Own,
    daemon: Pid,
}

/// Tells who has started this daemon that it is ready.
#[derive(Debug)]
pub struct ReadyTell(Own);

impl ReadyWait {
    /// Waits until the daemon is ready and returns 0, or until it has ended before that and returns its exit code,
    /// which is 1 if it was killed, or would be 0.
    pub fn wait(self) -> i32 {
        let mut byte = [0];
        loop {
            match nix::unistd::read(&self.told, &mut byte) {
                Ok(1) => return 0,
                Err(nix::errno::Errno::EINTR) => {}
                Ok(_) | Err(_) => break,
            }
        }
        loop {
            match waitpid(self.daemon, None) {
                Ok(WaitStatus::Exited(_, code)) => return code.max(1),
                Err(nix::errno::Errno::EINTR) => {}
                Ok(_) | Err(_) => return 1,
            }
        }
    }
}

impl ReadyTell {
    /// Tells it. Whoever waited may be gone, which changes nothing.
    pub fn tell(self) {
        let _ = nix::unistd::write(&self.0, &[1]);
    }
}

/// Forks a daemon that has left the terminal.
pub fn detach() -> io::Result<Detached> {
    let (wait, tell) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC)?;
    match fork()? {
        Fork::Parent { child } => {
            Ok(Detached::Parent(ReadyWait { told: Own::new(wait), daemon: Pid::from_raw(child) }))
        }
        Fork::Child => {
            nix::unistd::setsid()?;
            Ok(Detached::Daemon(ReadyTell(Own::new(tell))))
        }
    }
}

/// Goes on in a child that has left the terminal, in the root folder unless `keeps_folder`, with `/dev/null` for its
/// standard streams unless `keeps_streams`; the process that called ends with 0.
pub fn become_daemon(keeps_folder: bool, keeps_streams: bool) -> io::Result<()> {
    if let Fork::Parent { .. } = fork()? {
        exit_now(0);
    }
    nix::unistd::setsid()?;
    if !keeps_folder {
        nix::unistd::chdir("/")?;
    }
    if !keeps_streams {
        redirect_standard_streams(None)?;
    }
    Ok(())
}

/// Lets standard input and output be `socket`.
pub fn redirect_input_and_output(socket: BorrowedFd<'_>) -> io::Result<()> {
    nix::unistd::dup2_stdin(socket)?;
    nix::unistd::dup2_stdout(socket)?;
    Ok(())
}

/// Lets standard input, output and error be `fd` and `/dev/null`.
pub fn redirect_standard_streams(output: Option<BorrowedFd<'_>>) -> io::Result<()> {
    let null = std::fs::OpenOptions::new().read(true).write(true).open("/dev/null")?;
    nix::unistd::dup2_stdin(&null)?;
    let output = output.unwrap_or_else(|| null.as_fd());
    nix::unistd::dup2_stdout(output)?;
    nix::unistd::dup2_stderr(output)?;
    Ok(())
}

/// Lets standard input, output and error lead nowhere where they are closed: else the next descriptor, a socket or shared
/// memory, would get such a number, and with it what user code prints.
pub fn open_standard_streams() -> io::Result<()> {
    for stream in [libc::STDIN_FILENO, libc::STDOUT_FILENO, libc::STDERR_FILENO] {
        // SAFETY: no pointers, then a string with its end. The lowest number is free, so it is the new one, which stays
        // open: a standard stream is nobody's to close.
        unsafe {
            if libc::fcntl(stream, libc::F_GETFD) < 0 {
                check(libc::open(c"/dev/null".as_ptr(), libc::O_RDWR))?;
            }
        }
    }
    Ok(())
}

/// A pipe whose reading end tells the holder that all holders of the writing end are gone.
#[derive(Debug)]
pub struct LifeLine {
    /// Readable, with the end of file, once the other side is dead.
    pub watch: Own,
    /// Held by the process whose life is watched, and by nobody else.
    pub hold: Own,
}

impl LifeLine {
    /// A new one, closed on exec.
    pub fn new() -> io::Result<Self> {
        let (watch, hold) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC | nix::fcntl::OFlag::O_NONBLOCK)?;
        Ok(Self { watch: Own::new(watch), hold: Own::new(hold) })
    }
}

/// Has the kernel kill this process once all holders of the other end of a [`LifeLine`] are gone, and while the
/// returned descriptor is open: for a process without a loop that could watch it. Unlike [`die_with_parent`] it asks
/// nobody's permission but this process's own, which is settled here and survives a change of credentials.
pub fn die_with(life: BorrowedFd<'_>) -> io::Result<Own<File>> {
    // An open file of its own: the signal is the file's, and the descriptor's is shared with other processes.
    let path = format!("/proc/self/fd/{}", life.as_raw_fd());
    let life = Own::new(File::open(path)?);
    // SAFETY: no pointers.
    unsafe {
        check(libc::fcntl(life.as_raw_fd(), libc::F_SETOWN, id()))?;
        check(libc::fcntl(life.as_raw_fd(), F_SETSIG, libc::SIGKILL))?;
        check(libc::fcntl(life.as_raw_fd(), libc::F_SETFL, libc::O_ASYNC | libc::O_NONBLOCK))?;
    }
    Ok(life)
}

/// Ends the process at once, without any of its exit handlers.
pub fn exit_now(code: i32) -> ! {
    // SAFETY: nothing of this process runs any more.
    unsafe { libc::_exit(code) }
}

/// Which signal tells that a descriptor is ready, in place of SIGIO; the libc crate does not name it.
const F_SETSIG: libc::c_int = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_child_is_known_whichever_signal_has_ended_it() {
        for signal in [libc::SIGKILL, libc::SIGRTMIN() + 3, libc::SIGRTMAX()] {
            let Fork::Parent { child } = fork().unwrap() else {
                std::thread::sleep(std::time::Duration::from_secs(20));
                exit_now(2)
            };
            kill(child, signal).unwrap();
            let exit = loop {
                if let Some(exit) = reap(child).unwrap() {
                    break exit;
                }
                std::thread::sleep(std::time::Duration::from_millis(1));
            };
            assert_eq!(exit, Exit { pid: child, code: 0, signal });
        }
    }

    #[test]
    fn a_standard_stream_that_is_closed_is_no_number_for_others() {
        let Fork::Parent { child } = fork().unwrap() else {
            // SAFETY: no pointers; nothing of this process is used any more.
            unsafe {
                libc::close(0);
                libc::close(2);
            }
            let is_open = open_standard_streams().is_ok();
            let made = LifeLine::new().map_or(0, |line| line.watch.as_raw_fd().min(line.hold.as_raw_fd()));
            exit_now(i32::from(!is_open || made < 3))
        };
        let ended = waitpid(Pid::from_raw(child), None).unwrap();
        assert_eq!(ended, WaitStatus::Exited(Pid::from_raw(child), 0));
    }

    #[test]
    fn a_process_without_a_loop_dies_with_who_holds_its_life_line() {
        let LifeLine { watch, hold } = LifeLine::new().unwrap();
        let (armed, arm) = nix::unistd::pipe2(nix::fcntl::OFlag::O_CLOEXEC).unwrap();
        let child = match fork().unwrap() {
            Fork::Parent { child } => child,
            Fork::Child => {
                drop(hold);
                let Ok(_life) = die_with(watch.as_fd()) else { exit_now(1) };
                drop(arm);
                // A test that fails leaves nothing for long.
                std::thread::sleep(std::time::Duration::from_secs(20));
                exit_now(2)
            }
        };
        drop(arm);
        assert_eq!(nix::unistd::read(&armed, &mut [0]), Ok(0));
        assert_eq!(reap(child).unwrap(), None, "it lives while the line is held");
        drop(hold);
        let ended = waitpid(Pid::from_raw(child), None).unwrap();
        assert_eq!(ended, WaitStatus::Signaled(Pid::from_raw(child), nix::sys::signal::Signal::SIGKILL, false));
    }
}
