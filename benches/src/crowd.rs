//! Clients that are slow on purpose, beside others that are not: what the fast ones feel of them.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// A crowd of slow clients.
#[derive(Debug)]
pub struct Crowd {
    /// What it is called.
    pub name: &'static str,
    /// What it is.
    pub title: &'static str,
    kind: Kind,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    /// They ask for much and read a kilobyte a second.
    Readers { count: usize },
    /// They begin a message and send a byte of it a second.
    Writers { count: usize },
}

/// All crowds.
pub const CROWDS: &[Crowd] = &[
    Crowd {
        name: "sr",
        title: "8 clients with 4 MiB to read that read 1 KiB a second",
        kind: Kind::Readers { count: 8 },
    },
    Crowd {
        name: "sw",
        title: "1,000 clients that send a byte of a message a second",
        kind: Kind::Writers { count: 1000 },
    },
];

/// The load of the fast clients: an open loop, so that what waits counts.
pub const FAST: &[&str] =
    &["--mode", "open", "--rate", "4000", "--connections", "100", "--size", "64", "--framing", "length"];
/// The server's part of the command line.
pub const SCRIPT: &[&str] = &["--framing=length"];
/// The most that the 99th percentile of the fast clients may grow by.
pub const MOST_TIMES: f64 = 2.0;

/// A crowd at work; it ends when dropped.
#[derive(Debug)]
pub struct AtWork {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Crowd {
    /// Connects all of them, and has them be slow in a thread of their own.
    pub fn begin(&self, port: u16) -> io::Result<AtWork> {
        let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
        setrlimit(Resource::RLIMIT_NOFILE, hard, hard)?;
        let connect = || TcpStream::connect((Ipv4Addr::LOCALHOST, port));
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let body: Box<dyn FnOnce() + Send> = match self.kind {
            Kind::Readers { count } => {
                let mut streams = (0..count).map(|_| connect()).collect::<io::Result<Vec<_>>>()?;
                for stream in &mut streams {
                    stream.write_all(&announce(MUCH))?;
                    stream.write_all(&vec![b'x'; MUCH as usize])?;
                }
                Box::new(move || each_second(&stopped, streams, |stream| stream.read(&mut [0; 1024]).map(|_| ())))
            }
            Kind::Writers { count } => {
                let mut streams = (0..count).map(|_| connect()).collect::<io::Result<Vec<_>>>()?;
                for stream in &mut streams {
                    stream.write_all(&announce(64 << 10))?;
                }
                Box::new(move || each_second(&stopped, streams, |stream| stream.write_all(b"x")))
            }
        };
        Ok(AtWork { stop, thread: Some(thread::Builder::new().name("crowd".into()).spawn(body)?) })
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // It has nothing to say.
            let _ = thread.join();
        }
    }
}

/// Has each of them act once a second, one after the other and evenly, until it is told to stop. Whoever was closed is
/// left out.
fn each_second(stop: &AtomicBool, mut streams: Vec<TcpStream>, act: impl Fn(&mut TcpStream) -> io::Result<()>) {
    while !streams.is_empty() {
        let apart = Duration::from_secs(1) / u32::try_from(streams.len()).unwrap_or(u32::MAX);
        let mut next = Instant::now();
        let mut place = 0;
        while place < streams.len() {
            if stop.load(Ordering::Relaxed) {
                return;
            }
            if act(&mut streams[place]).is_ok() {
                place += 1;
            } else {
                streams.swap_remove(place);
            }
            next += apart;
            thread::sleep(next.saturating_duration_since(Instant::now()));
        }
    }
}

/// The head of a message of so many bytes.
fn announce(len: u32) -> [u8; 4] {
    len.to_be_bytes()
}

/// More than kernels take for a client that does not read.
const MUCH: u32 = 4 << 20;

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn a_writer_sends_a_byte_a_second_and_ends_when_told() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let crowd = Crowd { name: "", title: "", kind: Kind::Writers { count: 2 } };
        let at_work = crowd.begin(listener.local_addr().unwrap().port()).unwrap();
        let mut clients = [listener.accept().unwrap().0, listener.accept().unwrap().0];
        for client in &mut clients {
            let mut begun = [0; 5];
            client.read_exact(&mut begun).unwrap();
            assert_eq!(begun, [0, 1, 0, 0, b'x']);
        }
        drop(at_work);
        for client in &mut clients {
            assert!(client.read_to_end(&mut Vec::new()).is_ok());
        }
    }
}
