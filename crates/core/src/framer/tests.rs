//! Tables of what each framer makes of which bytes.

mod properties;

use super::*;

/// What became of a stream: where each message ended, and the error behind the last one.
#[derive(Debug, PartialEq, Eq)]
struct Trace {
    ends: Vec<usize>,
    error: Option<FrameError>,
}

/// Feeds `stream` in reads of the given sizes, again and again from the first; the last size may be cut.
fn frame(framing: &Framing, limit: u64, stream: &[u8], reads: &[usize]) -> Trace {
    let mut framer = Framer::new(framing, limit);
    let mut trace = Trace { ends: Vec::new(), error: None };
    let (mut start, mut received) = (0, 0);
    for read in reads.iter().cycle() {
        received = stream.len().min(received + read);
        loop {
            match framer.next(&stream[start..received]) {
                Ok(Cut::Message(len)) => {
                    assert!(len > 0 && len <= received - start);
                    framer.reset();
                    start += len;
                    trace.ends.push(start);
                }
                Ok(Cut::Ask(len)) => {
                    assert!(len > 0 && len <= received - start && len as u64 <= limit);
                    if let Err(error) = framer.answer(len, user_code(&stream[start..start + len])) {
                        trace.error = Some(error);
                        return trace;
                    }
                }
                Ok(Cut::More { total }) => {
                    assert!(total.is_none_or(|total| total > (received - start) as u64 && total <= limit));
                    break;
                }
                Err(error) => {
                    assert_eq!(framer.next(&stream[start..received]), Err(error), "the error is repeated");
                    trace.error = Some(error);
                    return trace;
                }
            }
        }
        if received == stream.len() {
            return trace;
        }
    }
    unreachable!("the reads cover the stream")
}

/// The field that [`user_code`] reads: it counts all of a message.
const FIELD_OF_USER_CODE: LengthField = LengthField { kind: LengthType::U16Big, offset: 0, body_offset: 0 };

/// A `package_length_func`.
fn user_code(shown: &[u8]) -> i64 {
    match shown {
        [high, low, ..] => match i64::from(u16::from_be_bytes([*high, *low])) {
            0 | 1 => -1,
            length => length,
        },
        _ => 0,
    }
}

fn in_one_piece(framing: &Framing, limit: u64, stream: &[u8]) -> Trace {
    frame(framing, limit, stream, &[stream.len().max(1)])
}

fn split_at(terminator: &[u8]) -> Framing {
    Framing::Eof { terminator: terminator.to_vec(), split: true }
}

fn ends_with(terminator: &[u8]) -> Framing {
    Framing::Eof { terminator: terminator.to_vec(), split: false }
}

fn length(letter: u8, offset: u32, body_offset: u32) -> Framing {
    let kind = LengthType::from_letter(letter).expect("a letter of the table");
    Framing::Length(LengthField { kind, offset, body_offset })
}

const NO_LIMIT: u64 = u64::MAX;

mod raw_framing {
    use super::*;

    #[test]
    fn whatever_is_there_is_a_message_at_any_limit() {
        for limit in [0, 1, NO_LIMIT] {
            let mut framer = Framer::new(&Framing::Raw, limit);
            assert_eq!(framer.next(b""), Ok(Cut::More { total: None }));
            assert_eq!(framer.next(b"x"), Ok(Cut::Message(1)));
            assert_eq!(framer.next(&[0; 100_000]), Ok(Cut::Message(100_000)));
        }
    }

    #[test]
    fn an_empty_terminator_frames_as_raw() {
        for framing in [split_at(b""), ends_with(b"")] {
            let mut framer = Framer::new(&framing, 1);
            assert_eq!(framer.next(b""), Ok(Cut::More { total: None }));
            assert_eq!(framer.next(b"abc"), Ok(Cut::Message(3)));
        }
    }
}

mod eof_framing {
    use super::*;

    #[test]
    fn splitting_ends_each_message_behind_its_terminator() {
        for (terminator, stream, ends) in [
            (&b"\r\n"[..], &b"a\r\nbc\r\n"[..], &[3, 7][..]),
            (b"\r\n", b"\r\n\r\n", &[2, 4]),
            (b"\r\n", b"\r\r\n\n", &[3]),
            (b"\r\n", b"\r", &[]),
            (b"\r\n", b"", &[]),
            (b"\0", b"\0\0x\0", &[1, 2, 4]),
            (b"aa", b"aaaaa", &[2, 4]),
            (b"aab", b"aaaab", &[5]),
            (b"12345678", b"x1234567812345678", &[9, 17]),
        ] {
            for reads in [1, 2, 3, stream.len().max(1)] {
                let trace = frame(&split_at(terminator), NO_LIMIT, stream, &[reads]);
                assert_eq!(trace, Trace { ends: ends.to_vec(), error: None }, "{terminator:?} in {stream:?}");
            }
        }
    }

