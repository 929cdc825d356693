//! What `ps` shows.

use ext_php_rs::types::{ZendStr, Zval};

use crate::zend;

/// Sets the title of this process; false when it could not be done. The caller guards it: it calls
/// a PHP function.
pub fn set(title: &str) -> bool {
    let mut text = Zval::new();
    text.set_zend_string(ZendStr::new(title, false));
    match zend::call_function("cli_set_process_title", &mut [text]) {
        Some(done) => done.bool() == Some(true),
        None => {
            // Elsewhere than under the CLI there is the kernel's name, of 15 bytes.
            rotor_sys::process::set_name(title);
            true
        }
    }
}
