//! A hierarchical timer wheel: at most one timer for each key, a small number. Setting, cancelling and advancing take the
//! same time however many timers there are, and a key without a timer costs sixteen bytes.
//!
//! Time is counted in ticks. A level has 64 slots; a slot of level n stands for 64^n ticks. A timer lies in the level of
//! the highest digit (of base 64) in which its tick differs from now, in the slot of that digit. When now enters that
//! slot the timer moves to a lower level, and is due when it reaches the last. There are as many levels as a `u64` has
//! digits, so no time is too far.
//!
//! The wheel is lazy: whoever is busy only notes the time, and what its timer is for is looked at when that is due.

/// Slots of a level: one word of bits says which are in use.
const SLOTS: usize = 64;
const DIGIT_BITS: u32 = 6;
/// Digits of a `u64`.
const LEVELS: usize = 11;
/// No key.
const NONE: u32 = u32::MAX;
/// The tick of a key without a timer.
const UNSET: u64 = u64::MAX;

/// Timers of keys from 0 on.
pub(super) struct Wheel {
    /// Everything that was due up to this tick has been told.
    now: u64,
    levels: Box<[Level; LEVELS]>,
    /// By key; as long as the highest key that has ever had a timer.
    nodes: Vec<Node>,
}

#[derive(Clone, Copy)]
struct Level {
    /// The first key of each slot's list.
    heads: [u32; SLOTS],
    /// The slots that have one.
    used: u64,
}

/// A key's place in the list of its slot.
#[derive(Clone, Copy)]
struct Node {
    due: u64,
    before: u32,
    behind: u32,
}

impl Node {
    const FREE: Self = Self { due: UNSET, before: NONE, behind: NONE };
}

impl Wheel {
    /// A wheel that stands at tick 0.
    pub(super) fn new() -> Self {
        Self { now: 0, levels: Box::new([Level { heads: [NONE; SLOTS], used: 0 }; LEVELS]), nodes: Vec::new() }
    }

    /// When the timer of a key is due, if it has one.
    pub(super) fn due(&self, key: u32) -> Option<u64> {
        self.nodes.get(key as usize).map(|node| node.due).filter(|due| *due != UNSET)
    }

    /// Sets the timer of a key, in place of the one that it has. What lies in the past is due at the next tick.
    pub(super) fn set(&mut self, key: u32, due: u64) {
        self.cancel(key);
        if self.nodes.len() <= key as usize {
            self.nodes.resize(key as usize + 1, Node::FREE);
        }
        self.link(key, due.clamp(self.now + 1, UNSET - 1));
    }

    /// Takes the timer of a key away, if it has one.
    pub(super) fn cancel(&mut self, key: u32) {
        let Some(due) = self.due(key) else { return };
        let (level, slot) = self.place(due);
        let Node { before, behind, .. } = std::mem::replace(&mut self.nodes[key as usize], Node::FREE);
        if behind != NONE {
            self.nodes[behind as usize].before = before;
        }
        if before != NONE {
            self.nodes[before as usize].behind = behind;
            return;
        }
        let level = &mut self.levels[level];
        level.heads[slot] = behind;
        if behind == NONE {
            level.used &= !(1 << slot);
        }
    }

    /// Moves to a tick and takes away the timers that are due by then; their keys go into `due`, the earlier before the
    /// later.
    pub(super) fn advance(&mut self, to: u64, due: &mut Vec<u32>) {
        while let Some((level, slot, begin)) = self.first_used()
            && begin <= to
        {
            self.now = begin;
            let mut key = std::mem::replace(&mut self.levels[level].heads[slot], NONE);
            self.levels[level].used &= !(1 << slot);
            while key != NONE {
                let node = std::mem::replace(&mut self.nodes[key as usize], Node::FREE);
                if node.due <= self.now {
                    due.push(key);
                } else {
                    // The digits up to this one agree with now, so it goes to a lower level.
                    self.link(key, node.due);
                }
                key = node.behind;
            }
        }
        self.now = self.now.max(to);
    }

    /// The slot that is entered first: level, slot, and its first tick. That is the first one of the lowest level in use,
    /// since what lies higher differs from now in a higher digit.
    fn first_used(&self) -> Option<(usize, usize, u64)> {
        let (level, used) = self.levels.iter().map(|level| level.used).enumerate().find(|(_, used)| *used != 0)?;
        let slot = used.trailing_zeros();
        let shift = DIGIT_BITS * u32::try_from(level).unwrap_or(0);
        // The digits above stay; those below begin anew.
        let above = self.now.checked_shr(shift + DIGIT_BITS).unwrap_or(0);
        let above = above.checked_shl(shift + DIGIT_BITS).unwrap_or(0);
        Some((level, slot as usize, above | u64::from(slot) << shift))
    }

    fn link(&mut self, key: u32, due: u64) {
        let (level, slot) = self.place(due);
        let level = &mut self.levels[level];
        let behind = std::mem::replace(&mut level.heads[slot], key);
        level.used |= 1 << slot;
        self.nodes[key as usize] = Node { due, before: NONE, behind };
        if behind != NONE {
            self.nodes[behind as usize].before = key;
        }
    }

