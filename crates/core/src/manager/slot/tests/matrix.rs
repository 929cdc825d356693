//! Every state of a slot and every event: what it becomes, and what the manager has to do. One line each.

use std::fmt::Write as _;

use super::*;

/// The state in a word or two.
fn sketch(slot: &Slot) -> String {
    let active = match slot.active {
        Active::Waiting { .. } => "waiting".to_owned(),
        Active::Starting { generation, due: None } => format!("starting {generation}"),
        Active::Starting { generation, due: Some(_) } => format!("starting {generation} in time"),
        Active::Serving { generation, .. } => format!("serving {generation}"),
        Active::Replacing { old, successor, phase: Phase::Starting, .. } => {
            format!("serving {old}, starting {successor}")
        }
        Active::Replacing { old, successor, phase: Phase::Offered, .. } => format!("offered {old} to {successor}"),
        Active::Ending { leaving, another: true } => format!("ending {} for another", leaving.generation),
        Active::Ending { leaving, another: false } => format!("ending {}", leaving.generation),
        Active::Stopped => "stopped".to_owned(),
    };
    match slot.leaving {
        Some(leaving) => format!("{active}, leaving {}", leaving.generation),
        None => active,
    }
}

fn brief(action: &Action) -> String {
    match action {
        Action::Fork { generation, owns: true } => format!("fork {generation}"),
        Action::Fork { generation, owns: false } => format!("fork successor {generation}"),
        Action::Appoint { generation } => format!("appoint {generation}"),
        Action::Offer { from, to } => format!("offer {from} to {to}"),
        Action::Withdraw { from, to } => format!("withdraw {from} to {to}"),
        Action::AskToLeave { generation } => format!("ask {generation} to leave"),
        Action::Kill { generation, because } => format!("kill {generation} ({because:?})"),
        Action::Replaced => "replaced".to_owned(),
        Action::KeptOld => "kept old".to_owned(),
        Action::BackOff { delay } => format!("back off {}ms", delay.as_millis()),
    }
}

fn exited(generation: Generation, owner: Generation, is_drained: bool) -> SlotEvent {
    SlotEvent::Exited { generation, owner, was_fruitful: true, is_drained }
}

fn matrix(states: &[(&str, Life)]) -> String {
    let free = [true, true];
    let events = [
        ("tick", SlotEvent::Tick { free }),
        ("2 ready", SlotEvent::Ready { generation: 2 }),
        ("3 ready", SlotEvent::Ready { generation: 3 }),
        ("fork of 2 failed", SlotEvent::ForkFailed { generation: 2 }),
        ("fork of 3 failed", SlotEvent::ForkFailed { generation: 3 }),
        ("2 owns", SlotEvent::Owned { generation: 2 }),
        ("3 owns", SlotEvent::Owned { generation: 3 }),
        ("2 fruitful", SlotEvent::Fruitful { generation: 2 }),
        ("2 exited, 2 owns", exited(2, 2, false)),
        ("2 exited, 3 owns", exited(2, 3, false)),
        ("2 exited, drained", exited(2, 2, true)),
        ("3 exited, 2 owns", exited(3, 2, false)),
        ("3 exited, 3 owns", exited(3, 3, false)),
        ("replace", SlotEvent::Replace { free, is_reload: false }),
        ("reload", SlotEvent::Replace { free, is_reload: true }),
        ("stop", SlotEvent::Stop),
    ];
    let mut text = String::new();
    for (name, life) in states {
        for (event_name, event) in events {
            let (after, actions) = life.slot.clone().on(event, life.now);
            if sketch(&after) == sketch(&life.slot) && actions.is_empty() {
                continue;
            }
            let actions: Vec<_> = actions.iter().map(brief).collect();
            let does = if actions.is_empty() { String::new() } else { format!(": {}", actions.join(", ")) };
            let _ = writeln!(text, "{name} | {event_name} → {}{does}", sketch(&after));
        }
    }
    text
}

