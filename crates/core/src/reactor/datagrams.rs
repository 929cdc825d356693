//! Datagram ports: reading them, posting what comes to the workers, and sending what they send. A port belongs to one
//! reactor. What was read is posted, if it has to wait for room in memory; while much waits the socket is not read, so
//! that it is the kernel that drops, or has the sender wait.

use std::os::fd::AsFd;
use std::sync::Arc;

use rotor_ipc::WorkerId;
use rotor_ipc::lane::PostError;
use rotor_ipc::payload::Payload;
use rotor_ipc::record::{Header, Kind, Where};
use rotor_ipc::ring::Broken;
use rotor_sys::datagram::{Address, Bytes, Datagrams, LARGEST, MAX_DATAGRAMS, Outgoing, Received};
use rotor_sys::epoll::{Epoll, Interest};

use super::post::{Post, REFERENCE};
use super::unsent::Unsent;
use super::{Reactor, Waiter, add};
use crate::datagram::encode;
use crate::disk::discard;
use crate::ports::SocketFile;

/// A datagram port and what its reactor needs to serve it.
pub struct DatagramPort {
    /// By place.
    pub place: u16,
    /// Its socket.
    pub socket: Arc<Datagrams>,
    /// Its file, which goes with it.
    pub file: Option<SocketFile>,
}

/// A port in the hands of its reactor.
pub(super) struct Port {
    place: u16,
    /// Whether user code chooses the workers.
    asks: bool,
    socket: Arc<Datagrams>,
    _file: Option<SocketFile>,
    /// The kernel may have something: no read has found the socket empty since the last edge.
    is_readable: bool,
    /// Bytes that were read and wait for room in a lane.
    held_bytes: usize,
    /// How many the kernel had dropped when it last said so.
    missed: u32,
    outgoing: Vec<(Address, Payload<'static>)>,
    unsent: Unsent,
}

/// A datagram that was read and waits for room in its worker's lane.
pub(super) struct HeldDatagram {
    port: usize,
    received_us: u64,
    from: Address,
    bytes: Vec<u8>,
}

/// Tokens from here on are those of datagram ports, by their places among the reactor's; sessions do not get so far.
pub(super) const FIRST_TOKEN: u64 = 1 << 62;
/// So many reads of one port in one turn; then the others have theirs.
const READS_PER_TURN: usize = 4;
/// Reads of one port at a stop: more than a socket's buffer has room for, but no endless stream of datagrams.
const LAST_READS: usize = 2048;
/// While so many bytes wait for room, a port is not read.
const MOST_HELD: usize = 256 << 10;
/// What a datagram that waits takes beside its bytes.
const HELD_OVERHEAD: usize = size_of::<HeldDatagram>();

impl Port {
    /// Takes a port over and watches it.
    pub(super) fn new(port: DatagramPort, index: usize, asks: bool, epoll: &Epoll) -> std::io::Result<Self> {
        let DatagramPort { place, socket, file } = port;
        epoll.add(socket.as_fd(), FIRST_TOKEN + index as u64, Interest::ReadEdge)?;
        Ok(Self {
            place,
            asks,
            missed: socket.missed(),
            socket,
            _file: file,
            is_readable: true,
            held_bytes: 0,
            outgoing: Vec::new(),
            unsent: Unsent::default(),
        })
    }

    /// Whether it has something that may be read now.
    pub(super) fn may_read(&self) -> bool {
        self.is_readable && self.held_bytes < MOST_HELD
    }

    /// Whether all is sent that was to be.
    pub(super) fn is_sent(&self) -> bool {
        self.unsent.is_empty()
    }

    /// When it tries again to send (monotonic ns).
    pub(super) fn due_ns(&self) -> Option<u64> {
        self.unsent.due_ns()
    }
}

impl Reactor {
    /// An event of a port's socket, if the token is one's.
    pub(super) fn on_datagrams(&mut self, token: u64) -> bool {
        let index = token.checked_sub(FIRST_TOKEN).and_then(|index| usize::try_from(index).ok());
        let Some(port) = index.and_then(|index| self.datagrams.get_mut(index)) else { return false };
        port.is_readable = true;
        true
    }

