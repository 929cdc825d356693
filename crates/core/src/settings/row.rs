//! One row of the settings table, and what follows from it: conversion, check, and the words for both.

use super::error::Fault;
use super::log::DateFormat;
use super::machine::Machine;
use super::table::{DEFAULT_DATE, Key};
use super::value::Value;
use crate::framer::LengthType;
use crate::network::Network;
use crate::tls;

/// Everything there is to say about a setting.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Which it is.
    pub key: Key,
    /// Its name in PHP.
    pub name: &'static str,
    /// Other names that mean the same.
    pub aliases: &'static [&'static str],
    /// What it belongs to.
    pub scope: Scope,
    /// The type of its value.
    pub kind: Kind,
    /// What a number counts.
    pub unit: Unit,
    /// Which values of that type are taken.
    pub range: Range,
    /// What holds when it is not set.
    pub preset: Preset,
    /// One line for the docs.
    pub doc: &'static str,
}

/// What a setting belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The whole server.
    Server,
    /// A port; what the server was told holds for the ports that were not told otherwise.
    Port,
}

/// The type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// True or false.
    Flag,
    /// An integer.
    Int,
    /// A number with a fraction; the range is that of its integers.
    Float,
    /// A path; the empty string is none.
    Path,
    /// A string of bytes.
    Text,
    /// A list of integers.
    IntList,
    /// A list of strings.
    TextList,
    /// A function of user code, by the arguments and the answer that the docs show; false and the empty string are none.
    Callable(&'static str),
    /// Files of certificates and keys, by host.
    Certificates,
}

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// The things that the setting is named for.
    Count,
    /// Bytes; quantities such as `8M` are taken.
    Bytes,
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Milliseconds,
    /// Permissions of a file; a string is octal.
    Mode,
}

/// Which values of a type are taken.
#[derive(Clone, Copy, Debug)]
pub enum Range {
    /// All.
    Any,
    /// Integers (each of a list) from `min` to `max`, both included; the texts say what the two ends mean,
    /// where the number does not say it.
    Ints {
        /// The smallest.
        min: i64,
        /// What the smallest means.
        min_means: &'static str,
        /// The largest.
        max: Limit,
        /// What the largest means.
        max_means: &'static str,
    },
    /// These integers, and why no others.
    Numbers {
        /// They.
        values: &'static [i64],
        /// A clause for the message.
        because: &'static str,
    },
    /// Strings of so many bytes.
    Length {
        /// The shortest.
        min: usize,
        /// The longest.
        max: usize,
    },
    /// A letter for which `pack()` writes an integer of fixed size.
    PackLetter,
    /// One of these strings.
    OneOf(&'static [&'static str]),
    /// A format of `strftime()`.
    DateFormat,
    /// Addresses and networks of the Internet protocols.
    Networks,
    /// A list of cipher suites, in OpenSSL's words.
    Ciphers,
    /// A list of groups for the key exchange.
    Groups,
}

/// The upper end of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// The same everywhere.
    Fixed(i64),
    /// So many for each CPU of the machine.
    PerCpu(i64),
}

/// What holds when a setting is not set.
#[derive(Clone, Copy, Debug)]
pub enum Preset {
    /// True or false.
    Flag(bool),
    /// True or false, not the same under the peer's names.
    FlagByNames {
        /// Under Rotor's names.
        rotor: bool,
        /// Under the peer's.
        swoole: bool,
    },
    /// A number.
    Int(i64),
    /// A number that depends on the machine.
    Machine {
        /// It.
        of: fn(&Machine) -> i64,
        /// How the docs put it.
        words: &'static str,
    },
    /// A string, or a path.
    Text(&'static str),
    /// Nothing: no path, an empty list.
    Nothing,
}

impl Row {
    /// Whether the setting goes by `name`.
    pub fn is_named(&self, name: &str) -> bool {
        self.name == name || self.aliases.contains(&name)
    }