    /// Level and slot of a tick behind now. They stay the same until now enters the slot, so a timer is found again.
    fn place(&self, due: u64) -> (usize, usize) {
        let level = (due ^ self.now | 1).ilog2() / DIGIT_BITS;
        let slot = due >> (level * DIGIT_BITS) & (SLOTS as u64 - 1);
        (level as usize, rotor_ipc::to_usize(slot))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn fired(wheel: &mut Wheel, to: u64) -> Vec<u32> {
        let mut due = Vec::new();
        wheel.advance(to, &mut due);
        due
    }

    #[test]
    fn a_timer_is_due_at_its_tick_and_once() {
        for due in [1, 2, 63, 64, 65, 127, 128, 4095, 4096, 4097, 1 << 18, (1 << 36) + 5, 1 << 60, UNSET - 1] {
            let mut wheel = Wheel::new();
            wheel.set(7, due);
            assert_eq!(wheel.due(7), Some(due));
            assert!(fired(&mut wheel, due - 1).is_empty());
            assert_eq!(fired(&mut wheel, due), [7]);
            assert_eq!(wheel.due(7), None);
            assert!(fired(&mut wheel, due.saturating_add(10_000)).is_empty());
        }
    }

    #[test]
    fn what_lies_in_the_past_is_due_at_the_next_tick() {
        let mut wheel = Wheel::new();
        assert!(fired(&mut wheel, 1000).is_empty());
        wheel.set(0, 3);
        wheel.set(1, 1000);
        assert!(fired(&mut wheel, 1000).is_empty());
        assert_eq!(fired(&mut wheel, 1001).len(), 2);
    }

    #[test]
    fn a_timer_that_is_set_again_is_due_at_its_new_tick_alone() {
        let mut wheel = Wheel::new();
        wheel.set(3, 50);
        wheel.set(3, 5000);
        assert!(fired(&mut wheel, 4999).is_empty());
        wheel.set(3, 5010);
        assert!(fired(&mut wheel, 5009).is_empty());
        assert_eq!(fired(&mut wheel, 5010), [3]);
    }

    #[test]
    fn a_timer_that_was_cancelled_is_never_due_wherever_it_lies_in_its_list() {
        for cancelled in 0..3 {
            let mut wheel = Wheel::new();
            (0..3).for_each(|key| wheel.set(key, 700));
            wheel.cancel(cancelled);
            wheel.cancel(cancelled);
            wheel.cancel(99);
            let mut left = fired(&mut wheel, 1_000_000);
            left.sort_unstable();
            assert_eq!(left, (0..3).filter(|key| *key != cancelled).collect::<Vec<_>>());
        }
    }

    #[test]
    fn an_idle_key_costs_sixteen_bytes() {
        assert_eq!(size_of::<Node>(), 16);
    }

    #[test]
    fn a_hundred_thousand_timers_are_told_of_in_order_without_being_looked_at_before() {
        let mut wheel = Wheel::new();
        (0..100_000).for_each(|key| wheel.set(key, 1 + u64::from(key) * 7919 % 1_000_003));
        let due = fired(&mut wheel, 2_000_000);
        assert_eq!(due.len(), 100_000);
        let tick = |key: u32| 1 + u64::from(key) * 7919 % 1_000_003;
        assert!(due.windows(2).all(|pair| tick(pair[0]) <= tick(pair[1])));
    }

    #[derive(Clone, Debug)]
    enum Step {
        Set(u32, u64),
        Cancel(u32),
        Advance(u64),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let far = prop_oneof![0..200_u64, 0..10_000_u64, 0..20_000_000_u64, any::<u64>()];
        let step = prop_oneof![
            4 => (0..40_u32, far.clone()).prop_map(|(key, ahead)| Step::Set(key, ahead)),
            1 => (0..40_u32).prop_map(Step::Cancel),
            3 => far.prop_map(Step::Advance),
        ];
        prop::collection::vec(step, 1..200)
    }

    proptest! {
        #[test]
        fn it_does_what_a_sorted_list_does(steps in steps()) {
            let mut wheel = Wheel::new();
            let mut list: BTreeMap<u32, u64> = BTreeMap::new();
            let mut now = 0_u64;
            for step in steps {
                match step {
                    Step::Set(key, ahead) => {
                        let due = now.saturating_add(ahead);
                        if now >= UNSET - 1 {
                            continue;
                        }
                        wheel.set(key, due);
                        list.insert(key, due.clamp(now + 1, UNSET - 1));
                    }
                    Step::Cancel(key) => {
                        wheel.cancel(key);
                        list.remove(&key);
                    }
                    Step::Advance(ahead) => {
                        now = now.saturating_add(ahead).min(UNSET - 1);
                        let due = fired(&mut wheel, now);
                        prop_assert!(due.windows(2).all(|pair| list[&pair[0]] <= list[&pair[1]]));
                        let mut due = due;
                        due.sort_unstable();
                        let expected: Vec<u32> =
                            list.iter().filter(|(_, due)| **due <= now).map(|(key, _)| *key).collect();
                        prop_assert_eq!(due, expected);
                        list.retain(|_, due| *due > now);
                    }
                }
                for key in 0..40 {
                    prop_assert_eq!(wheel.due(key), list.get(&key).copied());
                }
            }
        }
    }
}
