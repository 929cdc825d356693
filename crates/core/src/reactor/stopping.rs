//! The begin of a stop: what was received before it may make any worker send to any client. So the ends of connections are
//! held back until the workers are done with all of it, whichever reactor has it from. A callback that takes long does not
//! keep other workers' clients for ever: after a second they end.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::{AcqRel, Acquire};
use std::time::Duration;

use rotor_ipc::ring::Broken;
use rotor_sys::clock::nanos;

use super::connection::{Connection, Input, Why};
use super::{Inward, Reactor};

/// So long ends are held back at most, and never longer than a part of `max_wait_time`: close callbacks take their time, too.
const LONGEST: Duration = Duration::from_secs(1);
const PART_OF_WAIT: u32 = 4;

/// What reactors tell each other: how many have messages that workers are not done with.
#[derive(Clone, Debug)]
pub struct Unhandled(Arc<AtomicUsize>);

impl Unhandled {
    /// Of so many reactors.
    pub fn new(reactors: usize) -> Self {
        Self(Arc::new(AtomicUsize::new(reactors)))
    }
}

/// A reactor's ends that are held back.
pub(super) struct Stopping {
    /// Until then at the latest (monotonic ns).
    until_ns: u64,
    /// Connections of which nothing but the end is to be posted.
    held: usize,
    /// The others know that all is handled that this reactor has posted.
    is_done: bool,
}

impl Reactor {
    /// From here on the ends of connections that end by the stop are held back.
    pub(super) fn begin_to_hold_ends(&mut self) {
        let longest = self.settings.max_wait_time.map_or(LONGEST, |wait| LONGEST.min(wait / PART_OF_WAIT));
        self.stopping = Some(Stopping { until_ns: self.now_ns + nanos(longest), held: 0, is_done: false });
    }

    /// Whether the end of a connection is held back, of which all else is posted.
    pub(super) fn holds_end(&mut self, connection: &mut Connection) -> bool {
        let Some(stopping) = &mut self.stopping else { return false };
        let holds = connection.input == Input::Over(Why::Stopping);
        match (connection.is_end_held, holds) {
            (false, true) => stopping.held += 1,
            // Somebody has closed it meanwhile, or it broke.
            (true, false) => stopping.held -= 1,
            _ => {}
        }
        connection.is_end_held = holds;
        holds
    }

    /// Lets connections end once the workers are done with what came before the stop, or have had their time.
    pub(super) fn look_at_stopping(&mut self) -> Result<(), Broken> {
        let Some(Stopping { until_ns, held, is_done }) = self.stopping else { return Ok(()) };
        if !is_done && self.has_posted_all(held) && self.are_workers_done() {
            self.unhandled.0.fetch_sub(1, AcqRel);
            self.stopping = Some(Stopping { until_ns, held, is_done: true });
        }
        // Pairs with the Release of whoever was the last: what was sent about its messages is to be seen.
        if self.unhandled.0.load(Acquire) > 0 && self.now_ns < until_ns {
            return Ok(());
        }
        self.stopping = None;
        for index in 0..self.connections.len() {
            let Some(mut connection) = self.connections.take_at(index) else { continue };
            if !std::mem::take(&mut connection.is_end_held) {
                self.put_back(connection);
                continue;
            }
            if connection.input == Input::Over(Why::Stopping) {
                // What its client has sent meanwhile is answered, too.
                connection.input = Input::Open;
                self.read_all(&mut connection)?;
                connection.end_input(Why::Stopping);
            }
            self.settle(connection)?;
        }
        Ok(())
    }

    /// Whether there is nothing left to post but the ends of so many connections.
    fn has_posted_all(&self, held: usize) -> bool {
        let open = self.inward.iter().map(|inward| inward.open).sum::<usize>() + self.router.roaming;
        open == held && self.inward.iter().all(|inward| inward.packets.is_empty())
    }

    /// Whether the workers are done with all that this reactor has posted: taken, and in no hand. What they have sent about it
    /// is to be seen then, as in [`Self::is_handled`].
    fn are_workers_done(&self) -> bool {
        self.segment.worker_ids().zip(&self.inward).all(|(worker, Inward { lane, .. })| {
            lane.taken() >= lane.tail()
                && (0..2).all(|seat| {
                    // The manager empties those of the dead.
                    let held = self.segment.seat(worker, seat).in_hand.get();
                    held.is_none_or(|held| held.lane != self.id)
                })
        })
    }
}
