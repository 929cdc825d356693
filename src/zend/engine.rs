//! The engine's odds and ends: its state, its settings, its modules.

use std::cell::UnsafeCell;
use std::ffi::{CStr, c_char, c_int};
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use ext_php_rs::ffi;
use ext_php_rs::types::{ZendHashTable, ZendObject, ZendStr, Zval};
use ext_php_rs::zend::try_catch;

use super::iterate::values;
use super::{ClassRef, Functions, api};

/// Whether an exception, or an exit, is under way.
pub fn exception_is_pending() -> bool {
    // SAFETY: the main thread of a process without thread safety: the globals are a plain structure.
    unsafe { !(*ffi::ext_php_rs_executor_globals()).exception.is_null() }
}

/// Whether `exit()` is under way.
pub fn exit_is_pending() -> bool {
    // SAFETY: as above; the pointer is checked first.
    unsafe {
        let exception = (*ffi::ext_php_rs_executor_globals()).exception;
        !exception.is_null() && api::zend_is_unwind_exit(exception)
    }
}

/// Ends the process as `exit(code)` does: shutdown functions and destructors run once the caller has
/// returned to PHP. Needs a running PHP frame.
pub fn request_exit(code: i32) {
    // SAFETY: called from a method, so PHP frames are there to unwind; a pending exception would be chained
    // to the exit and shown, so it goes first.
    unsafe {
        api::zend_clear_exception();
        (*ffi::ext_php_rs_executor_globals()).exit_status = code;
        api::zend_throw_unwind_exit();
    }
}

/// Ends the process from where it is, as the end of a script does: shutdown functions and destructors run. `code`
/// unless they choose another; `None`: what `exit()` or a fatal error has chosen.
pub fn end_process(code: Option<i32>) -> ! {
    // SAFETY: the main thread. An exit that is under way would keep shutdown functions from running, so it goes first.
    // The engine guards each step of its end by itself; what is below on the stack is never returned to.
    unsafe {
        if exception_is_pending() {
            api::zend_clear_exception();
        }
        let status = &raw mut (*ffi::ext_php_rs_executor_globals()).exit_status;
        if let Some(code) = code {
            *status = code;
        }
        let _ = try_catch(|| api::php_request_shutdown(ptr::null_mut()));
        rotor_sys::process::exit_now(*status)
    }
}

/// Whether something waits for the next safe point of a running script: a signal handler of PHP code.
pub fn interrupt_is_pending() -> bool {
    interrupt_flag().load(Ordering::Relaxed)
}

/// Runs what waits for the next safe point. The caller guards it against bailouts, and has nothing at hand that needs to be
/// dropped.
pub fn run_interrupt() {
    if interrupt_flag().swap(false, Ordering::AcqRel) {
        if timeout_flag().load(Ordering::Relaxed) {
            // The fatal error of a time limit. The engine looks at it at safe points alone, and ends a process that does not
            // come to one in time without anything.
            // SAFETY: under the caller's guard.
            unsafe { api::zend_timeout() };
        }
        // SAFETY: set at module startup, constant since.
        if let Some(hook) = unsafe { ffi::zend_interrupt_function } {
            // SAFETY: between two callbacks the frame is that of `start()`.
            unsafe { hook((*ffi::ext_php_rs_executor_globals()).current_execute_data) };
        }
    }
}

/// Ends the time limit of the script (`set_time_limit()`, `max_execution_time`), if it has one.
pub fn end_time_limit() {
    // SAFETY: stops a timer.
    unsafe { api::zend_unset_timeout() };
}

/// Has the running script stop at its next safe point, for [`at_safe_points`]. May be called in a signal handler.
pub fn ask_for_safe_point() {
    interrupt_flag().store(true, Ordering::Release);
}

