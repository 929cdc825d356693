//! The account of a worker that took too long: who, for whom, how long, and what it was doing.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rotor_ipc::WorkerId;
use rotor_ipc::record::Kind;
use rotor_sys::output::Output;

use crate::log::Log;
use crate::trace::{self, Frame};

/// What one look at a worker has shown.
#[derive(Clone, Debug)]
pub struct Account {
    /// The worker's slot.
    pub worker: WorkerId,
    /// Its process.
    pub pid: i32,
    /// The session whose record it has in hand; 0: none.
    pub session: u64,
    /// How long it has had that in hand.
    pub seconds: f64,
    /// What it is about; `None`: it has nothing in hand.
    pub kind: Option<Kind>,
    /// What there is to say besides, as `key=value`; empty: nothing.
    pub facts: String,
    /// The calls of its user code, innermost first.
    pub frames: Vec<Frame>,
}

/// As it stands in the slow log, and as user code gets it.
impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { worker, pid, session, seconds, frames, .. } = self;
        let time = chrono::Local::now().format("%F %T%.3f");
        write!(f, "{time} pid={pid} worker={worker} session={session} seconds={seconds:.3}{}", self.facts())?;
        for line in trace::lines(frames) {
            write!(f, "\n{line}")?;
        }
        writeln!(f)
    }
}

impl Account {
    /// Writes it into the log that speaks for the worker. `what` is the event, and `say` its level.
    pub fn log(&self, log: &Log, say: &dyn Fn(&Log, &str), what: &str) {
        for line in self.events(what) {
            say(log, &line);
        }
    }

    /// Its lines in the log, each call on one of its own.
    fn events(&self, what: &str) -> Vec<String> {
        let Self { session, seconds, frames, .. } = self;
        let first = format!("{what}; session={session} seconds={seconds:.3}{}", self.facts());
        std::iter::once(first).chain(trace::lines(frames)).collect()
    }
}

impl Account {
    /// What follows the seconds.
    fn facts(&self) -> String {
        let callback = match self.kind {
            Some(Kind::Receive) => " callback=onReceive",
            Some(Kind::Connect) => " callback=onConnect",
            Some(Kind::ProtocolError) => " callback=onProtocolError",
            Some(Kind::Close) => " callback=onClose",
            Some(Kind::Packet) => " callback=onPacket",
            Some(Kind::BufferFull) => " callback=onBufferFull",
            Some(Kind::BufferEmpty) => " callback=onBufferEmpty",
            Some(
                Kind::Send
                | Kind::CloseRequest
                | Kind::Barrier
                | Kind::Closed
                | Kind::WorkerDied
                | Kind::Pause
                | Kind::Resume
                | Kind::SendTo
                | Kind::SendFile
                | Kind::Broadcast,
            )
            | None => "",
        };
        let space = if self.facts.is_empty() { "" } else { " " };
        format!("{callback}{space}{}", self.facts)
    }
}

/// Where accounts of slow messages go: a file of their own, or the log.
#[derive(Clone, Debug, Default)]
pub struct SlowLog {
    file: Option<Arc<SlowFile>>,
}

#[derive(Debug)]
struct SlowFile {
    path: PathBuf,
    file: Mutex<Output>,
}

impl SlowLog {
    /// The file at `path`, or the log.
    pub fn open(path: Option<&Path>) -> io::Result<Self> {
        let open = |path: &Path| {
            Ok::<_, io::Error>(Arc::new(SlowFile { path: path.to_owned(), file: Mutex::new(Output::open(path)?) }))
        };
        Ok(Self { file: path.map(open).transpose()? })
    }

    /// Adds an account. Those that go to the log are limited in number: clients can cause many.
    pub fn add(&self, account: &Account, log: &Log) {
        if let Some(file) = &self.file {
            match file.append(account) {
                Ok(()) => return,
                Err(error) => log
                    .limited()
                    .warning(|| format!("cannot write request_slowlog_file {}: {error}", file.path.display())),
            }
        }
        let log = log.speaking_for(format!("worker={}", account.worker), account.pid);
        log.limited().warnings(|| account.events("slow"));
    }
}

impl SlowFile {
    /// Appends an account in one write, to the file that has the name now: somebody may have moved the former away. Does not
    /// wait for whoever reads a pipe.
    fn append(&self, account: &Account) -> io::Result<()> {
        let mut file = self.file.lock();
        // Where this process may not open it, the old one is as good as any.
        if !file.is_at(&self.path)
            && let Ok(new) = Output::open(&self.path)
        {
            *file = new;
        }
        file.write(format!("{account}\n").as_bytes(), Duration::ZERO).map_err(|unwritten| unwritten.error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_appended_whole_also_after_the_file_was_moved_away() {
        let folder = std::env::temp_dir().join(format!("rotor-core-slow-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let (path, moved) = (folder.join("slow"), folder.join("slow.1"));
        let slow = SlowLog::open(Some(&path)).unwrap().file.unwrap();
        let frame = |call: &str, place: Option<(&str, u32)>| Frame {
            call: call.into(),
            place: place.map(|(file, line)| (file.into(), line)),
        };
        let mut account = Account {
            worker: WorkerId(3),
            pid: 812,
            session: 4711,
            seconds: 2.0341,
            kind: Some(Kind::Receive),
            facts: String::new(),
            frames: vec![frame("sleep()", Some(("/srv/app.php", 12))), frame("A->b()", None)],
        };
        slow.append(&account).unwrap();
        std::fs::rename(&path, &moved).unwrap();
        account.kind = None;
        account.facts = "in=futex_wait".into();
        account.frames.truncate(1);
        slow.append(&account).unwrap();
        let without_time = |path| std::fs::read_to_string(path).unwrap()["2026-01-01 00:00:00.000".len()..].to_owned();
        assert_eq!(
            without_time(&moved),
            " pid=812 worker=3 session=4711 seconds=2.034 callback=onReceive\n#0 sleep() /srv/app.php:12\n#1 A->b()\n\n"
        );
        assert_eq!(
            without_time(&path),
            " pid=812 worker=3 session=4711 seconds=2.034 in=futex_wait\n#0 sleep() /srv/app.php:12\n\n"
        );
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
