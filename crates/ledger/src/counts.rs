//! What happened to the requests, as numbers, and the verdict over them.

use serde::Serialize;

/// The ledger. Every request that was sent ends in exactly one of `answered`, `corrupt` (when its answer could be told
/// from others), `cut` and `lost`; the other faults count answers and connections.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Connections that were established.
    pub connected: u64,
    /// Connections opened in place of one that was reset, closed or refused.
    pub reconnected: u64,
    /// Attempts to connect that failed.
    pub refused: u64,
    /// Connections that the server reset.
    pub reset: u64,
    /// Connections that the server closed in order, though we had not.
    pub closed: u64,
    /// Connections that the server kept open after our FIN.
    pub unclosed: u64,
    /// Requests of which at least one byte was written.
    pub sent: u64,
    /// Requests that were answered, byte for byte.
    pub answered: u64,
    /// Requests without an answer on a connection that was reset or closed.
    pub cut: u64,
    /// Requests without an answer on a connection that stayed open.
    pub lost: u64,
    /// Answers to a request that had been answered.
    pub doubled: u64,
    /// Answers that came after the answer to a later request of their connection.
    pub reordered: u64,
    /// Answers that belong to another connection.
    pub crossed: u64,
    /// Answers with a wrong byte, and bytes that answer nothing.
    pub corrupt: u64,
    /// Answers that took longer than `--late-ms`.
    pub late: u64,
    /// Bytes written.
    pub bytes_sent: u64,
    /// Bytes read.
    pub bytes_received: u64,
    /// The first faults in words.
    pub faults: Vec<String>,
    /// The first connections that the server ended though we had not, a few thousand of them.
    pub ends: Vec<Ended>,
}

/// A connection that the server ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Ended {
    /// Its number, as in the headers of its requests.
    pub connection: u32,
    /// Whether by a reset.
    pub is_reset: bool,
    /// The first request without an answer: all before it were answered. Without an order, others behind it may be, too.
    pub first_open: u64,
    /// Requests without an answer of which something was written.
    pub cut: u64,
}

/// How much of what is otherwise a fault may happen.
#[derive(Debug, Clone, Copy, Default)]
pub struct Allowance {
    /// Connections reset, closed by the server, or refused.
    pub resets: u64,
    /// Requests lost on a connection that stayed open.
    pub lost: u64,
    /// Whether answers may overtake each other.
    pub is_unordered: bool,
}

impl Counts {
    /// Adds what another thread counted.
    pub fn add(&mut self, other: &Self) {
        self.connected += other.connected;
        self.reconnected += other.reconnected;
        self.refused += other.refused;
        self.reset += other.reset;
        self.closed += other.closed;
        self.unclosed += other.unclosed;
        self.sent += other.sent;
        self.answered += other.answered;
        self.cut += other.cut;
        self.lost += other.lost;
        self.doubled += other.doubled;
        self.reordered += other.reordered;
        self.crossed += other.crossed;
        self.corrupt += other.corrupt;
        self.late += other.late;
        self.bytes_sent += other.bytes_sent;
        self.bytes_received += other.bytes_received;
        for fault in &other.faults {
            self.note(|| fault.clone());
        }
        for &end in &other.ends {
            self.ended(end);
        }
    }

    /// Keeps a fault in words, as long as there are few.
    pub fn note(&mut self, fault: impl FnOnce() -> String) {
        if self.faults.len() < FAULTS_KEPT {
            self.faults.push(fault());
        }
    }

    /// Keeps the end of a connection, as long as there are not too many.
    pub fn ended(&mut self, end: Ended) {
        if self.ends.len() < ENDS_KEPT {
            self.ends.push(end);
        }
    }

    /// What is wrong with these numbers, each in words; empty when nothing is.
    pub fn objections(&self, allowance: Allowance) -> Vec<String> {
        let ended = self.reset + self.closed + self.refused;
        let checks = [
            (self.lost, allowance.lost, "lost"),
            (ended, allowance.resets, "reset, closed or refused"),
            (self.doubled, 0, "doubled"),
            (self.reordered, if allowance.is_unordered { u64::MAX } else { 0 }, "reordered"),
            (self.crossed, 0, "crossed"),
            (self.corrupt, 0, "corrupt"),
            (self.unclosed, 0, "not closed after our FIN"),
        ];
        checks
            .iter()
            .filter(|(count, allowed, _)| count > allowed)
            .map(|(count, allowed, what)| match allowed {
                0 => format!("{count} {what}"),
                _ => format!("{count} {what}, {allowed} allowed"),
            })
            .collect()
    }
}

const FAULTS_KEPT: usize = 20;
const ENDS_KEPT: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_is_an_objection() {
        let clean = Counts { sent: 5, answered: 5, connected: 1, late: 5, ..Counts::default() };
        assert!(clean.objections(Allowance::default()).is_empty());
        let with = |change: fn(&mut Counts)| {
            let mut counts = clean.clone();
            change(&mut counts);
            counts.objections(Allowance::default())
        };
        assert_eq!(with(|counts| counts.lost = 1), ["1 lost"]);
        assert_eq!(with(|counts| counts.doubled = 2), ["2 doubled"]);
        assert_eq!(with(|counts| counts.reordered = 3), ["3 reordered"]);
        assert_eq!(with(|counts| counts.crossed = 4), ["4 crossed"]);
        assert_eq!(with(|counts| counts.corrupt = 5), ["5 corrupt"]);
        assert_eq!(with(|counts| counts.unclosed = 7), ["7 not closed after our FIN"]);
        assert_eq!(with(|counts| counts.refused = 6), ["6 reset, closed or refused"]);
    }

    #[test]
    fn what_is_allowed_is_no_objection_and_one_more_is() {
        let counts = Counts { reset: 2, closed: 1, cut: 9, lost: 4, ..Counts::default() };
        assert!(counts.objections(Allowance { resets: 3, lost: 4, is_unordered: false }).is_empty());
        let objections = counts.objections(Allowance { resets: 2, lost: 3, is_unordered: false });
        assert_eq!(objections, ["4 lost, 3 allowed", "3 reset, closed or refused, 2 allowed"]);
    }

    #[test]
    fn without_an_order_nothing_but_reordering_is_allowed() {
        let unordered = Allowance { is_unordered: true, ..Allowance::default() };
        let counts = Counts { sent: 5, answered: 5, reordered: 5, ..Counts::default() };
        assert!(counts.objections(unordered).is_empty());
        let counts = Counts { lost: 1, doubled: 2, crossed: 3, corrupt: 4, ..counts };
        assert_eq!(counts.objections(unordered), ["1 lost", "2 doubled", "3 crossed", "4 corrupt"]);
    }

    #[test]
    fn sums_hold_every_number() {
        let mut sum = Counts { answered: 1, ..Counts::default() };
        sum.note(|| "first".into());
        let mut other = Counts { answered: 2, reordered: 3, ..Counts::default() };
        other.note(|| "second".into());
        let end = Ended { connection: 4, is_reset: false, first_open: 5, cut: 6 };
        other.ended(end);
        sum.add(&other);
        assert_eq!((sum.answered, sum.reordered), (3, 3));
        assert_eq!(sum.faults, ["first", "second"]);
        assert_eq!(sum.ends, [end]);
    }
}
