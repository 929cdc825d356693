//! Settings that were refused, and those that hold in another way than asked.

use std::fmt;

use super::absent::Absence;
use super::value::quote;

/// Why settings were not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingError {
    /// No setting has this name.
    Unknown {
        /// The name.
        key: String,
        /// The known name that is most like it, if one is.
        nearest: Option<&'static str>,
    },
    /// A port was told what belongs to the server.
    NotOfPort {
        /// The setting, as the caller spelled it.
        key: String,
    },
    /// The value is none that the setting takes.
    Refused {
        /// The setting, as the caller spelled it.
        key: String,
        /// In which way the value is wrong.
        fault: Fault,
        /// The values that are taken.
        expected: String,
        /// The value, shortened.
        given: String,
        /// What else there is to know; empty when that says it all.
        because: String,
    },
    /// Values that are each in order do not work, together or on this machine.
    Unusable {
        /// The setting that can be changed to make it work.
        key: &'static str,
        /// What is wrong and what to do; goes on behind the name.
        problem: String,
    },
}

/// In which way a value is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Not of the setting's type.
    Type,
    /// Of the type, and out of range.
    Range,
    /// It asks for something that Rotor does not have.
    Absent(Absence),
}

impl SettingError {
    /// As a warning, if an application written for the peer can live with the setting being ignored. It can
    /// when the peer ignores it as well, and when it only tunes what is not there; it cannot when it relies
    /// on something. `None`: an error under the peer's names, too.
    pub(super) fn as_warning(&self) -> Option<Warning> {
        let message = match self {
            Self::Unknown { key, nearest: None } => format!("unknown setting {} is ignored", quote(key)),
            Self::Unknown { key, nearest: Some(name) } => {
                format!("unknown setting {} is ignored; did you mean \"{name}\"?", quote(key))
            }
            Self::Refused { fault: Fault::Range | Fault::Absent(Absence::Meaningless), .. }
            | Self::NotOfPort { .. } => {
                format!("{}; the value is ignored", self.message())
            }
            Self::Refused { .. } | Self::Unusable { .. } => return None,
        };
        Some(Warning { key: self.key().into(), message })
    }

    /// The setting's name.
    pub fn key(&self) -> &str {
        match self {
            Self::Unknown { key, .. } | Self::NotOfPort { key } | Self::Refused { key, .. } => key,
            Self::Unusable { key, .. } => key,
        }
    }

    /// What was wrong, without the method in front.
    pub fn message(&self) -> String {
        match self {
            Self::Unknown { key, nearest: None } => format!("unknown setting {}", quote(key)),
            Self::Unknown { key, nearest: Some(name) } => {
                format!("unknown setting {}; did you mean \"{name}\"?", quote(key))
            }
            Self::NotOfPort { key } => {
                format!("{key} is a setting of the whole server; give it to $server->set()")
            }
            Self::Refused { key, expected, given, because, .. } => {
                let advice = if because.is_empty() { String::new() } else { format!("; {because}") };
                format!("{key} must be {expected}, {given} given{advice}")
            }
            Self::Unusable { key, problem } => format!("{key} {problem}"),
        }
    }
}

impl fmt::Display for SettingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let method = match self {
            Self::Unknown { .. } | Self::NotOfPort { .. } | Self::Refused { .. } => "set",
            Self::Unusable { .. } => "start",
        };
        write!(f, "Rotor\\Server::{method}(): {}", self.message())
    }
}

impl std::error::Error for SettingError {}

/// A setting that was left at its default ([`merge`](super::SettingsInput::merge)) or lowered
/// ([`resolve`](super::SettingsInput::resolve)). Displayed without the method, which PHP puts in front.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The setting's name.
    pub key: String,
    /// What was wrong, and what holds now.
    pub message: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}
