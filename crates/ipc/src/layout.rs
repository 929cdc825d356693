//! The segment's plan: what lies where, computed once from the settings before anything is mapped.
//!
//! Tables come first and are allocated for real; the bytes of lanes and blocks follow and exist only once touched.

use crate::payload::{BlockClass, Places, PoolLayout, SpillEntry, StateWord};
use crate::ring::RingState;
use crate::segment::{Header, MasterEntry, ReactorEntry};
use crate::sessions::{FlagWord, SessionEntry, taken_words};
use crate::sync::{AtomicU32, AtomicU64, Padded};
use crate::workers::{SeatEntry, SlotEntry};

/// What the segment is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Reactors.
    pub reactors: usize,
    /// Slots of event workers, each with an inbox.
    pub workers: usize,
    /// Slots of user processes, behind those of the workers: they post to reactors, and nothing is posted to them.
    pub processes: usize,
    /// Ports.
    pub ports: usize,
    /// Sessions that may live at once, those that only wait for their close callback included.
    pub sessions: usize,
    /// The most memory that the segment may take, in bytes.
    pub budget: usize,
}

/// The settings do not fit into the memory they allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanError {
    /// The sum that shows it.
    pub arithmetic: String,
    /// The smallest budget that would do, in bytes.
    pub needed: usize,
}

/// Spill ranges that one producer may have in use at once.
const SPILL_ENTRIES: usize = 64;
const SMALL_BLOCK: usize = 128 << 10;
const LARGE_BLOCK: usize = 2 << 20;
const LARGEST_LANE: usize = 256 << 10;
const SMALLEST_LANE: usize = 16 << 10;
/// Up to so many lanes all of them are of the largest size.
const FEW_LANES: usize = 300;
/// The manager's pool, for what its callbacks send.
const MANAGER_BLOCKS: usize = 8;

/// Where everything is. Offsets and lengths are in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What it was made for.
    pub shape: Shape,
    /// Entries of the session table, a power of two.
    pub session_entries: usize,
    /// The bytes of one lane.
    pub lane_bytes: usize,
    pub(crate) header: usize,
    /// Written by the master alone: read-only for every other process.
    pub(crate) protected: (usize, usize),
    pub(crate) master: usize,
    pub(crate) reactors: usize,
    pub(crate) dispatched: usize,
    pub(crate) port_connections: usize,
    pub(crate) wants: usize,
    pub(crate) sessions: usize,
    pub(crate) taken_sessions: usize,
    pub(crate) flags: usize,
    pub(crate) gifts: usize,
    pub(crate) turn: usize,
    pub(crate) slots: usize,
    pub(crate) seats: usize,
    pub(crate) acks: usize,
    pub(crate) reactor_marks: usize,
    pub(crate) slot_marks: usize,
    pub(crate) lane_states: usize,
    /// Everything before this is allocated at start.
    pub(crate) tables: usize,
    pub(crate) lane_data: usize,
    pub(crate) reactor_pools: Vec<PoolLayout>,
    pub(crate) outlet_pools: Vec<PoolLayout>,
    /// The length of the segment.
    pub len: usize,
}

impl Shape {
    /// Slots of all kinds.
    pub fn slots(&self) -> usize {
        self.workers + self.processes
    }
}

