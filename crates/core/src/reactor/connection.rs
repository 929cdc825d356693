//! A connection: an accepted socket and its state, owned by one reactor.

use rotor_ipc::payload::Filling;
use rotor_ipc::{SessionId, WorkerId};
use rotor_sys::socket::Stream;

use crate::framer::Framer;
use crate::hooks::LONGEST_DATA;
use crate::reactor::intro::Intro;
use crate::reactor::output::Output;
use crate::reactor::queued::Queued;
use crate::reactor::secure::Tls;
use crate::reactor::spill::Spilling;
use crate::reactor::unread::Unread;

/// An accepted socket and what is known of it.
pub struct Connection {
    /// Its session.
    pub id: SessionId,
    /// The port it came in by, by place.
    pub port: u16,
    /// The worker that its next record goes to: always the same, unless it is roaming.
    pub worker: WorkerId,
    /// What it has beside others where it has no worker of its own.
    pub roaming: Option<Box<Roaming>>,
    /// The socket; `None` once it is closed. The session may live on until its close callback has returned.
    pub stream: Option<Stream>,
    /// What comes before its first message, until that is over.
    pub intro: Option<Box<Intro>>,
    /// Its side of TLS, on a port that has it.
    pub tls: Option<Box<Tls>>,
    /// Cuts what it receives into messages.
    pub framer: Framer,
    /// Received and not yet cut.
    pub unread: Unread,
    /// A large message that is being received.
    pub incoming: Option<Box<Incoming>>,
    /// What was wrong with what it has received, until its worker has been told.
    pub rejected: Option<Box<Rejected>>,
    /// What waits to be sent.
    pub output: Output,
    /// Whether it is still read, or why not.
    pub input: Input,
    /// How far its records towards the worker are.
    pub posted: Posted,
    /// The kernel may have bytes for us: no read has come back empty since the last edge.
    pub is_readable: bool,
    /// The end of the stream is known to be behind what can be read.
    pub is_ending: bool,
    /// Its entry in the session table tells of queued output.
    pub had_queue: bool,
    /// Its last read brought much, so the next goes straight into a block.
    pub reads_large: bool,
    /// It waits for room in its worker's lane, in the lane's waiting list.
    pub is_waiting: bool,
    /// The reactor has it in its list of connections that are to be read further.
    pub is_scheduled: bool,
    /// The reactor has it in its list of connections with output of this batch.
    pub is_dirty: bool,
    /// The reactor has it in its list of connections that send more of a file.
    pub is_sending: bool,
    /// The helper thread writes its next message, or a piece of it, into the spill file.
    pub is_spilling: bool,
    /// The client's certificate is among those that are shown.
    pub has_certificate: bool,
    /// Its end is held back, at the begin of a stop.
    pub is_end_held: bool,
    /// Whether more can be sent to it.
    pub parting: Parting,
    /// The server has closed it and its peer still sends: how long it stays (monotonic ns).
    pub lingers_until_ns: Option<u64>,
    /// First and last piece of this batch's output, as places in the reactor's list.
    pub batch: Option<(u32, u32)>,
    /// When bytes last came (monotonic ns).
    pub heard_ns: u64,
    /// When bytes were last sent (monotonic ns).
    pub told_ns: u64,
    /// Since when its peer owes something (monotonic ns): the rest of a message, or once the input is over, to take what
    /// waits for it. 0: nothing.
    pub begun_ns: u64,
    /// Its input is over, and `begun_ns` is about its output.
    pub is_ending_output: bool,
    /// User code does not want it to be read.
    pub is_paused: bool,
    /// Too much of it waits for its worker.
    pub is_held: bool,
    /// What of it waits for its worker, where there is a limit for that.
    pub queued: Option<Box<Queued>>,
    /// What waits to be sent has reached the high watermark, and not come down to the low one since.
    pub is_full: bool,
    /// Whether the worker was told last that it has.
    pub told_full: bool,
}

/// A package that was rejected.
pub struct Rejected {
    /// What `getLastError()` calls it.
    pub code: i32,
    /// Why.
    pub reason: String,
}

