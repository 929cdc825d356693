//! Rotor's processes, reactors and protocols. Nothing here knows PHP: user code is reached through
//! [`host::Host`], and the tests bring a host of their own.
#![forbid(unsafe_code)]

mod audience;
pub mod datagram;
pub mod disk;
pub mod dispatch;
pub mod error;
pub mod framer;
pub mod hooks;
pub mod host;
mod identity;
pub mod log;
pub mod manager;
pub mod master;
pub mod migration;
pub mod network;
pub mod orphans;
pub mod outlets;
pub mod ports;
pub mod process;
pub mod proxy;
pub mod reactor;
pub mod roles;
pub mod secrets;
pub mod self_look;
pub mod server;
pub mod settings;
pub mod signals;
pub mod slow_log;
pub mod stats;
pub mod threads;
pub mod tls;
pub mod trace;
pub mod user;
pub mod worker;
