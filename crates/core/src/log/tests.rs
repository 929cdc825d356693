//! Logs of several processes, here of several [`Log`]s that share a count; a full disk, and a pipe that nobody reads.

use std::fs::{self, File, OpenOptions};
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::atomic::AtomicUsize;
use std::sync::mpsc;

use chrono::{Local, TimeDelta, TimeZone};
use rotor_ipc::sync::Ordering::Relaxed;
use rotor_sys::credentials::Rights;

use super::*;
use crate::settings::{LogFormat, LogRotation, Machine, Names, SettingsInput, Time, Value};

/// A folder of a test's own, gone with it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("rotor-log-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// The events of a file's lines.
    fn events(&self, name: &str) -> Vec<String> {
        let text = fs::read_to_string(self.path(name)).unwrap();
        text.lines().map(|line| line.split_once(": ").map_or(line, |(_, event)| event).to_owned()).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn settings(path: &Path) -> Settings {
    let machine = Machine {
        cpus: 1,
        cpu_list: vec![0],
        memory_bytes: None,
        descriptor_limit: 10_000,
        rights: Rights::of_this_process(),
    };
    let mut input = SettingsInput::new(machine.clone());
    input.merge(vec![("log_file".to_owned(), Value::str(path.to_str().unwrap()))], Names::Rotor).unwrap();
    input.resolve(&machine, Names::Rotor).unwrap().0
}

fn header() -> &'static Header {
    Box::leak(Box::default())
}

fn open(path: &Path, header: &'static Header) -> Log {
    let log = Log::open(&settings(path)).unwrap();
    log.share(header);
    log
}

fn line(time: Time, text: &str) -> Line {
    Line { time, text: format!("{text}\n") }
}

/// A named pipe with a reader, which is full.
fn full_pipe(folder: &Folder) -> (PathBuf, File) {
    let path = folder.path("pipe");
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let flags = nix::libc::O_NONBLOCK;
    let reader = OpenOptions::new().read(true).custom_flags(flags).open(&path).unwrap();
    let mut writer = OpenOptions::new().write(true).custom_flags(flags).open(&path).unwrap();
    while std::io::Write::write(&mut writer, &[b'\n'; 4096]).is_ok() {}
    (path, reader)
}

fn drain(reader: &mut File) -> String {
    let mut all = Vec::new();
    // Ends with the error that there is nothing more by now.
    let _ = reader.read_to_end(&mut all);
    String::from_utf8(all).unwrap().trim_start_matches('\n').to_owned()
}

#[test]
fn a_line_below_the_level_is_not_written_and_none_is_made() {
    let folder = Folder::new();
    let log = Log { level: LogLevel::Warning, ..open(&folder.path("log"), header()) };
    log.notice("quiet");
    log.info(|| unreachable!("nobody wants it"));
    log.limited().info(|| unreachable!("nobody wants it"));
    log.warning("loud");
    assert_eq!(folder.events("log"), ["loud"]);
}

#[test]
fn each_line_goes_to_the_file_of_its_period_whoever_comes_first() {
    let folder = Folder::new();
    let settings = Settings { log_rotation: LogRotation::EveryMinute, ..settings(&folder.path("log")) };
    let (one, other) = (Log::open(&settings).unwrap(), Log::open(&settings).unwrap());
    let begin = Time::from(Local.with_ymd_and_hms(2031, 12, 31, 23, 59, 58).unwrap());
    let at = |seconds| begin + TimeDelta::seconds(seconds);
    one.write(&line(at(0), "one"));
    other.write(&line(at(1), "other"));
    other.write(&line(at(2), "other, new year"));
    // Said before midnight, and written late.
    one.write(&line(at(1), "one, late"));
    one.write(&line(at(3), "one, new year"));
    other.write(&line(at(63), "a minute later"));
    assert_eq!(folder.events("log.203112312359"), ["one", "other", "one, late"]);
    assert_eq!(folder.events("log.203201010000"), ["other, new year", "one, new year"]);
    assert_eq!(folder.events("log.203201010001"), ["a minute later"]);
}

#[test]
fn a_period_that_has_not_ended_opens_nothing() {
    let folder = Folder::new();
    let settings = Settings { log_rotation: LogRotation::Daily, ..settings(&folder.path("log")) };
    let log = Log::open(&settings).unwrap();
    let begin = Time::from(Local.with_ymd_and_hms(2031, 6, 1, 0, 0, 0).unwrap());
    log.write(&line(begin, "morning"));
    fs::rename(folder.path("log.20310601"), folder.path("moved")).unwrap();
    log.write(&line(begin + TimeDelta::hours(20), "evening"));
    assert_eq!(folder.events("moved"), ["morning", "evening"]);
}

