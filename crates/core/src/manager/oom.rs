//! Tells a process that the kernel has killed for want of memory from one that somebody else has killed: by what the
//! cgroup counts. It counts all that are killed in it, so that what was counted since the last look is meant; where that is
//! more than one, those that die in the same moment are.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The count of the cgroup that this process is in.
#[derive(Debug)]
pub(super) struct OomKills {
    file: Option<PathBuf>,
    seen: u64,
    /// Kills that were seen and that no process has been found for yet.
    unexplained: u64,
    looked: Instant,
}

impl OomKills {
    /// Looks where the count is, and what it is now.
    pub(super) fn find() -> Self {
        Self::find_under(Path::new("/"))
    }

    fn find_under(root: &Path) -> Self {
        let groups = fs::read_to_string(root.join("proc/self/cgroup")).unwrap_or_default();
        let file = groups.lines().find_map(|entry| {
            // hierarchy:controllers:path; version 2 has no controllers here.
            let mut fields = entry.splitn(3, ':').skip(1);
            let (controllers, path) = (fields.next()?, fields.next()?);
            if controllers.is_empty() {
                nearest(&root.join("sys/fs/cgroup"), path, "memory.events")
            } else if controllers.split(',').any(|controller| controller == "memory") {
                nearest(&root.join("sys/fs/cgroup/memory"), path, "memory.oom_control")
            } else {
                None
            }
        });
        let seen = file.as_deref().and_then(count_in).unwrap_or(0);
        Self { file, seen, unexplained: 0, looked: Instant::now() }
    }

    /// Whether one of them has ended the process that has just died by SIGKILL.
    pub(super) fn explain_a_death(&mut self, now: Instant) -> bool {
        let count = self.file.as_deref().and_then(count_in).unwrap_or(self.seen);
        if now >= self.looked + MOMENT {
            self.unexplained = 0;
        }
        if count > self.seen {
            self.unexplained += count - self.seen;
            self.looked = now;
        }
        self.seen = count;
        let is_one = self.unexplained > 0;
        self.unexplained = self.unexplained.saturating_sub(1);
        is_one
    }
}

/// Processes that are killed together are dead together.
const MOMENT: Duration = Duration::from_secs(1);

/// The file of the cgroup `path`, or of the nearest around it that has one: in a container the path may not exist below
/// the mount, whose root is then the container's cgroup.
fn nearest(mount: &Path, path: &str, name: &str) -> Option<PathBuf> {
    let path = Path::new(path.trim_start_matches('/'));
    path.ancestors().map(|group| mount.join(group).join(name)).find(|file| count_in(file).is_some())
}

fn count_in(file: &Path) -> Option<u64> {
    let text = fs::read_to_string(file).ok()?;
    text.lines().find_map(|line| line.strip_prefix("oom_kill "))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A system's files, gone with it.
    struct Root(PathBuf);

    impl Root {
        fn new(name: &str) -> Self {
            let root = std::env::temp_dir().join(format!("rotor-core-oom-{name}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&root);
            Self(root)
        }

        fn write(&self, path: &str, text: &str) {
            let path = self.0.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }

    impl Drop for Root {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_kill_is_one_that_was_counted_since_the_last_look() {
        for (name, groups, file) in [
            ("two", "0::/app\n", "sys/fs/cgroup/app/memory.events"),
            ("container", "0::/kubepods/pod1\n", "sys/fs/cgroup/memory.events"),
            ("one", "5:cpu:/\n4:cpuset,memory:/app\n0::/\n", "sys/fs/cgroup/memory/app/memory.oom_control"),
        ] {
            let root = Root::new(name);
            root.write("proc/self/cgroup", groups);
            root.write(file, "low 0\noom 7\noom_kill 2\noom_group_kill 0\n");
            let (mut kills, now) = (OomKills::find_under(&root.0), Instant::now());
            assert!(!kills.explain_a_death(now), "{name}: what was before does not count");
            root.write(file, "oom 9\noom_kill 3\n");
            assert!(kills.explain_a_death(now), "{name}");
            assert!(!kills.explain_a_death(now), "{name}: once");
        }
    }

    #[test]
    fn those_that_are_killed_together_are_known_and_one_that_dies_later_is_not_taken_for_one_of_them() {
        let root = Root::new("together");
        root.write("proc/self/cgroup", "0::/\n");
        let count = |kills: u64| root.write("sys/fs/cgroup/memory.events", &format!("oom_kill {kills}\n"));
        count(0);
        let (mut kills, now) = (OomKills::find_under(&root.0), Instant::now());
        count(2);
        let explained = [0, 1, 2].map(|ms| kills.explain_a_death(now + Duration::from_millis(ms)));
        assert_eq!(explained, [true, true, false]);
        // The other one was none of the server's.
        count(4);
        assert!(kills.explain_a_death(now));
        assert!(!kills.explain_a_death(now + MOMENT));
    }

    #[test]
    fn where_nothing_is_counted_nobody_was_killed_by_it() {
        let root = Root::new("none");
        assert!(!OomKills::find_under(&root.0).explain_a_death(Instant::now()));
        root.write("proc/self/cgroup", "4:memory:/\n");
        root.write("sys/fs/cgroup/memory/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\n");
        assert!(!OomKills::find_under(&root.0).explain_a_death(Instant::now()));
    }
}
