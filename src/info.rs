//! The page of `php --ri rotor`.

use std::panic::catch_unwind;

use ext_php_rs::zend::ModuleEntry;
use ext_php_rs::{info_table_end, info_table_header, info_table_row, info_table_start};

use crate::zend;

/// Prints the page.
pub unsafe extern "C" fn show(module: *mut ModuleEntry) {
    // A panic must not cross into C.
    let _ = catch_unwind(|| {
        info_table_start!();
        info_table_row!("Rotor", "enabled");
        info_table_row!("Version", env!("CARGO_PKG_VERSION"));
        info_table_row!("Build", format!("{}, {}", env!("ROTOR_PROFILE"), env!("ROTOR_RUSTC")));
        info_table_row!("Built for", concat!("PHP ", env!("ROTOR_PHP"), " NTS, ", env!("ROTOR_TARGET")));
        info_table_row!("C library", zend::c_library());
        info_table_end!();
        info_table_start!();
        info_table_header!("Feature", "State");
        for (feature, state) in FEATURES {
            info_table_row!(feature, state);
        }
        info_table_end!();
    });
    // SAFETY: the entry that PHP passed.
    unsafe { zend::show_ini_entries(module) };
}

/// What is there, and what applications written for the peer will miss.
const FEATURES: [(&str, &str); 10] = [
    ("PROCESS mode", "yes"),
    ("TCP over IPv4 and IPv6", "yes"),
    ("framing by terminator, by length field, by a function", "yes"),
    ("BASE mode", "not yet"),
    ("more than one port, unix sockets, UDP", "yes"),
    ("TLS 1.2 and 1.3", "yes"),
    ("task workers, timers", "not yet"),
    ("HTTP, WebSocket", "not yet"),
    ("coroutines", "no: callbacks run one after the other in each worker"),
    ("THREAD mode", "no"),
];
