//! Engine functions that ext-php-rs does not bind. They resolve from the php binary at load.

use std::ffi::{c_char, c_int, c_void};

use ext_php_rs::ffi;

/// What the collector is told about an object's references.
#[repr(C)]
pub struct GcBuffer {
    pub cur: *mut ffi::zval,
    pub end: *mut ffi::zval,
    pub start: *mut ffi::zval,
}

unsafe extern "C" {
    // Arguments. The `_slow` halves reject nothing that the inline halves of the headers would have taken,
    // but do not look for the exact type first.
    pub fn zend_parse_arg_bool_slow(arg: *mut ffi::zval, dest: *mut bool, number: u32) -> bool;
    pub fn zend_parse_arg_long_slow(arg: *mut ffi::zval, dest: *mut i64, number: u32) -> bool;
    pub fn zend_parse_arg_double_slow(arg: *const ffi::zval, dest: *mut f64, number: u32) -> bool;
    pub fn zend_parse_arg_str_slow(arg: *mut ffi::zval, dest: *mut *mut ffi::zend_string, number: u32) -> bool;
    pub fn zend_parse_arg_str_or_long_slow(
        arg: *mut ffi::zval,
        string: *mut *mut ffi::zend_string,
        long: *mut i64,
        number: u32,
    ) -> bool;
    pub fn zend_wrong_parameter_type_error(number: u32, expected: ffi::_zend_expected_type, arg: *mut ffi::zval);
    pub fn zend_wrong_parameter_class_error(number: u32, name: *const c_char, arg: *mut ffi::zval);
    pub fn zend_argument_type_error(number: u32, format: *const c_char, ...);
    pub fn zend_zval_type_name(zval: *const ffi::zval) -> *const c_char;
    pub fn zend_unexpected_extra_named_error();
    pub fn zend_wrong_callback_error(number: u32, error: *mut c_char);

    // Calls.
    pub fn zend_call_function(fci: *mut ffi::zend_fcall_info, fcc: *mut ffi::zend_fcall_info_cache)
    -> ffi::zend_result;
    pub fn zend_fcall_info_init(
        callable: *mut ffi::zval,
        check_flags: u32,
        fci: *mut ffi::zend_fcall_info,
        fcc: *mut ffi::zend_fcall_info_cache,
        callable_name: *mut *mut ffi::zend_string,
        error: *mut *mut c_char,
    ) -> ffi::zend_result;
    pub fn zend_release_fcall_info_cache(fcc: *mut ffi::zend_fcall_info_cache);

    // Walking.
    pub fn zend_iterator_dtor(iterator: *mut ffi::zend_object_iterator);

    // Exceptions and exit.
    pub fn zend_exception_error(exception: *mut ffi::zend_object, severity: c_int) -> ffi::zend_result;
    pub fn zend_is_unwind_exit(exception: *const ffi::zend_object) -> bool;
    pub fn zend_throw_unwind_exit();
    pub fn zend_clear_exception();
    pub fn php_request_shutdown(unused: *mut c_void);

    // Time limits.
    pub fn zend_unset_timeout();
    pub fn zend_timeout() -> !;

    // Classes and objects.
    pub fn object_init_ex(zval: *mut ffi::zval, class: *mut ffi::zend_class_entry) -> ffi::zend_result;
    pub fn zend_iterator_init(iterator: *mut ffi::zend_object_iterator);
    pub fn zend_class_implements(class: *mut ffi::zend_class_entry, count: c_int, ...);
    pub fn zend_register_class_alias_ex(
        name: *const c_char,
        len: usize,
        class: *mut ffi::zend_class_entry,
        persistent: bool,
    ) -> ffi::zend_result;
    pub fn zend_declare_class_constant_long(
        class: *mut ffi::zend_class_entry,
        name: *const c_char,
        len: usize,
        value: i64,
    );
    pub fn zend_declare_property_null(
        class: *mut ffi::zend_class_entry,
        name: *const c_char,
        len: usize,
        access: c_int,
    );
    pub fn zend_declare_property_bool(
        class: *mut ffi::zend_class_entry,
        name: *const c_char,
        len: usize,
        value: i64,
        access: c_int,
    );
    pub fn zend_declare_property_long(
        class: *mut ffi::zend_class_entry,
        name: *const c_char,
        len: usize,
        value: i64,
        access: c_int,
    );
    pub fn zend_declare_property_double(
        class: *mut ffi::zend_class_entry,
        name: *const c_char,
        len: usize,
        value: f64,
        access: c_int,
    );
    pub fn zend_declare_property_stringl(
        class: *mut ffi::zend_class_entry,
        name: *const c_char,
        len: usize,
        value: *const c_char,
        value_len: usize,
        access: c_int,
    );
    pub fn zend_declare_typed_property(
        class: *mut ffi::zend_class_entry,
        name: *mut ffi::zend_string,
        default: *mut ffi::zval,
        access: c_int,
        doc_comment: *mut ffi::zend_string,
        type_: ffi::zend_type,
    ) -> *mut c_void;
    pub fn zend_update_property(
        scope: *mut ffi::zend_class_entry,
        object: *mut ffi::zend_object,
        name: *const c_char,
        len: usize,
        value: *mut ffi::zval,
    );
    pub fn zend_get_gc_buffer_create() -> *mut GcBuffer;
    pub fn zend_get_gc_buffer_grow(buffer: *mut GcBuffer);
    pub static spl_ce_RuntimeException: *mut ffi::zend_class_entry;

    // Modules, settings, output.
    pub static module_registry: ffi::HashTable;
    pub fn zend_register_internal_module(module: *mut ffi::zend_module_entry) -> *mut ffi::zend_module_entry;
    pub fn zend_startup_module_ex(module: *mut ffi::zend_module_entry) -> ffi::zend_result;
    pub fn zend_ini_long(name: *const c_char, len: usize, original: c_int) -> i64;
    pub fn zend_ini_string_ex(name: *const c_char, len: usize, original: c_int, exists: *mut bool) -> *const c_char;
    pub fn zend_alter_ini_entry_chars(
        name: *mut ffi::zend_string,
        value: *const c_char,
        len: usize,
        modify_type: c_int,
        stage: c_int,
    ) -> ffi::zend_result;
    pub fn zend_unregister_ini_entries(module: c_int);
    pub fn display_ini_entries(module: *mut ffi::zend_module_entry);
    pub fn php_output_flush_all();
    pub fn php_check_open_basedir_ex(path: *const c_char, warn: c_int) -> c_int;
    pub fn php_clear_stat_cache(clear_realpath_cache: bool, filename: *const c_char, len: usize);

    // Memory.
    pub fn zend_memory_usage(real: bool) -> usize;
    pub fn zend_set_memory_limit(limit: usize) -> ffi::zend_result;
    pub fn zend_mm_get_heap() -> *mut std::ffi::c_void;
    pub fn zend_mm_gc(heap: *mut std::ffi::c_void) -> usize;
}
