//! Who a process is: its user and its groups; and what it may do beyond them.

use std::io;

use nix::unistd::{Gid, Group, Uid, User};

use crate::check;

/// What a process is to become. What is `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Credentials {
    /// The user.
    pub uid: Option<u32>,
    /// The group, and the supplementary ones.
    pub groups: Option<Groups>,
}

/// A process's groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Groups {
    /// The one that new files belong to.
    pub gid: u32,
    /// The supplementary ones.
    pub others: Vec<u32>,
}

/// What has failed on the way to other credentials.
#[derive(Debug)]
pub struct Failure {
    /// What was to be done, e.g. `become user 33`.
    pub doing: String,
    /// The kernel's answer.
    pub error: io::Error,
}

impl Credentials {
    /// Makes the calling process what this says, for good: nothing of its former rights is left to come back to.
    ///
    /// The parent-death signal is cleared by it, and so is the permission to dump core. A process that has failed here
    /// is neither this nor that, and has to end.
    pub fn take_on(&self) -> Result<(), Failure> {
        let failed = |doing: String| move |errno: nix::Error| Failure { doing, error: errno.into() };
        if let Some(Groups { gid, others }) = &self.groups {
            let others: Vec<Gid> = others.iter().copied().map(Gid::from_raw).collect();
            let gid = Gid::from_raw(*gid);
            nix::unistd::setgroups(&others)
                .and_then(|()| nix::unistd::setresgid(gid, gid, gid))
                .map_err(failed(format!("become group {gid}")))?;
        }
        if let Some(uid) = self.uid {
            let user = Uid::from_raw(uid);
            nix::unistd::setresuid(user, user, user).map_err(failed(format!("become user {user}")))?;
            if uid != 0 {
                // The kernel takes root's capabilities away with root, but not those that somebody else was given.
                drop_capabilities().map_err(|error| Failure { doing: "give up capabilities".into(), error })?;
            }
        }
        Ok(())
    }
}

/// Who a process is, and what it may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rights {
    /// The user.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// The effective capabilities, a bit each.
    pub capabilities: u64,
}

impl Rights {
    /// The calling process's.
    pub fn of_this_process() -> Self {
        let mut sets = [CapabilitySets::default(); 2];
        let header = CapabilityHeader::of_this_process();
        // SAFETY: the kernel reads the header and writes two sets, which is what this version has. It fails for
        // versions that it does not know only, and then there are no capabilities here.
        let _ = unsafe { libc::syscall(libc::SYS_capget, &raw const header, sets.as_mut_ptr()) };
        Self {
            uid: Uid::effective().as_raw(),
            gid: Gid::effective().as_raw(),
            capabilities: u64::from(sets[0].effective) | u64::from(sets[1].effective) << 32,
        }
    }

    /// Whether it may do this.
    pub fn has(&self, capability: Capability) -> bool {
        self.capabilities & 1 << capability as u8 != 0
    }
}

/// A user that the machine knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The number.
    pub uid: u32,
    /// The group; `None` where only the number is known.
    pub gid: Option<u32>,
    name: Option<std::ffi::CString>,
}

impl Account {
    /// Finds a user by name, or by a number, which nobody needs to have a name for. `None`: there is none.
    pub fn find(name: &str) -> io::Result<Option<Self>> {
        let known = |user: User| Self {
            uid: user.uid.as_raw(),
            gid: Some(user.gid.as_raw()),
            name: std::ffi::CString::new(user.name).ok(),
        };
        if let Some(user) = User::from_name(name)? {
            return Ok(Some(known(user)));
        }
        let Some(uid) = number(name) else { return Ok(None) };
        let user = User::from_uid(Uid::from_raw(uid))?.map_or(Self { uid, gid: None, name: None }, known);
        Ok(Some(user))
    }

    /// The groups of a process of this user whose group is `gid`, as a login would give them.
    pub fn groups(&self, gid: u32) -> io::Result<Groups> {
        let others = match &self.name {
            Some(name) => nix::unistd::getgrouplist(name, Gid::from_raw(gid))?.into_iter().map(Gid::as_raw).collect(),
            None => vec![gid],
        };
        Ok(Groups { gid, others })
    }
}

