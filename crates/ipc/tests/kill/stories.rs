//! What happens to the processes in each test, and the lines that say how it went.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use rotor_ipc::sync::Step;
use rotor_sys::process::{self, Fork, fork};

use crate::load::{Numbers, WORKERS};
use crate::manager;

/// What happens in one run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Story {
    /// Messages from each reactor to each worker.
    pub messages: u32,
    /// Where the numbers come from.
    pub seed: u64,
    /// A reactor's messages go to workers that have nothing to do, one at a time.
    pub idle: bool,
    /// Workers hand over all the time.
    pub handovers: bool,
    /// Workers broadcast to all reactors, too, what is in one block or range for all.
    pub broadcasts: bool,
    /// The manager kills workers at random moments.
    pub kills: bool,
    /// The manager stops any process at random moments, and lets it go on.
    pub stops: bool,
    /// Each worker gets this signal at its n-th passage of the step.
    pub fate: Option<(Step, i32)>,
}

impl Story {
    /// Messages from a reactor to all workers.
    pub fn all_of_a_reactor(&self) -> u32 {
        self.messages * u32::try_from(WORKERS).unwrap_or(u32::MAX)
    }

    /// Whether a worker may die.
    pub fn is_deadly(&self) -> bool {
        self.kills || self.fate.is_some_and(|(_, signal)| signal == libc::SIGKILL)
    }

    /// Up to how many times a worker passes the step at which its fate awaits it: some are passed seldom.
    pub fn passages(&self) -> usize {
        use Step::{Announced, BlockFilling, BlockFreed, BlockLeft, BlockPosted, BlockShared, Committed, Freed};
        use Step::{PlaceWritten, SleepWordSeen};
        if self.fate.is_some_and(|(step, _)| [BlockShared, PlaceWritten, BlockLeft].contains(&step)) {
            return 6;
        }
        let seldom = [Announced, BlockFilling, BlockFreed, BlockPosted, Committed, Freed, SleepWordSeen];
        if self.fate.is_some_and(|(step, _)| seldom.contains(&step)) { 2 } else { 12 }
    }
}

