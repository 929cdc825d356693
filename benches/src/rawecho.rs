//! The yardstick: a TCP echo on plain epoll, two threads, no PHP and no processes.
//!
//! Both threads accept, whichever is awake, and give each connection to the next thread's epoll: edge-triggered and for
//! life; its first edge (writable) makes it known there. A thread sends what it received before it receives more, so
//! that a client that does not read stops being read.

mod secure;

use std::collections::HashMap;
use std::ffi::OsString;
use std::net::TcpListener;
use std::os::fd::{AsRawFd, IntoRawFd, OwnedFd, RawFd};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::{io, thread};

use clap::Parser;
use nix::errno::Errno;
use nix::sched::{CpuSet, sched_setaffinity};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::socket::{
    AddressFamily, Backlog, MsgFlags, SockFlag, SockType, SockaddrIn, bind, listen, recv, send, setsockopt, socket,
    sockopt,
};
use nix::unistd::{Pid, close};
use rustls::ServerConfig;

use secure::Secured;

/// A raw epoll echo, to measure other servers by.
#[derive(Debug, Parser)]
#[command(name = "rawecho")]
struct Args {
    /// Port number on 127.0.0.1.
    #[arg(long)]
    port: u16,
    /// Threads that echo.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Keeps thread i on CPU i.
    #[arg(long)]
    pinned: bool,
    /// Speaks TLS, by rustls.
    #[arg(long)]
    tls: bool,
}

