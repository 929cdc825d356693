//! What PHP remembers of code, and how a new process comes to load what is there now.
//!
//! Three things stand between a file that has changed and a process that was forked after that: the realpath cache,
//! which the fork has copied; opcache, which all processes of the server share; and what the master has loaded, which
//! stays old because it is in the process itself.
//!
//! opcache is made for requests and learns of changes at the beginning of one. A server has no second request:
//!
//! - Its clock stands still, so that with `validate_timestamps` a script is looked at once and never again, and with
//!   `file_update_protection` nothing that is younger than the server is ever kept.
//! - `opcache_reset()` only asks for a restart at the next request. It would never come, and until then nothing new is
//!   kept. It could not come either: processes that live run code that lies in the cache.
//! - It finds scripts by the path that was written down, also where links on that path lead elsewhere by now.
//!
//! So the manager has the scripts forgotten whose files have changed ([`Code::renew`]), and the new process looks links
//! up and keeps what is new ([`Code::enter`]). While it starts it compares the times of files once more, since an old
//! process may have kept an old file in between ([`Code::started`]); later it does not, as `include` in a callback
//! should cost what it did. What was forgotten keeps its memory. Where that runs out, new processes do without
//! opcache: what they run has to be right first.

use std::collections::{HashMap, HashSet};
use std::ffi::{CStr, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use ext_php_rs::types::{ZendHashTable, ZendStr, Zval};

use crate::zend;

/// What is known of the code in opcache.
#[derive(Debug, Default)]
pub struct Code {
    /// Each script that was there at a look, with its file as it was then, and so before it was compiled again.
    seen: HashMap<Vec<u8>, Option<Stamp>>,
    /// New processes have to do without opcache.
    is_apart: bool,
}

/// A file, as it is told from what it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    /// Tools that copy or unpack files set the other time back.
    changed: (i64, i64),
}

/// A script of which opcache is to forget what it has compiled.
struct Stale {
    path: Vec<u8>,
    stamp: Option<Stamp>,
}

impl Code {
    /// Has opcache forget the scripts whose files are not those any more that it has read. To be called in the manager,
    /// before it forks a process that is to run what is there now; the caller guards it against bailouts.
    ///
    /// `Some`: why new processes do without opcache.
    pub fn renew(&mut self) -> Option<String> {
        zend::forget_paths();
        // Else the list of scripts does not tell them.
        zend::set_ini(c"opcache.validate_timestamps", c"1");
        let trouble = if is_caching() { self.forget_stale().err() } else { None };
        self.is_apart = trouble.is_some();
        trouble
    }

    /// Makes a process that was just forked see the code that is there now; the caller guards it against bailouts. Under
    /// another root paths mean other files, and opcache knows files by their paths.
    pub fn enter(&self, has_other_root: bool) {
        zend::forget_paths();
        if !is_caching() {
            return;
        }
        if self.is_apart || has_other_root {
            zend::set_ini(c"opcache.enable", c"0");
            return;
        }
        zend::set_ini(c"opcache.revalidate_path", c"1");
        zend::set_ini(c"opcache.file_update_protection", c"0");
        zend::set_ini(c"opcache.validate_timestamps", c"1");
        zend::set_ini(c"opcache.revalidate_freq", c"0");
    }

    /// The process has loaded what it begins with; the caller guards it against bailouts. Its clock stands still: with
    /// any other interval than none, no script is looked at again.
    pub fn started() {
        if is_caching() {
            zend::set_ini(c"opcache.revalidate_freq", c"2");
        }
    }

    fn forget_stale(&mut self) -> Result<(), String> {
        if !zend::ini_text(c"opcache.restrict_api").is_empty() {
            return Err("opcache.restrict_api keeps the server from having changed scripts forgotten".into());
        }
        let Some(status) = status(false)? else { return Ok(()) };
        let Some(table) = status.array() else { return Ok(()) };
        if ["cache_full", "restart_pending", "restart_in_progress"].into_iter().any(|key| flag(table, key)) {
            return Err("opcache is full (opcache.memory_consumption, opcache.max_accelerated_files)".into());
        }
        let scripts =
            entry(table, "opcache_statistics").map_or(0, |statistics| number(statistics, "num_cached_scripts"));
        if !zend::string_fits(scripts.saturating_mul(BYTES_PER_SCRIPT)) {
            return Err(format!("memory_limit has no room for the list of the {scripts} scripts in opcache"));
        }
        let free = entry(table, "memory_usage").map_or(0, |memory| number(memory, "free_memory"));
        let Some(status) = self::status(true)? else { return Ok(()) };
        let Some(table) = status.array() else { return Ok(()) };
        let (stale, bytes) = self.stale(table);
        // Compiled anew they take as much again, and forgetting more than there is room for would ask for a restart.
        if bytes > free {
            return Err(format!(
                "opcache has {} KiB left, and the scripts that have changed need {} KiB (opcache.memory_consumption)",
                free / 1024,
                bytes / 1024
            ));
        }
        for Stale { path, stamp } in stale {
            let mut forced = Zval::new();
            forced.set_bool(true);
            if zend::call_function("opcache_invalidate", &mut [text(&path), forced]).is_none() {
                return Err("opcache_invalidate() is among disable_functions".into());
            }
            self.seen.insert(path, stamp);
        }
        Ok(())
    }

