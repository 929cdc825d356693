//! Clients that have a connection or have lately made one: a table of fixed size, of atomics.
//!
//! An entry is one word, the client's mark and how many connections it has, and beside it the time up to which its rate is
//! used up. It changes by CAS on the word, and is another client's once it has no connection and that time is over: an
//! entry like that says no more than a fresh one does. A client lies in one of [`WINDOW`] neighbouring places. Where they
//! are all taken the client is let in without being counted; that needs far more clients than there may be connections.
//!
//! Who enters holds a lock: two threads could give one client two places otherwise. Who leaves does not.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use parking_lot::Mutex;

use super::Refusal;

/// The clients. All loads and stores are relaxed: nothing else is read by what an entry says.
pub struct Table {
    entries: Box<[Entry]>,
    entering: Mutex<()>,
}

#[derive(Default)]
struct Entry {
    /// The client's mark above [`COUNT_BITS`] bits of connections; 0: never used.
    word: AtomicU64,
    /// The client's rate is used up to here (monotonic ns).
    used_until_ns: AtomicU64,
}

/// How many connections a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// One uses up so much time.
    each_ns: u64,
    /// And so much may be used up ahead: a second's, or one.
    ahead_ns: u64,
}

impl Rate {
    /// So many a second, more than 0; as many at once.
    pub fn per_second(rate: f64) -> Self {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to what a u64 holds")]
        let each_ns = (1e9 / rate).clamp(1.0, 1e18) as u64;
        Self { each_ns, ahead_ns: each_ns.max(1_000_000_000) }
    }
}

const COUNT_BITS: u32 = 24;
const COUNT_MASK: u64 = (1 << COUNT_BITS) - 1;
/// So many neighbours are looked at.
const WINDOW: usize = 32;
const SMALLEST: usize = 1 << 10;
/// 64 MiB; with two entries for each connection the windows hardly ever fill.
const LARGEST: usize = 1 << 22;

impl Table {
    /// For as many clients as there may be connections.
    pub fn new(connections: usize) -> Self {
        let len = connections.saturating_mul(2).next_power_of_two().clamp(SMALLEST, LARGEST);
        Self { entries: std::iter::repeat_with(Entry::default).take(len).collect(), entering: Mutex::new(()) }
    }

    /// Counts a connection of the client with this hash. The entry has to be left again; `None` is none.
    pub fn enter(
        &self,
        hash: u64,
        at_once: Option<u32>,
        rate: Option<Rate>,
        now_ns: u64,
    ) -> Result<Option<u32>, Refusal> {
        let most = at_once.map_or(COUNT_MASK, u64::from).min(COUNT_MASK);
        let _entering = self.entering.lock();
        let Some(place) = self.count(hash, most, now_ns)? else { return Ok(None) };
        let entry = &self.entries[place];
        if rate.is_some_and(|rate| !entry.uses(rate, now_ns)) {
            entry.word.fetch_sub(1, Relaxed);
            return Err(Refusal::TooFast);
        }
        Ok(u32::try_from(place).ok())
    }

    /// A connection is over.
    pub fn leave(&self, entry: u32) {
        // It was counted, so that this takes nothing from the mark.
        self.entries[entry as usize].word.fetch_sub(1, Relaxed);
    }

    /// Counts one more in the client's entry, or in one that becomes the client's; its place.
    fn count(&self, hash: u64, most: u64, now_ns: u64) -> Result<Option<usize>, Refusal> {
        let mark = (hash >> COUNT_BITS).max(1);
        // Each time round a connection of the entry's client has ended in between.
        loop {
            let Some((place, word)) = self.find(hash, mark, now_ns) else { return Ok(None) };
            let next = if word >> COUNT_BITS == mark {
                if word & COUNT_MASK >= most {
                    return Err(Refusal::TooMany);
                }
                word + 1
            } else {
                mark << COUNT_BITS | 1
            };
            if self.entries[place].word.compare_exchange_weak(word, next, Relaxed, Relaxed).is_ok() {
                return Ok(Some(place));
            }
        }
    }

    /// The client's entry, else the first that nobody needs.
    fn find(&self, hash: u64, mark: u64, now_ns: u64) -> Option<(usize, u64)> {
        let mask = self.entries.len() - 1;
        #[expect(clippy::cast_possible_truncation, reason = "the lower bits are what is wanted")]
        let start = hash as usize;
        let mut unused = None;
        for step in 0..WINDOW {
            let place = start.wrapping_add(step) & mask;
            let entry = &self.entries[place];
            let word = entry.word.load(Relaxed);
            if word >> COUNT_BITS == mark {
                return Some((place, word));
            }
            if unused.is_none() && word & COUNT_MASK == 0 && entry.used_until_ns.load(Relaxed) <= now_ns {
                unused = Some((place, word));
            }
            if word == 0 {
                // Entries never go back to this: whoever comes behind has found a place before.
                break;
            }
        }
        unused
    }
}