type Test = (&'static str, fn(&mut dyn FnMut(Story)));

const TESTS: [Test; 12] = [
    ("all_messages_are_echoed_in_order_when_nobody_dies", |run| run(Story { messages: 700, ..Story::default() })),
    ("a_killed_worker_loses_the_message_in_its_hand_alone", |run| {
        run(Story { messages: 700, kills: true, ..Story::default() });
    }),
    ("a_worker_killed_at_any_step_loses_the_message_in_its_hand_alone", |run| {
        for step in STEPS.into_iter().filter(|step| *step != Step::Committed) {
            run(Story { messages: 150, fate: Some((step, libc::SIGKILL)), ..Story::default() });
        }
    }),
    ("broadcasts_come_whole_and_leave_no_block_whoever_is_killed", |run| {
        run(Story { messages: 700, broadcasts: true, kills: true, ..Story::default() });
        run(Story { messages: 400, broadcasts: true, kills: true, handovers: true, stops: true, ..Story::default() });
    }),
    ("a_worker_killed_at_any_step_of_a_broadcast_leaves_no_block", |run| {
        let steps = [Step::BlockFilling, Step::BlockShared, Step::PlaceWritten, Step::BodyCopied, Step::TailStored];
        for step in steps.into_iter().chain([Step::BitSet]) {
            run(Story { messages: 150, broadcasts: true, fate: Some((step, libc::SIGKILL)), ..Story::default() });
        }
    }),
    ("a_process_stopped_at_any_step_delays_only_what_it_does", |run| {
        for step in STEPS {
            run(Story { messages: 100, fate: Some((step, libc::SIGSTOP)), ..Story::default() });
        }
        run(Story { messages: 400, stops: true, ..Story::default() });
    }),
    ("handovers_under_load_lose_nothing", |run| {
        run(Story { messages: 600, handovers: true, ..Story::default() });
        run(Story { messages: 400, handovers: true, stops: true, ..Story::default() });
    }),
    ("a_process_killed_in_a_handover_loses_the_message_in_its_hand_alone", |run| {
        run(Story { messages: 600, handovers: true, kills: true, ..Story::default() });
        run(Story { messages: 400, handovers: true, kills: true, stops: true, ..Story::default() });
    }),
    ("a_process_killed_at_any_step_of_a_handover_loses_the_message_in_its_hand_alone", |run| {
        for step in STEPS {
            run(Story { messages: 150, handovers: true, fate: Some((step, libc::SIGKILL)), ..Story::default() });
        }
    }),
    ("no_message_waits_behind_another_where_idle_workers_are_claimed", |run| {
        run(Story { messages: 500, idle: true, ..Story::default() });
        run(Story { messages: 300, idle: true, handovers: true, stops: true, ..Story::default() });
    }),
    ("a_killed_worker_loses_the_message_that_it_was_claimed_for_alone", |run| {
        run(Story { messages: 500, idle: true, kills: true, ..Story::default() });
        run(Story { messages: 300, idle: true, handovers: true, kills: true, stops: true, ..Story::default() });
    }),
    ("a_worker_killed_at_any_step_of_idle_dispatch_loses_the_message_in_its_hand_alone", |run| {
        for step in STEPS.into_iter().chain([Step::Freed, Step::Given, Step::GiftMarked]) {
            run(Story {
                messages: 100,
                idle: true,
                handovers: true,
                fate: Some((step, libc::SIGKILL)),
                ..Story::default()
            });
        }
    }),
];

const STEPS: [Step; 13] = [
    Step::BodyCopied,
    Step::TailStored,
    Step::BitSet,
    Step::SleepWordSeen,
    Step::InHandCleared,
    Step::InHandWritten,
    Step::BytesCopied,
    Step::HeadStored,
    Step::BlockFilling,
    Step::BlockPosted,
    Step::BlockFreed,
    Step::Announced,
    Step::Committed,
];

#[expect(clippy::print_stdout, reason = "what a test program says")]
pub fn run_all() {
    let pattern = std::env::args().skip(1).find(|argument| !argument.starts_with('-')).unwrap_or_default();
    let is_long = std::env::var("ROTOR_STRESS").is_ok_and(|value| value == "1");
    let seed = match std::env::var("ROTOR_SEED") {
        Ok(seed) => seed.parse().expect("ROTOR_SEED is a number"),
        Err(_) => rotor_sys::clock::unix_us(),
    };
    let chosen: Vec<Test> = TESTS.into_iter().filter(|(name, _)| name.contains(&pattern)).collect();
    println!("\nrunning {} tests (ROTOR_SEED={seed})", chosen.len());
    let (rounds, factor) = if is_long { (20, 3) } else { (1, 1) };
    let (begun, mut failed) = (Instant::now(), 0);
    for (name, test) in &chosen {
        let mut numbers = Numbers::new(seed);
        let mut failures = Vec::new();
        for _ in 0..rounds {
            test(&mut |story| {
                let mut story = Story { messages: story.messages * factor, ..story };
                let mut told = Told::Nothing;
                for _ in 0..TELLINGS {
                    story.seed = numbers.next();
                    if told == Told::Nothing && failures.is_empty() {
                        told = tell(story);
                    }
                }
                if told != Told::Well && failures.is_empty() {
                    failures.push(story);
                }
            });
        }
        println!("test {name} ... {}", if failures.is_empty() { "ok" } else { "FAILED" });
        failures.iter().for_each(|story| println!("{story:?} (ROTOR_SEED={seed})"));
        failed += usize::from(!failures.is_empty());
    }
    println!(
        "\ntest result: {}. {} passed; {failed} failed; 0 ignored; 0 measured; {} filtered out; finished in {:.2}s\n",
        if failed == 0 { "ok" } else { "FAILED" },
        chosen.len() - failed,
        TESTS.len() - chosen.len(),
        begun.elapsed().as_secs_f64(),
    );
    std::process::exit(i32::from(failed > 0));
}

/// How a story went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    Well,
    Badly,
    /// It was a deadly one and nobody died.
    Nothing,
}

/// So often a deadly story in which nobody dies is told anew.
const TELLINGS: usize = 20;

/// Runs a story in a process of its own, so that its mapping and descriptors are gone with it.
fn tell(story: Story) -> Told {
    let child = child(move || match manager::run(story) {
        Ok(_) => {}
        Err(error) if error == manager::NOBODY_DIED => process::exit_now(2),
        Err(error) => {
            eprintln!("{error}");
            process::exit_now(1);
        }
    });
    loop {
        match process::reap_any() {
            Ok(Some(exit)) if exit.pid == child => {
                return match (exit.code, exit.signal) {
                    (0, 0) => Told::Well,
                    (2, 0) => Told::Nothing,
                    _ => Told::Badly,
                };
            }
            Ok(_) => std::thread::sleep(std::time::Duration::from_millis(1)),
            Err(error) => panic!("cannot wait: {error}"),
        }
    }
}

/// Runs `life` in a new process, which ends with 0, or with 3 if it panics. It does not outlive this one.
pub fn child(life: impl FnOnce()) -> i32 {
    let parent = process::id();
    match fork().expect("can fork") {
        Fork::Parent { child } => child,
        Fork::Child => {
            let lived = catch_unwind(AssertUnwindSafe(|| {
                process::die_with_parent().expect("can ask for the parent's death");
                if process::parent_id() == parent {
                    life();
                }
            }));
            process::exit_now(if lived.is_ok() { 0 } else { 3 });
        }
    }
}