    /// `value` as the type of the row, if it is of that type and within the range.
    pub(super) fn check(&self, value: &Value, machine: &Machine) -> Result<Value, Fault> {
        match self.kind {
            Kind::Flag => value.as_flag().map(Value::Bool).ok_or(Fault::Type),
            Kind::Int => self.check_int(value, machine).map(Value::Int),
            Kind::Float => self.check_float(value, machine).map(Value::Float),
            Kind::IntList => {
                let Value::List(items) = value else { return Err(Fault::Type) };
                let numbers: Result<Vec<_>, _> =
                    items.iter().map(|item| self.check_int(item, machine).map(Value::Int)).collect();
                numbers.map(Value::List)
            }
            Kind::TextList => {
                let Value::List(items) = value else { return Err(Fault::Type) };
                for item in items {
                    let Value::Str(bytes) = item else { return Err(Fault::Type) };
                    if !self.has_bytes(bytes) {
                        return Err(Fault::Range);
                    }
                }
                Ok(value.clone())
            }
            Kind::Callable(_) => match value {
                Value::Callable => Ok(Value::Callable),
                Value::Bool(false) => Ok(Value::Bool(false)),
                Value::Str(bytes) if bytes.is_empty() => Ok(Value::Bool(false)),
                _ => Err(Fault::Type),
            },
            Kind::Certificates => check_certificates(value),
            Kind::Path | Kind::Text => {
                let Value::Str(bytes) = value else { return Err(Fault::Type) };
                if self.has_bytes(bytes) { Ok(value.clone()) } else { Err(Fault::Range) }
            }
        }
    }

    fn check_int(&self, value: &Value, machine: &Machine) -> Result<i64, Fault> {
        let number = match self.unit {
            Unit::Bytes => value.as_size(),
            Unit::Mode => value.as_mode(),
            Unit::Count | Unit::Seconds | Unit::Milliseconds => value.as_int(),
        };
        let number = number.ok_or(Fault::Type)?;
        let taken = match self.range {
            Range::Ints { min, max, .. } => (min..=max.on(machine)).contains(&number),
            Range::Numbers { values, .. } => values.contains(&number),
            Range::Any
            | Range::Length { .. }
            | Range::PackLetter
            | Range::OneOf(_)
            | Range::DateFormat
            | Range::Networks
            | Range::Ciphers
            | Range::Groups => true,
        };
        if taken { Ok(number) } else { Err(Fault::Range) }
    }

    fn check_float(&self, value: &Value, machine: &Machine) -> Result<f64, Fault> {
        let number = value.as_float().ok_or(Fault::Type)?;
        let Range::Ints { min, max, .. } = self.range else { return Ok(number) };
        #[expect(clippy::cast_precision_loss, reason = "the bounds are far below 2^53")]
        let bounds = min as f64..=max.on(machine) as f64;
        if bounds.contains(&number) { Ok(number) } else { Err(Fault::Range) }
    }

    fn has_bytes(&self, bytes: &[u8]) -> bool {
        let taken = match self.range {
            Range::Length { min, max } => (min..=max).contains(&bytes.len()),
            Range::OneOf(texts) => texts.iter().any(|text| text.as_bytes() == bytes),
            Range::DateFormat => DateFormat::new(bytes).is_some(),
            Range::Networks => std::str::from_utf8(bytes).is_ok_and(|text| Network::parse(text).is_some()),
            Range::PackLetter => matches!(bytes, [letter] if LengthType::from_letter(*letter).is_some()),
            Range::Ciphers => std::str::from_utf8(bytes).is_ok_and(|text| tls::parse_ciphers(text).is_ok()),
            Range::Groups => std::str::from_utf8(bytes).is_ok_and(|text| tls::parse_groups(text).is_ok()),
            Range::Any | Range::Ints { .. } | Range::Numbers { .. } => true,
        };
        // The kernel's paths end at a NUL byte: what the script sees and what is opened would differ.
        taken && (self.kind != Kind::Path || !bytes.contains(&0))
    }

    /// The words for the values that are taken; without a machine, for all machines.
    pub fn expected(&self, machine: Option<&Machine>) -> String {
        let words = match self.range {
            Range::Ints { max: Limit::Fixed(max), .. } if self.unit == Unit::Mode => {
                format!("permissions from 0 to 0{max:o}")
            }
            Range::Ints { min, min_means, max, max_means } => {
                let unit = self.unit.words();
                format!("{}{} to {}{unit}", min, explained(min_means), max.words(machine, max_means))
            }
            Range::Numbers { values, .. } => {
                let (last, others) = values.split_last().map_or((0, values), |(last, others)| (*last, others));
                let others: Vec<_> = others.iter().map(ToString::to_string).collect();
                if others.is_empty() { last.to_string() } else { format!("{} or {last}", others.join(", ")) }
            }
            Range::Length { min, max } if self.kind == Kind::TextList => {
                format!("a list of strings of {min} to {max} bytes")
            }
            Range::Length { min, max } => format!("a string of {min} to {max} bytes"),
            Range::Ciphers => "a cipher string of OpenSSL such as \"EECDH+AESGCM\"".into(),
            Range::Groups => "\"auto\" or a list of groups such as \"X25519:prime256v1\"".into(),
            Range::OneOf(texts) => texts.iter().map(|text| format!("\"{text}\"")).collect::<Vec<_>>().join(" or "),
            Range::DateFormat => format!("a format of strftime() such as \"{DEFAULT_DATE}\", on one line"),
            Range::Networks => "a list of addresses and networks such as \"10.0.0.0/8\" or \"::1\"".into(),
            Range::PackLetter => {
                let letters = LengthType::ALL.map(|kind| char::from(kind.letter()).to_string());
                format!("one of the letters {}", letters.join(" "))
            }
            Range::Any => match self.kind {
                Kind::Flag => "true or false".into(),
                Kind::Path => "a path".into(),
                Kind::Callable(_) => "callable".into(),
                Kind::Certificates => {
                    "an array of host names (one left-most * allowed), each with ssl_cert_file and ssl_key_file".into()
                }
                Kind::Text => "a string".into(),
                Kind::Int | Kind::Float | Kind::IntList | Kind::TextList => self.kind.php_type().into(),
            },
        };
        if self.kind == Kind::IntList { format!("a list of integers, each {words}") } else { words }
    }

