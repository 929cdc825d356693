//! Datagrams that a socket has not taken. A full peer is told by nothing when it has room again (the readiness of an
//! unconnected socket is about its own memory), so that each is tried again after a while.

use std::collections::{HashMap, VecDeque};

use rotor_sys::datagram::Address;

/// What waits to be sent on one port, in order for each peer.
#[derive(Default)]
pub(super) struct Unsent {
    peers: HashMap<Address, Waiting>,
    bytes: u64,
    /// When it is tried again (monotonic ns), and how long that is after the time before.
    due_ns: u64,
    delay_ns: u64,
}

#[derive(Default)]
struct Waiting {
    datagrams: VecDeque<Vec<u8>>,
    bytes: u64,
}

const SHORTEST_DELAY_NS: u64 = 1_000_000;
/// While nobody takes anything.
const LONGEST_DELAY_NS: u64 = 64_000_000;
/// What a datagram takes beside its bytes.
const OVERHEAD: u64 = 64;
/// One peer may have this part of the whole.
const PEER_PART: u64 = 4;

impl Unsent {
    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.peers.is_empty()
    }

    /// Whether something waits for this peer.
    pub(super) fn has(&self, peer: &Address) -> bool {
        !self.peers.is_empty() && self.peers.contains_key(peer)
    }

    /// How many wait.
    pub(super) fn count(&self) -> usize {
        self.peers.values().map(|waiting| waiting.datagrams.len()).sum()
    }

    /// When they are tried again.
    pub(super) fn due_ns(&self) -> Option<u64> {
        (!self.peers.is_empty()).then_some(self.due_ns)
    }

    /// Takes a datagram; false where it would be more than `limit` bytes, or one peer's more than its part of that.
    pub(super) fn push(&mut self, peer: Address, bytes: Vec<u8>, limit: u64, now_ns: u64) -> bool {
        let size = bytes.len() as u64 + OVERHEAD;
        let of_peer = self.peers.get(&peer).map_or(0, |waiting| waiting.bytes);
        // One datagram may wait however small the limit is.
        let is_too_much = self.bytes + size > limit || (of_peer > 0 && of_peer + size > limit / PEER_PART);
        if is_too_much && !self.peers.is_empty() {
            return false;
        }
        if self.peers.is_empty() {
            self.delay_ns = SHORTEST_DELAY_NS;
            self.due_ns = now_ns + self.delay_ns;
        }
        let waiting = self.peers.entry(peer).or_default();
        waiting.bytes += size;
        waiting.datagrams.push_back(bytes);
        self.bytes += size;
        true
    }

    /// Offers what waits to `send`, each peer's in order until one is not taken.
    pub(super) fn send(&mut self, now_ns: u64, send: &mut dyn FnMut(&Address, &[u8]) -> bool) {
        let mut taken = 0;
        self.peers.retain(|peer, waiting| {
            while let Some(bytes) = waiting.datagrams.front() {
                if !send(peer, bytes) {
                    return true;
                }
                let size = bytes.len() as u64 + OVERHEAD;
                waiting.bytes -= size;
                waiting.datagrams.pop_front();
                taken += size;
            }
            false
        });
        self.bytes -= taken;
        self.delay_ns = if taken > 0 { SHORTEST_DELAY_NS } else { (self.delay_ns * 2).min(LONGEST_DELAY_NS) };
        self.due_ns = now_ns + self.delay_ns;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(number: u16) -> Address {
        Address::Inet(([127, 0, 0, 1], number).into())
    }

    #[test]
    fn each_peer_gets_its_datagrams_in_order_and_holds_up_no_other() {
        let mut unsent = Unsent::default();
        for number in 0..4_u8 {
            assert!(unsent.push(peer(1 + u16::from(number) % 2), vec![number], 10_000, 0));
        }
        assert_eq!((unsent.count(), unsent.due_ns()), (4, Some(SHORTEST_DELAY_NS)));
        assert!(unsent.has(&peer(1)) && unsent.has(&peer(2)) && !unsent.has(&peer(3)));
        let mut sent = Vec::new();
        unsent.send(5, &mut |to, bytes| {
            // The first is full.
            let is_taken = *to == peer(2);
            if is_taken {
                sent.push(bytes[0]);
            }
            is_taken
        });
        assert_eq!(sent, [1, 3]);
        assert!(unsent.has(&peer(1)) && !unsent.has(&peer(2)));
        unsent.send(5, &mut |_, bytes| {
            sent.push(bytes[0]);
            true
        });
        assert_eq!(sent, [1, 3, 0, 2]);
        assert!(unsent.is_empty() && unsent.due_ns().is_none());
        assert_eq!(unsent.bytes, 0);
    }

    #[test]
    fn nobody_has_more_than_a_part_and_all_no_more_than_the_limit() {
        let mut unsent = Unsent::default();
        let push = |unsent: &mut Unsent, number| unsent.push(peer(number), vec![0; 936], 10_000, 0);
        assert_eq!((0..10).filter(|_| push(&mut unsent, 1)).count(), 2, "a quarter");
        assert_eq!((2..20).filter(|number| push(&mut unsent, *number)).count(), 8);
        assert!(unsent.bytes <= 10_000);
        let mut tiny = Unsent::default();
        assert!(tiny.push(peer(1), vec![0; 65_507], 1, 0), "one is always taken");
        assert!(!tiny.push(peer(2), vec![0; 1], 1, 0));
    }

    #[test]
    fn the_longer_nobody_takes_anything_the_less_it_is_tried() {
        let mut unsent = Unsent::default();
        unsent.push(peer(1), vec![1], 1000, 0);
        let mut delays = Vec::new();
        for _ in 0..9 {
            let now_ns = unsent.due_ns().unwrap();
            unsent.send(now_ns, &mut |_, _| false);
            delays.push((unsent.due_ns().unwrap() - now_ns) / 1_000_000);
        }
        assert_eq!(delays, [2, 4, 8, 16, 32, 64, 64, 64, 64]);
        unsent.push(peer(2), vec![1], 1000, 0);
        unsent.send(0, &mut |to, _| *to == peer(2));
        assert_eq!(unsent.due_ns(), Some(SHORTEST_DELAY_NS), "one of them moves");
    }
}