    /// Reads each port's share of this turn.
    pub(super) fn read_datagrams(&mut self) -> Result<(), Broken> {
        for index in 0..self.datagrams.len() {
            for _ in 0..READS_PER_TURN {
                if !self.datagrams[index].may_read() {
                    break;
                }
                self.receive(index)?;
            }
        }
        Ok(())
    }

    /// Reads everything that has arrived, for the last time.
    pub(super) fn drain_datagrams(&mut self) -> Result<(), Broken> {
        for index in 0..self.datagrams.len() {
            // No event of it may hold the stop up. It is registered, so this does not fail.
            let _ = self.epoll.remove(self.datagrams[index].socket.as_fd());
            self.datagrams[index].is_readable = true;
            for _ in 0..LAST_READS {
                if !self.datagrams[index].is_readable {
                    break;
                }
                self.receive(index)?;
            }
            self.datagrams[index].is_readable = false;
        }
        Ok(())
    }

    fn receive(&mut self, index: usize) -> Result<(), Broken> {
        let mut received = self.received.take().unwrap_or_default();
        let result = self.datagrams[index].socket.receive(&mut received);
        let outcome = match result {
            Ok(count) => {
                self.datagrams[index].is_readable = count == MAX_DATAGRAMS;
                self.take_received(index, &mut received)
            }
            Err(error) => {
                self.datagrams[index].is_readable = false;
                if error.kind() != std::io::ErrorKind::WouldBlock {
                    self.log.limited().warning(|| format!("cannot receive datagrams: {error}"));
                }
                Ok(())
            }
        };
        self.received = Some(received);
        outcome
    }

    fn take_received(&mut self, index: usize, received: &mut Received) -> Result<(), Broken> {
        if let Some(missed) = received.take_missed() {
            let before = std::mem::replace(&mut self.datagrams[index].missed, missed);
            add(&self.counters.datagrams_missed, missed.wrapping_sub(before).into());
        }
        for datagram in received.iter() {
            add(&self.counters.received_bytes, datagram.bytes.len() as u64);
            if datagram.is_truncated {
                add(&self.counters.datagrams_truncated, 1);
                let from = datagram.from;
                self.log
                    .limited()
                    .warning(|| format!("a datagram from {from} is larger than {LARGEST} bytes; dropped"));
                continue;
            }
            add(&self.counters.datagrams_received, 1);
            let Port { place, asks, .. } = self.datagrams[index];
            let worker = if asks {
                let Some(worker) = self.ask_about_datagram(place, datagram.from, datagram.bytes) else { continue };
                worker
            } else {
                self.worker_of_sender(datagram.from)
            };
            let inward = &self.inward[worker.index()];
            if inward.waiting.is_empty()
                && self.post_packet(worker, index, self.now_us, datagram.from, datagram.bytes)? == Post::Done
            {
                continue;
            }
            let held = HeldDatagram {
                port: index,
                received_us: self.now_us,
                from: *datagram.from,
                bytes: datagram.bytes.to_vec(),
            };
            self.hold_packet(worker, held);
        }
        Ok(())
    }

    /// Keeps a datagram until its worker's lane has room.
    fn hold_packet(&mut self, worker: WorkerId, held: HeldDatagram) {
        self.datagrams[held.port].held_bytes += held.bytes.len() + HELD_OVERHEAD;
        let inward = &mut self.inward[worker.index()];
        if inward.packets.is_empty() {
            inward.waiting.push_back(Waiter::Packets);
            add(&self.counters.pauses, 1);
        }
        inward.packets.push_back(held);
    }

