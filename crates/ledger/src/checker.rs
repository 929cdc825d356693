//! Judges the bytes that come back on one connection. They are compared with the answer that is expected next, in one
//! piece where it is there whole; what differs is read by its own header, to tell a doubled, a reordered, a crossed
//! and a corrupt answer from each other. Nothing of an answer is kept but its head.

use crate::book::{Book, Entry};
use crate::counts::Counts;
use crate::message::{Framing, Head, Identity, MAX_HEAD, Recipe, in_alphabet};

/// Where the reader of a connection stands.
#[derive(Debug, Default)]
pub struct Checker {
    state: State,
}

/// What an answer is judged by.
#[derive(Debug)]
pub struct Bench<'a> {
    /// The number of the connection that the bytes arrived on.
    pub connection: u32,
    /// How requests are rendered.
    pub recipe: &'a Recipe,
    /// The open requests of this connection.
    pub book: &'a mut Book,
    /// Where faults are counted.
    pub counts: &'a mut Counts,
}

#[derive(Debug, Default)]
enum State {
    /// At the start of an answer.
    #[default]
    Between,
    /// Not enough to know whose answer it is.
    Head { bytes: [u8; HEAD_ROOM], len: usize },
    /// Inside an answer; `at` counts from the end of the prefix to the end of the suffix.
    Body { identity: Identity, at: u64, is_intact: bool },
    /// Inside a message whose length alone is known.
    Skip { left: u64 },
    /// Inside a message that only its terminator ends; the last bytes of it.
    SkipToTerminator { tail: Vec<u8> },
    /// The bytes make no sense any more, and nothing says where the next message starts.
    Astray,
}

enum Next {
    /// This many more bytes are needed.
    More(usize),
    /// The head belongs to this request.
    Body(Identity),
    /// The head was the whole of this request.
    Whole(Identity),
    /// It belongs to none; how to go on.
    Corrupt(State),
}

impl Checker {
    /// Takes `bytes` as they came; `answered` is called with the due time of each request that is answered.
    pub fn feed(&mut self, mut bytes: &[u8], bench: &mut Bench<'_>, answered: &mut impl FnMut(u64)) {
        while !bytes.is_empty() {
            match &mut self.state {
                State::Between => {
                    if let Some(used) = whole_front(bytes, bench) {
                        let identity = bench.front().expect("whole_front found one");
                        bench.conclude(&identity, true, answered);
                        bytes = &bytes[used..];
                    } else {
                        self.state = State::Head { bytes: [0; HEAD_ROOM], len: 0 };
                    }
                }
                State::Head { bytes: head, len } => match bench.read_head(&head[..*len]) {
                    Next::More(more) => {
                        let taken = more.min(bytes.len());
                        head[*len..*len + taken].copy_from_slice(&bytes[..taken]);
                        *len += taken;
                        bytes = &bytes[taken..];
                        // A small message may be complete without a byte behind it.
                        if bytes.is_empty() {
                            self.settle_head(bench, answered);
                        }
                    }
                    _ => self.settle_head(bench, answered),
                },
                State::Body { identity, at, is_intact } => {
                    let expected = match identity.size.checked_sub(*at) {
                        None | Some(0) => &bench.recipe.suffix()[usize::try_from(*at - identity.size).unwrap_or(0)..],
                        Some(_) => bench.recipe.pattern(identity, *at),
                    };
                    let taken = expected.len().min(bytes.len());
                    if expected[..taken] != bytes[..taken] {
                        *is_intact = false;
                    }
                    *at += taken as u64;
                    bytes = &bytes[taken..];
                    if *at == identity.size + bench.recipe.suffix().len() as u64 {
                        let (identity, is_intact) = (*identity, *is_intact);
                        self.state = State::Between;
                        bench.conclude(&identity, is_intact, answered);
                    }
                }
                State::Skip { left } => {
                    let taken = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                    *left -= taken as u64;
                    bytes = &bytes[taken..];
                    if *left == 0 {
                        self.state = State::Between;
                    }
                }
                State::SkipToTerminator { tail } => {
                    let terminator = bench.recipe.suffix();
                    let known = tail.len();
                    tail.extend_from_slice(bytes);
                    if let Some(place) = tail.windows(terminator.len()).position(|window| window == terminator) {
                        bytes = &bytes[place + terminator.len() - known..];
                        self.state = State::Between;
                    } else {
                        tail.drain(..tail.len().saturating_sub(terminator.len() - 1));
                        bytes = &[];
                    }
                }
                State::Astray => return,
            }
        }
    }

