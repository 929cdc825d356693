//! The calls into the C library that the binding makes itself.

use std::ffi::{CStr, c_int};

/// Has `hook` called in each process that is forked from now on, before `fork` returns there.
pub fn after_fork_in_child(hook: extern "C" fn()) {
    // SAFETY: the hook is a function of this library, which is not unloaded before the process ends. It fails
    // when memory is short only, and then strangers are not told apart.
    unsafe { libc::pthread_atfork(None, None, Some(hook)) };
}

/// The CPUs of the machine, also those that this process may not use.
pub fn cpus_online() -> i64 {
    // SAFETY: asks for a number.
    unsafe { libc::sysconf(libc::_SC_NPROCESSORS_ONLN) }.max(1)
}

/// The resolver's words for a code of `getaddrinfo`.
pub fn describe_lookup_error(code: c_int) -> String {
    // SAFETY: gives a constant text for any number.
    unsafe { CStr::from_ptr(libc::gai_strerror(code)) }.to_string_lossy().into_owned()
}

/// The C library and its version.
pub fn c_library() -> String {
    if cfg!(target_env = "musl") {
        return "musl".into();
    }
    #[cfg(target_env = "gnu")]
    {
        // SAFETY: gives a constant text.
        let version = unsafe { CStr::from_ptr(libc::gnu_get_libc_version()) };
        format!("glibc {}", version.to_string_lossy())
    }
    #[cfg(not(target_env = "gnu"))]
    "unknown".into()
}
