//! What is read from the system's files, with made-up ones.

use std::fs;
use std::path::PathBuf;

use rotor_sys::credentials::Rights;

use super::super::Machine;

/// A root of its own, with `files`; removed at the end.
struct Root(PathBuf);

impl Root {
    fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let root = std::env::temp_dir().join(format!("rotor-machine-{}-{name}", std::process::id()));
        for (file, text) in files {
            let path = root.join(file);
            fs::create_dir_all(path.parent().expect("has a name")).unwrap();
            fs::write(path, text).unwrap();
        }
        Self(root)
    }

    fn machine(&self) -> Machine {
        Machine::detect_under(&self.0, 2, 1024)
    }
}

impl Drop for Root {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const MEMINFO: (&str, &str) = ("proc/meminfo", "MemTotal:       16777216 kB\nMemFree:            1024 kB\n");

#[test]
fn the_machine_has_what_the_kernel_says() {
    let root = Root::new("plain", &[MEMINFO, ("proc/self/status", "Name:\tphp\nCpus_allowed_list:\t0-2,8\n")]);
    let machine = root.machine();
    assert_eq!(
        machine,
        Machine {
            cpus: 2,
            cpu_list: vec![0, 1, 2, 8],
            memory_bytes: Some(16 << 30),
            descriptor_limit: 1024,
            rights: Rights::of_this_process(),
        }
    );
}

#[test]
fn nothing_is_made_up_where_there_is_no_proc() {
    let machine = Root::new("empty", &[]).machine();
    assert_eq!((machine.cpu_list, machine.memory_bytes), (vec![0, 1], None));
}

#[test]
fn the_lowest_limit_of_the_cgroup_and_its_parents_counts() {
    let root = Root::new(
        "v2",
        &[
            MEMINFO,
            ("proc/self/cgroup", "0::/system.slice/app.service\n"),
            ("sys/fs/cgroup/system.slice/app.service/memory.max", "max\n"),
            ("sys/fs/cgroup/system.slice/memory.max", "1073741824\n"),
        ],
    );
    assert_eq!(root.machine().memory_bytes, Some(1 << 30));
}

#[test]
fn in_a_container_the_root_of_the_mount_is_its_cgroup() {
    let root = Root::new(
        "container",
        &[MEMINFO, ("proc/self/cgroup", "0::/docker/0123abcd\n"), ("sys/fs/cgroup/memory.max", "536870912\n")],
    );
    assert_eq!(root.machine().memory_bytes, Some(512 << 20));
}

#[test]
fn version_1_is_read_and_its_absence_of_a_limit_understood() {
    let cgroup = ("proc/self/cgroup", "11:cpu,cpuacct:/a\n4:memory:/a\n1:name=systemd:/a\n");
    let limit = "sys/fs/cgroup/memory/a/memory.limit_in_bytes";
    let root = Root::new("v1", &[MEMINFO, cgroup, (limit, "268435456\n")]);
    assert_eq!(root.machine().memory_bytes, Some(256 << 20));

    let root = Root::new("v1-none", &[MEMINFO, cgroup, (limit, "9223372036854771712\n")]);
    assert_eq!(root.machine().memory_bytes, Some(16 << 30));
}

#[test]
fn this_machine_has_a_cpu_and_memory() {
    let machine = Machine::detect(1024);
    assert!(machine.cpus >= 1 && !machine.cpu_list.is_empty() && machine.memory_bytes > Some(1 << 20));
    assert_eq!(machine.descriptor_limit, 1024);
}
