//! Sending: what the workers have posted in one batch leaves in one write for each connection, straight from the
//! segment where the socket takes it.

use std::io;
use std::rc::Rc;

use rotor_ipc::SessionId;
use rotor_ipc::payload::{Payload, PoolView};
use rotor_ipc::ring::Broken;
use rotor_sys::socket::{MAX_PIECES, Piece, Stream};

use super::connection::Connection;
use super::output::{Broke, FilePart, Output, Sent};
use super::share::Share;
use super::{Reactor, add};
use crate::disk::{Job, Jobs, discard};
use crate::tls::MOST_SEALED;

/// What was taken from the inbox and is not sent yet. Its lanes are released once it is.
#[derive(Default)]
pub(super) struct Batch {
    pieces: Vec<BatchPiece>,
    dirty: Vec<SessionId>,
    /// Small pieces of one connection are put together here.
    gather: Vec<u8>,
}

struct BatchPiece {
    bytes: Source,
    /// The connection's next piece; `NONE` behind its last.
    next: u32,
}

enum Source {
    /// What was sent to this connection alone.
    Own { payload: Payload<'static>, pool: PoolView },
    /// What was sent to others, too.
    Shared(Rc<Share>),
}

impl Source {
    fn len(&self) -> usize {
        match self {
            Self::Own { payload, .. } => payload.len(),
            Self::Shared(share) => share.len(),
        }
    }

    /// The bytes for a write; `None` where they are on the disk.
    fn piece(&self) -> Option<Piece<'_>> {
        match self {
            Self::Own { payload: Payload::Inline(bytes) | Payload::Block { bytes, .. }, .. } => {
                Some(Piece::Shared(*bytes))
            }
            Self::Own { payload: Payload::Spill { .. }, .. } => None,
            Self::Shared(share) => share.piece(0),
        }
    }

    /// Gives it back: it is sent, or a copy of it will be. Of what is shared, that is done with the batch.
    fn free(&self) {
        if let Self::Own { payload, .. } = self {
            payload.free();
        }
    }

    /// Gives it back, wherever it is: it will not be sent.
    fn discard(&self, jobs: &Jobs) {
        if let Self::Own { payload, .. } = self {
            discard(payload, jobs);
        }
    }

    /// Puts what `sent` bytes have left behind what waits. It may stay where it is for a slow peer if its pool has others
    /// like it.
    fn queue(&self, output: &mut Output, sent: usize, jobs: &Jobs) {
        match self {
            Self::Own { payload, pool } => output.push(payload, sent, !pool.is_short_for(payload), jobs),
            Self::Shared(share) => output.push_shared(share, sent),
        }
    }
}

const NONE: u32 = u32::MAX;
/// Up to so many bytes it is cheaper to copy pieces together than to hand the kernel a list of them.
const GATHER_LIMIT: usize = 64 << 10;

impl Reactor {
    /// Puts a payload behind what the connection has in this batch.
    pub(super) fn add_to_batch(&mut self, connection: &mut Connection, payload: Payload<'static>, pool: PoolView) {
        self.add_source_to_batch(connection, Source::Own { payload, pool });
    }

    /// The same for what others get, too.
    pub(super) fn add_shared_to_batch(&mut self, connection: &mut Connection, share: Rc<Share>) {
        self.add_source_to_batch(connection, Source::Shared(share));
    }

    fn add_source_to_batch(&mut self, connection: &mut Connection, bytes: Source) {
        let Ok(place) = u32::try_from(self.batch.pieces.len()) else {
            bytes.queue(&mut connection.output, 0, &self.jobs);
            return;
        };
        self.batch.pieces.push(BatchPiece { bytes, next: NONE });
        connection.batch = match connection.batch {
            None => Some((place, place)),
            Some((first, last)) => {
                self.batch.pieces[last as usize].next = place;
                Some((first, place))
            }
        };
        if !connection.is_dirty {
            connection.is_dirty = true;
            self.batch.dirty.push(connection.id);
        }
    }

    /// Puts a part of a file behind what the connection has in this batch: that goes to its queue, and so does all that
    /// comes behind.
    pub(super) fn add_file_to_batch(&mut self, connection: &mut Connection, part: FilePart) {
        if let Some((first, _)) = connection.batch.take() {
            self.queue_pieces(connection, first, 0);
        }
        connection.output.push_file(part, &self.files.jobs);
        if !connection.is_dirty {
            connection.is_dirty = true;
            self.batch.dirty.push(connection.id);
        }
    }

    /// Puts pieces of the batch, from one on, behind what waits.
    fn queue_pieces(&self, connection: &mut Connection, first: u32, mut offset: usize) {
        let mut at = first;
        while at != NONE {
            let piece = &self.batch.pieces[at as usize];
            piece.bytes.queue(&mut connection.output, std::mem::take(&mut offset), &self.jobs);
            at = piece.next;
        }
    }