    /// Posts what waits for room in a slot's lane, in order. Says whether that is all of it.
    pub(super) fn post_held_packets(&mut self, slot: usize) -> Result<bool, Broken> {
        let worker = WorkerId(u32::try_from(slot).unwrap_or(u32::MAX));
        while let Some(held) = self.inward[slot].packets.pop_front() {
            if self.post_packet(worker, held.port, held.received_us, &held.from, &held.bytes)? == Post::NoRoom {
                self.inward[slot].packets.push_front(held);
                return Ok(false);
            }
            self.datagrams[held.port].held_bytes -= held.bytes.len() + HELD_OVERHEAD;
        }
        Ok(true)
    }

    fn post_packet(
        &mut self,
        worker: WorkerId,
        port: usize,
        received_us: u64,
        from: &Address,
        bytes: &[u8],
    ) -> Result<Post, Broken> {
        let slot = worker.index();
        let address = encode(from);
        let mut header = Header {
            kind: Kind::Packet,
            location: Where::Inline,
            aux: self.datagrams[port].place,
            session: 0,
            extra: received_us,
        };
        let written = if address.as_bytes().len() + bytes.len() <= self.inward[slot].lane.inline_limit() {
            self.inward[slot].lane.write(&header, &[address.as_bytes(), bytes])
        } else {
            // What has to wait is not copied before.
            match self.inward[slot].lane.position_for(REFERENCE + address.as_bytes().len()) {
                Err(error) => Err(error),
                Ok(position) => {
                    let Some(block) = self.take_block_for(worker, bytes.len()) else { return Ok(Post::NoRoom) };
                    // A block takes whatever it has room for.
                    let _ = block.fill(bytes);
                    let reference = block.reference(bytes.len()).to_bytes();
                    header.location = block.location();
                    block.post(super::post::consumer(worker), position);
                    self.inward[slot].lane.write(&header, &[&reference, address.as_bytes()])
                }
            }
        };
        match written {
            Ok(_) => {
                self.touch(slot);
                self.router.count(slot);
                add(&self.counters.dispatched, 1);
                Ok(Post::Done)
            }
            Err(PostError::Full) => Ok(Post::NoRoom),
            Err(PostError::Broken(broken)) => Err(broken),
        }
    }

    /// A process sends a datagram: it goes with the others of this batch.
    pub(super) fn on_send_to(&mut self, place: u16, to: Address, payload: Payload<'static>) {
        let port = self.datagrams.iter_mut().find(|port| port.place == place);
        match (port, &payload) {
            (Some(port), Payload::Inline(_) | Payload::Block { .. }) => port.outgoing.push((to, payload)),
            (_, Payload::Spill { .. }) | (None, _) => {
                discard(&payload, &self.jobs);
                add(&self.counters.dropped, 1);
                self.log.limited().error(|| format!("a datagram for port {place} cannot be sent from here, dropped"));
            }
        }
    }

    /// Sends the datagrams of this batch straight from the segment, and what waits, where it is due.
    pub(super) fn send_datagrams(&mut self) {
        for index in 0..self.datagrams.len() {
            if self.datagrams[index].due_ns().is_some_and(|due_ns| due_ns <= self.now_ns) {
                self.send_unsent(index);
            }
            if !self.datagrams[index].outgoing.is_empty() {
                self.send_outgoing(index);
            }
        }
    }

