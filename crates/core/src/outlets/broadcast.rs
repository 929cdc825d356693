//! Posting one copy of bytes for many connections: a record for each reactor, and what does not fit into those in blocks
//! or ranges that all of them read.

use rotor_ipc::payload::{MOST_READERS, Sharing};
use rotor_ipc::record::{BY_PLACE, Kind, Where};

use super::{Outlets, PostFailure, consumer, header};
use crate::audience::{Audience, Told};

/// With fewer small blocks than this, less than two are sure to be given back whatever slow peers do, and a broadcast may
/// need two at once.
const ENOUGH_BLOCKS: usize = 5;

/// Reactors that share what one broadcast carries.
struct Group {
    /// The number of the first.
    first: usize,
    /// Those that have receivers.
    members: Vec<usize>,
}

impl Group {
    /// The members as bits.
    fn bits(&self) -> u64 {
        self.members.iter().fold(0, |bits, member| bits | 1 << (member - self.first))
    }
}

/// Bytes beside the lanes, shared by a group, and what a record says of them.
struct Carried {
    sharing: Sharing,
    location: Where,
    reference: [u8; 16],
}

/// Who is meant in one record.
enum Meant<'a> {
    Few(&'a [(u16, rotor_ipc::SessionId)]),
    /// Words of bits, from a place on.
    Many(&'a [u64], usize),
}

impl Outlets {
    /// Receivers whose ids travel beside bytes in a record.
    pub fn most_few(&self) -> usize {
        self.half_a_record() / 8 - 1
    }

    /// Posts `bytes` for all of an audience; published when this returns. Returns for how many: where this process does
    /// not wait, there may be no room in a lane.
    pub fn broadcast(&mut self, bytes: &[u8], audience: &Audience) -> Result<u64, PostFailure> {
        let mut missed = vec![false; self.outlets.len()];
        for first in (0..self.outlets.len()).step_by(MOST_READERS) {
            let numbers = first..self.outlets.len().min(first + MOST_READERS);
            let group = Group { first, members: numbers.filter(|reactor| audience.count_of(*reactor) > 0).collect() };
            if group.members.is_empty() {
                continue;
            }
            match audience.told() {
                Told::Few(few) => self.post_to_group(bytes, &group, &Meant::Few(few), audience, &mut missed)?,
                Told::Many(bits) => {
                    let words = self.pool.view().small_block() / 8;
                    for (index, part) in bits.chunks(words).enumerate() {
                        if part.iter().any(|word| *word != 0) {
                            let meant = Meant::Many(part, index * words * 64);
                            self.post_to_group(bytes, &group, &meant, audience, &mut missed)?;
                        }
                    }
                }
            }
        }
        let told = missed.iter().enumerate().filter(|(_, missed)| !**missed);
        match told.map(|(reactor, _)| audience.count_of(reactor)).sum() {
            0 if audience.count() > 0 => Err(PostFailure::Full),
            count => Ok(count),
        }
    }

    fn post_to_group(
        &mut self,
        bytes: &[u8],
        group: &Group,
        meant: &Meant<'_>,
        audience: &Audience,
        missed: &mut [bool],
    ) -> Result<(), PostFailure> {
        let mut data = self.carry_data(bytes, group)?;
        let mut places = match meant {
            Meant::Few(_) => None,
            Meant::Many(bits, _) => Some(self.carry_bits(bits, group)?),
        };
        let mut record = header(Kind::Broadcast, 0);
        record.location = data.as_ref().map_or(Where::Inline, |data| data.location);
        record.extra = audience.newest().0;
        if let Meant::Many(_, first_place) = meant {
            record.aux = BY_PLACE;
            record.session = *first_place as u64;
        }
        for reactor in group.members.iter().copied() {
            let receivers = match (meant, &places) {
                (Meant::Few(few), _) => ids_of(few, reactor),
                (_, Some(places)) => places.reference.to_vec(),
                (Meant::Many(..), None) => continue,
            };
            let rest = data.as_ref().map_or(bytes, |data| &data.reference);
            let position = match self.make_room(reactor, receivers.len() + rest.len()) {
                Ok(position) => position,
                Err(PostFailure::Full) => {
                    missed[reactor] = true;
                    continue;
                }
                Err(failure) => return Err(failure),
            };
            // Written to nobody's memory by whoever dies between here and the publish: the place lies behind the tail.
            for carried in data.iter_mut().chain(&mut places) {
                carried.sharing.post(reactor - group.first, position);
            }
            let rest = data.as_ref().map_or(bytes, |data| &data.reference);
            self.write(reactor, &record, &[&receivers, rest])?;
            self.publish(reactor);
        }
        Ok(())
    }

    /// Puts the bytes beside the lanes; `None`: they go into each record. A copy for each reactor costs less than what
    /// it takes to give a block back, as long as it is small.
    fn carry_data(&mut self, bytes: &[u8], group: &Group) -> Result<Option<Carried>, PostFailure> {
        if bytes.len() <= self.half_a_record() {
            return Ok(None);
        }
        let filling =
            if self.pool.view().small_blocks() < ENOUGH_BLOCKS { self.fill_range(bytes)? } else { self.fill(bytes)? };
        let (location, reference) = (filling.location(), filling.reference(bytes.len()).to_bytes());
        Ok(Some(Carried { sharing: filling.share(consumer(group.first), group.bits()), location, reference }))
    }

    fn carry_bits(&mut self, bits: &[u64], group: &Group) -> Result<Carried, PostFailure> {
        let bytes: Vec<u8> = bits.iter().flat_map(|word| word.to_ne_bytes()).collect();
        let filling = self.fill_block(&bytes)?.ok_or(PostFailure::Full)?;
        let (location, reference) = (filling.location(), filling.reference(bytes.len()).to_bytes());
        Ok(Carried { sharing: filling.share(consumer(group.first), group.bits()), location, reference })
    }

    /// What a record of the narrowest lane has for receivers, and again for bytes.
    fn half_a_record(&self) -> usize {
        self.outlets.iter().map(|outlet| outlet.lane.inline_limit()).min().unwrap_or(0) / 16 * 8
    }
}

/// The receivers of a reactor as its record has them: how many, and their ids.
fn ids_of(few: &[(u16, rotor_ipc::SessionId)], reactor: usize) -> Vec<u8> {
    let own = || few.iter().filter(|(of, _)| usize::from(*of) == reactor).map(|(_, id)| id.0);
    std::iter::once(own().count() as u64).chain(own()).flat_map(u64::to_ne_bytes).collect()
}
