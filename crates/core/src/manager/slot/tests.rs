//! Every state of a slot and what each event does to it.

mod matrix;

use super::*;

const ALL_FREE: SlotEvent = SlotEvent::Tick { free: [true, true] };
const LIMITS: Limits =
    Limits { max_wait: Some(Duration::from_secs(30)), max_delay: Duration::from_secs(5), hands_over: true };
const REPLACE: SlotEvent = SlotEvent::Replace { free: [true, true], is_reload: false };
const RELOAD: SlotEvent = SlotEvent::Replace { free: [true, true], is_reload: true };

struct Life {
    slot: Slot,
    now: Instant,
}

impl Life {
    fn new() -> Self {
        Self::with(LIMITS)
    }

    fn with(limits: Limits) -> Self {
        let now = Instant::now();
        Self { slot: Slot::new(limits, now), now }
    }

    /// A slot whose first process, generation 2, serves.
    fn serving() -> Self {
        let mut life = Self::new();
        assert_eq!(life.on(ALL_FREE), [Action::Fork { generation: 2, owns: true }]);
        assert_eq!(life.on(SlotEvent::Ready { generation: 2 }), []);
        life
    }

    /// A slot whose process 2 has an offer open to 3.
    fn offered() -> Self {
        let mut life = Self::serving();
        assert_eq!(life.on(REPLACE), [Action::Fork { generation: 3, owns: false }]);
        assert_eq!(life.on(SlotEvent::Ready { generation: 3 }), [Action::Offer { from: 2, to: 3 }]);
        life
    }

    fn on(&mut self, event: SlotEvent) -> Vec<Action> {
        let (slot, actions) = self.slot.clone().on(event, self.now);
        self.slot = slot;
        actions
    }

    fn dies(&mut self, generation: Generation, owner: Generation, was_fruitful: bool) -> Vec<Action> {
        self.on(SlotEvent::Exited { generation, owner, was_fruitful, is_drained: false })
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
    }
}

fn fork(generation: Generation) -> Vec<Action> {
    vec![Action::Fork { generation, owns: true }]
}

#[test]
fn a_worker_that_has_finished_messages_is_respawned_at_once_in_the_other_seat() {
    let mut life = Life::serving();
    assert_eq!(life.dies(2, 2, true), []);
    assert_eq!(life.on(ALL_FREE), fork(3));
}

#[test]
fn a_respawn_waits_for_a_seat_that_the_reactors_have_cleared() {
    let mut life = Life::serving();
    life.dies(2, 2, true);
    assert_eq!(life.on(SlotEvent::Tick { free: [false, false] }), []);
    assert_eq!(life.on(SlotEvent::Tick { free: [true, false] }), fork(4));
}

#[test]
fn a_worker_that_dies_before_it_is_ready_is_respawned_with_growing_delay() {
    let mut life = Life::new();
    for delay_ms in [100, 200, 400, 800, 1600, 3200, 5000, 5000] {
        let delay = Duration::from_millis(delay_ms);
        let [Action::Fork { generation, .. }] = life.on(ALL_FREE)[..] else { panic!("no fork") };
        assert_eq!(life.dies(generation, generation, false), [Action::BackOff { delay }]);
        assert_eq!(life.on(ALL_FREE), []);
        assert_eq!(life.slot.deadline(life.now), Some(life.now + delay));
        life.pass(delay);
    }
}

#[test]
fn a_single_death_without_a_finished_message_costs_no_time_and_the_second_does() {
    let mut life = Life::serving();
    assert_eq!(life.dies(2, 2, false), []);
    assert_eq!(life.on(ALL_FREE), fork(3));
    life.on(SlotEvent::Ready { generation: 3 });
    assert_eq!(life.dies(3, 3, false), [Action::BackOff { delay: FIRST_DELAY }]);
    life.pass(FIRST_DELAY);
    assert_eq!(life.on(ALL_FREE), fork(4));
    life.on(SlotEvent::Ready { generation: 4 });
    assert_eq!(life.dies(4, 4, true), [], "a finished message resets the delay");
}

#[test]
fn a_handover_ends_with_the_old_process_leaving_and_the_new_one_serving() {
    let mut life = Life::offered();
    assert_eq!(life.on(SlotEvent::Owned { generation: 2 }), []);
    assert_eq!(life.on(SlotEvent::Owned { generation: 3 }), [Action::Replaced]);
    assert!(life.slot.is_leaving());
    assert_eq!(life.on(REPLACE), [], "a successor starts only when the leaving one is gone");
    assert_eq!(life.dies(2, 3, true), []);
    assert_eq!(life.on(REPLACE), [Action::Fork { generation: 4, owns: false }]);
}

