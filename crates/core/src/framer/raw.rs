//! No framing: what is there is a message.

use super::Cut;

/// Everything, or a wait when there is nothing.
pub(super) fn next(unread: &[u8]) -> Cut {
    if unread.is_empty() { Cut::More { total: None } } else { Cut::Message(unread.len()) }
}