    #[test]
    fn checking_takes_everything_once_it_ends_with_the_terminator() {
        let mut framer = Framer::new(&ends_with(b"\r\n"), NO_LIMIT);
        assert_eq!(framer.next(b"a"), Ok(Cut::More { total: None }));
        assert_eq!(framer.next(b"a\r\nb"), Ok(Cut::More { total: None }), "a terminator in the middle is none");
        assert_eq!(framer.next(b"a\r\nb\r"), Ok(Cut::More { total: None }));
        assert_eq!(framer.next(b"a\r\nb\r\n"), Ok(Cut::Message(6)));
        assert_eq!(framer.next(b""), Ok(Cut::More { total: None }));
        assert_eq!(framer.next(b"\r\n"), Ok(Cut::Message(2)));
    }

    #[test]
    fn checking_divides_glued_messages_that_exceed_the_limit_only_together() {
        let trace = in_one_piece(&ends_with(b"\n"), 8, b"123\n123\n123\n12\n");
        assert_eq!(trace, Trace { ends: vec![8, 15], error: None });
        let trace = in_one_piece(&ends_with(b"\n"), 10, b"123\n123\n123\n12");
        assert_eq!(trace, Trace { ends: vec![8], error: None }, "as many of them as fit");
    }

    #[test]
    fn a_message_of_exactly_the_limit_passes_and_one_byte_more_does_not() {
        for framing in [split_at(b"\r\n"), ends_with(b"\r\n")] {
            for reads in [1, 4, 100] {
                let trace = frame(&framing, 5, b"123\r\n", &[reads]);
                assert_eq!(trace, Trace { ends: vec![5], error: None });
                let trace = frame(&framing, 5, b"1234\r\n", &[reads]);
                assert_eq!(trace, Trace { ends: vec![], error: Some(FrameError::NoTerminator { limit: 5 }) });
            }
        }
    }

    #[test]
    fn the_error_comes_with_the_last_byte_that_could_have_ended_the_message() {
        for framing in [split_at(b"\n"), ends_with(b"\n")] {
            let mut framer = Framer::new(&framing, 3);
            assert_eq!(framer.next(b"12"), Ok(Cut::More { total: None }));
            assert_eq!(framer.next(b"123"), Err(FrameError::NoTerminator { limit: 3 }));
        }
    }

    #[test]
    fn a_limit_below_the_terminator_allows_no_message() {
        for framing in [split_at(b"\r\n"), ends_with(b"\r\n")] {
            for limit in [0, 1] {
                let trace = in_one_piece(&framing, limit, b"\r\n");
                assert_eq!(trace, Trace { ends: vec![], error: Some(FrameError::NoTerminator { limit: 1 }) });
            }
        }
    }

    #[test]
    fn bytes_already_searched_are_not_searched_again() {
        // The caller breaks its promise here, on purpose: a terminator is put where none was.
        let mut framer = Framer::new(&split_at(b"\r\n"), NO_LIMIT);
        assert_eq!(framer.next(b"12345678"), Ok(Cut::More { total: None }));
        assert_eq!(framer.next(b"\r\n345\r\n890"), Ok(Cut::More { total: None }));
        // The last byte searched may begin a terminator, so it is looked at again.
        assert_eq!(framer.next(b"\r\n345\r\n89\r\n"), Ok(Cut::Message(11)));
    }

    #[test]
    fn a_message_and_a_reset_begin_a_new_search() {
        let mut framer = Framer::new(&split_at(b"\r\n"), NO_LIMIT);
        assert_eq!(framer.next(b"12345678"), Ok(Cut::More { total: None }));
        assert_eq!(framer.next(b"12345678\r\na\r\n"), Ok(Cut::Message(10)));
        assert_eq!(framer.next(b"a\r\n"), Ok(Cut::Message(3)));
        assert_eq!(framer.next(b"12345678"), Ok(Cut::More { total: None }));
        framer.reset();
        assert_eq!(framer.next(b"\r\n"), Ok(Cut::Message(2)));
    }

    #[test]
    fn fewer_bytes_than_promised_are_no_panic() {
        for framing in [split_at(b"\r\n"), ends_with(b"\r\n")] {
            let mut framer = Framer::new(&framing, NO_LIMIT);
            assert_eq!(framer.next(b"12345678"), Ok(Cut::More { total: None }));
            assert_eq!(framer.next(b"1"), Ok(Cut::More { total: None }));
        }
    }