impl Plan {
    /// Plans a segment within the shape's budget.
    pub fn new(shape: Shape) -> Result<Self, PlanError> {
        let Shape { reactors, workers, processes, .. } = shape;
        let slot_count = shape.slots();
        let session_entries = shape.sessions.next_power_of_two().max(64);
        let outlets = outlets(slot_count);
        let lanes = reactors * workers + outlets * reactors;
        let mut at = Cursor { offset: 0 };
        let header = at.place::<Header>(1);
        at.next_page();
        let protected_from = at.offset;
        let master = at.place::<MasterEntry>(1);
        let reactor_entries = at.place::<ReactorEntry>(reactors);
        // A reactor's rows begin on a cache line of their own.
        let dispatched = at.place::<AtomicU64>(reactors * counters_row(workers));
        let port_connections = at.place::<AtomicU64>(reactors * counters_row(shape.ports));
        let wants = at.place::<AtomicU64>(mark_words(reactors));
        let sessions = at.place::<SessionEntry>(session_entries);
        let taken_sessions = at.place::<AtomicU64>(taken_words(session_entries));
        at.next_page();
        let protected = (protected_from, at.offset - protected_from);
        let flags = at.place::<FlagWord>(session_entries);
        let gifts = at.place::<Padded<AtomicU64>>(reactors);
        let turn = at.place::<AtomicU64>(1);
        let slots = at.place::<SlotEntry>(slot_count);
        let seats = at.place::<SeatEntry>(slot_count * 2);
        let acks = at.place::<AtomicU32>(slot_count * 2 * reactors);
        let reactor_marks = at.place::<AtomicU64>(reactors * (1 + mark_words(outlets)));
        let slot_marks = at.place::<AtomicU64>(workers * mark_words(reactors));
        let lane_states = at.place::<RingState>(lanes);

        let before_pools = at.offset;
        // A reactor's pool serves all workers at once, a seat's only its process: two shares to one.
        let shares = 2 * reactors + 2 * slot_count;
        // What a process sends may be shared by all reactors; what a reactor posts has one consumer.
        let place_words = Places::words(reactors);
        let places = place_words * size_of::<AtomicU64>();
        let tables = before_pools
            + (reactors + outlets) * (SPILL_ENTRIES * size_of::<SpillEntry>() + 4096)
            + outlets * SPILL_ENTRIES * places;
        let (least_share, manager_pool) = (SMALL_BLOCK + places, MANAGER_BLOCKS * (SMALL_BLOCK + places));
        let needed = |lane_bytes: usize| tables + lanes * lane_bytes + shares * least_share + manager_pool;
        let mut lane_bytes = lane_size(lanes, shape.budget);
        while lane_bytes > SMALLEST_LANE && needed(lane_bytes) > shape.budget {
            lane_bytes /= 2;
        }
        let needed = needed(lane_bytes);
        if needed > shape.budget {
            let arithmetic = format!(
                "{session_entries} sessions and the tables of {workers} workers{} take {} KiB, {lanes} lanes of {} KiB \
                 take {} KiB, {shares} pool shares need {} KiB each and the manager's pool {} KiB, {} KiB together",
                if processes == 0 { String::new() } else { format!(" and {processes} user processes") },
                tables / 1024,
                lane_bytes / 1024,
                lanes * lane_bytes / 1024,
                SMALL_BLOCK / 1024,
                manager_pool / 1024,
                needed.div_ceil(1024),
            );
            return Err(PlanError { arithmetic, needed });
        }
        let share = least_share + (shape.budget - needed) / shares;
        let mut reactor_pools: Vec<PoolLayout> = (0..reactors).map(|_| pool_of(2 * share, 0, &mut at)).collect();
        let mut outlet_pools: Vec<PoolLayout> =
            (0..outlets - 1).map(|_| pool_of(share, place_words, &mut at)).collect();
        outlet_pools.push(pool_of(manager_pool, place_words, &mut at));
        at.next_page();
        let tables = at.offset;
        let lane_data = at.offset;
        at.offset += lanes * lane_bytes;
        for pool in reactor_pools.iter_mut().chain(&mut outlet_pools) {
            for class in [&mut pool.small, &mut pool.large] {
                class.data = at.offset;
                at.offset += class.count * class.size;
            }
        }
        Ok(Self {
            shape,
            session_entries,
            lane_bytes,
            header,
            protected,
            master,
            reactors: reactor_entries,
            dispatched,
            port_connections,
            wants,
            sessions,
            taken_sessions,
            flags,
            gifts,
            turn,
            slots,
            seats,
            acks,
            reactor_marks,
            slot_marks,
            lane_states,
            tables,
            lane_data,
            reactor_pools,
            outlet_pools,
            len: at.offset,
        })
    }
}

/// Producers towards reactors: two seats for each slot, then the manager.
pub fn outlets(slots: usize) -> usize {
    2 * slots + 1
}

/// Counters that a reactor has where it has one for each of so many things, up to the end of a cache line.
pub fn counters_row(things: usize) -> usize {
    things.next_multiple_of(8)
}

/// Words of a bitmap with one bit for each of `lanes`.
pub fn mark_words(lanes: usize) -> usize {
    lanes.div_ceil(64)
}