    /// Frees what a connection has in this batch without sending it.
    pub(super) fn forget_batch(&mut self, connection: &mut Connection) {
        let Some((first, _)) = connection.batch.take() else { return };
        let mut at = first;
        while at != NONE {
            let piece = &self.batch.pieces[at as usize];
            piece.bytes.discard(&self.jobs);
            at = piece.next;
        }
    }

    /// Sends the batch and gives the lanes' room back.
    pub(super) fn send_batch(&mut self) -> Result<(), Broken> {
        self.send_dirty()?;
        self.send_datagrams();
        self.release_lanes();
        Ok(())
    }

    /// Sends what connections have in the batch, which is empty then.
    pub(super) fn send_dirty(&mut self) -> Result<(), Broken> {
        let dirty = std::mem::take(&mut self.batch.dirty);
        for id in &dirty {
            let Some(mut connection) = self.take(*id) else { continue };
            connection.is_dirty = false;
            self.send_pieces(&mut connection);
            self.settle(connection)?;
        }
        self.batch.dirty = dirty;
        self.batch.dirty.clear();
        self.batch.pieces.clear();
        Ok(())
    }

    /// Sends what waits in the connection's queue.
    pub(super) fn send_queued(&mut self, connection: &mut Connection) {
        let Some(stream) = &connection.stream else { return };
        if connection.tls.is_some() {
            self.send_secured(connection);
        } else if !connection.output.is_empty() && !connection.output.is_blocked() {
            match connection.output.send(stream) {
                Ok(sent) => self.has_sent(connection, sent),
                Err(Broke::Socket(error)) => {
                    self.broke(connection, &error);
                    return;
                }
                Err(Broke::File(error)) => {
                    self.on_file_failed(connection, &error);
                    return;
                }
            }
        }
        self.read_ahead(connection);
        if let Some(wanted) = connection.output.wanted() {
            let job = Job::Read {
                session: connection.id,
                file: wanted.file,
                offset: wanted.offset,
                len: wanted.len,
                reply: self.reply.clone(),
            };
            // The helper outlives the reactors.
            let _ = self.jobs.send(job);
        }
        self.note_queue(connection);
    }

    fn send_pieces(&mut self, connection: &mut Connection) {
        // A file has had what came before it queued.
        let Some((first, last)) = connection.batch.take() else { return self.send_queued(connection) };
        let Some(stream) = &connection.stream else {
            connection.batch = Some((first, last));
            self.forget_batch(connection);
            return;
        };
        let mut at = first;
        if connection.tls.is_some() {
            return self.send_pieces_secured(connection, first, last);
        }
        if connection.output.is_empty() && !connection.output.is_blocked() {
            match self.batch.send(stream, first) {
                Ok(Progress { next, sent_of_next, total, is_blocked }) => {
                    self.count_sent(connection, total);
                    at = next;
                    if is_blocked {
                        connection.output.block();
                    }
                    if at == NONE {
                        return;
                    }
                    if sent_of_next > 0 {
                        let piece = &self.batch.pieces[at as usize];
                        piece.bytes.queue(&mut connection.output, sent_of_next, &self.jobs);
                        at = piece.next;
                    }
                }
                Err(error) => {
                    connection.batch = Some((first, last));
                    self.forget_batch(connection);
                    self.broke(connection, &error);
                    return;
                }
            }
        }
        self.queue_pieces(connection, at, 0);
        self.send_queued(connection);
    }

    /// The same with TLS: as much as the socket takes is encrypted, and no more.
    fn send_pieces_secured(&mut self, connection: &mut Connection, first: u32, last: u32) {
        let (Some(stream), Some(tls)) = (&connection.stream, connection.tls.as_deref_mut()) else { return };
        let (mut at, mut offset, mut total) = (first, 0, 0);
        if connection.output.is_empty() && !connection.output.is_blocked() && tls.waiting() == 0 {
            let mut result = Ok(true);
            while at != NONE && matches!(result, Ok(true)) {
                (at, offset) = self.batch.gather(at, offset, MOST_SEALED);
                if self.batch.gather.is_empty() {
                    break;
                }
                result = tls.send(stream, &self.batch.gather, &mut self.room, &mut total);
            }
            self.count_sent(connection, total);
            match result {
                Ok(true) => {}
                Ok(false) => connection.output.block(),
                Err(error) => {
                    if at != NONE {
                        connection.batch = Some((at, last));
                        self.forget_batch(connection);
                    }
                    self.broke_secured(connection, &error);
                    return;
                }
            }
        }
        self.queue_pieces(connection, at, offset);
        self.send_queued(connection);
    }