    #[test]
    fn a_clone_shares_the_prepared_search_and_nothing_else() {
        let template = Framer::new(&split_at(b"\r\n"), NO_LIMIT);
        let (mut one, mut other) = (template.clone(), template.clone());
        assert_eq!(one.next(b"1234"), Ok(Cut::More { total: None }));
        assert_eq!(other.next(b"\r\n"), Ok(Cut::Message(2)));
        assert!(size_of::<Framer>() <= 48, "it is part of what an idle connection costs");
    }
}

mod length_framing {
    use super::*;

    #[test]
    fn each_letter_reads_what_pack_writes() {
        // pack($letter, 2), and for the signed ones pack($letter, -2), on this machine.
        let machine = |big: &[u8]| -> Vec<u8> {
            if cfg!(target_endian = "big") { big.to_vec() } else { big.iter().rev().copied().collect() }
        };
        let table: [(u8, Vec<u8>, Option<Vec<u8>>); 14] = [
            (b'c', vec![2], Some(vec![0xfe])),
            (b'C', vec![2], None),
            (b's', machine(&[0, 2]), Some(machine(&[0xff, 0xfe]))),
            (b'S', machine(&[0, 2]), None),
            (b'n', vec![0, 2], None),
            (b'v', vec![2, 0], None),
            (b'l', machine(&[0, 0, 0, 2]), Some(machine(&[0xff, 0xff, 0xff, 0xfe]))),
            (b'L', machine(&[0, 0, 0, 2]), None),
            (b'N', vec![0, 0, 0, 2], None),
            (b'V', vec![2, 0, 0, 0], None),
            (b'q', machine(&[0, 0, 0, 0, 0, 0, 0, 2]), Some(machine(&[255, 255, 255, 255, 255, 255, 255, 254]))),
            (b'Q', machine(&[0, 0, 0, 0, 0, 0, 0, 2]), None),
            (b'J', vec![0, 0, 0, 0, 0, 0, 0, 2], None),
            (b'P', vec![2, 0, 0, 0, 0, 0, 0, 0], None),
        ];
        for (kind, (letter, two, minus_two)) in LengthType::ALL.into_iter().zip(table) {
            assert_eq!(kind.letter(), letter);
            assert_eq!(LengthType::from_letter(letter), Some(kind));
            assert_eq!(kind.size(), two.len());
            assert_eq!(kind.is_signed(), minus_two.is_some(), "{kind:?}");
            let order = match letter {
                b'n' | b'N' | b'J' => ByteOrder::Big,
                b'v' | b'V' | b'P' => ByteOrder::Little,
                _ => ByteOrder::Machine,
            };
            assert_eq!(kind.byte_order(), order);

            let header = u32::try_from(two.len()).unwrap();
            let framing = length(letter, 0, header);
            let mut stream = two.clone();
            assert_eq!(Framer::new(&framing, 20).next(&stream), Ok(Cut::More { total: Some(u64::from(header) + 2) }));
            stream.extend(b"abc");
            assert_eq!(Framer::new(&framing, 20).next(&stream), Ok(Cut::Message(two.len() + 2)));
            if let Some(minus_two) = minus_two {
                let error = FrameError::Malformed { length: -2, body_offset: header, header: header.into() };
                assert_eq!(Framer::new(&framing, 20).next(&minus_two), Err(error));
            }
        }
    }

    #[test]
    fn letters_that_write_no_integer_of_fixed_size_are_unknown() {
        for letter in (0..=u8::MAX).filter(|letter| !b"cCsSnvlLNVqQJP".contains(letter)) {
            assert_eq!(LengthType::from_letter(letter), None, "{}", char::from(letter));
        }
    }

    #[test]
    fn a_hundred_messages_in_one_read_are_a_hundred_cuts() {
        let stream = b"\0\0\0\x04ping".repeat(100);
        let trace = in_one_piece(&length(b'N', 0, 4), 8, &stream);
        assert_eq!(trace, Trace { ends: (1..=100).map(|nr| nr * 8).collect(), error: None });
    }