/// Runs `hook` at safe points of a running script, before what others have there. Module startup only: compiled code
/// never learns of a hook that comes later.
pub fn at_safe_points(hook: fn()) {
    // SAFETY: module startup, with one thread.
    let before = unsafe { (&raw mut ffi::zend_interrupt_function).replace(Some(at_safe_point)) };
    // The module starts once.
    let _ = SAFE_POINT.set((hook, before));
}

unsafe extern "C" fn at_safe_point(frame: *mut ffi::zend_execute_data) {
    if let Some((hook, next)) = SAFE_POINT.get() {
        hook();
        if let Some(next) = next {
            // SAFETY: called as the engine would have called it.
            unsafe { next(frame) };
        }
    }
}

type SafePoint = unsafe extern "C" fn(*mut ffi::zend_execute_data);

static SAFE_POINT: OnceLock<(fn(), Option<SafePoint>)> = OnceLock::new();

fn interrupt_flag() -> &'static AtomicBool {
    // SAFETY: the byte is a plain bool in PHP 8.1 and an atomic one later; signal handlers write it.
    unsafe { &*(&raw mut (*ffi::ext_php_rs_executor_globals()).vm_interrupt).cast::<AtomicBool>() }
}

fn timeout_flag() -> &'static AtomicBool {
    // SAFETY: as above.
    unsafe { &*(&raw mut (*ffi::ext_php_rs_executor_globals()).timed_out).cast::<AtomicBool>() }
}

/// Until it is dropped, code that runs in this process is outside of any fiber that runs now: it can begin fibers of its
/// own, but cannot suspend that one.
#[must_use]
pub struct OutsideFibers(*mut ffi::zend_fiber);

impl OutsideFibers {
    /// From now on.
    pub fn enter() -> Self {
        // SAFETY: the main thread; the engine looks here for the fiber that is to be suspended, and nowhere else.
        unsafe {
            let active = &raw mut (*ffi::ext_php_rs_executor_globals()).active_fiber;
            Self(active.replace(ptr::null_mut()))
        }
    }
}

impl Drop for OutsideFibers {
    fn drop(&mut self) {
        // SAFETY: the fiber that this still runs in.
        unsafe { (*ffi::ext_php_rs_executor_globals()).active_fiber = self.0 };
    }
}

/// The name of what PHP runs in, e.g. `cli`.
pub fn sapi() -> &'static str {
    // SAFETY: a C string that the SAPI module keeps for the life of the process.
    unsafe { CStr::from_ptr((*ffi::ext_php_rs_sapi_module()).name) }.to_str().unwrap_or("unknown")
}

/// Writes out what output buffers hold, and keeps the buffers.
pub fn flush_output() {
    // SAFETY: an output handler may run PHP code; the caller guards it against bailouts.
    unsafe { api::php_output_flush_all() };
}

/// Forgets what this process knows of paths: which files there are, and where links lead.
pub fn forget_paths() {
    // SAFETY: no name: all of them.
    unsafe { api::php_clear_stat_cache(true, ptr::null(), 0) };
}

/// Whether `open_basedir` lets this process open a path.
pub fn may_open(path: &CStr) -> bool {
    // SAFETY: reads the path, which ends with NUL, and settings; without a warning nothing of PHP's runs.
    unsafe { api::php_check_open_basedir_ex(path.as_ptr(), 0) == 0 }
}

/// Whether a boolean php.ini setting is on.
pub fn ini_flag(name: &CStr) -> bool {
    let bytes = name.to_bytes();
    // SAFETY: reads a registered setting; "on", "yes" and "true" have become 1 when php.ini was parsed.
    unsafe { api::zend_ini_long(name.as_ptr(), bytes.len(), 0) != 0 }
}

/// A php.ini setting; empty when there is none of that name.
pub fn ini_text(name: &CStr) -> Vec<u8> {
    let len = name.to_bytes().len();
    // SAFETY: reads a setting; the text lives until somebody changes it, and is copied before.
    unsafe {
        let text = api::zend_ini_string_ex(name.as_ptr(), len, 0, ptr::null_mut());
        if text.is_null() { Vec::new() } else { CStr::from_ptr(text).to_bytes().to_vec() }
    }
}

