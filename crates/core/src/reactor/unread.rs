//! What was received of a connection and not cut yet.

use rotor_sys::memory::SharedBytes;

/// Bytes that come at the end and are taken from the front. What is behind is not moved each time that a little is taken:
/// at a stop there may be megabytes of small messages, which workers take one by one.
#[derive(Default)]
pub struct Unread {
    bytes: Vec<u8>,
    taken: usize,
}

impl Unread {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// All of them.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[self.taken..]
    }

    /// Puts more behind them.
    pub fn add(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// The same with what lies in shared memory.
    pub fn add_shared(&mut self, bytes: SharedBytes<'_>) {
        bytes.append_to(&mut self.bytes);
    }

    /// Takes so many away. An idle connection keeps no buffer.
    pub fn take(&mut self, len: usize) {
        self.taken += len;
        if self.taken >= self.bytes.len() {
            self.clear();
        } else if self.taken > self.bytes.len() / 2 {
            self.bytes.drain(..self.taken);
            self.taken = 0;
        }
    }

    /// Takes all of them away.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_first_is_taken_first_however_much_lies_behind_it() {
        // Moved for each of them, so many bytes would take hours.
        const WORDS: u32 = 4 << 20;
        let mut unread = Unread::default();
        let (mut added, mut taken) = (0, 0);
        while taken < WORDS {
            if added < WORDS && (added < WORDS / 2 || added % 3 != 0 || added <= taken + 3) {
                unread.add(&added.to_ne_bytes());
                added += 1;
                continue;
            }
            let len = (1 + taken as usize % 3).min((added - taken) as usize);
            for word in unread.bytes()[..4 * len].chunks(4) {
                assert_eq!(u32::from_ne_bytes(word.try_into().unwrap()), taken);
                taken += 1;
            }
            unread.take(4 * len);
            if added < WORDS {
                unread.add(&added.to_ne_bytes());
                added += 1;
            }
        }
        assert!(unread.is_empty() && unread.bytes().is_empty());
        assert_eq!(unread.bytes.capacity(), 0);
    }
}
