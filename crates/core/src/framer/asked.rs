//! Messages whose length user code tells.
//!
//! It is shown a part of what has come, first a small one: it is called for every message, and behind the one that it is
//! asked for there may be thousands of others. Where that does not do, it is shown twice as much, until there is no more.

use super::{Cut, FrameError};

/// The first look at a message.
const FIRST_LOOK: usize = 4 << 10;

#[derive(Clone, Debug)]
pub(super) struct Asked {
    limit: u64,
    /// So many bytes did not do.
    shown: usize,
    /// What was told, for as long as the message is the first of the unread; 0: nothing yet.
    total: u64,
}

impl Asked {
    pub(super) fn new(limit: u64) -> Self {
        Self { limit, shown: 0, total: 0 }
    }

    pub(super) fn next(&self, unread: &[u8]) -> Result<Cut, FrameError> {
        if self.total != 0 {
            return Ok(match usize::try_from(self.total) {
                Ok(end) if end <= unread.len() => Cut::Message(end),
                _ => Cut::More { total: Some(self.total) },
            });
        }
        let all = usize::try_from(self.limit).map_or(unread.len(), |limit| unread.len().min(limit));
        if self.shown < all {
            return Ok(Cut::Ask(self.shown.saturating_mul(2).clamp(FIRST_LOOK, usize::MAX).min(all)));
        }
        if all as u64 == self.limit {
            Err(FrameError::NotFound { limit: self.limit })
        } else {
            Ok(Cut::More { total: None })
        }
    }

    /// What user code has told of the first `shown` bytes.
    pub(super) fn answer(&mut self, shown: usize, length: i64) -> Result<(), FrameError> {
        match u64::try_from(length) {
            Ok(0) => {
                self.shown = shown;
                Ok(())
            }
            Ok(length) if length <= self.limit => {
                self.total = length;
                Ok(())
            }
            Ok(length) => Err(FrameError::TooLarge { length, limit: self.limit }),
            Err(_) => Err(FrameError::Refused { length }),
        }
    }

    pub(super) fn reset(&mut self) {
        self.shown = 0;
        self.total = 0;
    }
}
