//! Where the lines of a process go.
//!
//! **Files.** Every process has the file open on its own and appends each line by one write, so that lines of several
//! processes never mix. A rotation renames nothing: a line goes to the file whose name has the period of the line's
//! own time, and whoever has a line for a period first makes its file. Reopening works by a count in the segment that
//! each process compares before a line, and about once a second: no line goes to the old file after that.
//!
//! **Pipes and terminals** may have a reader that does not read. A line waits for it a moment, once; from then on lines
//! are dropped and counted until there is room again. Only the master's log thread waits as long as it takes.

use std::borrow::Cow;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use chrono::{FixedOffset, Local, Offset, Utc};
use parking_lot::Mutex;
use rotor_ipc::segment::Header;
use rotor_sys::output::Output;

use crate::error::describe_errno;
use crate::settings::{LogRotation, Time};

/// A finished line.
#[derive(Clone, Debug)]
pub struct Line {
    /// When it was said, which decides on its file.
    pub time: Time,
    /// Its text, with its end.
    pub text: String,
}

/// Where lines go.
#[derive(Debug)]
pub struct Sink {
    /// The setting; `None`: standard output.
    path: Option<PathBuf>,
    rotation: LogRotation,
    /// Threads that must not wait hand their lines to the log thread.
    queue: Mutex<Option<SyncSender<Line>>>,
    place: Mutex<Place>,
    /// Whether the last write found no room: the next one does not wait for it.
    is_stuck: AtomicBool,
    /// Lines lost since somebody last said so.
    lost: Mutex<Lost>,
    /// Whether there are any; looked at before each line, hence beside the lock.
    is_lossy: AtomicBool,
    /// Where all processes count.
    shared: OnceLock<&'static Header>,
    /// Lines that were lost before there was a segment to count in.
    lost_early: AtomicU64,
    owner: Owner,
    /// The root directory of this process, if it is another one than when the path was set.
    root: OnceLock<PathBuf>,
    /// Whether the standard streams of this process lead to the file, and follow it.
    leads_streams: AtomicBool,
}

/// The user and the group that workers become: files that the others make are theirs, so that they can open them, too.
#[derive(Clone, Copy, Debug, Default)]
pub struct Owner {
    /// If it is another than that of this process.
    pub user: Option<u32>,
    /// The same.
    pub group: Option<u32>,
}

/// The file that is open, and what is known of it.
#[derive(Debug)]
struct Place {
    output: Option<Arc<Output>>,
    /// What its name has behind the setting's.
    suffix: String,
    /// The minute for which that was found out.
    minute: i64,
    /// How often the log had been opened anew when it was opened.
    opened: u64,
    /// A line was written in part: the next one begins on a line of its own.
    is_torn: bool,
    /// Since when the next file cannot be opened, and the second of the last try.
    failing: Option<(i64, i64)>,
    has_complained: bool,
}

/// Lines that nobody will read.
#[derive(Debug, Default)]
pub struct Lost {
    /// How many.
    pub count: u64,
    /// Why the last one of them.
    pub why: String,
}

/// How long a line may wait for room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// A moment.
    Little,
    /// As long as it takes.
    Endless,
}

impl Sink {
    /// Opens the file for lines of this moment, or standard output.
    pub fn open(path: Option<&Path>, rotation: LogRotation, owner: Owner) -> io::Result<Self> {
        let now = Time::from(Local::now());
        // What is no file on a disk has no periods.
        let is_file = path.is_some_and(|path| path.metadata().map_or(true, |metadata| metadata.is_file()));
        let rotation = if is_file { rotation } else { LogRotation::Single };
        let suffix = rotation.suffix(now);
        let output = match path {
            Some(path) => Some(owner.open(&with_suffix(path, &suffix))?),
            // A server without standard output has chosen to say nothing.
            None => Output::standard().ok(),
        };
        let place = Place {
            output: output.map(Arc::new),
            suffix,
            minute: minute(now),
            opened: 0,
            is_torn: false,
            failing: None,
            has_complained: false,
        };
        Ok(Self {
            path: path.map(Path::to_owned),
            rotation,
            queue: Mutex::new(None),
            place: Mutex::new(place),
            is_stuck: AtomicBool::new(false),
            lost: Mutex::new(Lost::default()),
            is_lossy: AtomicBool::new(false),
            shared: OnceLock::new(),
            lost_early: AtomicU64::new(0),
            owner,
            root: OnceLock::new(),
            leads_streams: AtomicBool::new(false),
        })
    }