/// The number of a group by its name, or by a number, which nobody needs to have a name for.
pub fn find_group(name: &str) -> io::Result<Option<u32>> {
    Ok(Group::from_name(name)?.map(|group| group.gid.as_raw()).or_else(|| number(name)))
}

/// The largest number means "leave it as it is" to the kernel.
fn number(text: &str) -> Option<u32> {
    text.parse().ok().filter(|number| *number != u32::MAX && text.bytes().all(|byte| byte.is_ascii_digit()))
}

/// What a process may do beyond its user's rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Capability {
    /// Signal processes of other users.
    Kill = 5,
    /// Become another group.
    SetGid = 6,
    /// Become another user.
    SetUid = 7,
    /// Change the root directory.
    Chroot = 18,
}

impl Capability {
    /// The kernel's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kill => "CAP_KILL",
            Self::SetGid => "CAP_SETGID",
            Self::SetUid => "CAP_SETUID",
            Self::Chroot => "CAP_SYS_CHROOT",
        }
    }
}

/// Lets the kernel write core dumps of this process, and processes of the same user trace it. A change of
/// credentials takes that away, since what the process has read before may be more than its user may see.
pub fn set_dumpable(is_dumpable: bool) -> io::Result<()> {
    nix::sys::prctl::set_dumpable(is_dumpable)?;
    Ok(())
}

fn drop_capabilities() -> io::Result<()> {
    let sets = [CapabilitySets::default(); 2];
    let header = CapabilityHeader::of_this_process();
    // SAFETY: the kernel reads a header and two sets, which is what this version has. Ambient capabilities go with
    // the permitted ones.
    check(unsafe { libc::syscall(libc::SYS_capset, &raw const header, sets.as_ptr()) })?;
    Ok(())
}

/// `struct __user_cap_header_struct` of linux/capability.h.
#[repr(C)]
struct CapabilityHeader {
    version: u32,
    pid: i32,
}

impl CapabilityHeader {
    fn of_this_process() -> Self {
        // _LINUX_CAPABILITY_VERSION_3
        Self { version: 0x2008_0522, pid: 0 }
    }
}

/// `struct __user_cap_data_struct`: 32 capabilities, in three sets.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct CapabilitySets {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_and_groups_are_found_by_name_and_by_number() {
        let root = Account::find("root").unwrap().unwrap();
        assert_eq!((root.uid, root.gid), (0, Some(0)));
        assert_eq!(Account::find("0").unwrap().unwrap(), root);
        assert_eq!(find_group("root").unwrap(), Some(0));
        assert_eq!(find_group("0").unwrap(), Some(0));
        assert_eq!(root.groups(7).unwrap().gid, 7);
        assert!(root.groups(7).unwrap().others.contains(&7));
    }

    #[test]
    fn what_is_neither_a_name_nor_a_number_is_nobody() {
        for name in ["", "no such user", "-1", "+5", " 0", "4294967295", "4294967296"] {
            assert_eq!(Account::find(name).unwrap(), None, "{name:?}");
            assert_eq!(find_group(name).unwrap(), None, "{name:?}");
        }
        let stranger = Account::find("4111222333").unwrap().unwrap();
        assert_eq!((stranger.uid, stranger.gid), (4_111_222_333, None));
        assert_eq!(stranger.groups(12).unwrap(), Groups { gid: 12, others: vec![12] });
    }

    #[test]
    fn a_process_has_the_rights_that_the_kernel_says() {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let held = status.lines().find_map(|line| line.strip_prefix("CapEff:")).unwrap();
        let rights = Rights::of_this_process();
        assert_eq!(rights.capabilities, u64::from_str_radix(held.trim(), 16).unwrap());
        let of = |capability: Capability| Rights { capabilities: 1 << capability as u8, ..rights };
        assert!(of(Capability::Chroot).has(Capability::Chroot) && !of(Capability::Chroot).has(Capability::Kill));
    }
}