#[test]
fn a_successor_that_dies_before_it_is_ready_leaves_the_old_process_serving() {
    let mut life = Life::serving();
    life.on(REPLACE);
    assert_eq!(life.dies(3, 2, false), [Action::KeptOld]);
    assert_eq!(life.slot.serving(), Some(2));
}

#[test]
fn a_successor_that_dies_after_the_commit_is_a_crash_like_any() {
    let mut life = Life::offered();
    assert_eq!(life.dies(3, 3, false), [Action::Replaced]);
    assert!(life.slot.is_leaving());
    assert_eq!(life.on(SlotEvent::Tick { free: [false, true] }), fork(5));
}

#[test]
fn an_old_process_that_dies_with_the_offer_open_leaves_the_inbox_to_the_successor() {
    let mut life = Life::offered();
    assert_eq!(life.dies(2, 3, true), [Action::Replaced]);
    assert_eq!(life.slot.serving(), Some(3));
}

#[test]
fn an_old_process_that_dies_before_the_offer_makes_the_successor_the_owner() {
    let mut life = Life::serving();
    life.on(REPLACE);
    assert_eq!(life.dies(2, 2, true), [Action::Appoint { generation: 3 }, Action::Replaced]);
    assert_eq!(life.on(SlotEvent::Ready { generation: 3 }), []);
    assert_eq!(life.slot.serving(), Some(3));
}

#[test]
fn who_does_not_do_what_is_due_in_time_is_killed_once() {
    let mut life = Life::serving();
    life.on(REPLACE);
    life.pass(Duration::from_secs(30));
    assert_eq!(life.on(ALL_FREE), [Action::Kill { generation: 3, because: Overdue::Starting }]);
    assert_eq!(life.on(ALL_FREE), []);

    let mut life = Life::offered();
    life.pass(Duration::from_secs(30));
    assert_eq!(life.on(ALL_FREE), []);
    life.pass(GRACE);
    assert_eq!(life.on(ALL_FREE), [Action::Kill { generation: 2, because: Overdue::HandingOver }]);

    let mut life = Life::offered();
    life.on(SlotEvent::Owned { generation: 3 });
    life.pass(Duration::from_secs(30));
    assert_eq!(life.on(ALL_FREE), [], "it ends itself first");
    life.pass(GRACE);
    assert_eq!(life.on(ALL_FREE), [Action::Kill { generation: 2, because: Overdue::Leaving }]);
    assert_eq!(life.on(ALL_FREE), []);
}

#[test]
fn a_fork_that_fails_is_tried_again_later_and_costs_a_serving_slot_nothing() {
    let mut life = Life::new();
    life.on(ALL_FREE);
    assert_eq!(life.on(SlotEvent::ForkFailed { generation: 2 }), [Action::BackOff { delay: FIRST_DELAY }]);
    let mut life = Life::serving();
    life.on(REPLACE);
    assert_eq!(life.on(SlotEvent::ForkFailed { generation: 3 }), [Action::KeptOld]);
    assert_eq!(life.slot.serving(), Some(2));
}

#[test]
fn a_stop_takes_an_open_offer_back_and_sends_the_successor_away() {
    let mut life = Life::offered();
    let actions = life.on(SlotEvent::Stop);
    let withdraw = Action::Withdraw { from: 2, to: 3 };
    assert_eq!(actions, [Action::AskToLeave { generation: 3 }, withdraw]);
    life.slot.swap_after_commit();
    assert_eq!(life.slot.serving(), Some(3), "the commit was faster");
}

#[test]
fn at_a_stop_a_slot_ends_when_its_inbox_is_drained_and_is_respawned_when_it_is_not() {
    let mut life = Life::serving();
    life.on(SlotEvent::Stop);
    assert_eq!(life.dies(2, 2, true), []);
    assert_eq!(life.on(ALL_FREE), fork(3), "unread records are left");
    life.on(SlotEvent::Ready { generation: 3 });
    life.on(SlotEvent::Exited { generation: 3, owner: 3, was_fruitful: true, is_drained: true });
    assert!(life.slot.is_stopped());
    assert_eq!(life.on(ALL_FREE), []);
}

#[test]
fn events_of_a_generation_that_is_not_there_change_nothing() {
    for mut life in [Life::new(), Life::serving(), Life::offered()] {
        let before = life.slot.clone();
        assert_eq!(life.on(SlotEvent::Ready { generation: 77 }), []);
        assert_eq!(life.on(SlotEvent::ForkFailed { generation: 77 }), []);
        assert_eq!(life.dies(77, 77, true), []);
        assert_eq!(life.slot, before);
    }
}

