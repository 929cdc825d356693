//! The text of a line, for people or as JSON.

use std::borrow::Cow;
use std::fmt::Write as _;

use chrono::SecondsFormat;

use crate::settings::{DateFormat, LogFormat, LogLevel, Time};

/// How lines look.
#[derive(Clone, Debug)]
pub struct Shape {
    /// For people or for programs.
    pub format: LogFormat,
    /// The date, for people.
    pub date: DateFormat,
    /// Whether microseconds follow it.
    pub microseconds: bool,
}

/// What a line says.
#[derive(Clone, Copy, Debug)]
pub struct Said<'a> {
    /// When.
    pub time: Time,
    /// How much it matters.
    pub level: LogLevel,
    /// Which part of the server, `worker=3`.
    pub who: &'a str,
    /// Its process.
    pub pid: i32,
    /// What has happened; facts as `key=value` behind a semicolon.
    pub event: &'a str,
}

impl Shape {
    /// The line, with its end.
    pub fn line(&self, said: &Said<'_>) -> String {
        match self.format {
            LogFormat::Text => self.text(said),
            LogFormat::Json => json(said),
        }
    }

    fn text(&self, said: &Said<'_>) -> String {
        let mut line = String::with_capacity(80 + said.event.len());
        // It has been tried when it was set.
        self.date.write(said.time, &mut line);
        if self.microseconds {
            let _ = write!(line, ".{:06}", said.time.timestamp_subsec_micros() % 1_000_000);
        }
        let _ = writeln!(line, " {} {} pid={}: {}", said.level.as_str(), said.who, said.pid, one_line(said.event));
        line
    }
}

/// The facts are fields of their own, the rest is the event.
fn json(said: &Said<'_>) -> String {
    let (event, facts) = split(shortened(said.event).as_ref());
    let mut line = String::with_capacity(160 + event.len());
    let time = said.time.to_rfc3339_opts(SecondsFormat::Micros, false);
    let _ = write!(
        line,
        r#"{{"time":{},"level":{},"who":{},"pid":{},"event":{}"#,
        quoted(&time),
        quoted(said.level.as_str()),
        quoted(said.who),
        said.pid,
        quoted(&event)
    );
    let mut names: Vec<String> = OWN_FIELDS.map(str::to_owned).to_vec();
    for (name, value) in facts {
        // The line's own fields keep their meaning.
        let name = if OWN_FIELDS.contains(&name.as_str()) { format!("fact_{name}") } else { name };
        if names.contains(&name) {
            continue;
        }
        let _ = match number(&value) {
            Some(number) => write!(line, ",{}:{number}", quoted(&name)),
            None => write!(line, ",{}:{}", quoted(&name), quoted(&value)),
        };
        names.push(name);
    }
    line.push_str("}\n");
    line
}

/// The event without the clauses that are nothing but facts, and all facts, also those that stand in other clauses.
pub fn split(event: &str) -> (String, Vec<(String, String)>) {
    let mut facts = Vec::new();
    let mut rest: Vec<&str> = Vec::new();
    for (place, clause) in event.split("; ").enumerate() {
        let tokens = || clause.split_ascii_whitespace();
        facts.extend(tokens().filter_map(fact));
        let is_facts_alone = place > 0 && tokens().next().is_some() && tokens().all(|token| fact(token).is_some());
        if !is_facts_alone {
            rest.push(clause);
        }
    }
    (rest.join("; "), facts)
}

/// `key=value`, perhaps with a sign of punctuation behind it.
fn fact(token: &str) -> Option<(String, String)> {
    let (key, value) = token.trim_end_matches([',', ':', ';', '.']).split_once('=')?;
    let is_key = key.starts_with(|first: char| first.is_ascii_lowercase())
        && key.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_');
    (is_key && !value.is_empty()).then(|| (key.to_owned(), value.to_owned()))
}

