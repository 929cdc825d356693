//! A reactor's two lanes from the seats of one slot, taken so that nothing overtakes (P5).
//!
//! In a handover the elder process posts its last record before it commits, and the younger its first after that.
//! So a reactor notes the tail of the younger's lane, then looks at the elder's, takes the elder's up to what it
//! saw, then the younger's up to the note: what it takes of the younger was posted after all that the elder had.
//!
//! Which seat is the elder is not told but looked up, since it changes under the reactor's eyes: both processes
//! may die, and the next two may start in either order. A seat is used again only when every reactor has taken
//! all of it, hence the seat of the lower generation may go first, dead or alive. A record that is seen proves
//! that the generation which posted it is seen too; so the generations are compared after the look at the lane
//! that goes first, and only if it has something.

use crate::lane::Consumer;
use crate::ring::Broken;
use crate::workers::SeatEntry;

/// The two lanes.
#[derive(Debug)]
pub struct SeatLanes {
    lanes: [Consumer; 2],
    seats: [&'static SeatEntry; 2],
    first: usize,
}

impl SeatLanes {
    /// The taking sides of the lanes from a slot's seats, and the seats, both by the number of the seat.
    pub fn new(lanes: [Consumer; 2], seats: [&'static SeatEntry; 2]) -> Self {
        Self { lanes, seats, first: 0 }
    }

    /// Looks at both lanes. A round takes the first seat's records up to its limit, all of them, and then the
    /// second's up to its own.
    ///
    /// After a full round that began when [`WorkerDied`](crate::record::Kind::WorkerDied) had been found, the dead
    /// process's lane is empty and may be acknowledged.
    pub fn limits(&mut self) -> Result<[(usize, u64); 2], Broken> {
        // Generations only grow, and the manager needs all reactors to begin another one; more than a change in
        // each seat during one look is damage.
        for _ in 0..4 {
            let (first, second) = (self.first, 1 - self.first);
            let noted = self.lanes[second].refresh()?;
            let limit = self.lanes[first].refresh()?;
            // Relaxed: the tail's Acquire has brought the generation that posted what it shows.
            if self.lanes[first].is_empty() || self.seats[first].generation() <= self.seats[second].generation() {
                return Ok([(first, limit), (second, noted)]);
            }
            self.first = second;
        }
        Err(Broken { what: "a slot's seats are of generation", found: u64::from(self.seats[0].generation()) })
    }

    /// The taking side of a seat's lane.
    pub fn lane(&mut self, seat: usize) -> &mut Consumer {
        &mut self.lanes[seat]
    }
}
