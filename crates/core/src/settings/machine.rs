//! What the machine, or the container, has.

use std::fs;
use std::path::Path;
use std::thread;

use rotor_sys::credentials::Rights;

/// What limits depend on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Machine {
    /// CPUs that this process may use at once, by affinity and cgroup quota; at least 1.
    pub cpus: u32,
    /// The numbers of the CPUs that it may run on, ascending. There may be more than `cpus`.
    pub cpu_list: Vec<u32>,
    /// Memory of the machine or of the cgroup, whichever is less; `None` when neither says.
    pub memory_bytes: Option<u64>,
    /// Descriptors that a process may have open.
    pub descriptor_limit: u64,
    /// Who this process is, and what it may do.
    pub rights: Rights,
}

impl Machine {
    /// Looks. The descriptor limit comes from the caller, who has raised it.
    pub fn detect(descriptor_limit: u64) -> Self {
        let cpus = thread::available_parallelism().map_or(1, |cpus| u32::try_from(cpus.get()).unwrap_or(u32::MAX));
        Self::detect_under(Path::new("/"), cpus, descriptor_limit)
    }

    /// The same with the files of the system under another root.
    pub(super) fn detect_under(root: &Path, cpus: u32, descriptor_limit: u64) -> Self {
        let status = read(&root.join("proc/self/status"));
        let cpu_list = line(&status, "Cpus_allowed_list:").map(parse_cpu_list).unwrap_or_default();
        Self {
            cpus,
            cpu_list: if cpu_list.is_empty() { (0..cpus).collect() } else { cpu_list },
            memory_bytes: [memory_of_machine(root), memory_of_cgroup(root)].into_iter().flatten().min(),
            descriptor_limit,
            rights: Rights::of_this_process(),
        }
    }
}

/// `MemTotal`, in bytes.
fn memory_of_machine(root: &Path) -> Option<u64> {
    let info = read(&root.join("proc/meminfo"));
    let total = line(&info, "MemTotal:")?.split_whitespace().next()?.parse::<u64>().ok()?;
    total.checked_mul(1024)
}

/// The lowest limit of the process's cgroup and of those that it lies in, of both versions.
fn memory_of_cgroup(root: &Path) -> Option<u64> {
    read(&root.join("proc/self/cgroup"))
        .lines()
        .filter_map(|entry| {
            // hierarchy:controllers:path; version 2 has no controllers here.
            let mut fields = entry.splitn(3, ':').skip(1);
            let (controllers, path) = (fields.next()?, fields.next()?);
            if controllers.is_empty() {
                lowest_limit(&root.join("sys/fs/cgroup"), path, "memory.max")
            } else if controllers.split(',').any(|controller| controller == "memory") {
                lowest_limit(&root.join("sys/fs/cgroup/memory"), path, "memory.limit_in_bytes")
            } else {
                None
            }
        })
        .min()
}

/// The lowest limit in `file` of the cgroup `path` and its parents. In a container without a namespace of
/// its own the path does not exist below the mount, whose root is then the container's cgroup: every step
/// up is tried, so that one is found.
fn lowest_limit(mount: &Path, path: &str, file: &str) -> Option<u64> {
    Path::new(path.trim_start_matches('/'))
        .ancestors()
        .filter_map(|step| read(&mount.join(step).join(file)).trim().parse::<u64>().ok())
        .filter(|limit| *limit < NO_LIMIT)
        .min()
}

/// The numbers in a list as the kernel writes it, e.g. `0-3,8`.
fn parse_cpu_list(list: &str) -> Vec<u32> {
    let mut numbers: Vec<u32> = list
        .trim()
        .split(',')
        .filter_map(|range| {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            Some(first.parse().ok()?..=last.parse::<u32>().ok()?.min(MOST_CPUS))
        })
        .flatten()
        .collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// A file, or nothing: not every kernel and container has each of them.
fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

/// What follows `label` on its line.
fn line<'a>(text: &'a str, label: &str) -> Option<&'a str> {
    text.lines().find_map(|line| line.strip_prefix(label))
}

/// Version 1 writes "no limit" as the largest number of pages; no machine has so much.
const NO_LIMIT: u64 = 1 << 60;
/// More than any kernel is built for: a list that says otherwise does not fill the memory.
const MOST_CPUS: u32 = 65_535;