    /// From here on, counts in the segment.
    pub fn share(&self, header: &'static Header) {
        if self.shared.set(header).is_ok() {
            self.now();
            header.log_lines_dropped.fetch_add(self.lost_early.swap(0, Ordering::Relaxed), Ordering::Relaxed);
        }
    }

    /// `root` is this process's root directory by now. A file that lies elsewhere stays the one that is open.
    pub fn enter_root(&self, root: &Path) {
        let _ = self.root.set(root.to_owned());
    }

    /// The time that the clocks of this machine show. Under another root there may be no time zone, or another: the
    /// processes that have none tell how far it is from UTC.
    pub fn now(&self) -> Time {
        match (self.root.get(), self.shared.get()) {
            (Some(_), Some(header)) => {
                let offset = FixedOffset::east_opt(header.utc_offset_seconds.load(Ordering::Relaxed));
                Utc::now().with_timezone(&offset.unwrap_or_else(|| Utc.fix()))
            }
            (None, Some(header)) => {
                let now = Time::from(Local::now());
                header.utc_offset_seconds.store(now.offset().local_minus_utc(), Ordering::Relaxed);
                now
            }
            (_, None) => Local::now().into(),
        }
    }

    /// The standard streams lead to the file by now, or nowhere.
    pub fn has_streams(&self) {
        if self.path.is_some() {
            self.leads_streams.store(true, Ordering::Relaxed);
        } else {
            self.place.lock().output = Output::standard().ok().map(Arc::new);
        }
    }

    /// The file for lines of `now`; `None`: standard output, or one that this process cannot reach.
    pub fn path_at(&self, now: Time) -> Option<PathBuf> {
        self.path_with(&self.rotation.suffix(now))
    }

    fn path_with(&self, suffix: &str) -> Option<PathBuf> {
        let path = with_suffix(self.path.as_deref()?, suffix);
        match self.root.get() {
            None => Some(path),
            Some(root) => path.strip_prefix(root).ok().map(|rest| Path::new("/").join(rest)),
        }
    }

    /// Lines go to the log thread from here on, or no longer.
    pub fn set_queue(&self, queue: Option<SyncSender<Line>>) {
        *self.queue.lock() = queue;
    }

    /// The way to the log thread, if there is one.
    pub fn queue(&self) -> Option<SyncSender<Line>> {
        self.queue.lock().clone()
    }

    /// Opens the file that is due at `now`. The old one is used where that fails; what there is to say about it comes
    /// back once, and not at once: the file of a new period may be for others to make.
    pub fn follow(&self, now: Time) -> (Option<Arc<Output>>, Option<String>) {
        let mut place = self.place.lock();
        let opened = self.shared.get().map_or(place.opened, |header| header.log_opened.load(Ordering::Relaxed));
        let has_period_passed = self.rotation != LogRotation::Single && minute(now) != place.minute;
        if opened == place.opened && !has_period_passed {
            return (place.output.clone(), None);
        }
        let second = now.timestamp();
        let suffix = self.rotation.suffix(now);
        let mut complaint = None;
        match self.path_with(&suffix) {
            Some(path) if opened != place.opened || suffix != place.suffix => {
                if place.failing.is_some_and(|(_, last)| last == second) {
                    return (place.output.clone(), None);
                }
                match self.owner.open(&path) {
                    Ok(output) => self.go_on_in(&mut place, output, suffix),
                    Err(error) => {
                        let (since, _) = *place.failing.get_or_insert((second, second));
                        place.failing = Some((since, second));
                        if second - since >= BEFORE_COMPLAINT && !place.has_complained {
                            place.has_complained = true;
                            let why = describe_errno(error.raw_os_error().unwrap_or(0));
                            complaint = Some(format!(
                                "cannot open log_file {}: {why}; lines go on to the file that is open",
                                path.display()
                            ));
                        }
                        return (place.output.clone(), complaint);
                    }
                }
            }
            _ => {}
        }
        place.opened = opened;
        place.minute = minute(now);
        (place.output.clone(), complaint)
    }