    /// Whether nothing more can be read from this connection.
    pub fn is_astray(&self) -> bool {
        matches!(self.state, State::Astray)
    }

    /// Counts a beginning that nothing followed, when no request is open that it could answer.
    pub fn finish(&mut self, bench: &mut Bench<'_>) {
        if bench.book.open() == 0 && !matches!(self.state, State::Between | State::Astray) {
            bench.corrupt(|| "bytes behind the last answer".into());
            self.state = State::Astray;
        }
    }

    fn settle_head(&mut self, bench: &mut Bench<'_>, answered: &mut impl FnMut(u64)) {
        let State::Head { bytes, len } = &self.state else { return };
        let (head, len) = (*bytes, *len);
        match bench.read_head(&head[..len]) {
            Next::More(_) => {}
            Next::Body(identity) => {
                let at = bench.recipe.header_len() as u64;
                self.state = State::Body { identity, at, is_intact: true };
                // A message may end with its header.
                if bench.recipe.suffix().is_empty() && identity.size == at {
                    self.state = State::Between;
                    bench.conclude(&identity, true, answered);
                }
            }
            Next::Whole(identity) => {
                self.state = State::Between;
                bench.conclude(&identity, true, answered);
            }
            Next::Corrupt(next) => {
                bench.corrupt(|| format!("{len} bytes that begin no answer: {:02x?}", &head[..len]));
                self.state = next;
            }
        }
    }
}

