//! Processes that are killed and stopped under load, at random and at each step of a post and of a take.
//!
//! A story is a server in small: reactors post numbered messages of checked content, inline, in blocks and in spill
//! ranges; workers take them, each in hand, and echo them; the manager reaps, recovers and starts the next process.
//! Then everything is counted: nothing is lost but what was in a dead hand, nothing comes twice or out of order, no
//! block is left in use.
//!
//! `ROTOR_SEED` repeats a run, `ROTOR_STRESS=1` makes it long; an argument selects the stories whose name has it.

#[cfg(not(loom))]
#[path = "kill/ledger.rs"]
mod ledger;
#[cfg(not(loom))]
#[path = "kill/load.rs"]
mod load;
#[cfg(not(loom))]
#[path = "kill/manager.rs"]
mod manager;
#[cfg(not(loom))]
#[path = "kill/reactor.rs"]
mod reactor;
#[cfg(not(loom))]
#[path = "kill/stories.rs"]
mod stories;
#[cfg(not(loom))]
#[path = "kill/worker.rs"]
mod worker;

#[cfg(not(loom))]
fn main() {
    stories::run_all();
}

#[cfg(loom)]
fn main() {}
