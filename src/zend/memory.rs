//! Whether a string fits into what `memory_limit` leaves.

use std::mem::offset_of;

use ext_php_rs::ffi;

use super::api;

/// Whether a string of `len` bytes can be made without the fatal error of `memory_limit`.
pub fn string_fits(len: usize) -> bool {
    // SAFETY: the main thread; `memory_limit` follows `ini_set`.
    let limit = unsafe { (*ffi::ext_php_rs_process_globals()).memory_limit };
    let Ok(limit) = usize::try_from(limit) else { return true };
    let Some(size) = len.checked_add(offset_of!(ffi::zend_string, val) + 1) else { return false };
    // SAFETY: reads two counters.
    let used = unsafe { api::zend_memory_usage(true) };
    // Whatever the size, the allocator takes at most this from the system for it.
    if size.checked_add(used).and_then(|sum| sum.checked_add(CHUNK)).is_some_and(|sum| sum <= limit) {
        return true;
    }
    // SAFETY: gives back what the allocator keeps for later.
    let used = unsafe {
        api::zend_mm_gc(api::zend_mm_get_heap());
        api::zend_memory_usage(true)
    };
    if size > CHUNK - LARGEST_PAGE {
        // A block of its own, in whole pages.
        return size
            .checked_next_multiple_of(LARGEST_PAGE)
            .and_then(|size| size.checked_add(used))
            .is_some_and(|sum| sum <= limit);
    }
    try_allocation(size, limit)
}

/// Below the size of a chunk only the allocator knows whether it has room left or needs another chunk. So
/// the limit is lifted, the allocation made, and the limit put back.
fn try_allocation(size: usize, limit: usize) -> bool {
    // SAFETY: nothing else runs in between, and a single chunk more does not exhaust the address space.
    unsafe {
        if api::zend_set_memory_limit(usize::MAX >> 1) != ffi::ZEND_RESULT_CODE_SUCCESS {
            return false;
        }
        let block = ffi::_emalloc(size);
        let fits = api::zend_memory_usage(true) <= limit;
        ffi::_efree(block);
        // Above the limit the first call gives back the chunk that was kept, and does no more than that.
        api::zend_set_memory_limit(limit);
        api::zend_set_memory_limit(limit);
        fits
    }
}

/// The allocator's unit towards the system.
const CHUNK: usize = 2 << 20;
/// At least a page, on any machine.
const LARGEST_PAGE: usize = 64 << 10;
