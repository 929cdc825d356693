//! The open requests of one connection.

use std::collections::VecDeque;

/// A request that has no answer yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// Its number on the connection.
    pub number: u64,
    /// When it should have been sent, in nanoseconds of the run's clock: latency counts from here.
    pub due_ns: u64,
}

/// What an intact answer meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// The request was open; `due_ns` as it was issued.
    Answered {
        /// When the request should have been sent.
        due_ns: u64,
        /// Whether a later request had been answered before.
        is_overtaken: bool,
    },
    /// The request had been answered.
    Doubled,
    /// No such request was sent.
    Unknown,
}

/// Issued requests in order, and what was written of them. Numbers only grow.
#[derive(Debug, Default)]
pub struct Book {
    waiting: VecDeque<Waiting>,
    issued: u64,
    /// Requests below are written whole; this one, up to `write_offset`.
    writing: u64,
    write_offset: u64,
    answered_below: u64,
}

impl Book {
    /// Issues the next request; it is written when the socket takes it.
    pub fn issue(&mut self, due_ns: u64) -> u64 {
        let number = self.issued;
        self.waiting.push_back(Waiting { number, due_ns });
        self.issued += 1;
        number
    }

    /// The open request whose answer is expected next.
    pub fn front(&self) -> Option<Waiting> {
        self.waiting.front().copied()
    }

    /// Open requests, oldest first.
    pub fn waiting(&self) -> impl Iterator<Item = &Waiting> {
        self.waiting.iter()
    }

    /// Requests without an answer, written or not.
    pub fn open(&self) -> usize {
        self.waiting.len()
    }

    /// Requests without an answer of which something was written.
    pub fn open_and_sent(&self) -> u64 {
        let sent_below = self.writing + u64::from(self.write_offset > 0);
        self.waiting.iter().take_while(|waiting| waiting.number < sent_below).count() as u64
    }

    /// How many requests were issued: the number of the next.
    pub fn issued(&self) -> u64 {
        self.issued
    }

    /// The request that is being written and how much of it is, unless all are.
    pub fn to_write(&self) -> Option<(u64, u64)> {
        (self.writing < self.issued).then_some((self.writing, self.write_offset))
    }

    /// Notes that requests below `number` are written, and `offset` bytes of it.
    pub fn written(&mut self, number: u64, offset: u64) {
        self.writing = number;
        self.write_offset = offset;
    }

    /// Closes the entry of an answered request.
    pub fn answer(&mut self, number: u64) -> Entry {
        if number >= self.writing {
            return Entry::Unknown;
        }
        let place = match self.waiting.front() {
            Some(front) if front.number == number => 0,
            _ => match self.waiting.binary_search_by_key(&number, |waiting| waiting.number) {
                Ok(place) => place,
                Err(_) => return Entry::Doubled,
            },
        };
        let Some(waiting) = self.waiting.remove(place) else { return Entry::Doubled };
        let is_overtaken = number < self.answered_below;
        self.answered_below = self.answered_below.max(number + 1);
        Entry::Answered { due_ns: waiting.due_ns, is_overtaken }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn book(requests: u64) -> Book {
        let mut book = Book::default();
        for number in 0..requests {
            assert_eq!(book.issue(number * 10), number);
        }
        book.written(requests, 0);
        book
    }

    #[test]
    fn answers_in_order_close_their_entries() {
        let mut book = book(3);
        for number in 0..3 {
            assert_eq!(book.answer(number), Entry::Answered { due_ns: number * 10, is_overtaken: false });
        }
        assert_eq!(book.open(), 0);
    }

    #[test]
    fn a_second_answer_is_doubled() {
        let mut book = book(2);
        book.answer(0);
        assert_eq!(book.answer(0), Entry::Doubled);
    }

    #[test]
    fn the_overtaken_request_is_reordered_and_the_overtaking_one_is_not() {
        let mut book = book(3);
        assert_eq!(book.answer(1), Entry::Answered { due_ns: 10, is_overtaken: false });
        assert_eq!(book.answer(0), Entry::Answered { due_ns: 0, is_overtaken: true });
        assert_eq!(book.answer(2), Entry::Answered { due_ns: 20, is_overtaken: false });
    }

    #[test]
    fn an_answer_to_what_was_never_sent_is_unknown() {
        let mut book = book(1);
        assert_eq!(book.answer(1), Entry::Unknown);
        book.issue(0);
        assert_eq!(book.answer(1), Entry::Unknown, "issued, but not written");
    }

    #[test]
    fn a_request_that_is_not_written_is_open_but_not_sent() {
        let mut book = book(2);
        book.issue(0);
        book.issue(0);
        assert_eq!((book.open(), book.open_and_sent()), (4, 2));
        book.written(2, 1);
        assert_eq!((book.open(), book.open_and_sent()), (4, 3));
        assert_eq!(book.to_write(), Some((2, 1)));
    }
}