#[test]
fn one_process_reopens_for_all_and_no_later_line_goes_to_the_old_file() {
    let folder = Folder::new();
    let header = header();
    let logs: Vec<_> = (0..3).map(|_| open(&folder.path("log"), header)).collect();
    logs.iter().for_each(|log| log.notice("before"));
    fs::rename(folder.path("log"), folder.path("old")).unwrap();
    logs[1].reopen();
    logs[0].notice("after");
    logs[1].notice("after");
    // One that has nothing to say lets go of the old file, too.
    logs[2].tick();
    fs::remove_file(folder.path("log")).unwrap();
    logs.iter().for_each(|log| log.notice("unseen"));
    assert_eq!(folder.events("old"), ["before"; 3]);
    assert_eq!(folder.names(), ["old"]);
}

#[test]
fn a_file_that_cannot_be_opened_is_complained_of_once_and_lines_go_on_to_the_old_one() {
    let folder = Folder::new();
    let settings = Settings { log_rotation: LogRotation::EveryMinute, ..settings(&folder.path("log")) };
    let log = Log::open(&settings).unwrap();
    let begin = Time::from(Local.with_ymd_and_hms(2031, 6, 1, 12, 0, 0).unwrap());
    log.write(&line(begin, "first"));
    fs::create_dir(folder.path("log.203106011201")).unwrap();
    for second in 60..70 {
        log.write(&line(begin + TimeDelta::seconds(second), "held back"));
    }
    let events = folder.events("log.203106011200");
    assert_eq!(events.iter().filter(|event| *event == "held back").count(), 10);
    let complaints: Vec<_> = events.iter().filter(|event| event.starts_with("cannot open log_file")).collect();
    assert_eq!(complaints.len(), 1, "{events:?}");
    assert!(complaints[0].ends_with("log.203106011201: is a directory; lines go on to the file that is open"));
    // It is there by now.
    fs::remove_dir(folder.path("log.203106011201")).unwrap();
    log.write(&line(begin + TimeDelta::seconds(71), "late"));
    assert_eq!(folder.events("log.203106011201"), ["late"]);
}

#[test]
fn lines_that_a_full_disk_does_not_take_are_counted_and_told_of() {
    let folder = Folder::new();
    let path = folder.path("log");
    std::os::unix::fs::symlink("/dev/full", &path).unwrap();
    let log = Log::open(&settings(&path)).unwrap();
    log.notice("lost before there was a segment");
    let header = header();
    log.share(header);
    log.notice("lost");
    assert_eq!(header.log_lines_dropped.load(Relaxed), 2);
    fs::remove_file(&path).unwrap();
    log.reopen();
    log.notice("written");
    assert_eq!(folder.events("log"), ["lines of the log are lost: no space left on device; count=2", "written"]);
    assert_eq!(header.log_lines_dropped.load(Relaxed), 2);
    // Told once.
    log.tick();
    assert_eq!(folder.events("log").len(), 2);
}

#[test]
fn a_pipe_that_nobody_reads_holds_nobody_up() {
    let folder = Folder::new();
    let (path, mut reader) = full_pipe(&folder);
    let header = header();
    let log = open(&path, header);
    let begin = Instant::now();
    for _ in 0..1000 {
        log.notice("lost");
    }
    // If each line had waited, it would have been 100 seconds.
    assert!(begin.elapsed().as_secs() < 50);
    assert_eq!(header.log_lines_dropped.load(Relaxed), 1000);
    drain(&mut reader);
    log.tick();
    log.notice("read");
    let text = drain(&mut reader);
    assert_eq!(text.lines().count(), 2, "{text}");
    assert!(text.contains("nobody has read what came before; count=1000\n") && text.ends_with(": read\n"), "{text}");
}

#[test]
fn the_log_thread_waits_for_its_reader_and_those_who_hand_it_lines_do_not() {
    let folder = Folder::new();
    let (path, mut reader) = full_pipe(&folder);
    let header = header();
    let log = open(&path, header);
    let (sender, lines) = mpsc::sync_channel(3);
    log.hand_to(sender);
    let thread = {
        let log = log.clone();
        std::thread::spawn(move || lines.into_iter().for_each(|line| log.write(&line)))
    };
    // One may be in the thread's hand, three are in the queue.
    for _ in 0..10 {
        log.notice("handed over");
    }
    let dropped = header.log_lines_dropped.load(Relaxed);
    assert!((6..=7).contains(&dropped), "{dropped}");
    log.take_back();
    let mut text = String::new();
    while !thread.is_finished() {
        text += &drain(&mut reader);
        std::thread::yield_now();
    }
    text += &drain(&mut reader);
    assert_eq!(text.matches("handed over").count() as u64, 10 - dropped, "{text}");
    log.settle();
    text += &drain(&mut reader);
    let told = text.lines().filter_map(|line| line.split_once("than the log thread could write; count="));
    assert_eq!(told.map(|(_, count)| count.parse::<u64>().unwrap()).sum::<u64>(), dropped, "{text}");
}

