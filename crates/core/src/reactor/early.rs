//! What comes for a session before its reactor has seen its socket for the first time.
//!
//! The accept thread makes a session known first and adds its socket to the epoll after that, so another process may
//! find the session, send to it and close it while the reactor has no connection yet. Nor may the reactor make one
//! then: the accept thread still uses the descriptor. So what comes is kept, for the moment until the first event.

use std::collections::HashMap;
use std::rc::Rc;

use rotor_ipc::SessionId;
use rotor_ipc::payload::{Payload, PoolView};
use rotor_ipc::sessions::SessionsReader;

use super::connection::{Connection, Why};
use super::output::{FilePart, Output};
use super::share::Share;
use crate::disk::{FileJobs, Jobs, discard};

/// Everything that came too early.
#[derive(Default)]
pub(super) struct Early {
    sessions: HashMap<u64, Letters>,
}

#[derive(Default)]
struct Letters {
    output: Output,
    /// Whether it shall be closed, and by a reset.
    close: Option<bool>,
    /// Whether it shall be read.
    is_paused: Option<bool>,
}

impl Early {
    /// Whether `id`, of which there is no connection, will have one: it lives, but was not seen yet.
    pub(super) fn is_for(sessions: &SessionsReader, id: SessionId) -> bool {
        // A connection and its session are forgotten together.
        sessions.lives(id)
    }

    /// A worker sends.
    pub(super) fn send(&mut self, id: SessionId, payload: &Payload<'static>, pool: &PoolView, jobs: &Jobs) {
        let letters = self.sessions.entry(id.0).or_default();
        if letters.close.is_some() {
            discard(payload, jobs);
        } else {
            letters.output.push(payload, 0, !pool.is_short_for(payload), jobs);
        }
    }

    /// Somebody sends to it and to others.
    pub(super) fn send_shared(&mut self, id: SessionId, share: &Rc<Share>) {
        let letters = self.sessions.entry(id.0).or_default();
        if letters.close.is_none() {
            letters.output.push_shared(share, 0);
        }
    }

    /// The main thread sends.
    pub(super) fn send_private(&mut self, id: SessionId, bytes: Vec<u8>) {
        let letters = self.sessions.entry(id.0).or_default();
        if letters.close.is_none() {
            letters.output.push_private(bytes);
        }
    }

    /// Somebody sends a part of a file.
    pub(super) fn send_file(&mut self, id: SessionId, part: FilePart, jobs: &FileJobs) {
        let letters = self.sessions.entry(id.0).or_default();
        if letters.close.is_none() {
            letters.output.push_file(part, jobs);
        }
    }

    /// Somebody closes.
    pub(super) fn close(&mut self, id: SessionId, reset: bool) {
        let close = &mut self.sessions.entry(id.0).or_default().close;
        *close = Some(reset || *close == Some(true));
    }

    /// Somebody pauses or resumes.
    pub(super) fn pause(&mut self, id: SessionId, is_paused: bool) {
        self.sessions.entry(id.0).or_default().is_paused = Some(is_paused);
    }

    /// Gives a new connection what has come for it. Its first event says that it is writable, and so sends it.
    pub(super) fn hand_to(&mut self, connection: &mut Connection) {
        if self.sessions.is_empty() {
            return;
        }
        let Some(Letters { output, close, is_paused }) = self.sessions.remove(&connection.id.0) else { return };
        connection.is_paused = is_paused.unwrap_or(connection.is_paused);
        connection.output = output;
        connection.output.block();
        if let Some(reset) = close {
            connection.end_input(Why::Server);
            if reset && let Some(stream) = &connection.stream {
                // Without it the peer sees an orderly end, which is the second best.
                let _ = stream.reset_on_close();
                connection.output.clear();
            }
        }
    }

    /// Drops what came for sessions that could not be watched and are gone.
    pub(super) fn forget_gone(&mut self, sessions: &SessionsReader) {
        if !self.sessions.is_empty() {
            self.sessions.retain(|id, _| sessions.lives(SessionId(*id)));
        }
    }
}