#[test]
fn a_successor_waits_for_a_seat_that_the_reactors_have_cleared() {
    let mut life = Life::serving();
    assert_eq!(life.on(SlotEvent::Replace { free: [true, false], is_reload: true }), []);
    assert!(!life.slot.is_replaceable([true, false]));
    assert_eq!(life.slot.serving(), Some(2));
    assert_eq!(life.on(REPLACE), [Action::Fork { generation: 3, owns: false }]);
}

#[test]
fn a_process_that_is_not_ready_is_not_replaced_yet() {
    let mut life = Life::new();
    life.on(ALL_FREE);
    assert!(life.slot.is_starting() && !life.slot.is_replaceable([true, true]));
    assert_eq!(life.on(REPLACE), []);
}

#[test]
fn the_time_to_leave_counts_from_the_offer() {
    let mut life = Life::offered();
    life.pass(Duration::from_secs(20));
    assert_eq!(life.on(SlotEvent::Owned { generation: 3 }), [Action::Replaced]);
    life.pass(Duration::from_secs(10) + GRACE);
    assert_eq!(life.on(ALL_FREE), [Action::Kill { generation: 2, because: Overdue::Leaving }]);
}

#[test]
fn a_finished_message_takes_the_suspicion_away() {
    let mut life = Life::serving();
    life.dies(2, 2, false);
    life.on(ALL_FREE);
    life.on(SlotEvent::Ready { generation: 3 });
    assert!(life.slot.is_under_suspicion());
    life.on(SlotEvent::Fruitful { generation: 3 });
    assert!(!life.slot.is_under_suspicion());
    assert_eq!(life.dies(3, 3, false), [], "again the first in a row");
}

#[test]
fn no_slot_gets_more_than_ten_processes_a_second_however_fruitful_they_are() {
    let mut life = Life::new();
    let start = life.now;
    let mut forks = 0;
    while life.now < start + Duration::from_secs(3) {
        if let [Action::Fork { generation, .. }] = life.on(ALL_FREE)[..] {
            forks += 1;
            life.on(SlotEvent::Ready { generation });
            life.dies(generation, generation, true);
        }
        life.pass(Duration::from_millis(1));
    }
    assert_eq!(forks, 30);
}

#[test]
fn a_slot_is_failing_from_the_second_death_until_a_process_has_lived_or_finished_a_message() {
    let mut life = Life::new();
    for generation in [2, 3] {
        life.pass(Duration::from_secs(5));
        assert_eq!(life.on(ALL_FREE), fork(generation));
        assert!(!life.slot.is_failing(life.now));
        life.dies(generation, generation, false);
    }
    assert!(life.slot.is_failing(life.now));
    life.pass(Duration::from_secs(5));
    life.on(ALL_FREE);
    life.on(SlotEvent::Ready { generation: 4 });
    assert!(life.slot.is_failing(life.now));
    assert_eq!(life.slot.deadline(life.now), Some(life.now + LIMITS.max_delay));
    life.pass(LIMITS.max_delay);
    assert!(!life.slot.is_failing(life.now));
}

#[test]
fn a_successor_that_failed_is_tried_again_later_unless_there_may_be_new_code() {
    let mut life = Life::serving();
    for delay_ms in [100, 200, 400, 800, 1600, 3200, 5000, 5000] {
        let [Action::Fork { generation, owns: false }] = life.on(REPLACE)[..] else { panic!("no fork") };
        assert_eq!(life.dies(generation, 2, false), [Action::KeptOld]);
        assert_eq!(life.on(REPLACE), []);
        let delay = Duration::from_millis(delay_ms);
        assert_eq!(life.slot.deadline(life.now), Some(life.now + delay));
        life.pass(delay);
    }
    let [Action::Fork { generation, owns: false }] = life.on(REPLACE)[..] else { panic!("no fork") };
    life.dies(generation, 2, false);
    assert_eq!(life.on(REPLACE), []);
    assert!(matches!(life.on(RELOAD)[..], [Action::Fork { owns: false, .. }]));
}

#[test]
fn a_reload_tries_at_once_what_waits() {
    let mut life = Life::new();
    life.on(ALL_FREE);
    life.dies(2, 2, false);
    assert_eq!(life.on(REPLACE), []);
    assert_eq!(life.on(ALL_FREE), []);
    life.on(RELOAD);
    assert_eq!(life.on(ALL_FREE), fork(3));
}