/// Parses a command line (its first word is a name) and echoes until it is ended.
pub fn command(words: impl IntoIterator<Item = OsString>) -> ExitCode {
    match run(&Args::parse_from(words)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("rawecho: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> io::Result<()> {
    ledger::raise_descriptor_limit()?;
    let cpus = thread::available_parallelism()?.get();
    let listener = listener(args.port)?;
    listener.set_nonblocking(true)?;
    let listener = mio::net::TcpListener::from_std(listener);
    let epolls = (0..args.threads.max(1)).map(|_| Ok(Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?));
    let shared = Shared { listener, epolls: epolls.collect::<io::Result<_>>()?, turn: AtomicUsize::new(0) };
    // One of the threads that sleep is woken, not all.
    let arrivals = EpollFlags::EPOLLIN | EpollFlags::EPOLLEXCLUSIVE;
    for epoll in &shared.epolls {
        epoll.add(&shared.listener, EpollEvent::new(arrivals, LISTENER))?;
    }
    let tls = args.tls.then(secure::config).transpose().map_err(io::Error::other)?;
    thread::scope(|scope| {
        for index in 0..shared.epolls.len() {
            let (shared, cpu) = (&shared, args.pinned.then_some(index % cpus));
            let tls = tls.clone();
            scope.spawn(move || {
                let echo = Echo { tls, ..Echo::default() };
                let ended = echo.run(shared, index, cpu);
                eprintln!("rawecho: thread {index}: {}", ended.expect_err("the loop ends by an error alone"));
                std::process::exit(1);
            });
        }
    });
    Ok(())
}

/// What the threads share.
struct Shared {
    listener: mio::net::TcpListener,
    epolls: Vec<Epoll>,
    /// Whose the next connection is.
    turn: AtomicUsize,
}

impl Shared {
    /// Accepts what has arrived, and gives each connection to the next thread.
    fn accept(&self) -> io::Result<()> {
        let edges = EpollFlags::EPOLLIN | EpollFlags::EPOLLOUT | EpollFlags::EPOLLRDHUP | EpollFlags::EPOLLET;
        loop {
            match self.listener.accept() {
                Ok((stream, _)) => {
                    let epoll = &self.epolls[self.turn.fetch_add(1, Relaxed) % self.epolls.len()];
                    epoll.add(&stream, EpollEvent::new(edges, u64::try_from(stream.as_raw_fd()).unwrap_or(0)))?;
                    // From here on that thread closes it.
                    _ = stream.into_raw_fd();
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

fn listener(port: u16) -> io::Result<TcpListener> {
    let fd: OwnedFd = socket(AddressFamily::Inet, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?;
    setsockopt(&fd, sockopt::ReuseAddr, &true)?;
    // Inherited by what is accepted.
    setsockopt(&fd, sockopt::TcpNoDelay, &true)?;
    bind(fd.as_raw_fd(), &SockaddrIn::new(127, 0, 0, 1, port))?;
    listen(&fd, Backlog::new(4096)?)?;
    Ok(fd.into())
}

/// One thread's state.
struct Echo {
    buffer: Vec<u8>,
    /// What a socket did not take, by descriptor.
    unsent: Vec<Vec<u8>>,
    /// What connections with TLS begin with.
    tls: Option<Arc<ServerConfig>>,
    /// Their sides of it, by descriptor.
    secured: HashMap<RawFd, Secured>,
}

impl Default for Echo {
    fn default() -> Self {
        Self { buffer: vec![0; 64 << 10], unsent: Vec::new(), tls: None, secured: HashMap::new() }
    }
}

impl Echo {
    fn run(mut self, shared: &Shared, index: usize, cpu: Option<usize>) -> io::Result<()> {
        if let Some(cpu) = cpu {
            let mut set = CpuSet::new();
            set.set(cpu)?;
            sched_setaffinity(Pid::from_raw(0), &set)?;
        }
        let mut events = vec![EpollEvent::empty(); 256];
        loop {
            let count = match shared.epolls[index].wait(&mut events, EpollTimeout::NONE) {
                Err(Errno::EINTR) => continue,
                result => result?,
            };
            for event in &events[..count] {
                if event.data() == LISTENER {
                    shared.accept()?;
                    continue;
                }
                let fd = RawFd::try_from(event.data()).map_err(io::Error::other)?;
                let lives = match &self.tls {
                    None => self.serve(fd, event.events()),
                    Some(config) => {
                        let secured = self.secured.entry(fd).or_insert_with(|| Secured::new(config));
                        secured.serve(fd, &mut self.buffer).is_ok()
                    }
                };
                if !lives {
                    self.forget(fd)?;
                }
            }
        }
    }

    /// Whether the connection lives on.
    fn serve(&mut self, fd: RawFd, edge: EpollFlags) -> bool {
        let waiting = std::mem::take(self.unsent(fd));
        if !waiting.is_empty() && !self.send(fd, &waiting) {
            return false;
        }
        let may_read = edge.intersects(EpollFlags::EPOLLIN | EpollFlags::EPOLLRDHUP) || !waiting.is_empty();
        while may_read && self.unsent(fd).is_empty() {
            let received = match recv(fd, &mut self.buffer, MsgFlags::empty()) {
                Ok(0) => return false,
                Ok(received) => received,
                Err(Errno::EAGAIN) => break,
                Err(Errno::EINTR) => continue,
                Err(_) => return false,
            };
            let buffer = std::mem::take(&mut self.buffer);
            let lives = self.send(fd, &buffer[..received]);
            self.buffer = buffer;
            if !lives {
                return false;
            }
            // A short read has drained the socket, unless its end is waiting behind.
            if received < self.buffer.len() && !edge.contains(EpollFlags::EPOLLRDHUP) {
                break;
            }
        }
        true
    }

    /// Sends, and keeps what the socket does not take; whether the connection lives on.
    fn send(&mut self, fd: RawFd, mut bytes: &[u8]) -> bool {
        while !bytes.is_empty() {
            match send(fd, bytes, MsgFlags::MSG_NOSIGNAL) {
                Ok(sent) => bytes = &bytes[sent..],
                Err(Errno::EINTR) => {}
                Err(Errno::EAGAIN) => {
                    *self.unsent(fd) = bytes.to_vec();
                    break;
                }
                Err(_) => return false,
            }
        }
        true
    }

    fn unsent(&mut self, fd: RawFd) -> &mut Vec<u8> {
        let place = usize::try_from(fd).unwrap_or(0);
        if place >= self.unsent.len() {
            self.unsent.resize(place + 1, Vec::new());
        }
        &mut self.unsent[place]
    }

    fn forget(&mut self, fd: RawFd) -> io::Result<()> {
        self.unsent(fd).clear();
        self.secured.remove(&fd);
        Ok(close(fd)?)
    }
}

const LISTENER: u64 = u64::MAX;
