//! The verifying load client: it sends requests to an echo server and keeps a ledger of what became of each.
//!
//! `message` says what a request looks like, `book` which requests of a connection are open, `checker` judges what
//! comes back, `counts` is the ledger and its verdict. `connection` and `load` do the sockets, `run` measures the
//! server through `proc` meanwhile, and `report` tells it all.

pub mod args;
pub mod book;
pub mod checker;
mod clock;
mod command;
mod connection;
pub mod counts;
mod load;
mod measure;
pub mod message;
pub mod proc;
pub mod report;
mod run;
pub mod socket;
mod ticker;
mod wire;

pub use command::command;
pub use run::{raise_descriptor_limit, run};
