//! What the extension has to know about the PHP it is built for.

use std::env;
use std::process::{Command, ExitCode};

use ext_php_rs_build::{ApiVersion, PHPInfo, emit_check_cfg, emit_php_cfg_flags, emit_rerun_if_env_changed, find_php};

fn main() -> ExitCode {
    emit_rerun_if_env_changed();
    emit_check_cfg();
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-env=ROTOR_PROFILE={}", env::var("PROFILE").unwrap_or_default());
    println!("cargo::rustc-env=ROTOR_TARGET={}", env::var("TARGET").unwrap_or_default());
    println!("cargo::rustc-env=ROTOR_RUSTC={}", rustc_version());
    match look_at_php() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            println!("cargo::error={message}");
            ExitCode::FAILURE
        }
    }
}

/// Finds the PHP that the environment names, and refuses one that Rotor cannot be loaded into.
fn look_at_php() -> Result<(), String> {
    let php = find_php().map_err(|error| format!("{error:#}; set PHP=/path/to/php to choose one"))?;
    let php_says = |error| format!("cannot read the output of `{} -i`: {error:#}", php.display());
    let info = PHPInfo::get(&php).map_err(php_says)?;
    if info.thread_safety().map_err(php_says)? {
        return Err(format!(
            "{} is built with thread safety (ZTS), and Rotor's processes need one without (NTS); set PHP=/path/to/php \
             to choose another",
            php.display()
        ));
    }
    let version = info.zend_version().map_err(php_says)?;
    emit_php_cfg_flags(ApiVersion::try_from(version).map_err(|error| format!("{error:#}"))?);
    println!("cargo::rustc-env=ROTOR_PHP={}", info.version().map_err(php_says)?);
    Ok(())
}

/// What the compiler calls itself, for the info page.
fn rustc_version() -> String {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    Command::new(rustc)
        .arg("--version")
        .output()
        .ok()
        .and_then(|output| String::from_utf8(output.stdout).ok())
        .map_or_else(|| "unknown".into(), |text| text.trim().to_owned())
}
