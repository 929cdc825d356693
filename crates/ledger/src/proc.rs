//! CPU time and memory of a process and all its descendants, from /proc.

use std::collections::HashMap;
use std::time::Duration;
use std::{fs, io};

use nix::time::{clock_getcpuclockid, clock_gettime};
use nix::unistd::{Pid, SysconfVar, sysconf};
use serde::Serialize;

/// CPU time of a process tree since its start. What its dead members used is in their reaper's numbers, so the sum
/// does not shrink when one dies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CpuTime {
    /// In user space, in ticks of 10 ms.
    pub user: Duration,
    /// In the kernel, in ticks of 10 ms.
    pub system: Duration,
    /// Both: of the living exact, of the dead in ticks.
    pub total: Duration,
}

impl CpuTime {
    /// What was used since `earlier`.
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            user: self.user.saturating_sub(earlier.user),
            system: self.system.saturating_sub(earlier.system),
            total: self.total.saturating_sub(earlier.total),
        }
    }
}

/// Memory of a process tree, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Memory {
    /// Processes in the tree.
    pub processes: usize,
    /// Proportional set sizes: a page that n processes share counts for one nth in each.
    pub pss: u64,
    /// Resident set sizes: shared pages count in every process.
    pub rss: u64,
}

/// `root` and all its descendants.
pub fn tree(root: i32) -> io::Result<Vec<i32>> {
    let mut children: HashMap<i32, Vec<i32>> = HashMap::new();
    for entry in fs::read_dir("/proc")? {
        let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        // A process may end between the listing and the look.
        if let Ok(stat) = Stat::read(pid) {
            children.entry(stat.parent).or_default().push(pid);
        }
    }
    let mut found = vec![root];
    let mut next = 0;
    while let Some(pid) = found.get(next) {
        found.extend(children.remove(pid).unwrap_or_default());
        next += 1;
    }
    Ok(found)
}

/// The CPU time of `root` and its descendants; an error when `root` does not live.
pub fn cpu(root: i32) -> io::Result<CpuTime> {
    Stat::read(root)?;
    let mut sum = CpuTime::default();
    for pid in tree(root)? {
        let Ok(stat) = Stat::read(pid) else { continue };
        let (user, system) = (ticks(stat.user + stat.dead_user), ticks(stat.system + stat.dead_system));
        sum.user += user;
        sum.system += system;
        sum.total += match exact(pid) {
            Some(living) => living + ticks(stat.dead_user + stat.dead_system),
            None => user + system,
        };
    }
    Ok(sum)
}

/// The memory of `root` and its descendants; an error when it cannot be read.
pub fn memory(root: i32) -> io::Result<Memory> {
    let mut sum = Memory::default();
    for pid in tree(root)? {
        let rollup = match fs::read_to_string(format!("/proc/{pid}/smaps_rollup")) {
            Ok(rollup) => rollup,
            Err(_) if pid != root => continue,
            Err(error) => return Err(error),
        };
        sum.processes += 1;
        sum.pss += kilobytes(&rollup, "Pss:") * 1024;
        sum.rss += kilobytes(&rollup, "Rss:") * 1024;
    }
    Ok(sum)
}

struct Stat {
    parent: i32,
    user: u64,
    system: u64,
    dead_user: u64,
    dead_system: u64,
}

impl Stat {
    fn read(pid: i32) -> io::Result<Self> {
        Self::parse(&fs::read_to_string(format!("/proc/{pid}/stat"))?)
            .ok_or_else(|| io::Error::other(format!("/proc/{pid}/stat is not as expected")))
    }

    fn parse(text: &str) -> Option<Self> {
        // The name stands in parentheses and may hold some itself.
        let fields: Vec<&str> = text[text.rfind(')')? + 1..].split_whitespace().collect();
        let number = |index: usize| fields.get(index)?.parse().ok();
        Some(Self {
            parent: fields.get(1)?.parse().ok()?,
            user: number(11)?,
            system: number(12)?,
            dead_user: number(13)?,
            dead_system: number(14)?,
        })
    }
}

fn exact(pid: i32) -> Option<Duration> {
    let clock = clock_getcpuclockid(Pid::from_raw(pid)).ok()?;
    Some(Duration::from(clock_gettime(clock).ok()?))
}

fn ticks(count: u64) -> Duration {
    let per_second = sysconf(SysconfVar::CLK_TCK).ok().flatten().and_then(|ticks| u64::try_from(ticks).ok());
    Duration::from_nanos(count * (1_000_000_000 / per_second.unwrap_or(100)))
}

fn kilobytes(rollup: &str, key: &str) -> u64 {
    let line = rollup.lines().find(|line| line.starts_with(key));
    line.and_then(|line| line.split_whitespace().nth(1)).and_then(|value| value.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};
    use std::thread;

    use super::*;

    #[test]
    fn a_name_with_spaces_and_parentheses_is_no_obstacle() {
        let stat = Stat::parse("7 (a) b (c)) S 3 7 7 0 -1 0 0 0 0 0 11 12 13 14 20 0").unwrap();
        assert_eq!([stat.user, stat.system, stat.dead_user, stat.dead_system], [11, 12, 13, 14]);
        assert_eq!(stat.parent, 3);
    }

    #[test]
    fn grandchildren_belong_to_the_tree_and_keep_their_cpu_when_they_die() {
        let burn = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done";
        let script = format!("sh -c '{burn}; echo done; read line'; echo reaped; read line");
        let mut shell = Command::new("sh")
            .args(["-c", &script])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("sh is there");
        let root = i32::try_from(shell.id()).unwrap();
        let mut lines = io::BufRead::lines(io::BufReader::new(shell.stdout.take().unwrap()));
        assert_eq!(lines.next().unwrap().unwrap(), "done");
        assert_eq!(tree(root).unwrap().len(), 2);
        assert!(memory(root).unwrap().pss > 0);
        let alive = cpu(root).unwrap();
        assert!(alive.total > Duration::from_millis(1), "{alive:?}");
        io::Write::write_all(shell.stdin.as_mut().unwrap(), b"\n").unwrap();
        assert_eq!(lines.next().unwrap().unwrap(), "reaped");
        let dead = cpu(root).unwrap();
        // The dead one's time is known in ticks.
        assert!(dead.total + Duration::from_millis(20) > alive.total, "{dead:?} after {alive:?}");
        drop(shell.stdin.take());
        shell.wait().unwrap();
        assert!(cpu(root).is_err());
    }

    #[test]
    fn cpu_time_is_finer_than_a_tick() {
        let own = i32::try_from(std::process::id()).unwrap();
        let before = cpu(own).unwrap();
        thread::sleep(Duration::from_millis(1));
        let used = cpu(own).unwrap().since(&before).total;
        assert!(used > Duration::ZERO, "reading /proc itself takes some");
    }
}