    #[test]
    fn the_total_is_body_offset_plus_the_field_wherever_it_stands() {
        for (offset, body_offset, stream, total) in [
            (0, 0, &b"\0\x05abc"[..], 5), // counts all
            (0, 2, b"\0\x03abc", 5),      // counts what follows the field
            (3, 5, b"abc\0\x02de", 7),    // the field behind something
            (3, 0, b"abc\0\x07de", 7),    // the same, counting all
            (1, 5, b"a\0\x01bcd", 6),     // something between field and body
            (2, 4, b"ab\0\0", 4),         // no body
            (0, 0, b"\0\x02", 2),         // nothing but the field
        ] {
            for reads in 1..=stream.len() {
                let trace = frame(&length(b'n', offset, body_offset), 7, stream, &[reads]);
                assert_eq!(trace, Trace { ends: vec![total], error: None }, "{stream:?}");
            }
        }
    }

    #[test]
    fn a_message_shorter_than_its_header_is_malformed() {
        for (offset, body_offset, field) in [(0, 0, 0), (0, 0, 1), (3, 0, 4), (3, 2, 2), (3, 4, 0)] {
            let stream = [b'x', b'x', b'x', 0, field];
            let stream = &stream[3 - offset as usize..];
            let trace = in_one_piece(&length(b'n', offset, body_offset), NO_LIMIT, stream);
            let header = u64::from(offset) + 2;
            let error = FrameError::Malformed { length: field.into(), body_offset, header };
            assert_eq!(trace, Trace { ends: vec![], error: Some(error) });
        }
    }

    #[test]
    fn a_negative_length_is_malformed_even_when_the_sum_would_do() {
        let error = FrameError::Malformed { length: -1, body_offset: 10, header: 1 };
        assert_eq!(Framer::new(&length(b'c', 0, 10), 100).next(b"\xff23456789"), Err(error));
        let error = FrameError::Malformed { length: i64::MIN, body_offset: u32::MAX, header: 8 };
        assert_eq!(Framer::new(&length(b'q', 0, u32::MAX), NO_LIMIT).next(&i64::MIN.to_ne_bytes()), Err(error));
    }

    #[test]
    fn the_limit_is_exact_at_any_size() {
        for limit in [8, 9, 4096, 0xffff, 1 << 31, u64::from(u32::MAX), 1 << 32, 1 << 63, u64::MAX] {
            let framing = length(b'J', 0, 8);
            let mut framer = Framer::new(&framing, limit);
            let announce = |total: u64| (total - 8).to_be_bytes();
            let expected = if limit == 8 { Cut::Message(8) } else { Cut::More { total: Some(limit) } };
            assert_eq!(framer.next(&announce(limit)), Ok(expected));
            if let Some(length) = limit.checked_add(1) {
                assert_eq!(framer.next(&announce(length)), Err(FrameError::TooLarge { length, limit }));
            }
        }
    }

    #[test]
    fn a_length_beyond_64_bits_is_too_large_at_any_limit() {
        let error = FrameError::TooLarge { length: u64::MAX, limit: NO_LIMIT };
        assert_eq!(Framer::new(&length(b'P', 0, 1), NO_LIMIT).next(&[0xff; 8]), Err(error));
        let mut framer = Framer::new(&length(b'P', 0, 0), NO_LIMIT);
        assert_eq!(framer.next(&[0xff; 8]), Ok(Cut::More { total: Some(u64::MAX) }));
    }

    #[test]
    fn too_large_is_known_with_the_last_byte_of_the_header() {
        let mut framer = Framer::new(&length(b'N', 2, 6), 100);
        assert_eq!(framer.next(b"ab\0\0\0"), Ok(Cut::More { total: None }));
        assert_eq!(framer.next(b"ab\0\0\0\x5e"), Ok(Cut::More { total: Some(100) }));
        assert_eq!(framer.next(b"ab\0\0\0\x5f"), Err(FrameError::TooLarge { length: 101, limit: 100 }));
    }

    #[test]
    fn a_limit_of_one_byte_allows_messages_of_one_byte() {
        let trace = in_one_piece(&length(b'C', 0, 0), 1, b"\x01\x01\x02");
        assert_eq!(trace, Trace { ends: vec![1, 2], error: Some(FrameError::TooLarge { length: 2, limit: 1 }) });
    }

    #[test]
    fn a_limit_inside_the_header_finds_no_length() {
        for reads in 1..=4 {
            let trace = frame(&length(b'N', 0, 4), 3, b"\xff\xff\xff\xff", &[reads]);
            assert_eq!(trace, Trace { ends: vec![], error: Some(FrameError::NoLength { limit: 3 }) });
        }
        let trace = in_one_piece(&length(b'N', 0, 4), 3, b"\0\0");
        assert_eq!(trace, Trace { ends: vec![], error: None });
    }

    #[test]
    fn the_largest_offsets_do_not_overflow() {
        let mut framer = Framer::new(&length(b'J', u32::MAX, u32::MAX), NO_LIMIT);
        assert_eq!(framer.next(&[0xff; 64]), Ok(Cut::More { total: None }));
    }