    /// What is to be forgotten, and how many bytes it takes.
    fn stale(&self, status: &ZendHashTable) -> (Vec<Stale>, usize) {
        // Classes and functions of preloaded scripts are there in every process: loaded again they would clash.
        let preloaded: HashSet<&[u8]> = entry(status, "preload_statistics")
            .and_then(|preload| entry(preload, "scripts"))
            .map(|scripts| zend::values(scripts).filter_map(Zval::zend_str).map(ZendStr::as_bytes).collect())
            .unwrap_or_default();
        let mut bytes = 0;
        let mut stale = Vec::new();
        for script in entry(status, "scripts").into_iter().flat_map(zend::values).filter_map(Zval::array) {
            let Some(path) = script.get("full_path").and_then(Zval::zend_str).map(ZendStr::as_bytes) else { continue };
            if preloaded.contains(path) {
                continue;
            }
            let stamp = Stamp::of(path);
            // When the file was written that it was compiled from, in seconds; 0 where nobody has noted it.
            let written = script.get("timestamp").and_then(Zval::long).unwrap_or(0);
            let is_older = stamp.is_some_and(|stamp| written != 0 && written != stamp.modified.0);
            if is_older || self.seen.get(path) != Some(&stamp) {
                bytes += number(script, "memory_consumption");
                stale.push(Stale { path: path.to_vec(), stamp });
            }
        }
        (stale, bytes)
    }
}

impl Stamp {
    /// The file at a path as opcache has it; `None` when there is none.
    fn of(path: &[u8]) -> Option<Self> {
        let path = Path::new(OsStr::from_bytes(path.strip_prefix(b"file://").unwrap_or(path)));
        let metadata = match path.strip_prefix("phar:") {
            // The archive is the file, and the rest of the path lies in it.
            Ok(inside) => {
                let inside = Path::new("/").join(inside.strip_prefix("/").unwrap_or(inside));
                inside.ancestors().find_map(|path| path.metadata().ok())?
            }
            Err(_) => path.metadata().ok()?,
        };
        Some(Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        })
    }
}

/// Whether this process uses opcache at all.
fn is_caching() -> bool {
    let is_on = |name: &CStr| zend::ini_flag(name);
    zend::module_is_loaded("zend opcache") && is_on(c"opcache.enable_cli") && is_on(c"opcache.enable")
}

/// `opcache_get_status()`; `None` when opcache does not work in this process.
fn status(with_scripts: bool) -> Result<Option<Zval>, String> {
    let mut flag = Zval::new();
    flag.set_bool(with_scripts);
    match zend::call_function("opcache_get_status", &mut [flag]) {
        Some(status) if status.is_array() => Ok(Some(status)),
        Some(_) => Ok(None),
        None => Err("opcache_get_status() is among disable_functions".into()),
    }
}

fn entry<'a>(table: &'a ZendHashTable, key: &str) -> Option<&'a ZendHashTable> {
    table.get(key)?.array()
}

fn flag(table: &ZendHashTable, key: &str) -> bool {
    table.get(key).and_then(Zval::bool).unwrap_or(false)
}

fn number(table: &ZendHashTable, key: &str) -> usize {
    table.get(key).and_then(Zval::long).and_then(|number| usize::try_from(number).ok()).unwrap_or(0)
}

fn text(bytes: &[u8]) -> Zval {
    let mut zval = Zval::new();
    zval.set_zend_string(ZendStr::new(bytes, false));
    zval
}

/// What an entry of the list of scripts takes: a path twice, an array of seven, and what the allocator adds.
const BYTES_PER_SCRIPT: usize = 2048;
