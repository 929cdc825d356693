//! Where a reactor keeps its connections: each at the place that the index of its session gives it.

use rotor_ipc::SessionId;

use super::connection::Connection;

/// What has a place of its own.
pub(super) trait Placed {
    /// The session whose place it has.
    fn session(&self) -> SessionId;
}

impl Placed for Connection {
    fn session(&self) -> SessionId {
        self.id
    }
}

/// The connections of a reactor, by the index of their sessions without the bits that all of them have in common.
pub(super) struct Places<T> {
    entries: Vec<Option<Box<T>>>,
    mask: u64,
    shift: u32,
}

impl<T: Placed> Places<T> {
    /// Room for what a reactor may have of a session table with that many places, a power of two. `reactors` is how many share
    /// the sessions among themselves by their numbers, or `None` for a reactor that may have any of them.
    pub fn new(capacity: usize, reactors: Option<usize>) -> Self {
        debug_assert!(capacity.is_power_of_two(), "{capacity}");
        let shift = match reactors {
            // The lower bits are the same for all of one reactor.
            Some(reactors) if reactors.is_power_of_two() => reactors.trailing_zeros(),
            _ => 0,
        };
        let entries = std::iter::repeat_with(|| None).take((capacity >> shift).max(1)).collect();
        Self { entries, mask: capacity as u64 - 1, shift }
    }

    /// How many places there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// The place of a session.
    pub fn of(&self, id: SessionId) -> usize {
        rotor_ipc::to_usize(id.0 & self.mask) >> self.shift
    }

    /// What a session has here.
    pub fn get(&self, id: SessionId) -> Option<&T> {
        self.entries[self.of(id)].as_deref().filter(|found| found.session() == id)
    }

    /// What is at the place of an index of the session table, if it is of that very index.
    pub fn at_index(&self, index: usize) -> Option<&T> {
        let found = self.entries.get(index >> self.shift)?.as_deref()?;
        (rotor_ipc::to_usize(found.session().0 & self.mask) == index).then_some(found)
    }

    /// Takes what a session has here out of its place; it goes back by [`Self::put`].
    pub fn take(&mut self, id: SessionId) -> Option<Box<T>> {
        let place = self.of(id);
        let place = &mut self.entries[place];
        if place.as_ref().is_some_and(|found| found.session() == id) { place.take() } else { None }
    }

    /// Takes out whatever has a place.
    pub fn take_at(&mut self, place: usize) -> Option<Box<T>> {
        self.entries.get_mut(place)?.take()
    }

    /// Puts it into its place.
    pub fn put(&mut self, it: Box<T>) {
        let place = self.of(it.session());
        self.entries[place] = Some(it);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLION: u64 = 1_000_000;
    const CAPACITY: usize = 1 << 20;

    struct Guest(SessionId);

    impl Placed for Guest {
        fn session(&self) -> SessionId {
            self.0
        }
    }

    fn enter(places: &mut Places<Guest>, ids: impl Iterator<Item = u64>) {
        for id in ids {
            assert!(places.at_index(rotor_ipc::to_usize(id) % CAPACITY).is_none(), "the place of {id} is taken");
            places.put(Box::new(Guest(SessionId(id))));
        }
    }

    #[test]
    fn a_million_connections_have_a_place_each_and_a_million_more_find_no_trace_of_them() {
        let mut places = Places::new(CAPACITY, None);
        assert_eq!(places.len(), CAPACITY);
        enter(&mut places, 1..=MILLION);
        for id in 1..=MILLION {
            let (id, later) = (SessionId(id), SessionId(id + CAPACITY as u64));
            assert_eq!(places.get(id).map(Placed::session), Some(id));
            assert!(places.get(later).is_none() && places.take(later).is_none(), "{later:?} is not here yet");
        }
        for id in 1..=MILLION {
            assert_eq!(places.take(SessionId(id)).map(|guest| guest.0), Some(SessionId(id)));
            assert!(places.take(SessionId(id)).is_none(), "taken once");
        }
        enter(&mut places, 1 + CAPACITY as u64..=MILLION + CAPACITY as u64);
        assert!((1..=MILLION).all(|id| places.get(SessionId(id)).is_none()));
        let walked: u64 = (0..places.len()).filter_map(|place| places.take_at(place)).map(|guest| guest.0.0).sum();
        assert_eq!(walked, MILLION * (MILLION + 1) / 2 + MILLION * CAPACITY as u64);
    }

    #[test]
    fn of_a_million_each_of_four_reactors_has_its_own_quarter_and_never_anothers() {
        for reactor in 0..4_u64 {
            let mut places = Places::new(CAPACITY, Some(4));
            assert_eq!(places.len(), CAPACITY / 4);
            let own = || (0..MILLION).filter(|id| id % 4 == reactor);
            enter(&mut places, own());
            for id in 0..MILLION {
                let (found, is_own) = (places.get(SessionId(id)).map(Placed::session), id % 4 == reactor);
                assert_eq!(found, is_own.then_some(SessionId(id)), "of reactor {reactor}");
                assert_eq!(places.at_index(rotor_ipc::to_usize(id)).is_some(), is_own);
            }
            assert_eq!(own().filter(|id| places.take(SessionId(*id)).is_some()).count() as u64, MILLION / 4);
        }
    }

    #[test]
    fn three_reactors_or_the_main_thread_have_all_places() {
        for reactors in [Some(3), None] {
            let mut places = Places::new(64, reactors);
            assert_eq!(places.len(), 64);
            enter(&mut places, (0..64).map(|number| 640 + number));
            assert!((640..704).all(|id| places.get(SessionId(id)).is_some()));
        }
    }

    #[test]
    fn a_table_smaller_than_the_number_of_reactors_has_a_place() {
        let mut places = Places::new(4, Some(8));
        places.put(Box::new(Guest(SessionId(5))));
        assert!(places.take(SessionId(5)).is_some());
    }
}