    #[test]
    fn a_caller_may_take_a_message_of_known_length_by_itself() {
        let mut framer = Framer::new(&length(b'n', 0, 2), 1000);
        let Ok(Cut::More { total: Some(500) }) = framer.next(&498u16.to_be_bytes()) else {
            panic!("the header tells the length")
        };
        framer.reset();
        assert_eq!(framer.next(b"\0\x01a"), Ok(Cut::Message(3)));
    }
}

mod asked_framing {
    use super::*;

    /// The looks that are asked for when so many bytes have come, until no more are wanted.
    fn looks(framer: &mut Framer, unread: usize, answer: i64) -> Vec<usize> {
        let unread = vec![b'.'; unread];
        let mut looks = Vec::new();
        while let Ok(Cut::Ask(len)) = framer.next(&unread) {
            looks.push(len);
            framer.answer(len, answer).unwrap();
        }
        looks
    }

    #[test]
    fn user_code_sees_little_at_first_and_all_that_has_come_in_the_end() {
        let mut framer = Framer::new(&Framing::Asked, 1 << 20);
        assert_eq!(looks(&mut framer, 10, 0), [10]);
        assert_eq!(looks(&mut framer, 10, 0), [0; 0], "nothing new has come");
        assert_eq!(looks(&mut framer, 11, 0), [11]);
        assert_eq!(looks(&mut framer, 30_000, 0), [4096, 8192, 16_384, 30_000]);
        assert_eq!(looks(&mut framer, 3_000_000, 0), [60_000, 120_000, 240_000, 480_000, 960_000, 1 << 20]);
        assert_eq!(framer.next(&vec![0; 3_000_000]), Err(FrameError::NotFound { limit: 1 << 20 }));
    }

    #[test]
    fn it_is_not_asked_again_before_its_message_is_taken() {
        let mut framer = Framer::new(&Framing::Asked, 100);
        assert_eq!(looks(&mut framer, 10, 60), [10]);
        assert_eq!(framer.next(&[0; 59]), Ok(Cut::More { total: Some(60) }));
        // It may wait for room in a lane.
        assert_eq!(framer.next(&[0; 60]), Ok(Cut::Message(60)));
        assert_eq!(framer.next(&[0; 75]), Ok(Cut::Message(60)));
        framer.reset();
        assert_eq!(framer.next(&[0; 15]), Ok(Cut::Ask(15)));
        assert_eq!(framer.next(b""), Ok(Cut::More { total: None }));
    }

    #[test]
    fn no_answer_goes_beyond_the_limit_or_below_nothing() {
        for (answer, expected) in [
            (100, Ok(())),
            (101, Err(FrameError::TooLarge { length: 101, limit: 100 })),
            (i64::MAX, Err(FrameError::TooLarge { length: i64::MAX.unsigned_abs(), limit: 100 })),
            (-1, Err(FrameError::Refused { length: -1 })),
            (i64::MIN, Err(FrameError::Refused { length: i64::MIN })),
        ] {
            assert_eq!(Framer::new(&Framing::Asked, 100).answer(1, answer), expected);
        }
    }
}

mod errors {
    use super::*;

    #[test]
    fn each_has_the_code_and_the_words_that_users_see() {
        for (error, code, words) in [
            (
                FrameError::TooLarge { length: 3_000_000, limit: 2_097_152 },
                1201,
                "message of 3000000 bytes announced, package_max_length is 2097152",
            ),
            (
                FrameError::NoTerminator { limit: 2_097_152 },
                1201,
                "no package_eof within the 2097152 bytes of package_max_length",
            ),
            (
                FrameError::NoLength { limit: 2 },
                1202,
                "package_max_length of 2 bytes ends before the length field does",
            ),
            (
                FrameError::Malformed { length: -2, body_offset: 4, header: 4 },
                1204,
                "length field says -2, which is negative",
            ),
            (
                FrameError::Malformed { length: 3, body_offset: 0, header: 4 },
                1204,
                "length field says 3, with package_body_offset 0 less than the 4 bytes up to the field's end",
            ),
            (FrameError::Refused { length: -7 }, 1204, "package_length_func returned -7"),
            (
                FrameError::NotFound { limit: 2_097_152 },
                1202,
                "package_length_func has found no length in the 2097152 bytes of package_max_length",
            ),
            (FrameError::NoAnswer { did: "threw" }, 1204, "package_length_func threw"),
        ] {
            assert_eq!(error.code(), code);
            assert_eq!(error.to_string(), words);
        }
    }
}