    /// Has all processes open the file anew; this one does so first, since it may be the only one with the right to
    /// make it.
    pub fn reopen(&self, now: Time) {
        let Some(path) = self.path_at(now) else { return };
        let before = self.shared.get().map(|header| header.log_opened.load(Ordering::Relaxed));
        let output = self.owner.open(&path);
        let mut place = self.place.lock();
        if let (Some(header), Some(before)) = (self.shared.get(), before)
            && header.log_opened.fetch_add(1, Ordering::Relaxed) == before
            && output.is_ok()
        {
            // Nobody has asked for it in between: this file is new enough.
            place.opened = before + 1;
        }
        if let Ok(output) = output {
            self.go_on_in(&mut place, output, self.rotation.suffix(now));
        }
    }

    /// A line was silenced.
    pub fn has_silenced(&self) {
        if let Some(header) = self.shared.get() {
            header.log_lines_suppressed.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A line is lost: it is counted, and told of later.
    pub fn has_lost(&self, why: String) {
        match self.shared.get() {
            Some(header) => header.log_lines_dropped.fetch_add(1, Ordering::Relaxed),
            None => self.lost_early.fetch_add(1, Ordering::Relaxed),
        };
        self.keep_untold(Lost { count: 1, why });
    }

    /// Lost lines that nobody could be told of yet.
    pub fn keep_untold(&self, untold: Lost) {
        let mut lost = self.lost.lock();
        lost.count += untold.count;
        lost.why = untold.why;
        self.is_lossy.store(true, Ordering::Relaxed);
    }

    /// What was lost since the last call.
    pub fn take_lost(&self) -> Option<Lost> {
        if !self.is_lossy.swap(false, Ordering::Relaxed) {
            return None;
        }
        Some(std::mem::take(&mut *self.lost.lock())).filter(|lost| lost.count > 0)
    }

    /// Writes a line to a file that [`follow`](Self::follow) has given, or says why it is lost.
    pub fn put(&self, output: &Output, text: &str, patience: Patience) -> Result<(), String> {
        let was_torn = std::mem::take(&mut self.place.lock().is_torn);
        let text = if was_torn { Cow::Owned(format!("\n{text}")) } else { Cow::Borrowed(text) };
        let wait = match patience {
            Patience::Endless => ENDLESS,
            Patience::Little if self.is_stuck.load(Ordering::Relaxed) => Duration::ZERO,
            Patience::Little => MOMENT,
        };
        let Err(unwritten) = output.write(text.as_bytes(), wait) else {
            self.is_stuck.store(false, Ordering::Relaxed);
            return Ok(());
        };
        self.place.lock().is_torn = if was_torn { unwritten.written != 1 } else { unwritten.written > 0 };
        let is_full = unwritten.error.kind() == io::ErrorKind::WouldBlock;
        self.is_stuck.store(is_full, Ordering::Relaxed);
        Err(if is_full {
            "nobody has read what came before".to_owned()
        } else {
            describe_errno(unwritten.error.raw_os_error().unwrap_or(0))
        })
    }

    /// Forgets what a child has from its parent and has not done itself.
    pub fn forget(&self) {
        *self.lost.lock() = Lost::default();
        self.place.lock().is_torn = false;
    }

    fn go_on_in(&self, place: &mut Place, output: Output, suffix: String) {
        let output = Arc::new(output);
        if let Some(before) = place.output.replace(output.clone())
            && self.leads_streams.load(Ordering::Relaxed)
            && output.is_file()
        {
            // They stay with the old file where that fails.
            let _ = output.replace_standard_streams(&before);
        }
        place.suffix = suffix;
        place.is_torn = false;
        place.failing = None;
        place.has_complained = false;
    }
}

impl Owner {
    fn open(self, path: &Path) -> io::Result<Output> {
        match self {
            Self { user: None, group: None } => Output::open(path),
            Self { user, group } => Output::open_for(path, user, group),
        }
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name: OsString = path.into();
    name.push(suffix);
    name.into()
}

/// Every period of a rotation begins with a minute.
fn minute(time: Time) -> i64 {
    time.timestamp().div_euclid(60)
}

/// A reader that is there has taken something by then.
const MOMENT: Duration = Duration::from_millis(100);
const ENDLESS: Duration = Duration::from_secs(u32::MAX as u64);
/// Seconds that a file may take to be there.
const BEFORE_COMPLAINT: i64 = 5;
