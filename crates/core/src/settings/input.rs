//! What `set()` has been told so far.

use super::absent::{ABSENT, AbsentRow};
use super::error::{Fault, SettingError, Warning};
use super::machine::Machine;
use super::row::{Row, Scope};
use super::table::{Key, ROWS};
use super::value::Value;
use super::{Names, PortSettings, Settings, resolve};

/// What `set()` has been told so far: each value checked and of its setting's type, under the setting's own
/// name.
#[derive(Clone, Debug)]
pub struct SettingsInput {
    machine: Machine,
    /// Whose `set()` it is.
    scope: Scope,
    values: Vec<(&'static str, Value)>,
}

impl SettingsInput {
    /// Nothing told yet. Ranges that depend on the machine are those of `machine`.
    pub fn new(machine: Machine) -> Self {
        Self { machine, scope: Scope::Server, values: Vec::new() }
    }

    /// Nothing told yet to a port of its own.
    pub fn of_port(machine: Machine) -> Self {
        Self { machine, scope: Scope::Port, values: Vec::new() }
    }

    /// Takes the settings of one `set()` of the primary port, which are the server's too, but no others.
    ///
    /// # Errors
    /// As for [`Self::merge`].
    pub fn merge_for_port(
        &mut self,
        settings: Vec<(String, Value)>,
        names: Names,
    ) -> Result<Vec<Warning>, SettingError> {
        let scope = std::mem::replace(&mut self.scope, Scope::Port);
        let merged = self.merge(settings, names);
        self.scope = scope;
        merged
    }

    /// Takes the settings of one `set()`, or none of them. Later values win over earlier ones; `null` puts a
    /// setting back to its default.
    ///
    /// Each warning is about a setting that is left as it was before the call: `set()` should then return
    /// false. There are warnings under the peer's names only, where an unknown name, a value out of range and
    /// a setting that only tunes what Rotor does not have are no errors.
    ///
    /// # Errors
    /// For the first setting that is not known or not taken.
    pub fn merge(&mut self, settings: Vec<(String, Value)>, names: Names) -> Result<Vec<Warning>, SettingError> {
        let mut values = self.values.clone();
        let mut warnings = Vec::new();
        for (key, value) in settings {
            match self.check(&key, &value) {
                Ok((name, value)) => put(&mut values, name, value),
                Err(error) => match error.as_warning() {
                    Some(warning) if names == Names::Swoole => warnings.push(warning),
                    _ => return Err(error),
                },
            }
        }
        self.values = values;
        Ok(warnings)
    }

    /// Everything that was set, in the order in which it was first set: a setting's own name instead of an
    /// alias, and its own type. This is what `$server->setting` shows.
    pub fn values(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        self.values.iter().map(|(name, value)| (*name, value))
    }

    /// What was set for `key`, if it was.
    pub fn get(&self, key: Key) -> Option<&Value> {
        let name = key.row().name;
        self.values.iter().find(|(set, _)| *set == name).map(|(_, value)| value)
    }

    /// The settings to start with: what was set, defaults for the rest, and limits lowered to what `machine`
    /// allows, with a warning where that changes something that was set.
    ///
    /// # Errors
    /// When values do not work together or on this machine.
    pub fn resolve(&self, machine: &Machine, names: Names) -> Result<(Settings, Vec<Warning>), SettingError> {
        resolve::resolve(self, machine, names)
    }

    /// The settings of a port that was told this by itself, beside the primary one, with warnings as above.
    ///
    /// # Errors
    /// When values do not work together.
    pub fn resolve_port(
        &self,
        primary: &PortSettings,
        machine: &Machine,
        names: Names,
    ) -> Result<(PortSettings, Vec<Warning>), SettingError> {
        resolve::resolve_port(self, primary, machine, names)
    }

    /// The setting's own name, and the value as its type.
    fn check(&self, key: &str, value: &Value) -> Result<(&'static str, Value), SettingError> {
        let known =
            Known::find(key).ok_or_else(|| SettingError::Unknown { key: key.into(), nearest: nearest_name(key) })?;
        let name = known.name();
        if let Known::Here(row) = &known
            && self.scope == Scope::Port
            && row.scope == Scope::Server
        {
            return Err(SettingError::NotOfPort { key: key.into() });
        }
        if *value == Value::Null {
            return Ok((name, Value::Null));
        }
        let refused = |fault, expected, because| SettingError::Refused {
            key: key.into(),
            fault,
            expected,
            given: value.describe(),
            because,
        };
        match known {
            Known::Here(row) => row.check(value, &self.machine).map_err(|fault| {
                let because = match fault {
                    Fault::Type => row.about_type(value).into(),
                    _ => row.because(value),
                };
                refused(fault, row.expected(Some(&self.machine)), because)
            }),
            Known::Absent(row) => row.check(value).map_err(|fault| refused(fault, row.expected(), row.because())),
        }
        .map(|value| (name, value))
    }
}

/// A row of one of the two tables.
enum Known {
    Here(&'static Row),
    Absent(&'static AbsentRow),
}

impl Known {
    fn find(key: &str) -> Option<Self> {
        let here = ROWS.iter().find(|row| row.is_named(key)).map(Self::Here);
        here.or_else(|| ABSENT.iter().find(|row| row.names.contains(&key)).map(Self::Absent))
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Here(row) => row.name,
            Self::Absent(row) => row.names[0],
        }
    }
}

/// Puts `value` in the place that `name` has, or at the end; `null` takes the place away.
fn put(values: &mut Vec<(&'static str, Value)>, name: &'static str, value: Value) {
    let place = values.iter().position(|(set, _)| *set == name);
    match (place, value) {
        (Some(place), Value::Null) => {
            values.remove(place);
        }
        (None, Value::Null) => {}
        (Some(place), value) => values[place].1 = value,
        (None, value) => values.push((name, value)),
    }
}

/// The known name that `key` was probably meant to be; those that Rotor has win over those that it has not.
fn nearest_name(key: &str) -> Option<&'static str> {
    let letters: Vec<char> = key.to_lowercase().chars().take(LONGEST_NAME + 1).collect();
    if letters.len() > LONGEST_NAME {
        return None;
    }
    let here = ROWS.iter().flat_map(|row| std::iter::once(row.name).chain(row.aliases.iter().copied()));
    let absent = ABSENT.iter().flat_map(|row| row.names.iter().copied());
    // The first of several equally near ones is taken.
    let (distance, name) = here
        .chain(absent)
        .map(|name| (edit_distance(&letters, &name.chars().collect::<Vec<_>>()), name))
        .min_by_key(|(distance, _)| *distance)?;
    (distance <= letters.len() / 3).then_some(name)
}

/// How many letters must be put in, left out, changed or swapped with their neighbour to make `a` into `b`.
fn edit_distance(a: &[char], b: &[char]) -> usize {
    let mut before = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, letter) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, other) in b.iter().enumerate() {
            let mut least = (last[j] + usize::from(letter != other)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *letter == b[j - 1] && a[i - 1] == *other {
                least = least.min(before[j - 1] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

/// No name has more letters; longer ones are not compared, since that costs the product of the lengths.
const LONGEST_NAME: usize = 40;
