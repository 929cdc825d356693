//! What one client may have of a port: connections at once, and new ones a second.
//!
//! The accept thread asks for each connection, or the reactor that has just learnt from a proxy whose it is; whoever
//! closes it gives it back. All of them share one table; who enters a client waits for another who does, for as long as a look
//! at some neighbouring entries takes.

mod table;

use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;

use crate::network::holder;
use crate::settings::{PortSettings, Settings};
use table::{Rate, Table};

/// The limits of all ports, and who has how much.
pub struct Limits {
    ports: Vec<PortLimits>,
    table: Table,
    /// Which clients are which cannot be guessed from outside, and so nobody can make two the same.
    hashes: RandomState,
    /// By the place of a session: the entry of its client, counted from 1; 0: it has none.
    entries: Box<[AtomicU32]>,
}

/// The limits of a port.
struct PortLimits {
    at_once: Option<u32>,
    rate: Option<Rate>,
}

/// Why a client gets no further connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It has as many as it may have.
    TooMany,
    /// It has made as many lately as it may make.
    TooFast,
}

impl Refusal {
    /// The words for the log.
    pub fn reason(self, settings: &PortSettings) -> String {
        match self {
            Self::TooMany => {
                let most = settings.max_connections_per_ip.unwrap_or_default();
                format!("it has {most} connections, all that max_connections_per_ip allows")
            }
            Self::TooFast => {
                let rate = settings.accept_rate_per_ip.unwrap_or_default();
                format!("it connects more often than accept_rate_per_ip allows ({rate} a second)")
            }
        }
    }
}

impl Limits {
    /// The limits of a server with so many places for sessions; `None` when it has none.
    pub fn new(settings: &Settings, sessions: usize) -> Option<Arc<Self>> {
        let ports: Vec<_> = settings
            .ports
            .iter()
            .map(|port| PortLimits {
                at_once: port.max_connections_per_ip,
                rate: port.accept_rate_per_ip.map(Rate::per_second),
            })
            .collect();
        ports.iter().any(PortLimits::are_there).then(|| {
            Arc::new(Self {
                ports,
                table: Table::new(settings.max_connection as usize),
                hashes: RandomState::new(),
                entries: (0..sessions).map(|_| AtomicU32::new(0)).collect(),
            })
        })
    }

    /// Notes a connection of a client for the session at `place`, unless the client may have no more.
    pub fn admit(&self, place: usize, port: usize, client: IpAddr, now_ns: u64) -> Result<(), Refusal> {
        let Some(limits) = self.ports.get(port).filter(|limits| limits.are_there()) else { return Ok(()) };
        let client = self.hashes.hash_one((port, holder(client)));
        let entry = self.table.enter(client, limits.at_once, limits.rate, now_ns)?;
        self.entries[place].store(entry.map_or(0, |entry| entry + 1), Relaxed);
        Ok(())
    }

    /// The connection of the session at `place` is over.
    pub fn leave(&self, place: usize) {
        if let Some(entry) = self.entries[place].swap(0, Relaxed).checked_sub(1) {
            self.table.leave(entry);
        }
    }
}

impl PortLimits {
    fn are_there(&self) -> bool {
        self.at_once.is_some() || self.rate.is_some()
    }
}
