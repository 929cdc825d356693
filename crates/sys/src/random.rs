//! Numbers that differ from process to process, also after a fork.

/// A number from 0 to `most`, both included.
pub fn up_to(most: u64) -> u64 {
    let mut bytes = [0; 8];
    // SAFETY: eight writable bytes, which the kernel fills or, with an error, leaves at zero.
    unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), bytes.len(), 0) };
    let number = u64::from_ne_bytes(bytes);
    most.checked_add(1).map_or(number, |count| number % count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_numbers_come_and_none_above() {
        let mut seen = [false; 4];
        for _ in 0..1000 {
            seen[usize::try_from(up_to(3)).unwrap()] = true;
        }
        assert_eq!(seen, [true; 4]);
        assert_eq!(up_to(0), 0);
    }
}
