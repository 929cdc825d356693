//! Messages that end with a terminator.
//!
//! A message, terminator included, lies within the first `limit` unread bytes or is refused. So only these
//! bytes are looked at, and the answer does not depend on how many more have come.

use std::sync::Arc;

use memchr::memmem::{self, Finder};

use super::{Cut, FrameError};

#[derive(Clone, Debug)]
pub(super) struct Eof {
    /// Shared by the connections of a port: a prepared search is larger than all the rest.
    terminator: Arc<Finder<'static>>,
    split: bool,
    limit: u64,
    /// The first so many unread bytes hold no whole terminator. Stays 0 when not splitting.
    searched: usize,
}

impl Eof {
    /// `terminator` is not empty.
    pub(super) fn new(terminator: &[u8], split: bool, limit: u64) -> Self {
        Self { terminator: Arc::new(Finder::new(terminator).into_owned()), split, limit, searched: 0 }
    }

    pub(super) fn next(&mut self, unread: &[u8]) -> Result<Cut, FrameError> {
        let window = &unread[..usize::try_from(self.limit).map_or(unread.len(), |limit| unread.len().min(limit))];
        let is_full = window.len() as u64 == self.limit;
        let end = if self.split { self.first_end(window) } else { self.glued_end(window, is_full) };
        match end {
            Some(end) => Ok(Cut::Message(end)),
            None if is_full => Err(FrameError::NoTerminator { limit: self.limit }),
            None => Ok(Cut::More { total: None }),
        }
    }

    pub(super) fn reset(&mut self) {
        self.searched = 0;
    }

    /// Where the first terminator ends.
    fn first_end(&mut self, window: &[u8]) -> Option<usize> {
        let needle = self.terminator.needle().len();
        // A terminator may have begun in the last bytes searched, but no earlier.
        let from = self.searched.saturating_sub(needle - 1).min(window.len());
        let end = self.terminator.find(&window[from..]).map(|at| from + at + needle);
        self.searched = if end.is_some() { 0 } else { window.len() };
        end
    }

    /// Where everything ends, if with a terminator. When no byte more may come, where the last terminator
    /// ends: the peer's messages before it are all within the limit, only their sum is not.
    fn glued_end(&self, window: &[u8], is_full: bool) -> Option<usize> {
        let needle = self.terminator.needle();
        if window.ends_with(needle) {
            Some(window.len())
        } else if is_full {
            memmem::rfind(window, needle).map(|at| at + needle.len())
        } else {
            None
        }
    }
}
