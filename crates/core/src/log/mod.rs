//! The log: one line for each event, by one write, and nobody waits for whoever reads it.
//!
//! `line` has what a line looks like, `sink` where it goes, `limit` how many of a kind there may be.
//!
//! Everybody says a line by the methods of [`Log`]. An event is a sentence; behind a semicolon come facts as
//! `key=value`, which are fields of their own in JSON. A line that clients can cause is said by way of
//! [`Log::limited`].

mod limit;
mod line;
mod sink;
#[cfg(test)]
mod tests;

use std::io;
use std::panic::Location;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError};
use std::time::Instant;

use rotor_ipc::segment::Header;
use rotor_sys::process;

use self::limit::{Like, Limits, Summary, Verdict};
use self::line::{Said, Shape};
use self::sink::{Owner, Patience, Sink};
use crate::settings::{LogLevel, Settings};

pub use self::sink::Line;

/// Where log lines of this process go, and which.
///
/// Clones share the file, so that a reopened one is seen by all threads of the process.
#[derive(Clone, Debug)]
pub struct Log {
    level: LogLevel,
    who: Arc<str>,
    /// The process that lines are about, where that is not the one that writes them.
    about: Option<i32>,
    shared: Arc<Shared>,
}

/// What all clones in a process have in common.
#[derive(Debug)]
struct Shared {
    shape: Shape,
    sink: Sink,
    limits: Limits,
    /// The process whose limits these are.
    pid: AtomicI32,
}

/// A place in the code whose lines clients can cause: a few of them a second are written, the others counted
/// (`log_lines_suppressed`) and summed up.
#[derive(Debug)]
pub struct Limited<'a> {
    log: &'a Log,
    place: &'static Location<'static>,
}

impl Log {
    /// Opens the log that `settings` ask for.
    pub fn open(settings: &Settings) -> io::Result<Self> {
        let shape = Shape {
            format: settings.log_format,
            date: settings.log_date_format.clone(),
            microseconds: settings.log_date_with_microseconds,
        };
        let credentials = &settings.identity.credentials;
        let owner = Owner { user: credentials.uid, group: credentials.groups.as_ref().map(|groups| groups.gid) };
        let sink = Sink::open(settings.log_file.as_deref(), settings.log_rotation, owner)?;
        let shared = Shared { shape, sink, limits: Limits::default(), pid: AtomicI32::new(process::id()) };
        Ok(Self { level: settings.log_level, who: "master".into(), about: None, shared: Arc::new(shared) })
    }

    /// From here on, what is lost or suppressed is counted for `stats()`, and a reopening reaches all processes.
    pub fn share(&self, header: &'static Header) {
        self.shared.sink.share(header);
    }

    /// The file that is written to now; `None`: standard output.
    pub fn path(&self) -> Option<PathBuf> {
        self.shared.sink.path_at(self.shared.sink.now())
    }

    /// Standard output and error lead to the log file by now, or nowhere: they follow it to the next one.
    pub fn has_streams(&self) {
        self.shared.sink.has_streams();
    }

