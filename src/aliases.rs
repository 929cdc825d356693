//! The peer's names, behind `rotor.swoole_aliases`: classes, constants, functions, and a module of its name,
//! so that applications find what they look for. Whichever name a script writes, the setting alone decides
//! whose manners are in force.

mod functions;

use std::ffi::{CStr, c_int};
use std::sync::atomic::{AtomicBool, Ordering};

use ext_php_rs::ffi;
use ext_php_rs::{info_table_end, info_table_row, info_table_start};
use rotor_core::settings::Names;

use crate::zend::{self, Module};
use crate::{codes, connections, errors, event_object, port, process, server};

/// The version of the peer whose behaviour is followed, in its three forms.
const VERSION: &CStr = c"6.2.2";
const VERSION_ID: i64 = 60202;

/// Whose manners are in force.
pub fn names() -> Names {
    if ACTIVE.load(Ordering::Relaxed) { Names::Swoole } else { Names::Rotor }
}

static MODULE: Module = Module::new(c"swoole", VERSION, &functions::FUNCTIONS, startup, info);

static ACTIVE: AtomicBool = AtomicBool::new(false);

/// Registers the peer's names. The last step of module startup: it needs the classes.
///
/// # Errors
/// Says what stands in the way.
pub fn register() -> Result<(), String> {
    if zend::module_is_loaded("swoole") {
        return Err("the swoole extension is loaded; load one of the two, or set rotor.swoole_aliases=0".into());
    }
    for (class, alias) in [
        (&server::CLASS, "Swoole\\Server"),
        (&port::CLASS, "Swoole\\Server\\Port"),
        (&event_object::EVENT, "Swoole\\Server\\Event"),
        (&event_object::PACKET, "Swoole\\Server\\Packet"),
        (&event_object::STATUS_INFO, "Swoole\\Server\\StatusInfo"),
        (&process::CLASS, "Swoole\\Process"),
        (&connections::CLASS, "Swoole\\Connection\\Iterator"),
        (&errors::EXCEPTION, "Swoole\\Exception"),
    ] {
        if !class.alias(alias) {
            return Err(format!("the class {alias} exists already"));
        }
    }
    if !MODULE.register() {
        return Err("the module swoole could not be registered".into());
    }
    zend::ignore_surplus_arguments();
    ACTIVE.store(true, Ordering::Relaxed);
    Ok(())
}

/// The constants, which then belong to the module `swoole`.
unsafe extern "C" fn startup(_type: c_int, module: c_int) -> ffi::zend_result {
    for (name, value) in server::CONSTANTS {
        let bare = name.strip_prefix("MODE_").unwrap_or(name);
        zend::register_constant(&format!("SWOOLE_{bare}"), *value, module);
    }
    for (name, value) in CONSTANTS {
        zend::register_constant(name, *value, module);
    }
    for (name, value) in codes::CONSTANTS {
        zend::register_constant(&format!("SWOOLE_ERROR_{}", as_the_peer_spells(name)), value, module);
    }
    zend::register_text_constant("SWOOLE_VERSION", VERSION, module);
    zend::register_text_constant("SWOOLE_EXTRA_VERSION", c"", module);
    ffi::ZEND_RESULT_CODE_SUCCESS
}

/// The page of `php --ri swoole`.
unsafe extern "C" fn info(_module: *mut ffi::zend_module_entry) {
    info_table_start!();
    info_table_row!("Swoole", "names served by Rotor (rotor.swoole_aliases)");
    info_table_row!("Version", VERSION.to_string_lossy().into_owned());
    info_table_row!("Rotor", env!("CARGO_PKG_VERSION"));
    info_table_row!("coroutine", "not there");
    info_table_end!();
}

/// The peer's name for a code, with its slips of the pen.
fn as_the_peer_spells(code: &str) -> &str {
    match code {
        "SSL_CANNOT_USE_SENDFILE" => "SSL_CANNOT_USE_SENFILE",
        "SERVER_SEND_TO_WORKER_TIMEOUT" => "SERVER_SEND_TO_WOKER_TIMEOUT",
        _ => code,
    }
}

/// What is no class constant.
const CONSTANTS: &[(&str, i64)] = &[
    ("SWOOLE_VERSION_ID", VERSION_ID),
    ("SWOOLE_MAJOR_VERSION", VERSION_ID / 10000),
    ("SWOOLE_MINOR_VERSION", VERSION_ID / 100 % 100),
    ("SWOOLE_RELEASE_VERSION", VERSION_ID % 100),
    ("SWOOLE_TCP", 1),
    ("SWOOLE_UDP", 2),
    ("SWOOLE_TCP6", 3),
    ("SWOOLE_UDP6", 4),
    ("SWOOLE_UNIX_STREAM", 5),
    ("SWOOLE_UNIX_DGRAM", 6),
    ("SWOOLE_SSL_SSLv2", 2),
    ("SWOOLE_SSL_SSLv3", 4),
    ("SWOOLE_SSL_TLSv1", 8),
    ("SWOOLE_SSL_TLSv1_1", 16),
    ("SWOOLE_SSL_DTLS", 128),
    ("SWOOLE_STRERROR_SYSTEM", functions::STRERROR_SYSTEM),
    ("SWOOLE_STRERROR_GAI", functions::STRERROR_GAI),
    ("SWOOLE_STRERROR_SWOOLE", functions::STRERROR_SWOOLE),
];