    fn send_outgoing(&mut self, index: usize) {
        let mut outgoing = std::mem::take(&mut self.datagrams[index].outgoing);
        let mut at = 0;
        while at < outgoing.len() {
            let port = &self.datagrams[index];
            let mut batch = [Outgoing { to: &Address::Unnamed, bytes: Bytes::Private(&[]) }; MAX_DATAGRAMS];
            let mut count = 0;
            // Nothing overtakes what waits for the same peer.
            for (to, payload) in outgoing[at..].iter().take(MAX_DATAGRAMS) {
                let (Payload::Inline(bytes) | Payload::Block { bytes, .. }) = payload else { break };
                if port.unsent.has(to) {
                    break;
                }
                batch[count] = Outgoing { to, bytes: Bytes::Shared(*bytes) };
                count += 1;
            }
            let sent = if count == 0 { Ok(0) } else { port.socket.send(&batch[..count]) };
            match sent {
                Ok(0) => {
                    let (to, payload) = &outgoing[at];
                    self.queue(index, to, payload);
                    at += 1;
                }
                Ok(sent) => {
                    for (_, payload) in &outgoing[at..at + sent] {
                        self.count_datagram(payload.len());
                        payload.free();
                    }
                    at += sent;
                }
                Err(error) => {
                    let (to, payload) = &outgoing[at];
                    if is_full(&error) {
                        self.queue(index, to, payload);
                    } else {
                        self.count_unsent(to, 1, &error.to_string());
                        payload.free();
                    }
                    at += 1;
                }
            }
        }
        outgoing.clear();
        self.datagrams[index].outgoing = outgoing;
    }

    /// Keeps a datagram for a peer that has no room for it, in private memory: its lane goes on.
    fn queue(&mut self, index: usize, to: &Address, payload: &Payload<'static>) {
        let mut bytes = Vec::new();
        if let Payload::Inline(shared) | Payload::Block { bytes: shared, .. } = payload {
            shared.append_to(&mut bytes);
        }
        payload.free();
        self.queue_private(index, to, bytes);
    }

    fn queue_private(&mut self, index: usize, to: &Address, bytes: Vec<u8>) {
        let port = &mut self.datagrams[index];
        let limit = self.settings.port(port.place.into()).socket_buffer_size;
        if !port.unsent.push(*to, bytes, limit, self.now_ns) {
            self.count_unsent(to, 1, "it does not read, and as much waits as socket_buffer_size allows");
        }
    }

    /// Sends a datagram of the main thread's.
    pub(super) fn send_private(&mut self, place: u16, to: &Address, bytes: Vec<u8>) {
        let Some(index) = self.datagrams.iter().position(|port| port.place == place) else { return };
        let port = &self.datagrams[index];
        if port.unsent.has(to) {
            return self.queue_private(index, to, bytes);
        }
        match port.socket.send(&[Outgoing { to, bytes: Bytes::Private(&bytes) }]) {
            Ok(_) => self.count_datagram(bytes.len()),
            Err(error) if is_full(&error) => self.queue_private(index, to, bytes),
            Err(error) => self.count_unsent(to, 1, &error.to_string()),
        }
    }

    /// Tries again to send what waits.
    fn send_unsent(&mut self, index: usize) {
        let mut unsent = std::mem::take(&mut self.datagrams[index].unsent);
        unsent.send(self.now_ns, &mut |to, bytes| match self.datagrams[index]
            .socket
            .send(&[Outgoing { to, bytes: Bytes::Private(bytes) }])
        {
            Ok(_) => {
                self.count_datagram(bytes.len());
                true
            }
            Err(error) if is_full(&error) => false,
            Err(error) => {
                self.count_unsent(to, 1, &error.to_string());
                true
            }
        });
        self.datagrams[index].unsent = unsent;
    }

    fn count_datagram(&self, len: usize) {
        add(&self.counters.datagrams_sent, 1);
        add(&self.counters.sent_bytes, len as u64);
    }

    fn count_unsent(&self, to: &Address, count: u64, why: &str) {
        add(&self.counters.datagrams_unsent, count);
        self.log.limited().info(|| format!("a datagram to {to} is dropped: {why}"));
    }

    /// The server ends: what waits is dropped.
    pub(super) fn forget_datagrams(&mut self) {
        for port in &self.datagrams {
            add(&self.counters.datagrams_unsent, port.unsent.count() as u64);
        }
    }
}

/// Whether there is no room now: with the peer, or in the kernel.
fn is_full(error: &std::io::Error) -> bool {
    const ENOBUFS: i32 = 105;
    error.kind() == std::io::ErrorKind::WouldBlock || error.raw_os_error() == Some(ENOBUFS)
}
