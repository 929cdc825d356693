//! Starts a server, waits until it echoes, and ends it with all its processes.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;
use ledger::args::Args;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// A server that echoes. Ended when dropped.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// Where it listens on 127.0.0.1.
    pub port: u16,
}

impl Server {
    /// Starts what `command` makes of a free port number, and waits until an echo came back, over TLS if it speaks that.
    pub fn start(is_tls: bool, command: impl FnOnce(u16) -> Command) -> io::Result<Self> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let mut command = command(port);
        let name = format!("{command:?}");
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).spawn();
        let child = child.map_err(|error| io::Error::new(error.kind(), format!("{name}: {error}")))?;
        let mut server = Self { child, port };
        let end = Instant::now() + READY_WITHIN;
        while let Err(error) = if is_tls { server.echoes_over_tls() } else { server.echoes() } {
            if let Some(status) = server.child.try_wait()? {
                return Err(io::Error::other(format!("{name} ended with {status}")));
            }
            if Instant::now() > end {
                return Err(io::Error::new(error.kind(), format!("{name} does not echo: {error}")));
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }

    /// Its first process.
    pub fn pid(&self) -> i32 {
        i32::try_from(self.child.id()).unwrap_or(0)
    }

    fn echoes(&self) -> io::Result<()> {
        // One message in length framing, and as good as any without.
        const PROBE: &[u8] = b"\0\0\0\x01x";
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        stream.write_all(PROBE)?;
        stream.read_exact(&mut [0; PROBE.len()])
    }

    fn echoes_over_tls(&self) -> io::Result<()> {
        TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        let port = self.port.to_string();
        let words = ["ledger", "--tls", "--framing", "length", "--messages", "1", "--patience", "2", "--port", &port];
        let plan = Args::parse_from(words).into_plan().map_err(io::Error::other)?;
        if ledger::run(&plan)?.passed { Ok(()) } else { Err(io::Error::other("no echo came back")) }
    }

    fn stop(&mut self) -> io::Result<()> {
        let tree = ledger::proc::tree(self.pid())?;
        kill(Pid::from_raw(self.pid()), Signal::SIGTERM)?;
        let end = Instant::now() + GONE_WITHIN;
        while self.child.try_wait()?.is_none() {
            if Instant::now() > end {
                eprintln!("bench: process {} did not end on SIGTERM", self.pid());
                for pid in &tree {
                    // Those that are gone by now are no failure.
                    _ = kill(Pid::from_raw(*pid), Signal::SIGKILL);
                }
                self.child.wait()?;
                break;
            }
            thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None))
            && let Err(error) = self.stop()
        {
            eprintln!("bench: cannot end process {}: {error}", self.pid());
        }
    }
}

const READY_WITHIN: Duration = Duration::from_secs(15);
/// More than a worker's `max_wait_time`.
const GONE_WITHIN: Duration = Duration::from_secs(10);