#[test]
fn a_reload_does_not_wait_for_ever_for_a_process_that_never_gets_ready() {
    let wait = Duration::from_secs(30);
    let mut life = Life::new();
    life.on(ALL_FREE);
    life.pass(wait * 10);
    assert_eq!((life.on(ALL_FREE), life.slot.deadline(life.now)), (vec![], None), "it may take long");
    assert_eq!(life.on(RELOAD), []);
    assert_eq!(life.slot.deadline(life.now), Some(life.now + wait));
    life.pass(wait / 2);
    assert_eq!(life.on(RELOAD), [], "its time counts from the first");
    life.pass(wait / 2);
    assert_eq!(life.on(ALL_FREE), [Action::Kill { generation: 2, because: Overdue::Starting }]);
    assert_eq!(life.on(ALL_FREE), []);
    life.dies(2, 2, false);
    assert_eq!(life.on(RELOAD), []);
    assert_eq!(life.on(ALL_FREE), fork(3));

    let mut life = Life::with(Limits { max_wait: None, ..LIMITS });
    life.on(ALL_FREE);
    life.on(RELOAD);
    assert_eq!(life.slot.deadline(life.now), None, "max_wait_time 0 is for ever");
}

#[test]
fn no_slot_gets_more_than_ten_successors_a_second_unless_for_a_reload() {
    let replaced = |event, most| {
        let mut life = Life::serving();
        let (start, mut serving, mut forks) = (life.now, 2, 0);
        while life.now < start + SECOND && forks < most {
            if let [Action::Fork { generation, owns: false }] = life.on(event)[..] {
                forks += 1;
                life.on(SlotEvent::Ready { generation });
                life.on(SlotEvent::Owned { generation });
                life.dies(serving, generation, true);
                serving = generation;
            } else if let Some(deadline) = life.slot.deadline(life.now) {
                // The manager sleeps no longer than that.
                life.now = deadline;
            }
        }
        forks
    };
    // The first process of the slot counts as well.
    assert_eq!((replaced(REPLACE, 100), replaced(RELOAD, 100)), (9, 100));
}

mod without_handover {
    use super::*;

    fn serving() -> Life {
        let mut life = Life::with(Limits { hands_over: false, ..LIMITS });
        assert_eq!(life.on(ALL_FREE), fork(2));
        life.on(SlotEvent::Ready { generation: 2 });
        life
    }

    #[test]
    fn the_old_process_ends_before_the_new_one_starts() {
        let mut life = serving();
        assert_eq!(life.on(REPLACE), [Action::AskToLeave { generation: 2 }]);
        assert!(life.slot.is_replacing());
        assert_eq!(life.on(ALL_FREE), []);
        assert_eq!(life.dies(2, 2, false), []);
        assert_eq!(life.on(ALL_FREE), fork(3));
    }

    #[test]
    fn one_that_was_asked_to_end_is_not_failing_and_may_clear_its_slot() {
        let mut life = serving();
        for generation in [2, 3] {
            life.dies(generation, generation, false);
            life.pass(Duration::from_secs(5));
            life.on(ALL_FREE);
            life.on(SlotEvent::Ready { generation: generation + 1 });
        }
        assert!(life.slot.is_failing(life.now));
        life.on(REPLACE);
        assert!(!life.slot.is_failing(life.now));
        life.dies(4, 4, true);
        assert_eq!(life.on(ALL_FREE), fork(5));
        assert!(!life.slot.is_failing(life.now));
    }

    #[test]
    fn who_does_not_end_in_time_is_killed_once() {
        let mut life = serving();
        life.on(REPLACE);
        assert_eq!(life.slot.deadline(life.now), Some(life.now + Duration::from_secs(31)));
        life.pass(Duration::from_secs(31));
        assert_eq!(life.on(ALL_FREE), [Action::Kill { generation: 2, because: Overdue::Leaving }]);
        assert_eq!(life.on(ALL_FREE), []);
        assert_eq!(life.slot.deadline(life.now), None);
    }

    #[test]
    fn a_stop_ends_it_for_good_whatever_it_was_doing() {
        let mut life = serving();
        assert_eq!(life.on(SlotEvent::Stop), [Action::AskToLeave { generation: 2 }]);
        life.dies(2, 2, false);
        assert!(life.slot.is_stopped());

        let mut life = serving();
        life.on(REPLACE);
        assert_eq!(life.on(SlotEvent::Stop), [], "it was told already");
        life.dies(2, 2, false);
        assert!(life.slot.is_stopped());

        let mut life = serving();
        life.dies(2, 2, false);
        life.on(SlotEvent::Stop);
        assert!(life.slot.is_stopped());
    }

    #[test]
    fn one_that_keeps_ending_early_is_started_with_growing_delay() {
        let mut life = serving();
        assert_eq!(life.dies(2, 2, false), []);
        life.on(ALL_FREE);
        life.on(SlotEvent::Ready { generation: 3 });
        assert_eq!(life.dies(3, 3, false), [Action::BackOff { delay: FIRST_DELAY }]);
        life.pass(FIRST_DELAY);
        life.on(ALL_FREE);
        life.on(SlotEvent::Ready { generation: 4 });
        assert_eq!(life.dies(4, 4, true), [], "it has lived long enough");
    }
}
