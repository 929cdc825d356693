//! `user`, `group` and `chroot`: names become numbers here, before the first fork, and what cannot be done is refused.
//!
//! After the fork it would be too late: a new root may have no user database, and a worker that cannot become what it
//! was told would be respawned for ever.

use std::path::PathBuf;

use rotor_sys::credentials::{Account, Capability, Credentials, Groups, Rights, find_group};

use super::Names;
use super::error::{SettingError, Warning};
use super::table::Key;
use super::value::quote;

/// What workers and user processes become before any user code runs in them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// User and groups, as far as they are others than this process's.
    pub credentials: Credentials,
    /// Their root directory, if it is another one; absolute.
    pub root: Option<PathBuf>,
}

/// What was set; empty is nothing.
pub(super) struct Wanted {
    pub user: String,
    pub group: String,
    pub chroot: Option<PathBuf>,
}

/// What workers become, if that is something else than what this process is.
///
/// # Errors
/// When a name means nobody, the directory is none, or this process has no right to do it. Under the peer's names the
/// last is a warning, and nothing changes: the peer looks at these settings as root only.
pub(super) fn resolve(
    wanted: &Wanted,
    rights: &Rights,
    names: Names,
    warnings: &mut Vec<Warning>,
) -> Result<Identity, SettingError> {
    let account = account(Key::User, &wanted.user)?;
    let groups = groups(wanted, account.as_ref())?;
    if let Some(root) = &wanted.chroot
        && !root.is_dir()
    {
        let problem = format!("must be a directory that exists, {} is not", quote(&root.to_string_lossy()));
        return Err(unusable(Key::Chroot, problem));
    }
    let new_uid = account.map(|account| account.uid).filter(|new| *new != rights.uid);
    // Who is that user in that group already has the groups that he was given.
    let new_groups = groups.filter(|groups| new_uid.is_some() || groups.gid != rights.gid);
    let missing = [
        (Key::User, new_uid.is_some(), Capability::SetUid),
        (Key::Group, new_groups.is_some(), Capability::SetGid),
        (Key::Chroot, wanted.chroot.is_some(), Capability::Chroot),
    ]
    .into_iter()
    .find(|(_, is_needed, capability)| *is_needed && !rights.has(*capability));
    if let Some((key, _, capability)) = missing {
        let name = key.row().name;
        let why = format!("this process, of user {}, may not do it without {}", rights.uid, capability.name());
        if names == Names::Rotor {
            return Err(unusable(key, format!("cannot be honoured: {why}; start as root, or leave it out")));
        }
        let message = format!("user, group and chroot are ignored, for the sake of {name}: {why}");
        warnings.push(Warning { key: name.into(), message });
        return Ok(Identity::default());
    }
    if new_uid.is_some() && !rights.has(Capability::Kill) {
        let message = format!(
            "user: without {} this process cannot signal workers of another user: one that hangs is not ended by force",
            Capability::Kill.name()
        );
        warnings.push(Warning { key: Key::User.row().name.into(), message });
    }
    Ok(Identity { credentials: Credentials { uid: new_uid, groups: new_groups }, root: wanted.chroot.clone() })
}

/// The number of the user that a setting names; `None`: it names nobody.
pub(super) fn user_number(key: Key, name: &str) -> Result<Option<u32>, SettingError> {
    Ok(account(key, name)?.map(|account| account.uid))
}

/// The number of the group that a setting names; `None`: it names none.
pub(super) fn group_number(key: Key, name: &str) -> Result<Option<u32>, SettingError> {
    if name.is_empty() {
        return Ok(None);
    }
    let looked_up =
        find_group(name).map_err(|error| unusable(key, format!("{} cannot be looked up: {error}", quote(name))))?;
    looked_up.map(Some).ok_or_else(|| {
        let must = "must be the name or number of a group of this machine";
        unusable(key, format!("{must}, {} given (getent group)", quote(name)))
    })
}

fn account(key: Key, name: &str) -> Result<Option<Account>, SettingError> {
    if name.is_empty() {
        return Ok(None);
    }
    match Account::find(name) {
        Ok(Some(account)) => Ok(Some(account)),
        Ok(None) => Err(unusable(
            key,
            format!("must be the name or number of a user of this machine, {} given (getent passwd)", quote(name)),
        )),
        Err(error) => Err(unusable(key, format!("{} cannot be looked up: {error}", quote(name)))),
    }
}

fn groups(wanted: &Wanted, account: Option<&Account>) -> Result<Option<Groups>, SettingError> {
    let gid = match (group_number(Key::Group, &wanted.group)?, account) {
        (Some(gid), _) => gid,
        (None, None) => return Ok(None),
        (None, Some(account)) => account.gid.ok_or_else(|| {
            let user = quote(&wanted.user);
            unusable(Key::User, format!("is {user}, a number without a name, which has no group: set group as well"))
        })?,
    };
    let Some(account) = account else { return Ok(Some(Groups { gid, others: vec![gid] })) };
    account.groups(gid).map(Some).map_err(|error| {
        unusable(Key::User, format!("{}: its groups cannot be looked up: {error}", quote(&wanted.user)))
    })
}