impl Entry {
    /// Uses the rate up by one connection, if there is so much left.
    fn uses(&self, rate: Rate, now_ns: u64) -> bool {
        let after = |until_ns: u64| {
            let until_ns = until_ns.max(now_ns) + rate.each_ns;
            (until_ns <= now_ns + rate.ahead_ns).then_some(until_ns)
        };
        self.used_until_ns.fetch_update(Relaxed, Relaxed, after).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    const SECOND: u64 = 1_000_000_000;
    const NOW: u64 = 5000 * SECOND;

    /// A hash as good as any.
    fn hash(number: u64) -> u64 {
        (number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(31).wrapping_mul(0xbf58_476d_1ce4_e5b9)
    }

    #[test]
    fn a_client_has_as_many_connections_as_it_may_and_one_that_ends_makes_room() {
        let table = Table::new(100);
        let enter = |client| table.enter(hash(client), Some(2), None, NOW);
        let first = enter(1).unwrap().unwrap();
        enter(1).unwrap().unwrap();
        assert_eq!(enter(1), Err(Refusal::TooMany));
        assert!(enter(2).is_ok_and(|entry| entry.is_some()));
        table.leave(first);
        assert!(enter(1).is_ok());
        assert_eq!(enter(1), Err(Refusal::TooMany));
    }

    #[test]
    fn a_client_makes_as_many_a_second_as_it_may_and_what_is_refused_counts_for_nothing() {
        let table = Table::new(100);
        let rate = Some(Rate::per_second(4.0));
        let enter = |now_ns| {
            let entered = table.enter(hash(1), None, rate, now_ns);
            if let Ok(entry) = entered {
                table.leave(entry.unwrap());
            }
            entered.is_ok()
        };
        assert_eq!((0..20).filter(|_| enter(NOW)).count(), 4);
        assert!(!enter(NOW + SECOND / 4 - 1));
        assert!(enter(NOW + SECOND / 4));
        assert!(!enter(NOW + SECOND / 4));
        assert_eq!((0..20).filter(|_| enter(NOW + 100 * SECOND)).count(), 4);
        // Refused by the rate, it must not count as a connection that is there.
        assert!(table.enter(hash(1), Some(1), None, NOW + 100 * SECOND).is_ok());
    }

    #[test]
    fn less_than_one_a_second_is_one_and_then_a_longer_wait() {
        let table = Table::new(100);
        let enter = |now_ns| table.enter(hash(1), None, Some(Rate::per_second(0.5)), now_ns).is_ok();
        assert!(enter(NOW));
        assert!(!enter(NOW + SECOND));
        assert!(enter(NOW + 2 * SECOND));
    }

    #[test]
    fn entries_are_used_again_so_that_any_number_of_clients_needs_no_more_of_them() {
        let table = Table::new(SMALLEST / 2);
        let rate = Some(Rate::per_second(1.0));
        for client in 0..100_000 {
            // Ten at a time: the time of those before is over.
            let entry = table.enter(hash(client), Some(1), rate, NOW + client / 10 * SECOND).unwrap();
            table.leave(entry.expect("there is a place"));
        }
    }

    #[test]
    fn as_many_clients_as_there_may_be_connections_are_all_counted() {
        let connections = 100_000;
        let table = Table::new(connections);
        let uncounted =
            (0..connections as u64).filter(|client| table.enter(hash(*client), Some(1), None, NOW) == Ok(None));
        assert_eq!(uncounted.count(), 0);
        assert_eq!(table.enter(hash(77), Some(1), None, NOW), Err(Refusal::TooMany));
    }

    #[test]
    fn more_clients_than_fit_are_let_in_uncounted() {
        let table = Table::new(1);
        let mut uncounted = 0;
        for client in 0..10 * SMALLEST as u64 {
            uncounted += usize::from(table.enter(hash(client), Some(1), None, NOW).unwrap().is_none());
        }
        assert_eq!(uncounted, 9 * SMALLEST);
    }

    #[test]
    fn a_client_that_enters_by_several_threads_at_once_is_counted_in_one_place() {
        let table = Arc::new(Table::new(100));
        let inside: Arc<[AtomicU64; 8]> = Arc::default();
        let threads: Vec<_> = (0..4_u64)
            .map(|thread| {
                let (table, inside) = (table.clone(), inside.clone());
                std::thread::spawn(move || {
                    for turn in 0..50_000 {
                        let client = (thread + turn) % 8;
                        // All begin to look at the same place, and take it from each other.
                        let Ok(entry) = table.enter((client + 1) << COUNT_BITS, Some(1), None, NOW) else { continue };
                        let now_inside = &inside[usize::try_from(client).unwrap()];
                        assert_eq!(now_inside.fetch_add(1, Relaxed), 0, "one at once is what it may have");
                        now_inside.fetch_sub(1, Relaxed);
                        table.leave(entry.unwrap());
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
    }

    #[test]
    fn threads_that_come_and_go_at_once_never_exceed_the_limit_and_leave_nothing_behind() {
        let table = Arc::new(Table::new(100));
        let inside: Arc<[AtomicU64; 4]> = Arc::default();
        let threads: Vec<_> = (0..4_u64)
            .map(|thread| {
                let (table, inside) = (table.clone(), inside.clone());
                std::thread::spawn(move || {
                    for turn in 0..20_000 {
                        let client = (thread + turn) % 4;
                        let Ok(entry) = table.enter(hash(client), Some(2), None, NOW) else { continue };
                        let now_inside = &inside[usize::try_from(client).unwrap()];
                        assert!(now_inside.fetch_add(1, Relaxed) < 2);
                        now_inside.fetch_sub(1, Relaxed);
                        table.leave(entry.unwrap());
                    }
                })
            })
            .collect();
        for thread in threads {
            thread.join().unwrap();
        }
        for client in 0..4 {
            for _ in 0..2 {
                assert!(table.enter(hash(client), Some(2), None, NOW).is_ok());
            }
        }
    }
}
