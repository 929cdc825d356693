//! What user code decides about how a connection is read, and what it is told of its output: `pause()`, `resume()`, and
//! the events of the watermarks.

use rotor_ipc::SessionId;
use rotor_ipc::record::Kind;
use rotor_ipc::ring::Broken;

use super::Reactor;
use super::connection::{Connection, Input, Posted, Why};
use super::early::Early;

impl Reactor {
    /// Reads a session no more, or again.
    pub(super) fn on_pause(&mut self, id: SessionId, is_paused: bool) -> Result<(), Broken> {
        let Some(mut connection) = self.take(id) else {
            if Early::is_for(&self.sessions, id) {
                self.early.pause(id, is_paused);
            }
            return Ok(());
        };
        if connection.is_paused != is_paused {
            connection.is_paused = is_paused;
            if !is_paused {
                self.go_on(&mut connection)?;
            }
        }
        self.settle(connection)
    }

    /// A paused connection broke. What its peer has sent is not read any more: nobody has asked for it.
    pub(super) fn on_broken_while_paused(&self, connection: &mut Connection) {
        let errno = connection.stream.as_ref().and_then(|stream| stream.take_error().ok()).unwrap_or(0);
        self.sessions.set_close_errno(connection.id, errno);
        connection.end_input(Why::PeerReset);
        connection.output.clear();
    }

    /// Notes whether so much waits for the peer that the worker wants to know. Between the watermarks it stays as it was.
    pub(super) fn note_level(&self, connection: &mut Connection) {
        let port = self.settings.port(usize::from(connection.port));
        let bytes = connection.output.bytes();
        if bytes >= port.buffer_high_watermark {
            connection.is_full = true;
        } else if bytes <= port.buffer_low_watermark {
            connection.is_full = false;
        }
    }

    /// Whether the worker is to be told of the level: only if it differs from what it was told last.
    pub(super) fn owes_level(&self, connection: &Connection) -> bool {
        connection.is_full != connection.told_full
            && connection.posted == Posted::Connect
            // The end of a roaming one is on its way.
            && (connection.input == Input::Open || connection.roaming.is_none())
            && self.wanted.level.get(usize::from(connection.port)).is_some_and(|wants| *wants)
    }

    /// Tells the worker of the level, or has that wait for room.
    pub(super) fn post_level(&mut self, connection: &mut Connection) -> Result<(), Broken> {
        if connection.is_spilling || connection.intro.is_some() {
            // It is pumped when that is over.
            return Ok(());
        }
        if !self.may_post(connection) {
            self.wait_for_lane(connection);
            return Ok(());
        }
        let kind = if connection.is_full { Kind::BufferFull } else { Kind::BufferEmpty };
        if self.post_plain(connection, kind, connection.port)?.is_some() {
            connection.told_full = connection.is_full;
        }
        Ok(())
    }

    /// Whether messages of the connection are cut and posted now: what is held back waits, unless the input is over.
    pub(super) fn is_cut(connection: &Connection) -> bool {
        connection.input != Input::Open || !connection.is_held && !connection.is_paused
    }
}