    /// Something of the connection's queue has left.
    pub(super) fn has_sent(&mut self, connection: &mut Connection, sent: Sent) {
        self.count_sent(connection, sent.bytes());
        if matches!(sent, Sent::Turn(_)) && !connection.is_sending {
            connection.is_sending = true;
            self.files.sending.push(connection.id);
        }
    }

    pub(super) fn count_sent(&self, connection: &mut Connection, bytes: usize) {
        if bytes > 0 {
            add(&self.counters.sent_bytes, bytes as u64);
            self.sessions.set_sent(connection.id, self.now_us);
            connection.told_ns = self.now_ns;
            if connection.is_ending_output {
                connection.begun_ns = self.now_ns;
            }
        }
    }

    fn note_queue(&mut self, connection: &mut Connection) {
        let sealed = connection.tls.as_ref().map_or(0, |tls| tls.waiting());
        let bytes = connection.output.bytes() + sealed as u64;
        // What files have is no memory: it is shown, and counts for no limit.
        let shown = bytes + connection.output.file_bytes();
        if shown > 0 || connection.had_queue {
            self.note_level(connection);
            let is_large = bytes >= self.settings.port(usize::from(connection.port)).socket_buffer_size;
            let overflows = is_large || connection.output.has_most_files();
            self.sessions.set_send_queued(connection.id, shown, overflows);
            connection.had_queue = shown > 0;
        }
    }
}

struct Progress {
    /// The first piece that is not wholly sent; `NONE`: all are.
    next: u32,
    /// How much of it is.
    sent_of_next: usize,
    total: usize,
    is_blocked: bool,
}

impl Batch {
    /// Sends a connection's pieces from the first, as far as the socket takes them; frees what is wholly sent.
    fn send(&mut self, stream: &Stream, first: u32) -> io::Result<Progress> {
        let mut progress = Progress { next: first, sent_of_next: 0, total: 0, is_blocked: false };
        while progress.next != NONE && !progress.is_blocked {
            let (offered, sent) = self.send_some(stream, progress.next)?;
            if offered == 0 {
                break;
            }
            progress.total += sent;
            progress.is_blocked = sent < offered;
            let mut left = sent;
            while progress.next != NONE {
                let piece = &self.pieces[progress.next as usize];
                if left < piece.bytes.len() {
                    progress.sent_of_next = left;
                    break;
                }
                left -= piece.bytes.len();
                piece.bytes.free();
                progress.next = piece.next;
                if left == 0 {
                    break;
                }
            }
        }
        Ok(progress)
    }

    /// Puts up to so many bytes together, from `offset` of a piece on, and frees what is wholly among them. Returns the
    /// first piece that is not, and how much of it is. There is nothing where the first is on the disk.
    fn gather(&mut self, first: u32, mut offset: usize, limit: usize) -> (u32, usize) {
        self.gather.clear();
        let mut at = first;
        while at != NONE && self.gather.len() < limit {
            let piece = &self.pieces[at as usize];
            let Some(bytes) = piece.bytes.piece() else { break };
            let len = (bytes.len() - offset).min(limit - self.gather.len());
            append(&bytes, offset, len, &mut self.gather);
            offset += len;
            if offset == bytes.len() {
                piece.bytes.free();
                (at, offset) = (piece.next, 0);
            }
        }
        (at, offset)
    }

    /// One write of the pieces from `first` on. Returns how many bytes it offered and how many were taken.
    fn send_some(&mut self, stream: &Stream, first: u32) -> io::Result<(usize, usize)> {
        let mut pieces = [Piece::Private(&[]); MAX_PIECES];
        let (mut count, mut offered, mut at) = (0, 0, first);
        while at != NONE && count < MAX_PIECES {
            let piece = &self.pieces[at as usize];
            let Some(bytes) = piece.bytes.piece() else { break };
            offered += bytes.len();
            pieces[count] = bytes;
            count += 1;
            at = piece.next;
        }
        if count == 0 {
            return Ok((0, 0));
        }
        let result = if count > 1 && offered <= GATHER_LIMIT {
            self.gather.clear();
            for piece in &pieces[..count] {
                append(piece, 0, piece.len(), &mut self.gather);
            }
            stream.send(&Piece::Private(&self.gather))
        } else {
            stream.send_gathered(&pieces[..count])
        };
        match result {
            Ok(sent) => Ok((offered, sent)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok((offered, 0)),
            Err(error) => Err(error),
        }
    }
}

/// Appends a part of a piece.
fn append(piece: &Piece<'_>, from: usize, len: usize, into: &mut Vec<u8>) {
    match piece {
        Piece::Private(bytes) => into.extend_from_slice(&bytes[from..from + len]),
        Piece::Shared(bytes) => bytes.slice(from, len).append_to(into),
    }
}
