//! What Rotor is measured against, and how.
//!
//! `rawecho` is the yardstick, a TCP echo without PHP. `scenario` says what is measured and what binds, `server` starts
//! either server and ends it, `noise` tells a quiet round from one that others disturbed, `summary` makes medians and
//! verdicts of the rounds, `picture` draws them. `crowd` has slow clients beside fast ones.

pub mod crowd;
pub mod noise;
pub mod picture;
pub mod rawecho;
pub mod scenario;
pub mod server;
pub mod summary;
