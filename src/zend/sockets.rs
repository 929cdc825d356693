//! Objects of the extension sockets, which is not linked to: it may not be there, and is found by its symbols.

use std::ffi::{CStr, c_int, c_void};
use std::mem::transmute;
use std::os::fd::{IntoRawFd, OwnedFd};

use ext_php_rs::ffi;
use ext_php_rs::types::Zval;

use super::{api, module_is_loaded};

/// A `Socket` that has a descriptor; `None` where the extension is not loaded.
pub fn socket_object(fd: OwnedFd) -> Option<Zval> {
    if !module_is_loaded("sockets") {
        return None;
    }
    let class = find(c"socket_ce")?.cast::<*mut ffi::zend_class_entry>();
    let import = find(c"socket_import_file_descriptor")?;
    // SAFETY: the extension's public function, as its header declares it: 0 is a failure.
    let import = unsafe { transmute::<*mut c_void, unsafe extern "C" fn(c_int, *mut c_void) -> c_int>(import) };
    let mut zval = Zval::new();
    // SAFETY: the variable holds the class since that module's start. The object lies at the offset that its handlers
    // name behind the extension's own structure, which the function fills; it looks at the descriptor, which is a
    // socket, and so has nothing to warn of. The object owns the descriptor from then on, and closes it.
    unsafe {
        if (*class).is_null() || api::object_init_ex(&raw mut zval, *class) != ffi::ZEND_RESULT_CODE_SUCCESS {
            return None;
        }
        let object = zval.value.obj;
        let offset = usize::try_from((*(*object).handlers).offset).ok()?;
        (import(fd.into_raw_fd(), object.byte_sub(offset).cast()) != 0).then_some(zval)
    }
}

/// A symbol of whatever this process has loaded.
fn find(name: &CStr) -> Option<*mut c_void> {
    // SAFETY: a C string; PHP loads extensions so that all others see their symbols.
    let symbol = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    (!symbol.is_null()).then_some(symbol)
}
