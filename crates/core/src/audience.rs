//! Who gets a broadcast. They are chosen once, in the process that sends it, and told to the reactors as a few numbers or
//! as bits, one for each place of the session table.
//!
//! A bit says nothing of who is at its place. So the highest id that is meant goes along: whoever comes to a place after it
//! was looked at has a higher one (P2).

use rotor_ipc::SessionId;
use rotor_ipc::sessions::SessionsReader;
use rotor_ipc::to_usize;

/// The receivers of one broadcast.
#[derive(Debug)]
pub struct Audience {
    /// No receiver has a higher id.
    newest: SessionId,
    /// Up to so many are told by their ids.
    most_few: usize,
    places: usize,
    /// By reactor.
    counts: Vec<u64>,
    form: Form,
}

#[derive(Debug)]
enum Form {
    /// Receivers and their reactors.
    Few(Vec<(u16, SessionId)>),
    /// Bits by place.
    Many(Vec<u64>),
}

/// What one reactor is told of its receivers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told<'a> {
    /// They are those whose reactor it is among these.
    Few(&'a [(u16, SessionId)]),
    /// They are at the places with a bit, as far as they are its own.
    Many(&'a [u64]),
}

impl Audience {
    /// Nobody yet, of the sessions up to `newest`, a number that was read before any of them is looked at.
    pub fn new(sessions: &SessionsReader, reactors: usize, newest: SessionId, most_few: usize) -> Self {
        let (places, counts) = (sessions.capacity(), vec![0; reactors]);
        Self { newest, most_few, places, counts, form: Form::Few(Vec::new()) }
    }

    /// The highest id that is meant.
    pub fn newest(&self) -> SessionId {
        self.newest
    }

    /// Adds a session that lives, by its reactor and its place. As one of few it must not be added twice.
    pub fn add(&mut self, id: SessionId, reactor: u16) {
        if id > self.newest || usize::from(reactor) >= self.counts.len() {
            return;
        }
        match &mut self.form {
            Form::Few(few) if few.len() < self.most_few => few.push((reactor, id)),
            Form::Few(_) => {
                self.spread();
                return self.add(id, reactor);
            }
            Form::Many(bits) => {
                let place = to_usize(id.0 % self.places as u64);
                let (word, bit) = (&mut bits[place / 64], 1 << (place % 64));
                if *word & bit != 0 {
                    return;
                }
                *word |= bit;
            }
        }
        self.counts[usize::from(reactor)] += 1;
    }

    /// From here on bits are kept, and who is added twice counts once.
    pub fn spread(&mut self) {
        if let Form::Few(few) = &self.form {
            let mut bits = vec![0; self.places.div_ceil(64)];
            for (_, id) in few {
                let place = to_usize(id.0 % self.places as u64);
                bits[place / 64] |= 1 << (place % 64);
            }
            self.form = Form::Many(bits);
        }
    }

    /// How many receivers a reactor has.
    pub fn count_of(&self, reactor: usize) -> u64 {
        self.counts.get(reactor).copied().unwrap_or(0)
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Who they are.
    pub fn told(&self) -> Told<'_> {
        match &self.form {
            Form::Few(few) => Told::Few(few),
            Form::Many(bits) => Told::Many(bits),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rotor_ipc::layout::{Plan, Shape};
    use rotor_ipc::segment::Segment;

    fn sessions(count: usize) -> SessionsReader {
        let plan =
            Plan::new(Shape { reactors: 1, workers: 1, processes: 0, ports: 1, sessions: count, budget: 512 << 20 });
        Segment::create(plan.unwrap(), &std::env::temp_dir()).unwrap().sessions()
    }

    fn places(bits: &[u64]) -> Vec<usize> {
        (0..bits.len() * 64).filter(|place| bits[place / 64] & 1 << (place % 64) != 0).collect()
    }

    #[test]
    fn a_few_are_told_by_their_ids_and_many_by_their_places() {
        let mut audience = Audience::new(&sessions(64), 3, SessionId(1000), 3);
        for id in [700, 701, 66] {
            audience.add(SessionId(id), u16::try_from(id % 3).unwrap());
        }
        assert_eq!(audience.told(), Told::Few(&[(1, SessionId(700)), (2, SessionId(701)), (0, SessionId(66))]));
        audience.add(SessionId(128), 2);
        let Told::Many(bits) = audience.told() else { panic!("four are many") };
        assert_eq!(places(bits), [0, 2, 60, 61]);
        assert_eq!((audience.count(), audience.count_of(2), audience.count_of(3)), (4, 2, 0));
        audience.add(SessionId(128), 2);
        assert_eq!(audience.count(), 4, "twice is once");
    }

    #[test]
    fn who_came_after_the_look_and_who_belongs_to_no_reactor_is_no_receiver() {
        let mut audience = Audience::new(&sessions(64), 2, SessionId(10), 3);
        audience.add(SessionId(11), 0);
        audience.add(SessionId(9), 2);
        assert_eq!((audience.count(), audience.told()), (0, Told::Few(&[])));
    }

    #[test]
    fn a_million_receivers_are_a_bit_each() {
        const MILLION: u64 = 1_000_000;
        let mut audience = Audience::new(&sessions(1_000_000), 7, SessionId(u64::MAX), 1000);
        for round in 0..2 {
            // Beyond the table's end and round its begin, all of them twice.
            (0..MILLION).map(|number| 5_000_000 + number).for_each(|id| {
                audience.add(SessionId(id), u16::try_from(id % 7).unwrap());
            });
            assert_eq!(audience.count(), MILLION, "round {round}");
        }
        let Told::Many(bits) = audience.told() else { panic!("a million are many") };
        assert_eq!(bits.iter().map(|word| u64::from(word.count_ones())).sum::<u64>(), MILLION);
        assert_eq!(size_of_val(bits), 128 << 10, "one small block");
        for id in (0..MILLION).step_by(997).map(|number| 5_000_000 + number) {
            let place = to_usize(id % (1 << 20));
            assert!(bits[place / 64] & 1 << (place % 64) != 0);
        }
        let counts: Vec<u64> = (0..7).map(|reactor| audience.count_of(reactor)).collect();
        assert!(counts.iter().all(|count| (MILLION / 7..=MILLION / 7 + 1).contains(count)), "{counts:?}");
    }
}