/// The integer that `value` is, written as an integer is written.
fn number(value: &str) -> Option<i64> {
    value.parse().ok().filter(|number: &i64| number.to_string() == value)
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// An event as a line for people: what follows a line break is indented, so that nobody takes it for a line of its own,
/// and other control characters are made visible.
fn one_line(event: &str) -> Cow<'_, str> {
    let event = shortened(event);
    if !event.contains(char::is_control) {
        return event;
    }
    let mut plain = String::with_capacity(event.len() + 16);
    for letter in event.trim_end_matches('\n').chars() {
        match letter {
            '\n' => plain.push_str("\n    "),
            letter if letter.is_control() => plain.extend(letter.escape_default()),
            letter => plain.push(letter),
        }
    }
    plain.into()
}

fn shortened(event: &str) -> Cow<'_, str> {
    if event.len() <= LONGEST_EVENT {
        return event.into();
    }
    let cut = event.floor_char_boundary(LONGEST_EVENT);
    format!("{}... ({} bytes more)", &event[..cut], event.len() - cut).into()
}

/// Fields that every JSON line has.
const OWN_FIELDS: [&str; 5] = ["time", "level", "who", "pid", "event"];
/// Bytes of an event; a longer one is cut.
const LONGEST_EVENT: usize = 32 << 10;

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{DateTime, Local, TimeZone};

    fn said(event: &str) -> Said<'_> {
        let time = Local.timestamp_opt(1_772_000_000, 42_000).unwrap().into();
        Said { time, level: LogLevel::Warning, who: "worker=3", pid: 812, event }
    }

    fn text(event: &str) -> String {
        let date = DateFormat::new(b"%s").unwrap();
        Shape { format: LogFormat::Text, date, microseconds: true }.line(&said(event))
    }

    fn fields(event: &str) -> serde_json::Map<String, serde_json::Value> {
        let line = json(&said(event));
        assert_eq!(line.matches('\n').count(), 1, "{line}");
        assert!(line.starts_with("{\"time\":\"") && line.ends_with("}\n"), "{line}");
        serde_json::from_str(&line).unwrap()
    }

    #[test]
    fn a_line_for_people_has_time_level_speaker_process_and_event() {
        assert_eq!(text("left; after=3ms"), "1772000000.000042 warning worker=3 pid=812: left; after=3ms\n");
    }

    #[test]
    fn an_event_of_several_lines_cannot_pass_for_other_lines() {
        let forged = text("a\n2026-01-01 00:00:00 error master pid=1: b\u{1b}[31m\r\n");
        let lines: Vec<_> = forged.lines().collect();
        assert_eq!(lines[1], "    2026-01-01 00:00:00 error master pid=1: b\\u{1b}[31m\\r");
        assert_eq!(lines.len(), 2);
        assert_eq!(fields("a\nb\u{1b}")["event"], "a\nb\u{1b}");
    }

    #[test]
    fn facts_are_fields_of_a_json_line() {
        let fields = fields("left; after=3ms session=4711 ratio=007");
        assert_eq!(fields["event"], "left");
        assert_eq!((&fields["level"], &fields["who"]), (&"warning".into(), &"worker=3".into()));
        assert_eq!((&fields["pid"], &fields["session"]), (&812.into(), &4711.into()));
        assert_eq!((&fields["after"], &fields["ratio"]), (&"3ms".into(), &"007".into()));
        assert!(DateTime::parse_from_rfc3339(fields["time"].as_str().unwrap()).is_ok());
    }

    #[test]
    fn facts_inside_a_sentence_are_fields_and_stay_in_it() {
        let event = "kills worker=3 pid=9: a second signal; session=12: its message is lost; a/b=c =d e=";
        let fields = fields(event);
        assert_eq!(fields["event"], event);
        assert_eq!((&fields["worker"], &fields["pid"], &fields["fact_pid"]), (&3.into(), &812.into(), &9.into()));
        assert_eq!(fields["session"], 12);
        assert_eq!(fields.len(), 8);
    }

    #[test]
    fn an_event_that_is_too_long_is_cut_between_letters() {
        let event = "ü".repeat(LONGEST_EVENT);
        let line = text(&event);
        assert!(line.ends_with(&format!("... ({LONGEST_EVENT} bytes more)\n")) && line.len() < LONGEST_EVENT + 200);
        assert!(fields(&event)["event"].as_str().unwrap().len() < LONGEST_EVENT + 200);
    }
}
