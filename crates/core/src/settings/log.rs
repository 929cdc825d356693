//! What the log can be told.

use std::fmt::Write as _;

use chrono::format::{Item, StrftimeItems};
use chrono::{DateTime, FixedOffset, Local};

use super::table::DEFAULT_DATE;

/// A moment, and how far the clocks of the machine are from UTC.
pub type Time = DateTime<FixedOffset>;

/// How often the log goes on in a new file. The numbers are those of `SWOOLE_LOG_ROTATION_*`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogRotation {
    /// Never: there is one file.
    #[default]
    Single = 0,
    /// With each month.
    Monthly = 1,
    /// With each day.
    Daily = 2,
    /// With each hour.
    Hourly = 3,
    /// With each minute.
    EveryMinute = 4,
}

impl LogRotation {
    /// All of them, each at the place of its number.
    pub const ALL: [Self; 5] = [Self::Single, Self::Monthly, Self::Daily, Self::Hourly, Self::EveryMinute];

    /// The one with this number.
    pub fn from_number(number: i64) -> Option<Self> {
        usize::try_from(number).ok().and_then(|place| Self::ALL.get(place).copied())
    }

    /// What stands behind the name of the file that has the lines of `time`, which is local.
    pub fn suffix(self, time: Time) -> String {
        let format = match self {
            Self::Single => return String::new(),
            Self::Monthly => ".%Y%m",
            Self::Daily => ".%Y%m%d",
            Self::Hourly => ".%Y%m%d%H",
            Self::EveryMinute => ".%Y%m%d%H%M",
        };
        time.format(format).to_string()
    }
}

/// The shape of a log line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

impl LogFormat {
    /// Their names.
    pub const NAMES: &'static [&'static str] = &["text", "json"];

    /// The one with this name.
    pub fn from_name(name: &[u8]) -> Option<Self> {
        match name {
            b"text" => Some(Self::Text),
            b"json" => Some(Self::Json),
            _ => None,
        }
    }
}

/// A format of `strftime()` that has been found to work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DateFormat {
    items: Vec<Item<'static>>,
}

impl DateFormat {
    /// `format`, if each of its letters is known and what it gives is short and on one line.
    pub fn new(format: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(format).ok().filter(|text| !text.is_empty())?;
        let items = StrftimeItems::new(text).parse_to_owned().ok()?;
        let date = Self { items };
        let mut sample = String::new();
        let is_fit = date.write(Local::now().into(), &mut sample) && sample.len() <= LONGEST_DATE;
        (is_fit && !sample.contains(char::is_control)).then_some(date)
    }

    /// Appends `time` to `line`; false when the format does not go with it.
    pub fn write(&self, time: Time, line: &mut String) -> bool {
        write!(line, "{}", time.format_with_items(self.items.iter())).is_ok()
    }
}

impl Default for DateFormat {
    /// `%F %T`.
    fn default() -> Self {
        Self { items: StrftimeItems::new(DEFAULT_DATE).map(Item::to_owned).collect() }
    }
}

/// Bytes of a date in a line.
const LONGEST_DATE: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeZone;

    fn time() -> Time {
        Local.with_ymd_and_hms(2026, 3, 7, 9, 5, 1).unwrap().into()
    }

    fn date(format: &str) -> Option<String> {
        let mut line = String::new();
        DateFormat::new(format.as_bytes())?.write(time(), &mut line).then_some(line)
    }

    #[test]
    fn a_date_format_is_that_of_strftime() {
        assert_eq!(DateFormat::default(), DateFormat::new(b"%F %T").unwrap());
        assert_eq!(date("%F %T").as_deref(), Some("2026-03-07 09:05:01"));
        assert_eq!(date("[%d/%b/%y %-H%%]").as_deref(), Some("[07/Mar/26 9%]"));
        assert_eq!(date("plain, grüße").as_deref(), Some("plain, grüße"));
    }

    #[test]
    fn a_format_that_would_break_a_line_or_means_nothing_is_refused() {
        for format in ["", "%", "%F %Q", "%F%n%T", "%F\n", "%J", "\u{7}", &"%c ".repeat(30)] {
            assert_eq!(date(format), None, "{format:?}");
        }
        assert!(DateFormat::new(b"\xff").is_none());
    }

    #[test]
    fn each_rotation_has_the_suffix_of_its_period() {
        let suffixes = LogRotation::ALL.map(|rotation| rotation.suffix(time()));
        assert_eq!(suffixes, ["", ".202603", ".20260307", ".2026030709", ".202603070905"]);
        assert_eq!(LogRotation::from_number(2), Some(LogRotation::Daily));
        assert_eq!([-1, 5].map(LogRotation::from_number), [None, None]);
    }
}
