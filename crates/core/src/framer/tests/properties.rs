//! Properties of the framers, compared with an oracle that is given everything at once and looks at each
//! byte.

use proptest::prelude::*;

use super::*;

/// What `framing` makes of `stream`, position by position. Not for `open_eof_check`, whose messages depend
/// on when one looks.
fn oracle(framing: &Framing, limit: u64, stream: &[u8]) -> Trace {
    let mut trace = Trace { ends: Vec::new(), error: None };
    let mut start = 0;
    loop {
        let rest = &stream[start..];
        let len = match framing {
            Framing::Raw => unreachable!("its messages are the reads"),
            Framing::Asked => unreachable!("what is asked for needs no other oracle"),
            Framing::Eof { terminator, .. } => {
                let end = (terminator.len()..=rest.len()).find(|end| rest[..*end].ends_with(terminator));
                if end.unwrap_or(rest.len() + 1) as u64 > limit && rest.len() as u64 >= limit {
                    trace.error = Some(FrameError::NoTerminator { limit });
                    return trace;
                }
                end
            }
            Framing::Length(field) => match announced(*field, limit, rest) {
                Ok(total) => total.and_then(|total| usize::try_from(total).ok()).filter(|len| *len <= rest.len()),
                Err(error) => {
                    trace.error = Some(error);
                    return trace;
                }
            },
        };
        let Some(len) = len else { return trace };
        start += len;
        trace.ends.push(start);
    }
}

/// The length that the header at the beginning of `rest` gives, with the number put together by hand.
fn announced(field: LengthField, limit: u64, rest: &[u8]) -> Result<Option<u64>, FrameError> {
    let (from, size) = (field.offset as usize, field.kind.size());
    let header = (from + size) as u64;
    if header > limit && rest.len() as u64 >= limit {
        return Err(FrameError::NoLength { limit });
    }
    if rest.len() < from + size {
        return Ok(None);
    }
    let mut digits = rest[from..from + size].to_vec();
    let is_little = match field.kind.byte_order() {
        ByteOrder::Machine => cfg!(target_endian = "little"),
        ByteOrder::Little => true,
        ByteOrder::Big => false,
    };
    if is_little {
        digits.reverse();
    }
    let mut number = digits.iter().fold(0_i128, |number, digit| number * 256 + i128::from(*digit));
    if field.kind.is_signed() && digits[0] >= 128 {
        number -= 256_i128.pow(u32::try_from(size).unwrap());
    }
    let total = number + i128::from(field.body_offset);
    if number < 0 || total < i128::from(header) {
        let length = i64::try_from(number).unwrap();
        Err(FrameError::Malformed { length, body_offset: field.body_offset, header })
    } else if total > i128::from(limit) {
        Err(FrameError::TooLarge { length: u64::try_from(total).unwrap_or(u64::MAX), limit })
    } else {
        Ok(Some(u64::try_from(total).unwrap()))
    }
}

fn any_limit() -> impl Strategy<Value = u64> {
    prop_oneof![4 => 1..80_u64, 1 => Just(u64::from(u32::MAX)), 1 => Just(u64::MAX), 1 => 1..u64::MAX]
}

fn any_reads() -> impl Strategy<Value = Vec<usize>> {
    // A read of nothing is what a spurious wake-up looks like.
    prop::collection::vec(0..12_usize, 1..8).prop_map(|mut reads| {
        reads.push(1);
        reads
    })
}

/// Few letters, so that terminators and their beginnings are frequent.
fn any_text(len: impl Into<prop::collection::SizeRange>) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(prop::sample::select(b"ab\n".to_vec()), len)
}

/// Text with a terminator no beginning of which is also its end, so that both ways see the same ones.
fn any_lines() -> impl Strategy<Value = Vec<u8>> {
    any_text(0..200).prop_map(|text| text.split(|byte| *byte == b'\n').collect::<Vec<_>>().join(&b"\r\n"[..]))
}

fn any_field() -> impl Strategy<Value = LengthField> {
    (prop::sample::select(LengthType::ALL.to_vec()), 0..6_u32, prop_oneof![4 => 0..16_u32, 1 => any::<u32>()])
        .prop_map(|(kind, offset, body_offset)| LengthField { kind, offset, body_offset })
}

