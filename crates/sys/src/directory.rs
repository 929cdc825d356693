//! The working directory, and the root directory.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The directory that the process works in, by the path that its user knows it by: `$PWD` as far as that is the same
/// directory, since it may go through links that the kernel has long forgotten.
pub fn current() -> io::Result<PathBuf> {
    let is_here = |path: &Path| {
        let (Ok(there), Ok(here)) = (path.metadata(), Path::new(".").metadata()) else { return false };
        (there.dev(), there.ino()) == (here.dev(), here.ino())
    };
    match std::env::var_os("PWD").map(PathBuf::from).filter(|path| path.is_absolute() && is_here(path)) {
        Some(path) => Ok(path),
        None => std::env::current_dir(),
    }
}

/// Makes `path` the directory that the process works in.
pub fn enter(path: &Path) -> io::Result<()> {
    std::env::set_current_dir(path)
}

/// Makes `path` the directory `/` of this process, and the one that it works in.
pub fn change_root(path: &Path) -> io::Result<()> {
    // Outside of the new root there must be nothing that a relative path could name.
    nix::unistd::chroot(path)?;
    nix::unistd::chdir("/")?;
    Ok(())
}