fn unusable(key: Key, problem: String) -> SettingError {
    SettingError::Unusable { key: key.row().name, problem }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOT: Rights = Rights { uid: 0, gid: 0, capabilities: u64::MAX };
    const SOMEBODY: Rights = Rights { uid: 1000, gid: 100, capabilities: 0 };

    fn resolved(user: &str, group: &str, rights: &Rights) -> Result<Identity, SettingError> {
        let wanted = Wanted { user: user.into(), group: group.into(), chroot: None };
        resolve(&wanted, rights, Names::Rotor, &mut Vec::new())
    }

    #[test]
    fn what_a_process_is_already_changes_nothing() {
        assert_eq!(resolved("", "", &SOMEBODY).unwrap(), Identity::default());
        assert_eq!(resolved("1000", "100", &SOMEBODY).unwrap(), Identity::default());
        assert_eq!(resolved("root", "", &ROOT).unwrap(), Identity::default());
    }

    #[test]
    fn a_user_brings_his_groups_and_a_group_alone_is_the_only_one() {
        let identity = resolved("4111222333", "12", &ROOT).unwrap();
        let groups = Some(Groups { gid: 12, others: vec![12] });
        assert_eq!(identity.credentials, Credentials { uid: Some(4_111_222_333), groups: groups.clone() });
        assert_eq!(resolved("", "12", &ROOT).unwrap().credentials, Credentials { uid: None, groups });
        let nobody = resolved("nobody", "", &ROOT).unwrap().credentials;
        let groups = nobody.groups.unwrap();
        assert!(nobody.uid.is_some() && groups.others.contains(&groups.gid));
    }

    #[test]
    fn nobody_by_that_name_is_refused_whoever_asks() {
        for rights in [ROOT, SOMEBODY] {
            for (user, group, key) in [("no such user", "", "user"), ("", "no such group", "group")] {
                let error = resolved(user, group, &rights).unwrap_err();
                assert_eq!(error.key(), key);
                let begin =
                    format!("Rotor\\Server::start(): {key} must be the name or number of a {key} of this machine");
                assert!(error.to_string().starts_with(&begin), "{error}");
            }
        }
        let error = resolved("4111222333", "", &ROOT).unwrap_err();
        assert!(error.message().ends_with("has no group: set group as well"), "{error}");
    }

    #[test]
    fn who_lacks_the_right_is_told_so_and_under_the_names_of_the_peer_warned() {
        for (user, group, chroot, lacks, name) in [
            ("4111222333", "100", None, Capability::SetUid, "user"),
            ("", "12", None, Capability::SetGid, "group"),
            ("", "", Some("/"), Capability::Chroot, "chroot"),
        ] {
            let wanted = Wanted { user: user.into(), group: group.into(), chroot: chroot.map(PathBuf::from) };
            let mut rights = Rights { capabilities: u64::MAX, ..SOMEBODY };
            assert_ne!(resolve(&wanted, &rights, Names::Rotor, &mut Vec::new()).unwrap(), Identity::default());
            rights.capabilities &= !(1 << lacks as u8);
            let error = resolve(&wanted, &rights, Names::Rotor, &mut Vec::new()).unwrap_err().to_string();
            let expected = format!(
                "Rotor\\Server::start(): {name} cannot be honoured: this process, of user 1000, may not do it without {}; \
                 start as root, or leave it out",
                lacks.name()
            );
            assert_eq!(error, expected);
            let mut warnings = Vec::new();
            assert_eq!(resolve(&wanted, &rights, Names::Swoole, &mut warnings).unwrap(), Identity::default());
            assert_eq!(warnings.len(), 1);
        }
    }

    #[test]
    fn who_could_not_end_its_workers_is_warned() {
        let wanted = Wanted { user: "4111222333".into(), group: "12".into(), chroot: None };
        let rights = Rights { capabilities: !(1 << Capability::Kill as u8), ..ROOT };
        let mut warnings = Vec::new();
        resolve(&wanted, &rights, Names::Rotor, &mut warnings).unwrap();
        assert!(warnings[0].message.contains("without CAP_KILL"), "{warnings:?}");
    }

    #[test]
    fn a_root_that_is_no_directory_is_refused() {
        let wanted = Wanted { user: String::new(), group: String::new(), chroot: Some("/etc/passwd".into()) };
        let error = resolve(&wanted, &ROOT, Names::Rotor, &mut Vec::new()).unwrap_err();
        assert_eq!(error.message(), "chroot must be a directory that exists, \"/etc/passwd\" is not");
    }
}