/// What a connection has whose messages go to several workers.
pub struct Roaming {
    /// The worker that it would have if it had one.
    pub home: WorkerId,
    /// User code is asked for the worker of each record.
    pub asks: bool,
    /// What user code has said about its end: the worker that is told, or that none is.
    pub end: Option<Option<WorkerId>>,
    /// The beginning of a message that goes to the spill file, for user code to see.
    pub begin: Vec<u8>,
    /// The worker of its next record is chosen, and kept until that is posted.
    pub is_assigned: bool,
    /// User code was asked about its next message, and has left it to the mode.
    pub is_left: bool,
    /// The reactor has it in its list of connections that are about to end.
    pub is_listed: bool,
    /// Nothing of it is left in any worker, and what they have sent was taken: only its end is to be told.
    pub is_settled: bool,
    /// Where its last record to a worker lies, for each that may not be done with it.
    pub sent: Vec<(WorkerId, u64)>,
}

/// A message too large for the lane, of known length, as it arrives.
pub enum Incoming {
    /// Straight into a block.
    Block {
        /// The block.
        block: Filling,
        /// How much is there.
        received: usize,
        /// How much it will be.
        total: usize,
    },
    /// Into private memory: no block was free or large enough.
    Private {
        /// What is there.
        bytes: Vec<u8>,
        /// How much it will be.
        total: usize,
    },
    /// Into a range of the spill file, piece by piece: no block is large enough.
    Spill(Spilling),
    /// It is complete and waits for room in the lane.
    Ready {
        /// Its block or spill range.
        filling: Filling,
        /// Its length.
        len: usize,
    },
}

impl Incoming {
    /// Whether all of it is there.
    pub fn is_complete(&self) -> bool {
        match self {
            Self::Block { received, total, .. } => received == total,
            Self::Private { bytes, total } => bytes.len() == *total,
            Self::Spill(_) => false,
            Self::Ready { .. } => true,
        }
    }
}

/// Whether a connection is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// It is.
    Open,
    /// It is not read any more; complete messages that were received are still posted.
    Over(Why),
}

/// Why a connection is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The peer has sent the end; it may still be reading.
    PeerEnded,
    /// The peer has broken the framing: no more is read, and what it sent before is answered.
    Misframed,
    /// The connection broke.
    PeerReset,
    /// The server closes it.
    Server,
    /// The server stops: the socket stays until the answers are out.
    Stopping,
}

impl Why {
    /// Whether the close callback is told that the server closed.
    pub fn is_by_server(self) -> bool {
        matches!(self, Self::Misframed | Self::Server | Self::Stopping)
    }
}

/// How far a connection's records are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Posted {
    /// Nothing: the connect record is owed.
    Nothing,
    /// The connect record, or there is none to post.
    Connect,
    /// A record at this position of the lane, whose answer says that its worker is done with the connection's messages.
    Barrier(u64),
    /// The close record, at this position of the lane.
    Close(u64),
    /// The worker has run the close callback, or has died in it: the session can be forgotten.
    Done,
}

/// How far a connection is from the end of its output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parting {
    /// More can be sent to it.
    No,
    /// Nothing more, and what was sent before that is being taken.
    Begun,
    /// That is taken: nothing comes any more.
    Over,
}

impl Posted {
    /// Where the record is whose answer is waited for.
    pub fn position(self) -> Option<u64> {
        match self {
            Self::Barrier(position) | Self::Close(position) => Some(position),
            Self::Nothing | Self::Connect | Self::Done => None,
        }
    }
}

impl Roaming {
    /// A new connection's.
    pub fn new(home: WorkerId, asks: bool) -> Self {
        Self {
            home,
            asks,
            end: None,
            begin: Vec::new(),
            is_assigned: false,
            is_left: false,
            is_listed: false,
            is_settled: false,
            sent: Vec::new(),
        }
    }
}

impl Connection {
    /// Whether user code is asked for the worker of its next record.
    pub fn asks(&self) -> bool {
        self.roaming.as_deref().is_some_and(|roaming| roaming.asks && !roaming.is_assigned && !roaming.is_left)
    }

    /// Keeps the beginning of a message for user code to see, where that is asked.
    pub fn keep_begin(&mut self, begin: &[u8]) {
        if let Some(roaming) = self.roaming.as_deref_mut().filter(|roaming| roaming.asks) {
            roaming.begin = begin[..begin.len().min(LONGEST_DATA)].to_vec();
        }
    }

    /// The worker that it has, or would have.
    pub fn home(&self) -> WorkerId {
        self.roaming.as_deref().map_or(self.worker, |roaming| roaming.home)
    }

