//! A connection: an accepted socket and its state, owned by one reactor.

use rotor_ipc::payload::Filling;
use rotor_ipc::sessions::SessionsReader;
use rotor_ipc::{SessionId, WorkerId};
use rotor_sys::socket::Stream;

use crate::framer::Framer;
use crate::reactor::output::Output;

/// An accepted socket and what is known of it.
pub struct Connection {
    /// Its session.
    pub id: SessionId,
    /// The worker that its records go to.
    pub worker: WorkerId,
    /// The socket; `None` once it is closed. The session may live on until its close callback has returned.
    pub stream: Option<Stream>,
    /// Cuts what it receives into messages.
    pub framer: Framer,
    /// Received and not yet cut.
    pub unread: Vec<u8>,
    /// A large message that is being received.
    pub incoming: Option<Box<Incoming>>,
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
    /// The helper thread writes its next message into the spill file.
    pub is_spilling: bool,
    /// First and last piece of this batch's output, as places in the reactor's list.
    pub batch: Option<(u32, u32)>,
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
        matches!(self, Self::Server | Self::Stopping)
    }
}

/// How far a connection's records are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Posted {
    /// Nothing: the connect record is owed.
    Nothing,
    /// The connect record, or there is none to post.
    Connect,
    /// The close record, at this position of the lane.
    Close(u64),
    /// The worker has run the close callback, or has died in it: the session can be forgotten.
    Done,
}

impl Connection {
    /// A new connection.
    pub fn new(id: SessionId, worker: WorkerId, stream: Stream, framer: Framer) -> Self {
        Self {
            id,
            worker,
            stream: Some(stream),
            framer,
            unread: Vec::new(),
            incoming: None,
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
            is_spilling: false,
            batch: None,
        }
    }

    /// Ends the input, once; the first reason stays, but a reset overrides an orderly end.
    pub fn end_input(&mut self, why: Why) {
        match (self.input, why) {
            (Input::Open, _)
            | (Input::Over(Why::PeerEnded), Why::PeerReset | Why::Server)
            | (Input::Over(Why::Stopping), Why::PeerReset | Why::Server) => self.input = Input::Over(why),
            (Input::Over(_), _) => {}
        }
    }

    /// Whether more of it may be read now.
    pub fn may_read(&self) -> bool {
        self.is_readable && self.input == Input::Open && !self.is_waiting && !self.is_spilling && self.stream.is_some()
    }

    /// Whether it has something for its worker that is not posted yet, as far as is known without framing.
    pub fn owes(&self) -> bool {
        match self.posted {
            Posted::Nothing => true,
            Posted::Connect => {
                self.input != Input::Open || self.incoming.as_ref().is_some_and(|incoming| incoming.is_complete())
            }
            Posted::Close(_) | Posted::Done => false,
        }
    }

    /// Whether what a worker sends still goes out.
    pub fn accepts_output(&self) -> bool {
        self.stream.is_some() && !matches!(self.input, Input::Over(Why::Server | Why::PeerReset))
    }

    /// Drops what was received and not cut: the server has closed, nobody wants it.
    pub fn drop_unread(&mut self) {
        self.unread = Vec::new();
        self.incoming = None;
    }

    /// Whether the socket has nothing more to do.
    pub fn may_close_socket(&self, sessions: &SessionsReader) -> bool {
        let is_out = self.output.is_empty() && self.batch.is_none();
        match self.input {
            Input::Open => false,
            Input::Over(Why::PeerReset) => true,
            Input::Over(Why::Server) => is_out,
            // Answers may still come until the worker has seen the end of the input; then nothing more does.
            Input::Over(Why::PeerEnded | Why::Stopping) => {
                is_out && (self.posted == Posted::Done || sessions.is_closing(self.id))
            }
        }
    }
}