impl Bench<'_> {
    fn front(&self) -> Option<Identity> {
        self.book.front().map(|front| self.recipe.identity(self.connection, front.number))
    }

    fn conclude(&mut self, identity: &Identity, is_intact: bool, answered: &mut impl FnMut(u64)) {
        let (connection, number) = (identity.connection, identity.number);
        if !is_intact {
            if connection == self.connection {
                self.book.answer(number);
            }
            self.corrupt(|| format!("the answer to request {number} of connection {connection} has a wrong byte"));
        } else if connection != self.connection {
            self.counts.crossed += 1;
            let own = self.connection;
            self.counts.note(|| format!("crossed: connection {own} got answer {number} of connection {connection}"));
        } else {
            match self.book.answer(number) {
                Entry::Answered { due_ns, is_overtaken } => {
                    self.counts.answered += 1;
                    if is_overtaken {
                        self.counts.reordered += 1;
                        self.counts.note(|| format!("reordered: request {number} of connection {connection}"));
                    }
                    answered(due_ns);
                }
                Entry::Doubled => {
                    self.counts.doubled += 1;
                    self.counts.note(|| format!("doubled: request {number} of connection {connection}"));
                }
                Entry::Unknown => self.corrupt(|| format!("an answer to request {number}, which was never sent")),
            }
        }
    }

    fn corrupt(&mut self, what: impl FnOnce() -> String) {
        self.counts.corrupt += 1;
        let connection = self.connection;
        self.counts.note(|| format!("corrupt: connection {connection}: {}", what()));
    }

    fn read_head(&self, head: &[u8]) -> Next {
        match self.recipe.framing() {
            Framing::Length => self.read_length_head(head),
            Framing::Eof(terminator) => self.read_eof_head(head, terminator),
            Framing::Raw => self.read_raw_head(head),
        }
    }

    fn read_length_head(&self, head: &[u8]) -> Next {
        let Some((prefix, header)) = head.split_first_chunk::<4>() else { return Next::More(4 - head.len()) };
        let size = u64::from(u32::from_be_bytes(*prefix));
        if !self.recipe.is_plausible(size) {
            return Next::Corrupt(State::Astray);
        }
        let wanted = self.recipe.header_len().min(usize::try_from(size).unwrap_or(usize::MAX));
        if header.len() < wanted {
            return Next::More(wanted - header.len());
        }
        if wanted < self.recipe.header_len() {
            return self.small_answer(head).map_or(Next::Corrupt(State::Between), Next::Whole);
        }
        match self.claimed(head, header) {
            Some(identity) if identity.size == size => Next::Body(identity),
            _ if size == wanted as u64 => Next::Corrupt(State::Between),
            _ => Next::Corrupt(State::Skip { left: size - wanted as u64 }),
        }
    }

    fn read_eof_head(&self, head: &[u8], terminator: &[u8]) -> Next {
        if let Some(content) = head.strip_suffix(terminator) {
            return self.small_answer(content).map_or(Next::Corrupt(State::Between), Next::Whole);
        }
        let wanted = self.recipe.header_len();
        // Part of a terminator may stand in the header's place: then the rest of it follows.
        let is_ending = !head.iter().all(|&byte| in_alphabet(byte) || byte.is_ascii_hexdigit());
        if head.len() < wanted || is_ending && head.len() < wanted + terminator.len() {
            return Next::More(1);
        }
        match self.claimed(head, head) {
            Some(identity) => Next::Body(identity),
            None => Next::Corrupt(State::SkipToTerminator { tail: head[head.len() - terminator.len() + 1..].to_vec() }),
        }
    }

    fn read_raw_head(&self, head: &[u8]) -> Next {
        let header_len = self.recipe.header_len();
        let expected = match self.front() {
            Some(front) if front.size < header_len as u64 => {
                let expected = self.recipe.head(&front);
                return match expected.bytes().len() - head.len() {
                    0 if expected.bytes() == head => Next::Whole(front),
                    0 => Next::Corrupt(State::Astray),
                    more => Next::More(more),
                };
            }
            front => front,
        };
        // Without a header there is nothing that says whose bytes these are, or how many.
        if expected.is_none() && self.recipe.is_plausible(header_len as u64 - 1) {
            return Next::Corrupt(State::Astray);
        }
        if head.len() < header_len {
            return Next::More(header_len - head.len());
        }
        self.claimed(head, head).map_or(Next::Corrupt(State::Astray), Next::Body)
    }

    fn claimed(&self, head: &[u8], header: &[u8]) -> Option<Identity> {
        match self.front() {
            Some(front) if self.recipe.head(&front).bytes() == head => Some(front),
            _ => self.recipe.parse_header(header),
        }
    }

    /// The oldest open request that looks like this; a small one has no header that names it.
    fn small_answer(&self, head: &[u8]) -> Option<Identity> {
        let open = self.book.waiting().map(|waiting| self.recipe.identity(self.connection, waiting.number));
        let is_same = |identity: &Identity| {
            identity.size < self.recipe.header_len() as u64 && self.recipe.head(identity).bytes() == head
        };
        open.take(SEARCHED).find(is_same)
    }
}

/// The length of the expected answer, when `bytes` begin with the whole of it.
fn whole_front(bytes: &[u8], bench: &Bench<'_>) -> Option<usize> {
    let recipe = bench.recipe;
    let identity = bench.front()?;
    let wire_len = usize::try_from(recipe.wire_len(identity.size)).ok()?;
    if bytes.len() < wire_len {
        return None;
    }
    let head: Head = recipe.head(&identity);
    let mut rest = bytes[..wire_len].strip_prefix(head.bytes())?;
    let mut at = (head.bytes().len() - recipe.prefix_len()) as u64;
    while at < identity.size {
        let pattern = recipe.pattern(&identity, at);
        rest = rest.strip_prefix(pattern)?;
        at += pattern.len() as u64;
    }
    (rest == recipe.suffix()).then_some(wire_len)
}

/// The longest head, or a header in hex and the longest terminator behind it.
const HEAD_ROOM: usize = MAX_HEAD + 8;
/// How many open requests are looked through for a small answer that came out of turn.
const SEARCHED: usize = 1024;

#[cfg(test)]
mod tests;
