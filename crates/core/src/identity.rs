//! What a worker or user process becomes in the first instant of its life: its directory, its root, its user.

use std::io;
use std::path::{Path, PathBuf};

use crate::process::Context;

/// Makes the process that was just forked what the settings say, before any user code runs in it.
///
/// It clears the parent-death signal and closes `/proc` where the root changes: the one is asked for afterwards, the
/// other used before.
pub(crate) fn take_on(context: &Context) -> io::Result<()> {
    let identity = &context.settings.identity;
    if let Some(root) = &identity.root {
        rotor_sys::directory::change_root(root).map_err(|error| {
            io::Error::new(error.kind(), format!("cannot make {} the root directory: {error}", root.display()))
        })?;
        context.log.enter_root(root);
    }
    // With the rights of who started the server: it may well be a directory that the user cannot find by its path.
    enter_directory(context, identity.root.as_deref());
    let credentials = &identity.credentials;
    credentials.take_on().map_err(|failure| {
        io::Error::new(failure.error.kind(), format!("cannot {}: {}", failure.doing, failure.error))
    })?;
    if credentials.uid.is_some() && context.settings.process_dumpable {
        rotor_sys::credentials::set_dumpable(true)?;
    }
    Ok(())
}

/// Enters the working directory anew, by its path as of `start()`: a deploy may have put another one there. Where there
/// is none, the process stays in the one that it was forked in.
fn enter_directory(context: &Context, root: Option<&Path>) {
    let Some(directory) = &context.directory else { return };
    let Some(directory) = below(root, directory) else { return };
    if let Err(error) = rotor_sys::directory::enter(&directory) {
        let path = directory.display();
        context.log.warning(&format!("cannot enter the working directory {path}: {error}; stays where it was"));
    }
}

/// The path of `directory` as seen from `root`; `None` when it lies outside.
fn below(root: Option<&Path>, directory: &Path) -> Option<PathBuf> {
    match root {
        None => Some(directory.to_owned()),
        Some(root) => directory.strip_prefix(root).ok().map(|rest| Path::new("/").join(rest)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_found_again_under_a_new_root_if_it_lies_there() {
        let below = |root: Option<&str>, directory| below(root.map(Path::new), Path::new(directory));
        assert_eq!(below(None, "/srv/current"), Some("/srv/current".into()));
        assert_eq!(below(Some("/srv"), "/srv/current"), Some("/current".into()));
        assert_eq!(below(Some("/srv"), "/srv"), Some("/".into()));
        assert_eq!(below(Some("/srv"), "/srvs/current"), None);
        assert_eq!(below(Some("/srv/jail"), "/srv"), None);
    }
}