    /// A new connection.
    pub fn new(id: SessionId, port: u16, worker: WorkerId, stream: Stream, framer: Framer) -> Self {
        Self {
            id,
            port,
            worker,
            roaming: None,
            stream: Some(stream),
            intro: None,
            tls: None,
            framer,
            unread: Unread::default(),
            incoming: None,
            rejected: None,
            output: Output::default(),
            input: Input::Open,
            posted: Posted::Nothing,
            is_readable: true,
            is_ending: false,
            had_queue: false,
            reads_large: false,
            is_waiting: false,
            is_scheduled: false,
            is_dirty: false,
            is_sending: false,
            is_spilling: false,
            has_certificate: false,
            is_end_held: false,
            parting: Parting::No,
            lingers_until_ns: None,
            batch: None,
            heard_ns: 0,
            told_ns: 0,
            begun_ns: 0,
            is_ending_output: false,
            is_paused: false,
            is_held: false,
            queued: None,
            is_full: false,
            told_full: false,
        }
    }

    /// Ends the input, once; the first reason stays, but a reset overrides an orderly end.
    pub fn end_input(&mut self, why: Why) {
        match (self.input, why) {
            (Input::Open, _)
            | (Input::Over(Why::PeerEnded | Why::Misframed | Why::Stopping), Why::PeerReset | Why::Server) => {
                self.input = Input::Over(why);
            }
            (Input::Over(_), _) => {}
        }
    }

    /// Whether what its peer sends is read as soon as it comes.
    pub fn is_read(&self) -> bool {
        // Who the client is has to be known in any case.
        !self.is_waiting && !self.is_spilling && !self.is_held && (!self.is_paused || self.intro.is_some())
    }

    /// Whether more of it may be read now.
    pub fn may_read(&self) -> bool {
        self.is_readable && self.input == Input::Open && self.is_read() && self.stream.is_some()
    }

    /// Whether it has something for its worker that is not posted yet, as far as is known without framing.
    pub fn owes(&self) -> bool {
        match self.posted {
            Posted::Nothing => true,
            Posted::Connect => {
                let is_over = match self.input {
                    Input::Open => false,
                    Input::Over(why) => why != Why::Stopping || !self.is_end_held,
                };
                is_over || self.incoming.as_ref().is_some_and(|incoming| incoming.is_complete())
            }
            Posted::Barrier(_) | Posted::Close(_) | Posted::Done => false,
        }
    }

    /// Whether what a process has sent still goes out.
    pub fn accepts_output(&self) -> bool {
        self.stream.is_some() && self.parting != Parting::Over && self.input != Input::Over(Why::PeerReset)
    }

    /// Whether nobody has anything more to say to its peer: from here on what was sent before is taken, and no more.
    pub fn is_to_part(&self) -> bool {
        let is_due = match self.input {
            Input::Open | Input::Over(Why::PeerReset) => false,
            Input::Over(Why::Server) => true,
            // Answers may still come until the worker has seen the end of the input.
            Input::Over(Why::PeerEnded | Why::Misframed | Why::Stopping) => self.posted == Posted::Done,
        };
        is_due && self.stream.is_some() && self.parting == Parting::No
    }

    /// Whether something waits for the socket.
    pub fn has_output(&self) -> bool {
        !self.output.is_empty() || self.tls.as_ref().is_some_and(|tls| tls.waiting() > 0)
    }

    /// Whether the peer may have sent more than was read: its end was not seen.
    pub fn may_have_unread(&self) -> bool {
        match self.input {
            Input::Open | Input::Over(Why::PeerReset) => false,
            Input::Over(Why::Misframed | Why::Server | Why::Stopping) => true,
            // In TLS it says so itself, and its socket may go on.
            Input::Over(Why::PeerEnded) => self.tls.is_some(),
        }
    }