    /// What the value has to be, where the words for the range do not say it.
    pub(super) fn about_type(&self, value: &Value) -> &'static str {
        match (self.kind, self.unit, value) {
            (Kind::Flag, _, Value::Str(_)) => "give it without quotes, or as 1 or 0",
            (Kind::Int, Unit::Bytes, _) => "it has to be an integer, or a string such as \"64K\", \"8M\" or \"1G\"",
            (Kind::Int, Unit::Mode, _) => "it has to be an integer such as 0660, or a string of octal digits",
            (Kind::Int, ..) => "it has to be an integer",
            (Kind::Float, ..) => "it has to be a number",
            _ => "",
        }
    }

    /// Why the range is as it is, or does not have the value, where that needs a word.
    pub(super) fn because(&self, value: &Value) -> String {
        match (self.range, value) {
            (Range::Numbers { because, .. }, _) => because.to_owned(),
            (Range::Ciphers, Value::Str(bytes)) => reason(tls::parse_ciphers(&String::from_utf8_lossy(bytes))),
            (Range::Groups, Value::Str(bytes)) => reason(tls::parse_groups(&String::from_utf8_lossy(bytes))),
            _ => String::new(),
        }
    }
}

impl Kind {
    /// The type in PHP.
    pub fn php_type(self) -> &'static str {
        match self {
            Self::Flag => "bool",
            Self::Int => "int",
            Self::Float => "float",
            Self::Path | Self::Text => "string",
            Self::IntList => "list<int>",
            Self::TextList => "list<string>",
            Self::Callable(signature) => signature,
            Self::Certificates => "array<string, array{ssl_cert_file: string, ssl_key_file: string}>",
        }
    }
}

impl Unit {
    /// The unit behind a number.
    fn words(self) -> &'static str {
        match self {
            Self::Count | Self::Mode => "",
            Self::Bytes => " bytes",
            Self::Seconds => " seconds",
            Self::Milliseconds => " milliseconds",
        }
    }
}

impl Limit {
    /// The limit on this machine.
    pub fn on(self, machine: &Machine) -> i64 {
        match self {
            Self::Fixed(limit) => limit,
            Self::PerCpu(each) => each.saturating_mul(i64::from(machine.cpus)),
        }
    }

    fn words(self, machine: Option<&Machine>, means: &str) -> String {
        match (self, machine) {
            (Self::Fixed(limit), _) => format!("{limit}{}", explained(means)),
            (Self::PerCpu(each), Some(machine)) => format!("{} ({each} per CPU)", self.on(machine)),
            (Self::PerCpu(each), None) => format!("{each} per CPU"),
        }
    }
}

/// `means` in brackets, if there is something to say.
fn explained(means: &str) -> String {
    if means.is_empty() { String::new() } else { format!(" ({means})") }
}

/// Hosts, each with exactly the two files.
fn check_certificates(value: &Value) -> Result<Value, Fault> {
    let hosts = match value {
        Value::List(items) if items.is_empty() => return Ok(Value::Map(Vec::new())),
        Value::Map(hosts) => hosts,
        _ => return Err(Fault::Type),
    };
    for (host, files) in hosts {
        let Value::Map(files) = files else { return Err(Fault::Type) };
        let is_path = |value: &Value| matches!(value, Value::Str(bytes) if !bytes.is_empty() && !bytes.contains(&0));
        let has = |name: &str| files.iter().any(|(key, value)| key == name && is_path(value));
        if tls::parse_host(host).is_none() || files.len() != 2 || !has("ssl_cert_file") || !has("ssl_key_file") {
            return Err(Fault::Range);
        }
    }
    Ok(value.clone())
}

/// The reason of a refusal.
fn reason<T>(result: Result<T, String>) -> String {
    result.err().unwrap_or_default()
}
