//! When a certificate is valid. rustls looks at that as part of a chain; a certificate that is trusted without one is looked
//! at here.

use chrono::{NaiveDate, NaiveDateTime};
use rustls::pki_types::UnixTime;

/// Whether the time lies within the certificate's two dates; `None` when they cannot be read.
pub(super) fn is_valid_at(certificate: &[u8], now: UnixTime) -> Option<bool> {
    // Certificate → TBSCertificate → version (optional), serial number, algorithm, issuer, validity.
    let mut rest = Reader(Reader(Reader(certificate).value(SEQUENCE)?).value(SEQUENCE)?);
    if rest.0.first() == Some(&VERSION) {
        rest.value(VERSION)?;
    }
    rest.value(INTEGER)?;
    rest.value(SEQUENCE)?;
    rest.value(SEQUENCE)?;
    let mut validity = Reader(rest.value(SEQUENCE)?);
    let (begin, end) = (validity.time()?, validity.time()?);
    let now = i64::try_from(now.as_secs()).ok()?;
    Some((begin..=end).contains(&now))
}

const VERSION: u8 = 0xa0;
const INTEGER: u8 = 0x02;
const SEQUENCE: u8 = 0x30;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// What is left of a DER encoding.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// The next value, if it has this tag.
    fn value(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (found, value) = self.next()?;
        (found == tag).then_some(value)
    }

    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let [tag, first, rest @ ..] = self.0 else { return None };
        let (len, rest) = match *first {
            short @ 0..=0x7f => (usize::from(short), rest),
            0x81 => (usize::from(*rest.first()?), rest.get(1..)?),
            0x82 => (usize::from(u16::from_be_bytes([*rest.first()?, *rest.get(1)?])), rest.get(2..)?),
            _ => return None,
        };
        let (value, rest) = rest.split_at_checked(len)?;
        self.0 = rest;
        Some((*tag, value))
    }

    /// A time, in seconds since 1970: `YYMMDDhhmmssZ` from 1950 to 2049, or with four digits of the year.
    fn time(&mut self) -> Option<i64> {
        let (tag, text) = self.next()?;
        let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
        if !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let (year, rest) = match tag {
            UTC_TIME if text.len() == 12 => {
                let year: i32 = text[..2].parse().ok()?;
                (if year < 50 { 2000 + year } else { 1900 + year }, &text[2..])
            }
            GENERALIZED_TIME if text.len() == 14 => (text[..4].parse().ok()?, &text[4..]),
            _ => return None,
        };
        let part = |at: usize| rest[at..at + 2].parse::<u32>().ok();
        let date = NaiveDate::from_ymd_opt(year, part(0)?, part(2)?)?;
        let time: NaiveDateTime = date.and_hms_opt(part(4)?, part(6)?, part(8)?)?;
        Some(time.and_utc().timestamp())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::tls::tests::{SELF_SIGNED, der};

    fn at(seconds: u64) -> UnixTime {
        UnixTime::since_unix_epoch(Duration::from_secs(seconds))
    }

    #[test]
    fn a_certificate_is_valid_from_its_first_second_to_its_last() {
        // 2020-01-01 00:00:00 to 2049-12-31 23:59:59.
        let certificate = der(SELF_SIGNED);
        for (seconds, expected) in
            [(1_577_836_799, false), (1_577_836_800, true), (2_524_607_999, true), (2_524_608_000, false)]
        {
            assert_eq!(is_valid_at(&certificate, at(seconds)), Some(expected), "{seconds}");
        }
    }

    #[test]
    fn what_is_no_certificate_has_no_dates() {
        let certificate = der(SELF_SIGNED);
        for len in 0..certificate.len() {
            assert_eq!(is_valid_at(&certificate[..len], at(1_600_000_000)), None, "{len}");
        }
    }

    #[test]
    fn times_are_read_with_two_and_four_digits_of_the_year() {
        let read = |tag: u8, text: &str| {
            let mut bytes = vec![tag, u8::try_from(text.len()).unwrap()];
            bytes.extend_from_slice(text.as_bytes());
            Reader(&bytes).time()
        };
        assert_eq!(read(UTC_TIME, "700101000000Z"), Some(0));
        assert_eq!(read(GENERALIZED_TIME, "19700101000001Z"), Some(1));
        assert_eq!(read(GENERALIZED_TIME, "20500101000000Z"), Some(2_524_608_000));
        for wrong in ["700101000000", "7001010000Z", "701301000000Z", "7001010000+1Z", "70010100000\u{e9}Z"] {
            assert_eq!(read(UTC_TIME, wrong), None, "{wrong}");
        }
    }
}