    /// Whether the socket has nothing more to do.
    pub fn may_close_socket(&self) -> bool {
        match self.input {
            Input::Open => false,
            Input::Over(Why::PeerReset) => true,
            // The session's flags say nothing here: they are set before what was sent ahead of them is taken.
            Input::Over(_) => self.parting == Parting::Over && !self.has_output() && self.batch.is_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;
    use crate::framer::Framing;
    use crate::reactor::pair::connected;

    /// A connection and its client.
    fn connection() -> (Connection, TcpStream) {
        let (stream, client) = connected();
        let framer = Framer::new(&Framing::Raw, 1024);
        (Connection::new(SessionId(1), 0, WorkerId(0), stream, framer), client)
    }

    #[test]
    fn a_connection_whose_input_is_over_parts_once_its_worker_has_seen_the_end_and_goes_once_the_answers_are_out() {
        for why in [Why::PeerEnded, Why::Misframed, Why::Stopping] {
            let (mut connection, _client) = connection();
            connection.posted = Posted::Connect;
            assert!(!connection.is_to_part() && !connection.may_close_socket());
            connection.end_input(why);
            for posted in [Posted::Connect, Posted::Barrier(8), Posted::Close(8)] {
                connection.posted = posted;
                assert!(!connection.is_to_part(), "an answer may still be on its way: {why:?} {posted:?}");
            }
            connection.posted = Posted::Done;
            assert!(connection.is_to_part());
            parts(&mut connection);
        }
    }

    /// Nobody has anything more to say to it.
    fn parts(connection: &mut Connection) {
        connection.parting = Parting::Begun;
        assert!(!connection.is_to_part() && !connection.may_close_socket() && connection.accepts_output());
        connection.output.push_private(b"sent before".to_vec());
        connection.parting = Parting::Over;
        assert!(!connection.may_close_socket(), "an answer is queued");
        assert!(!connection.accepts_output());
        connection.output.clear();
        assert!(connection.may_close_socket());
    }

    #[test]
    fn a_connection_that_the_server_closes_parts_at_once_and_a_broken_one_goes_at_once() {
        let (mut connection, _client) = connection();
        connection.output.push_private(b"answer".to_vec());
        connection.end_input(Why::Server);
        assert!(connection.is_to_part() && !connection.may_close_socket());
        parts(&mut connection);

        connection.output.push_private(b"answer".to_vec());
        connection.input = Input::Open;
        connection.end_input(Why::PeerReset);
        assert!(connection.may_close_socket() && !connection.is_to_part());
    }

    #[test]
    fn the_first_reason_of_an_end_stays_but_what_is_worse_than_an_orderly_end_overrides_it() {
        let all = [Why::PeerEnded, Why::Misframed, Why::PeerReset, Why::Server, Why::Stopping];
        for first in all {
            for second in all {
                let (mut connection, _client) = connection();
                connection.end_input(first);
                connection.end_input(second);
                let is_orderly = matches!(first, Why::PeerEnded | Why::Misframed | Why::Stopping);
                let is_worse = matches!(second, Why::PeerReset | Why::Server);
                let expected = if is_orderly && is_worse { second } else { first };
                assert_eq!(connection.input, Input::Over(expected), "{first:?}, then {second:?}");
            }
        }
    }

    #[test]
    fn what_was_sent_goes_out_until_the_connection_has_parted_or_broke() {
        for (why, expected) in [
            (Why::PeerEnded, true),
            (Why::Misframed, true),
            (Why::Stopping, true),
            (Why::Server, true),
            (Why::PeerReset, false),
        ] {
            let (mut connection, _client) = connection();
            assert!(connection.accepts_output());
            connection.end_input(why);
            assert_eq!(connection.accepts_output(), expected, "{why:?}");
            connection.stream = None;
            assert!(!connection.accepts_output());
        }
    }

    #[test]
    fn a_connection_is_not_read_while_it_waits_spills_or_is_over() {
        let (mut connection, _client) = connection();
        assert!(connection.may_read());
        connection.is_waiting = true;
        assert!(!connection.may_read());
        (connection.is_waiting, connection.is_spilling) = (false, true);
        assert!(!connection.may_read());
        (connection.is_spilling, connection.is_readable) = (false, false);
        assert!(!connection.may_read());
        connection.is_readable = true;
        connection.end_input(Why::PeerEnded);
        assert!(!connection.may_read());
    }

    #[test]
    fn a_connection_owes_its_connect_its_complete_message_and_its_end() {
        let (mut connection, _client) = connection();
        assert!(connection.owes(), "the connect record");
        connection.posted = Posted::Connect;
        assert!(!connection.owes());
        connection.incoming = Some(Box::new(Incoming::Private { bytes: vec![1], total: 2 }));
        assert!(!connection.owes(), "half a message");
        connection.incoming = Some(Box::new(Incoming::Private { bytes: vec![1, 2], total: 2 }));
        assert!(connection.owes());
        connection.incoming = None;
        connection.end_input(Why::PeerEnded);
        assert!(connection.owes(), "the close record");
        connection.input = Input::Over(Why::Stopping);
        connection.is_end_held = true;
        assert!(!connection.owes(), "its end is held back");
        connection.end_input(Why::Server);
        assert!(connection.owes(), "somebody has closed it");
        connection.posted = Posted::Close(8);
        assert!(!connection.owes());
    }
}