/// Messages as a well-behaved client of `field` writes them, then noise.
fn any_stream(field: LengthField) -> impl Strategy<Value = Vec<u8>> {
    let noise = prop::collection::vec(prop_oneof![Just(0), 0..20_u8, any::<u8>()], 0..40);
    (prop::collection::vec(0..60_u64, 0..10), noise).prop_map(move |(bodies, noise)| {
        let mut stream = Vec::new();
        for body in bodies {
            let total = (field.header() + body).max(field.body_offset.into());
            let Ok(len) = usize::try_from(total) else { continue };
            if len < 200 {
                let begin = stream.len();
                stream.resize(begin + len, b'.');
                let mut digits = (total - u64::from(field.body_offset)).to_be_bytes();
                let size = field.kind.size();
                let number = &mut digits[8 - size..];
                match field.kind.byte_order() {
                    ByteOrder::Big => {}
                    ByteOrder::Machine if cfg!(target_endian = "big") => {}
                    _ => number.reverse(),
                }
                stream[begin + field.offset as usize..][..size].copy_from_slice(number);
            }
        }
        stream.extend(noise);
        stream
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn any_split_into_reads_gives_the_messages_and_the_error_of_one_piece_by_length(
        (field, stream) in any_field().prop_flat_map(|field| (Just(field), any_stream(field))),
        limit in any_limit(),
        reads in any_reads(),
    ) {
        let framing = Framing::Length(field);
        let whole = in_one_piece(&framing, limit, &stream);
        prop_assert_eq!(&frame(&framing, limit, &stream, &reads), &whole);
        prop_assert_eq!(&frame(&framing, limit, &stream, &[1]), &whole);
        prop_assert_eq!(whole, oracle(&framing, limit, &stream));
    }

    #[test]
    fn user_code_that_reads_a_field_frames_as_the_field_does_however_the_stream_is_split(
        stream in any_stream(FIELD_OF_USER_CODE),
        limit in any_limit(),
        reads in any_reads(),
    ) {
        let by_field = in_one_piece(&Framing::Length(FIELD_OF_USER_CODE), limit, &stream);
        for reads in [&reads[..], &[1], &[stream.len().max(1)]] {
            let asked = frame(&Framing::Asked, limit, &stream, reads);
            prop_assert_eq!(&asked.ends, &by_field.ends);
            match (asked.error, by_field.error) {
                (Some(FrameError::Refused { length: -1 }), Some(FrameError::Malformed { .. }))
                | (Some(FrameError::NotFound { .. }), Some(FrameError::NoLength { .. })) => {}
                (asked, by_field) => prop_assert_eq!(asked, by_field),
            }
        }
    }

    #[test]
    fn any_split_into_reads_gives_the_messages_and_the_error_of_one_piece_by_terminator(
        terminator in any_text(1..=8),
        stream in any_text(0..200),
        limit in any_limit(),
        reads in any_reads(),
    ) {
        let framing = split_at(&terminator);
        let whole = in_one_piece(&framing, limit, &stream);
        prop_assert_eq!(&frame(&framing, limit, &stream, &reads), &whole);
        prop_assert_eq!(&frame(&framing, limit, &stream, &[1]), &whole);
        prop_assert_eq!(whole, oracle(&framing, limit, &stream));
    }

    #[test]
    fn checked_messages_end_with_the_terminator_and_lose_no_byte(
        terminator in any_text(1..=8),
        stream in any_text(0..200),
        limit in any_limit(),
        reads in any_reads(),
    ) {
        let trace = frame(&ends_with(&terminator), limit, &stream, &reads);
        let mut start = 0;
        for end in &trace.ends {
            prop_assert!(stream[start..*end].ends_with(&terminator));
            prop_assert!((end - start) as u64 <= limit);
            start = *end;
        }
        let rest = &stream[start..];
        let window = &rest[..usize::try_from(limit).map_or(rest.len(), |limit| rest.len().min(limit))];
        if trace.error.is_some() {
            prop_assert_eq!(window.len() as u64, limit);
            prop_assert!(!window.windows(terminator.len()).any(|bytes| bytes == terminator));
        } else {
            prop_assert!((rest.len() as u64) < limit);
            prop_assert!(!rest.ends_with(&terminator));
        }
    }

    #[test]
    fn checking_accepts_what_splitting_accepts(
        stream in any_lines(),
        limit in any_limit(),
        reads in any_reads(),
    ) {
        let checked = frame(&ends_with(b"\r\n"), limit, &stream, &reads);
        let split = frame(&split_at(b"\r\n"), limit, &stream, &reads);
        prop_assert!(checked.ends.iter().all(|end| split.ends.contains(end)));
        prop_assert_eq!(checked.error, split.error);
        if checked.error.is_some() {
            prop_assert_eq!(checked.ends.last(), split.ends.last());
        }
    }
}
