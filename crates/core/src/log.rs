//! Log lines: `time level who pid=…: event; facts as key=value`, one write each.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::SyncSender;

use parking_lot::Mutex;
use rotor_sys::own::Own;
use rotor_sys::process;

use crate::settings::LogLevel;

/// Where log lines of this process go, and which.
///
/// Clones share the file, so that a reopened one is seen by all threads of the process.
#[derive(Clone, Debug)]
pub struct Log {
    level: LogLevel,
    who: Arc<str>,
    /// The process that lines are about, where that is not the one that writes them.
    about: Option<i32>,
    sink: Arc<Sink>,
}

#[derive(Debug)]
struct Sink {
    path: Option<PathBuf>,
    /// `None`: standard output.
    file: Mutex<Option<Own<File>>>,
    /// Threads that must not block hand their lines to the helper thread.
    queue: Mutex<Option<SyncSender<String>>>,
    /// Lines dropped because the queue or the disk was full.
    dropped: AtomicU64,
}

impl Log {
    /// Lines of `level` and above, to `path` or to standard output.
    pub fn open(level: LogLevel, path: Option<&Path>) -> io::Result<Self> {
        let file = path.map(rotor_sys::file::open_append).transpose()?;
        let sink = Sink {
            path: path.map(Path::to_owned),
            file: Mutex::new(file),
            queue: Mutex::new(None),
            dropped: AtomicU64::new(0),
        };
        Ok(Self { level, who: "master".into(), about: None, sink: Arc::new(sink) })
    }

    /// The same log for another speaker: `manager`, `worker=3`, `reactor=1`.
    #[must_use]
    pub fn speaking_as(&self, who: impl Into<Arc<str>>) -> Self {
        Self { who: who.into(), ..self.clone() }
    }

    /// The same log for lines about another process than the one that writes them, which may be dead.
    #[must_use]
    pub fn speaking_for(&self, who: impl Into<Arc<str>>, pid: i32) -> Self {
        Self { who: who.into(), about: Some(pid), ..self.clone() }
    }

    /// From here on, lines are handed to whoever reads the other end of `queue` instead of being written. For the
    /// master, whose reactors must not wait for a disk or a full pipe.
    pub fn hand_to(&self, queue: SyncSender<String>) {
        *self.sink.queue.lock() = Some(queue);
    }

    /// From here on, lines are written by whoever says them; the reader of the queue sees its end.
    pub fn take_back(&self) {
        *self.sink.queue.lock() = None;
    }

    /// Opens the file anew, after somebody has moved it away.
    pub fn reopen(&self) {
        if let Some(path) = &self.sink.path {
            match rotor_sys::file::open_append(path) {
                Ok(file) => *self.sink.file.lock() = Some(file),
                Err(error) => {
                    self.warning(&format!("cannot reopen log_file {}: {error}; the old file is used", path.display()));
                }
            }
        }
    }

    /// Somebody has to act.
    pub fn error(&self, event: &str) {
        self.line(LogLevel::Error, event);
    }

    /// It works, but not as asked.
    pub fn warning(&self, event: &str) {
        self.line(LogLevel::Warning, event);
    }

    /// The life of processes.
    pub fn notice(&self, event: &str) {
        self.line(LogLevel::Notice, event);
    }

    /// Connections.
    pub fn info(&self, event: impl FnOnce() -> String) {
        if self.level <= LogLevel::Info {
            self.line(LogLevel::Info, &event());
        }
    }

    /// Lines that could not be written.
    pub fn dropped(&self) -> u64 {
        self.sink.dropped.load(Ordering::Relaxed)
    }

    /// Writes a finished line, for the thread that has taken it out of the queue.
    pub fn write(&self, line: &str) {
        let mut file = self.sink.file.lock();
        let written = match file.as_mut() {
            Some(file) => file.write_all(line.as_bytes()),
            None => io::stdout().lock().write_all(line.as_bytes()).and_then(|()| io::stdout().flush()),
        };
        if written.is_err() {
            // There is nowhere left to say it but in the counter.
            self.sink.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn line(&self, level: LogLevel, event: &str) {
        if level < self.level {
            return;
        }
        let time = chrono::Local::now().format("%F %T");
        let line =
            format!("{time} {} {} pid={}: {event}\n", level.as_str(), self.who, self.about.unwrap_or_else(process::id));
        match &*self.sink.queue.lock() {
            Some(queue) => {
                if queue.try_send(line).is_err() {
                    self.sink.dropped.fetch_add(1, Ordering::Relaxed);
                }
            }
            None => self.write(&line),
        }
    }
}