/// Sets a php.ini setting until the end of this process, as `ini_set()` does. One that does not exist, or may not be
/// changed by scripts, stays as it is. The caller guards it against bailouts.
pub fn set_ini(name: &CStr, value: &CStr) {
    let name = ZendStr::new(name.to_bytes(), false);
    let bytes = value.to_bytes();
    // SAFETY: the engine copies the value, and takes references of its own to the name.
    unsafe {
        api::zend_alter_ini_entry_chars(
            ptr::from_ref::<ZendStr>(&name).cast_mut(),
            value.as_ptr(),
            bytes.len(),
            USER,
            RUNTIME,
        )
    };
}

/// `ZEND_INI_USER`: what a script may change.
const USER: c_int = 1;
/// `ZEND_INI_STAGE_RUNTIME`: by a running script.
const RUNTIME: c_int = 1 << 4;

/// Forgets the module's settings. Module shutdown only.
pub fn unregister_ini_entries(module: c_int) {
    // SAFETY: the number that the engine passed to the shutdown function.
    unsafe { api::zend_unregister_ini_entries(module) };
}

/// Prints the module's settings on its info page.
///
/// # Safety
/// `module` is the entry that the engine passed to the info function.
pub unsafe fn show_ini_entries(module: *mut ffi::zend_module_entry) {
    // SAFETY: by the caller's promise.
    unsafe { api::display_ini_entries(module) };
}

/// Sets a declared property, however visible.
pub fn set_property(class: &ClassRef, object: *mut ZendObject, name: &str, mut value: Zval) {
    // SAFETY: a live object of the class; the engine takes a reference of its own to the value. The old
    // value's destructor may run PHP code: the caller guards it, or is a method that holds nothing.
    unsafe {
        api::zend_update_property(class.get(), object, name.as_ptr().cast(), name.len(), &raw mut value);
    }
}

/// A copy of a property's value.
pub fn property(class: &ClassRef, object: *mut ZendObject, name: &str) -> Zval {
    let mut room = Zval::new();
    // SAFETY: a live object of the class; what is read is copied before anything else runs.
    unsafe {
        let found = ffi::zend_read_property(class.get(), object, name.as_ptr().cast(), name.len(), true, &raw mut room);
        (*found).dereference().shallow_clone()
    }
}

/// Whether a module with this lower-case name is loaded, or about to be.
pub fn module_is_loaded(name: &str) -> bool {
    // SAFETY: the engine's table of modules, filled before the first module starts.
    unsafe { !ffi::zend_hash_str_find(&raw const api::module_registry, name.as_ptr().cast(), name.len()).is_null() }
}

/// The loaded modules and their versions, in the order in which they were loaded.
pub fn extensions() -> Vec<(String, String)> {
    // SAFETY: the engine's table of modules, which does not change once scripts run.
    let modules = unsafe { &*(&raw const api::module_registry).cast::<ZendHashTable>() };
    let text = |text: *const c_char| {
        if text.is_null() {
            return String::new();
        }
        // SAFETY: a C string that the module keeps as long as it is loaded.
        unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
    };
    values(modules)
        .filter_map(|module| {
            // SAFETY: every value of this table is a pointer to a module.
            let module = unsafe { module.value.ptr.cast::<ffi::zend_module_entry>().as_ref() }?;
            Some((text(module.name), text(module.version)))
        })
        .collect()
}

/// A module inside ours. The engine keeps a pointer to it, so it has to be a static.
pub struct Module(UnsafeCell<ffi::zend_module_entry>);

// SAFETY: written at module startup only, when there is one thread.
unsafe impl Sync for Module {}