    /// This process has another root directory by now. It finds the log file again if that lies there; if not, it keeps
    /// the one that is open.
    pub fn enter_root(&self, root: &Path) {
        self.shared.sink.enter_root(root);
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
    pub fn hand_to(&self, queue: SyncSender<Line>) {
        self.shared.sink.set_queue(Some(queue));
    }

    /// From here on, lines are written by whoever says them; the reader of the queue sees its end.
    pub fn take_back(&self) {
        self.shared.sink.set_queue(None);
    }

    /// Opens the file anew, after somebody has moved it away. All other processes of the server do so before their
    /// next line, or within about a second.
    pub fn reopen(&self) {
        self.shared.sink.reopen(self.shared.sink.now());
    }

    /// To be called about once a second: says what was suppressed in the second before, and goes on in the file that
    /// is due.
    pub fn tick(&self) {
        self.sum_up(false);
        // With nothing to say, this is how a reopening and a new period are noticed.
        let now = self.shared.sink.now();
        let (output, complaint) = self.shared.sink.follow(now);
        if let Some(complaint) = complaint {
            self.warning(&complaint);
        }
        drop(output);
        self.tell_of_lost();
    }

    /// To be called when this process has nothing more to say.
    pub fn settle(&self) {
        self.sum_up(true);
        self.tell_of_lost();
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

    /// For lines that clients can cause: ten a second are written for each place in the code that calls this, a hundred
    /// of those about connections.
    #[track_caller]
    pub fn limited(&self) -> Limited<'_> {
        Limited { log: self, place: Location::caller() }
    }

    /// Writes a finished line, for the thread that has taken it out of the queue: it waits as long as it takes.
    pub fn write(&self, line: &Line) {
        if let Err(why) = self.put(line, Patience::Endless) {
            self.shared.sink.has_lost(why);
        }
    }

    fn line(&self, level: LogLevel, event: &str) {
        if level < self.level {
            return;
        }
        self.tell_of_lost();
        if let Err(why) = self.deliver(self.make(level, event)) {
            self.shared.sink.has_lost(why);
        }
    }

    fn make(&self, level: LogLevel, event: &str) -> Line {
        let time = self.shared.sink.now();
        let pid = self.about.unwrap_or_else(process::id);
        Line { time, text: self.shared.shape.line(&Said { time, level, who: &self.who, pid, event }) }
    }

    /// Writes a line, or hands it to the log thread. The error says why it is lost.
    fn deliver(&self, line: Line) -> Result<(), String> {
        match self.shared.sink.queue() {
            Some(queue) => match queue.try_send(line) {
                Ok(()) => Ok(()),
                Err(TrySendError::Full(_)) => Err("more came than the log thread could write".to_owned()),
                // It has ended, or not begun: this is the only one left.
                Err(TrySendError::Disconnected(line)) => self.put(&line, Patience::Little),
            },
            None => self.put(&line, Patience::Little),
        }
    }

    fn put(&self, line: &Line, patience: Patience) -> Result<(), String> {
        let (output, complaint) = self.shared.sink.follow(line.time);
        let Some(output) = output else { return Ok(()) };
        if let Some(complaint) = complaint {
            let complaint = self.make(LogLevel::Warning, &complaint);
            // If this cannot be written, the line behind it cannot either, and that is counted.
            let _ = self.shared.sink.put(&output, &complaint.text, patience);
        }
        self.shared.sink.put(&output, &line.text, patience)
    }

    /// Says how many lines are lost, if that can be said by now.
    fn tell_of_lost(&self) {
        self.be_this_process();
        let Some(lost) = self.shared.sink.take_lost() else { return };
        let note = format!("lines of the log are lost: {}; count={}", lost.why, lost.count);
        if self.level <= LogLevel::Warning && self.deliver(self.make(LogLevel::Warning, &note)).is_err() {
            self.shared.sink.keep_untold(lost);
        }
    }

    /// What was suppressed or lost before a fork is for the parent to say.
    fn be_this_process(&self) {
        let pid = process::id();
        if self.shared.pid.swap(pid, Ordering::Relaxed) != pid {
            self.shared.limits.forget();
            self.shared.sink.forget();
        }
    }

    fn sum_up(&self, is_end: bool) {
        self.be_this_process();
        for summary in self.shared.limits.due(Instant::now(), is_end) {
            self.say(&summary);
        }
    }

    fn say(&self, summary: &Summary) {
        let log = Self { who: summary.like.who.clone(), about: None, ..self.clone() };
        log.line(summary.like.level, &summary.event());
    }
}

impl Limited<'_> {
    /// Somebody has to act.
    pub fn error(self, event: impl FnOnce() -> String) {
        self.line(LogLevel::Error, event);
    }

    /// It works, but not as asked.
    pub fn warning(self, event: impl FnOnce() -> String) {
        self.line(LogLevel::Warning, event);
    }

    /// The life of processes.
    pub fn notice(self, event: impl FnOnce() -> String) {
        self.line(LogLevel::Notice, event);
    }

    /// Connections.
    pub fn info(self, event: impl FnOnce() -> String) {
        self.line(LogLevel::Info, event);
    }

    /// The same in several lines, which count as one.
    pub fn warnings(self, events: impl FnOnce() -> Vec<String>) {
        self.lines(LogLevel::Warning, events);
    }

    fn line(self, level: LogLevel, event: impl FnOnce() -> String) {
        self.lines(level, || vec![event()]);
    }

    fn lines(self, level: LogLevel, events: impl FnOnce() -> Vec<String>) {
        let Self { log, place } = self;
        if level < log.level {
            return;
        }
        log.be_this_process();
        let limits = &log.shared.limits;
        let Verdict::Write { is_first, summary } = limits.ask(place, level, Instant::now()) else {
            log.shared.sink.has_silenced();
            return;
        };
        if let Some(summary) = summary {
            log.say(&summary);
        }
        let events = events();
        if is_first && let Some(event) = events.first() {
            limits.is_like(place, Like { who: log.who.clone(), level, event: event.clone() });
        }
        for event in events {
            log.line(level, &event);
        }
    }
}
