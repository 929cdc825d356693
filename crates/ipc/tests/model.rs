//! The protocols of the segment under a model checker, on the code that runs: each model is tried in every order
//! of its threads' steps, with as many preemptions as its bound allows, and with every value that a load may see.
//!
//! `RUSTFLAGS="--cfg loom" cargo test -p rotor-ipc --release --test model`; `ROTOR_STRESS=1` allows each model one
//! preemption more, `ROTOR_MODEL_PREEMPTIONS` sets the bound of all of them.
//!
//! A model that cannot fail is worthless: beside each promise stand the simplifications that break it, as tests that
//! pass when the checker finds the bug (`fails_...`).
#![cfg(loom)]

#[macro_use]
#[path = "model/harness.rs"]
mod harness;

#[path = "model/blocks.rs"]
mod blocks;
#[path = "model/broadcast.rs"]
mod broadcast;
#[path = "model/handover.rs"]
mod handover;
#[path = "model/idle.rs"]
mod idle;
#[path = "model/ring.rs"]
mod ring;
#[path = "model/seats.rs"]
mod seats;
#[path = "model/sessions.rs"]
mod sessions;
#[path = "model/wake.rs"]
mod wake;