#[test]
fn lines_that_clients_cause_are_limited_summed_up_and_counted_and_others_are_not() {
    let folder = Folder::new();
    let header = header();
    let log = open(&folder.path("log"), header);
    for session in 0..25 {
        log.speaking_as("worker=1").limited().warning(|| format!("refused; session={session}"));
        log.warning("unlimited");
    }
    log.settle();
    let events = folder.events("log");
    let written = events.iter().filter(|event| event.starts_with("refused; session=")).count() as u64;
    let suppressed = header.log_lines_suppressed.load(Relaxed);
    // A slow machine may take more than a second for this.
    assert!(written >= 10 && written + suppressed == 25, "{events:?}");
    assert_eq!(events.iter().filter(|event| *event == "unlimited").count(), 25);
    let summed: u64 = events
        .iter()
        .filter_map(|event| event.split_once(" more like this were not written: refused; suppressed="))
        .map(|(count, _)| count.parse::<u64>().unwrap())
        .sum();
    assert_eq!(summed, suppressed);
}

#[test]
fn lines_of_several_processes_never_mix() {
    let folder = Folder::new();
    let header = header();
    std::thread::scope(|scope| {
        for number in 0..4 {
            let folder = &folder;
            let log = open(&folder.path("log"), header).speaking_as(format!("worker={number}"));
            scope.spawn(move || {
                for count in 0..300 {
                    // The file moves away under them.
                    if count % 50 == number {
                        let _ = fs::rename(folder.path("log"), folder.path(&format!("old{number}{count}")));
                        log.reopen();
                    }
                    log.notice(&format!("{number} {count} {}", "x".repeat(count * 7 % 5000)));
                }
            });
        }
    });
    let mut counts = [[0; 300]; 4];
    for name in folder.names() {
        for event in folder.events(&name) {
            let mut words = event.split(' ');
            let (number, count): (usize, usize) =
                (words.next().unwrap().parse().unwrap(), words.next().unwrap().parse().unwrap());
            assert_eq!(words.next().unwrap().len(), count * 7 % 5000);
            counts[number][count] += 1;
        }
    }
    assert_eq!(counts, [[1; 300]; 4]);
}

#[test]
fn a_line_that_was_cut_off_does_not_swallow_the_next() {
    let folder = Folder::new();
    let (path, mut reader) = full_pipe(&folder);
    let log = open(&path, header());
    // Room for a part of it.
    let mut page = [0; 8192];
    reader.read_exact(&mut page).unwrap();
    log.notice(&"x".repeat(20_000));
    assert!(drain(&mut reader).ends_with('x'));
    log.notice("whole");
    let text = drain(&mut reader);
    assert!(text.lines().all(|line| line.contains(" notice ") || line.contains(" are lost: ")), "{text}");
    assert!(text.ends_with(": whole\n"), "{text}");
}

#[test]
fn under_another_root_the_file_is_found_again_if_it_lies_there_and_kept_if_not() {
    let folder = Folder::new();
    let header = header();
    // The path from the root of all is the same, if the new root is just that.
    let (inside, outside) = (open(&folder.path("log"), header), open(&folder.path("log"), header));
    inside.enter_root(Path::new("/"));
    outside.enter_root(&folder.path("jail"));
    fs::rename(folder.path("log"), folder.path("old")).unwrap();
    open(&folder.path("log"), header).reopen();
    inside.notice("inside");
    outside.notice("outside");
    outside.reopen();
    outside.notice("outside");
    assert_eq!((folder.events("log"), folder.events("old")), (vec!["inside".into()], vec!["outside".into(); 2]));
    assert_eq!(outside.path(), None);
}

#[test]
fn under_another_root_the_time_is_that_of_the_machine() {
    let folder = Folder::new();
    let header = header();
    let settings = Settings { log_format: LogFormat::Json, ..settings(&folder.path("log")) };
    let log = Log::open(&settings).unwrap();
    log.share(header);
    log.enter_root(Path::new("/"));
    header.utc_offset_seconds.store(-12_600, Relaxed);
    log.notice("there");
    assert!(fs::read_to_string(folder.path("log")).unwrap().contains("-03:30\","));
}

#[test]
fn a_json_log_has_one_object_a_line() {
    let folder = Folder::new();
    let settings = Settings { log_format: LogFormat::Json, ..settings(&folder.path("log")) };
    let log = Log::open(&settings).unwrap().speaking_for("worker=1", 4711);
    log.notice("left; after=3");
    log.error("two\nlines");
    let text = fs::read_to_string(folder.path("log")).unwrap();
    let objects: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        (&objects[0]["event"], &objects[0]["after"], &objects[0]["pid"]),
        (&"left".into(), &3.into(), &4711.into())
    );
    assert_eq!((objects.len(), &objects[1]["event"]), (2, &"two\nlines".into()));
}
