use super::*;

/// A connection whose server is this test.
struct Scene {
    recipe: Recipe,
    book: Book,
    counts: Counts,
    checker: Checker,
    answered: u64,
}

const OWN: u32 = 5;

impl Scene {
    fn new(framing: Framing, sizes: (u64, u64), requests: u64) -> Self {
        let mut book = Book::default();
        for _ in 0..requests {
            book.issue(0);
        }
        book.written(requests, 0);
        let recipe = Recipe::new(11, sizes, framing);
        Self { recipe, book, counts: Counts::default(), checker: Checker::default(), answered: 0 }
    }

    fn wire(&self, connection: u32, number: u64) -> Vec<u8> {
        let identity = self.recipe.identity(connection, number);
        let mut wire = self.recipe.head(&identity).bytes().to_vec();
        while ((wire.len() - self.recipe.prefix_len()) as u64) < identity.size {
            let at = (wire.len() - self.recipe.prefix_len()) as u64;
            wire.extend_from_slice(self.recipe.pattern(&identity, at));
        }
        wire.extend_from_slice(self.recipe.suffix());
        wire
    }

    fn own(&self, numbers: &[u64]) -> Vec<u8> {
        numbers.iter().flat_map(|&number| self.wire(OWN, number)).collect()
    }

    fn feed(&mut self, bytes: &[u8], step: usize) {
        for part in bytes.chunks(step) {
            let Self { recipe, book, counts, checker, answered } = self;
            let mut bench = Bench { connection: OWN, recipe, book, counts };
            checker.feed(part, &mut bench, &mut |_| *answered += 1);
        }
        let Self { recipe, book, counts, checker, .. } = self;
        checker.finish(&mut Bench { connection: OWN, recipe, book, counts });
        assert_eq!(self.answered, self.counts.answered);
    }

    /// answered, doubled, reordered, crossed, corrupt, still open
    fn result(&self) -> [u64; 6] {
        let counts = &self.counts;
        let open = self.book.open() as u64;
        [counts.answered, counts.doubled, counts.reordered, counts.crossed, counts.corrupt, open]
    }
}

fn framings() -> [Framing; 3] {
    [Framing::Raw, Framing::Length, Framing::Eof(b"\r\n".to_vec())]
}

/// The same bytes, however they are cut, in every framing.
fn every_way(sizes: (u64, u64), requests: u64, bytes: impl Fn(&Scene) -> Vec<u8>, expected: [u64; 6]) {
    for framing in framings() {
        for step in [1, 2, 3, 19, 64, 1000, usize::MAX] {
            let mut scene = Scene::new(framing.clone(), sizes, requests);
            let bytes = bytes(&scene);
            scene.feed(&bytes, step);
            assert_eq!(scene.result(), expected, "{framing:?} in steps of {step}: {:?}", scene.counts.faults);
        }
    }
}

#[test]
fn a_true_echo_of_any_size_is_answered() {
    for sizes in [(1, 1), (1, 60), (19, 21), (39, 41), (64, 64), (1, 5000)] {
        every_way(sizes, 40, |scene| scene.own(&(0..40).collect::<Vec<_>>()), [40, 0, 0, 0, 0, 0]);
    }
}

#[test]
fn a_message_longer_than_the_table_is_compared_to_its_end() {
    let intact = |scene: &Scene| scene.own(&[0]);
    let broken_at_the_end = |scene: &Scene| {
        let mut bytes = scene.own(&[0]);
        let place = bytes.len() - 3;
        bytes[place] ^= 1;
        bytes
    };
    every_way((300_000, 300_000), 1, intact, [1, 0, 0, 0, 0, 0]);
    every_way((300_000, 300_000), 1, broken_at_the_end, [0, 0, 0, 0, 1, 0]);
}

#[test]
fn an_answer_sent_twice_is_doubled() {
    every_way((64, 64), 3, |scene| scene.own(&[0, 0, 1, 2]), [3, 1, 0, 0, 0, 0]);
    every_way((64, 64), 3, |scene| scene.own(&[0, 1, 2, 1]), [3, 1, 0, 0, 0, 0]);
    every_way((40, 3000), 3, |scene| scene.own(&[0, 1, 0, 2]), [3, 1, 0, 0, 0, 0]);
}

#[test]
fn an_answer_that_another_overtook_is_reordered() {
    every_way((64, 64), 3, |scene| scene.own(&[1, 0, 2]), [3, 0, 1, 0, 0, 0]);
    every_way((40, 3000), 4, |scene| scene.own(&[3, 0, 1, 2]), [4, 0, 3, 0, 0, 0]);
}

#[test]
fn a_missing_answer_stays_open_and_is_no_reordering() {
    every_way((64, 64), 3, |scene| scene.own(&[0, 2]), [2, 0, 0, 0, 0, 1]);
    every_way((40, 3000), 3, |scene| scene.own(&[1, 2]), [2, 0, 0, 0, 0, 1]);
}

#[test]
fn the_answer_of_another_connection_is_crossed() {
    let crossed = |scene: &Scene| [scene.own(&[0]), scene.wire(OWN + 1, 1), scene.own(&[1])].concat();
    every_way((64, 64), 2, crossed, [2, 0, 0, 1, 0, 0]);
    every_way((40, 3000), 2, crossed, [2, 0, 0, 1, 0, 0]);
}

#[test]
fn an_answer_to_what_was_not_asked_is_corrupt() {
    every_way((64, 64), 2, |scene| scene.own(&[0, 1, 2]), [2, 0, 0, 0, 1, 0]);
}

#[test]
fn a_wrong_byte_anywhere_is_corrupt_and_the_next_answer_counts() {
    for place in [25, 45, 99] {
        let broken = |scene: &Scene| {
            let mut bytes = scene.own(&[0, 1]);
            bytes[place] ^= 0x40;
            bytes
        };
        for framing in [Framing::Length, Framing::Eof(b"\n".to_vec())] {
            for step in [1, 7, 1000] {
                let mut scene = Scene::new(framing.clone(), (100, 100), 2);
                let bytes = broken(&scene);
                scene.feed(&bytes, step);
                assert_eq!(scene.result()[..5], [1, 0, 0, 0, 1], "{framing:?} byte {place} in steps of {step}");
            }
        }
    }
}

#[test]
fn a_broken_header_ends_the_reading_of_a_raw_stream() {
    let mut scene = Scene::new(Framing::Raw, (64, 64), 2);
    let mut bytes = scene.own(&[0, 1]);
    bytes[5] ^= 1;
    scene.feed(&bytes, usize::MAX);
    assert_eq!(scene.result(), [0, 0, 0, 0, 1, 2]);
    assert!(scene.checker.is_astray());
}

#[test]
fn small_answers_out_of_turn_are_told_by_their_bytes() {
    for framing in [Framing::Length, Framing::Eof(b"\r\n".to_vec())] {
        let mut scene = Scene::new(framing, (16, 16), 4);
        let bytes = scene.own(&[1, 0, 3]);
        scene.feed(&bytes, 5);
        assert_eq!(scene.result(), [3, 0, 1, 0, 0, 1]);
    }
}

#[test]
fn surplus_bytes_behind_the_last_answer_are_corrupt() {
    every_way((64, 64), 1, |scene| [scene.own(&[0]), b"abc".to_vec()].concat(), [1, 0, 0, 0, 1, 0]);
    every_way((2, 2), 1, |scene| [scene.own(&[0]), b"x".to_vec()].concat(), [1, 0, 0, 0, 1, 0]);
}