fn lane_size(lanes: usize, budget: usize) -> usize {
    let mut size = if lanes <= FEW_LANES { LARGEST_LANE } else { LARGEST_LANE / 4 };
    while size > SMALLEST_LANE && lanes * size > budget / 2 {
        size /= 2;
    }
    size
}

fn pool_of(bytes: usize, place_words: usize, at: &mut Cursor) -> PoolLayout {
    let places = place_words * size_of::<AtomicU64>();
    let large = bytes / 4 * 3 / (LARGE_BLOCK + places);
    let small = (bytes - large * (LARGE_BLOCK + places)) / (SMALL_BLOCK + places);
    PoolLayout {
        places: at.place::<AtomicU64>((small + large + SPILL_ENTRIES) * place_words),
        place_words,
        states: at.place::<StateWord>(small + large),
        spill: at.place::<SpillEntry>(SPILL_ENTRIES),
        spill_count: SPILL_ENTRIES,
        small: BlockClass { count: small, size: SMALL_BLOCK, data: 0 },
        large: BlockClass { count: large, size: LARGE_BLOCK, data: 0 },
    }
}

struct Cursor {
    offset: usize,
}

impl Cursor {
    fn place<T>(&mut self, count: usize) -> usize {
        // A cache line of its own for each table: neighbours have other writers.
        let offset = self.offset.next_multiple_of(align_of::<T>().max(64));
        self.offset = offset + count * size_of::<T>();
        offset
    }

    fn next_page(&mut self) {
        self.offset = self.offset.next_multiple_of(rotor_sys::memory::page_size());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(reactors: usize, workers: usize, budget: usize) -> Shape {
        Shape { reactors, workers, processes: 0, ports: 1, sessions: 1000, budget }
    }

    #[test]
    fn a_plan_stays_within_its_budget_and_protects_whole_pages() {
        for (reactors, workers, budget_mib) in [(1, 1, 16), (2, 2, 256), (8, 64, 512), (4, 3, 64)] {
            let plan = Plan::new(shape(reactors, workers, budget_mib << 20)).unwrap();
            assert!(plan.len <= budget_mib << 20, "{} of {budget_mib} MiB", plan.len);
            assert!(plan.len > (budget_mib << 20) / 4 * 3, "only {} of {budget_mib} MiB are used", plan.len);
            assert!(plan.protected.0.is_multiple_of(4096) && plan.protected.1.is_multiple_of(4096));
            assert!(plan.lane_bytes.is_power_of_two() && plan.lane_bytes >= SMALLEST_LANE);
        }
    }

    #[test]
    fn a_user_process_has_all_that_a_worker_has_but_the_inbox() {
        let with = |workers, processes| Plan::new(Shape { processes, ..shape(2, workers, 256 << 20) }).unwrap();
        let lanes = |plan: &Plan| (plan.reactor_pools[0].small.data - plan.lane_data) / plan.lane_bytes;
        let (workers, mixed) = (with(4, 0), with(3, 1));
        assert_eq!(mixed.outlet_pools.len(), workers.outlet_pools.len());
        assert_eq!(lanes(&workers) - lanes(&mixed), 2, "no lane from either reactor");
        assert!(mixed.len <= 256 << 20);
        let error = Plan::new(Shape { processes: 1, ..shape(1, 1, 1 << 20) }).unwrap_err();
        assert!(error.arithmetic.contains("1 workers and 1 user processes"), "{}", error.arithmetic);
    }

    #[test]
    fn what_does_not_fit_is_refused_with_the_sum_and_the_budget_that_would_do() {
        for (reactors, workers) in [(1, 1), (2, 4), (8, 64)] {
            let error = Plan::new(shape(reactors, workers, 1 << 20)).unwrap_err();
            assert!(error.arithmetic.contains("lanes of 16 KiB"), "{}", error.arithmetic);
            assert!(Plan::new(shape(reactors, workers, error.needed - 1)).is_err());
            for more in [0, 1, 300 << 10, 3 << 20] {
                let plan = Plan::new(shape(reactors, workers, error.needed + more)).unwrap();
                assert!(plan.len <= error.needed + more, "{} of {}", plan.len, error.needed + more);
            }
        }
    }
}