#[test]
fn with_an_inbox_that_is_handed_over() {
    let waiting = || {
        let mut life = Life::with(LIMITS);
        life.on(ALL_FREE);
        // Its first process died early, so the next one waits.
        life.dies(2, 2, false);
        life.slot.last = 1;
        life.pass(FIRST_DELAY);
        life
    };
    let starting = || {
        let mut life = Life::with(LIMITS);
        life.on(ALL_FREE);
        life
    };
    let replacing = || {
        let mut life = Life::serving();
        life.on(REPLACE);
        life
    };
    let leaving = || {
        let mut life = Life::offered();
        life.on(SlotEvent::Owned { generation: 3 });
        life
    };
    let stopped = || {
        let mut life = Life::serving();
        life.on(exited(2, 2, true));
        life
    };
    let states = [
        ("waiting", waiting()),
        ("starting", starting()),
        ("serving", Life::serving()),
        ("replacing", replacing()),
        ("offered", Life::offered()),
        ("leaving", leaving()),
        ("stopped", stopped()),
    ];
    // What is not listed changes nothing.
    let expected = "\
waiting | tick → starting 2: fork 2
starting | 2 ready → serving 2
starting | fork of 2 failed → waiting: back off 100ms
starting | 2 exited, 2 owns → waiting: back off 100ms
starting | 2 exited, 3 owns → waiting: back off 100ms
starting | 2 exited, drained → stopped
starting | reload → starting 2 in time
serving | 2 exited, 2 owns → waiting
serving | 2 exited, 3 owns → waiting
serving | 2 exited, drained → stopped
serving | replace → serving 2, starting 3: fork successor 3
serving | reload → serving 2, starting 3: fork successor 3
replacing | 3 ready → offered 2 to 3: offer 2 to 3
replacing | fork of 3 failed → serving 2: kept old
replacing | 3 owns → serving 3, leaving 2: replaced
replacing | 2 exited, 2 owns → starting 3: appoint 3, replaced
replacing | 2 exited, 3 owns → starting 3: appoint 3, replaced
replacing | 2 exited, drained → starting 3: appoint 3, replaced
replacing | 3 exited, 2 owns → serving 2: kept old
replacing | 3 exited, 3 owns → waiting, leaving 2: replaced
replacing | stop → serving 2, leaving 3: ask 3 to leave
offered | fork of 3 failed → serving 2: kept old
offered | 3 owns → serving 3, leaving 2: replaced
offered | 2 exited, 2 owns → serving 3: replaced
offered | 2 exited, 3 owns → serving 3: replaced
offered | 2 exited, drained → serving 3: replaced
offered | 3 exited, 2 owns → serving 2: kept old
offered | 3 exited, 3 owns → waiting, leaving 2: replaced
offered | stop → serving 2, leaving 3: ask 3 to leave, withdraw 2 to 3
leaving | 2 exited, 2 owns → serving 3
leaving | 2 exited, 3 owns → serving 3
leaving | 2 exited, drained → serving 3
leaving | 3 exited, 2 owns → waiting, leaving 2
leaving | 3 exited, 3 owns → waiting, leaving 2
";
    assert_eq!(matrix(&states), expected, "{}", matrix(&states));
}

#[test]
fn without_an_inbox() {
    let limits = Limits { hands_over: false, ..LIMITS };
    let starting = || {
        let mut life = Life::with(limits);
        life.on(ALL_FREE);
        life
    };
    let waiting = || {
        let mut life = starting();
        life.dies(2, 2, false);
        life.slot.last = 1;
        life.pass(FIRST_DELAY);
        life
    };
    let serving = || {
        let mut life = starting();
        life.on(SlotEvent::Ready { generation: 2 });
        life
    };
    let after = |event| {
        let mut life = serving();
        life.on(event);
        life
    };
    let states = [
        ("waiting", waiting()),
        ("starting", starting()),
        ("serving", serving()),
        ("ending for another", after(REPLACE)),
        ("ending", after(SlotEvent::Stop)),
        ("stopped", after(exited(2, 2, true))),
    ];
    let expected = "\
waiting | tick → starting 2: fork 2
waiting | stop → stopped
starting | 2 ready → serving 2
starting | fork of 2 failed → waiting: back off 100ms
starting | 2 exited, 2 owns → waiting: back off 100ms
starting | 2 exited, 3 owns → waiting: back off 100ms
starting | 2 exited, drained → stopped
starting | reload → starting 2 in time
starting | stop → ending 2: ask 2 to leave
serving | 2 exited, 2 owns → waiting
serving | 2 exited, 3 owns → waiting
serving | 2 exited, drained → stopped
serving | replace → ending 2 for another: ask 2 to leave
serving | reload → ending 2 for another: ask 2 to leave
serving | stop → ending 2: ask 2 to leave
ending for another | 2 exited, 2 owns → waiting
ending for another | 2 exited, 3 owns → waiting
ending for another | 2 exited, drained → stopped
ending for another | stop → ending 2
ending | 2 exited, 2 owns → stopped
ending | 2 exited, 3 owns → stopped
ending | 2 exited, drained → stopped
";
    assert_eq!(matrix(&states), expected, "{}", matrix(&states));
}