impl Module {
    /// A module that has functions, and constants that its startup registers.
    #[expect(clippy::cast_possible_truncation, reason = "the engine's own type for the size of its structure")]
    pub const fn new<const N: usize>(
        name: &'static CStr,
        version: &'static CStr,
        functions: &'static Functions<N>,
        startup: unsafe extern "C" fn(c_int, c_int) -> ffi::zend_result,
        info: unsafe extern "C" fn(*mut ffi::zend_module_entry),
    ) -> Self {
        Self(UnsafeCell::new(ffi::zend_module_entry {
            size: size_of::<ffi::zend_module_entry>() as u16,
            zend_api: ffi::ZEND_MODULE_API_NO,
            zend_debug: ext_php_rs::PHP_DEBUG as u8,
            zts: ext_php_rs::PHP_ZTS as u8,
            ini_entry: ptr::null(),
            deps: ptr::null(),
            name: name.as_ptr(),
            functions: functions.as_ptr(),
            module_startup_func: Some(startup),
            module_shutdown_func: None,
            request_startup_func: None,
            request_shutdown_func: None,
            info_func: Some(info),
            version: version.as_ptr(),
            globals_size: 0,
            globals_ptr: ptr::null_mut(),
            globals_ctor: None,
            globals_dtor: None,
            post_deactivate_func: None,
            module_started: 0,
            type_: 0,
            handle: ptr::null_mut(),
            module_number: 0,
            build_id: ptr::null(),
        }))
    }

    /// Registers and starts it. Startup of the outer module only; false when it failed.
    pub fn register(&'static self) -> bool {
        // SAFETY: module startup, with one thread. The entry points to constants. Both functions leave no
        // module as the current one, which the outer module still is.
        unsafe {
            (*self.0.get()).build_id = ffi::ext_php_rs_php_build_id();
            let globals = ffi::ext_php_rs_executor_globals();
            let outer = (*globals).current_module;
            let registered = api::zend_register_internal_module(self.0.get());
            let started =
                !registered.is_null() && api::zend_startup_module_ex(registered) == ffi::ZEND_RESULT_CODE_SUCCESS;
            (*globals).current_module = outer;
            started
        }
    }
}

/// Calls a PHP function by its name; `None` when there is none. The caller guards it against bailouts.
pub fn call_function(name: &str, args: &mut [Zval]) -> Option<Zval> {
    // SAFETY: looks the name up, and loads nothing.
    if unsafe { ffi::zend_fetch_function_str(name.as_ptr().cast(), name.len()) }.is_null() {
        return None;
    }
    let mut result = Zval::new();
    let mut function_name = Zval::new();
    function_name.set_zend_string(ZendStr::new(name, false));
    let mut fci = ffi::zend_fcall_info {
        size: size_of::<ffi::zend_fcall_info>(),
        function_name,
        retval: &raw mut result,
        params: args.as_mut_ptr(),
        object: ptr::null_mut(),
        param_count: u32::try_from(args.len()).ok()?,
        named_params: ptr::null_mut(),
    };
    // SAFETY: a complete description of the call; arguments and result stay ours.
    unsafe { api::zend_call_function(&raw mut fci, ptr::null_mut()) };
    Some(result)
}

/// Registers a constant of a module. Module startup only.
pub fn register_constant(name: &str, value: i64, module: c_int) {
    // SAFETY: module startup; the engine copies the name.
    unsafe { ffi::zend_register_long_constant(name.as_ptr().cast(), name.len(), value, PERSISTENT, module) };
}

/// Registers a constant that is a string. Module startup only.
pub fn register_text_constant(name: &str, value: &'static CStr, module: c_int) {
    // SAFETY: as above; the value is copied.
    unsafe {
        ffi::zend_register_string_constant(name.as_ptr().cast(), name.len(), value.as_ptr(), PERSISTENT, module);
    }
}

/// `CONST_PERSISTENT`: the constant lives as long as the module.
const PERSISTENT: c_int = 1;
