//! The tables as text: `docs/migration.md`.

use std::fmt::Write as _;

use super::members::{CLASSES, Class};
use super::{Fate, events, names, settings};
use crate::host::{ABSENT_EVENTS, EVENTS};
use crate::settings::{ABSENT, Absence, AbsentRow, ROWS, Row};

/// `docs/migration.md`.
pub fn migration_page() -> String {
    let mut page = String::from(INTRO);
    page.push_str(SETTINGS);
    page.push_str(&table("setting", settings_of_the_peer()));
    page.push_str("\nSettings that Rotor adds:\n\n| setting | meaning |\n|---|---|\n");
    for row in ROWS.iter().filter(|row| !settings::fate(row.key).is_of_the_peer()) {
        let _ = writeln!(page, "| {} | {} |", names_of(row), row.doc);
    }
    page.push_str(EVENTS_INTRO);
    let here = EVENTS.iter().map(|(kind, name)| (format!("`{name}`"), events::fate(*kind)));
    let absent = ABSENT_EVENTS.iter().map(|(name, part)| (format!("`{name}`"), Fate::Later(part)));
    page.push_str(&table("event", here.chain(absent).map(told)));
    page.push_str(METHODS);
    for class in CLASSES.iter().filter(|class| !class.members.is_empty()) {
        let _ = write!(page, "\n### {}\n\n", class.name);
        page.push_str(&table("member", class.members.iter().map(|(name, fate)| told((shown(class, name), *fate)))));
    }
    page.push_str(NAMES);
    page.push_str(&table("class", names::CLASSES.iter().map(|(name, fate)| told((format!("`{name}`"), *fate)))));
    page.push_str(FUNCTIONS);
    page.push_str(&table("function", names::FUNCTIONS.iter().map(|(name, fate)| told((format!("`{name}()`"), *fate)))));
    page.push_str(CONSTANTS);
    page.push_str(&table("constants", names::CONSTANTS.iter().map(|(name, fate)| told((constants(name), *fate)))));
    page
}

/// A row of a table: the name, the word for its fate, and the text.
type Told = (String, &'static str, String);

/// All settings of the peer, in the order of the alphabet.
fn settings_of_the_peer() -> impl Iterator<Item = Told> {
    let here = ROWS.iter().map(|row| (names_of(row), settings::fate(row.key)));
    let here = here.filter(|(_, fate)| fate.is_of_the_peer()).map(told);
    let absent = ABSENT.iter().map(|row| {
        let why = if row.absence == Absence::Later { row.about.into() } else { row.because() };
        let text = format!("{} Taken: {}.", sentence(&with_code(&why)), row.expected());
        (backquoted(row.names), absent_word(row), text)
    });
    let mut all: Vec<Told> = here.chain(absent).collect();
    // Backquotes come behind letters.
    all.sort_by(|a, b| a.0.trim_matches('`').cmp(b.0.trim_matches('`')));
    all.into_iter()
}

fn told((name, fate): (String, Fate)) -> Told {
    let text = match fate {
        Fate::Later(part) => sentence(part),
        _ => fate.text().into(),
    };
    (name, fate.word(), text)
}

fn absent_word(row: &AbsentRow) -> &'static str {
    match row.absence {
        Absence::Later => "later",
        Absence::Coroutines | Absence::Meaningless => "refused",
    }
}

fn table(what: &str, rows: impl Iterator<Item = Told>) -> String {
    let mut table = format!("| {what} | | |\n|---|---|---|\n");
    for (name, word, text) in rows {
        let _ = writeln!(table, "| {name} | {word} | {text} |");
    }
    table
}

/// A member as it is written in code.
fn shown(class: &Class, name: &str) -> String {
    let is_static = class.name == "Process" && ["kill", "wait", "signal", "daemon", "alarm"].contains(&name);
    match name.strip_prefix('$') {
        Some(property) => format!("`->{property}`"),
        None if name == "__construct" => format!("`new {}()`", class.name),
        None if is_static => format!("`::{name}()`"),
        None => format!("`->{name}()`"),
    }
}

/// Constants as the page names them.
fn constants(beginning: &str) -> String {
    if beginning.ends_with('_') { format!("`{beginning}*`") } else { format!("`{beginning}`") }
}

fn names_of(row: &Row) -> String {
    backquoted(std::iter::once(&row.name).chain(row.aliases))
}

fn backquoted<'a>(names: impl IntoIterator<Item = &'a &'static str>) -> String {
    names.into_iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// A message as a text of the docs: what is a name in code is written as such.
fn with_code(message: &str) -> String {
    let word = |word: &str| {
        let bare = word.trim_end_matches([';', ',', '.']);
        let is_name = bare.contains('_') || bare.ends_with("()");
        if is_name { format!("`{bare}`{}", &word[bare.len()..]) } else { word.to_owned() }
    };
    message.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

/// With a capital letter and a full stop.
fn sentence(clause: &str) -> String {
    let mut letters = clause.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    let stop = if clause.ends_with('.') { "" } else { "." };
    format!("{}{}{stop}", first.map(String::from).unwrap_or_default(), letters.as_str())
}

const INTRO: &str = r#"# From Swoole to Rotor

<!-- Generated from tables: `cargo run -p rotor-core --example migration_page > docs/migration.md` -->

What an application finds here that was written for the server of Swoole 6.2: each setting, event, method, property,
class, function and constant, as one of

- **same**: it is here and does the same;
- **differs**: it is here, and how it differs;
- **refused**: it is not here and not planned, and why, or what does it instead;
- **later**: it is not in this version yet, and what it belongs to.

## Switching over

1. Rotor runs callbacks as ordinary PHP that may block, each worker one at a time. Code that relies on coroutines (`go()`,
   channels, coroutine clients, hooked functions) needs another form first: more workers, and `dispatch_mode` 7, do what
   coroutines did for callbacks that wait.
2. Take `extension=swoole` out of php.ini and put in

       extension=rotor
       rotor.swoole_aliases=1

   It has to be in php.ini or on the command line (`php -d`), not in the script. Then `Swoole\Server`, `SWOOLE_PROCESS`,
   `swoole_version()` and so on are there, and `extension_loaded('swoole')` is true. Both extensions cannot be loaded at once.
3. Start it. What the application relies on and Rotor does not have is an exception that says so. What it can live without
   is a warning: a setting or event that is unknown, a value out of range; `set()` and `on()` then return false.
4. Run it under load, and look at the log and at `stats()`.
5. When it is to stay: write `Rotor\` instead of `Swoole\`, and `Rotor\Server::SOCK_TCP` instead of `SWOOLE_SOCK_TCP`, and
   take `rotor.swoole_aliases` out: it alone decides whose manners are in force, whatever names the script writes. From then
   on a wrong setting is an exception, and `close_on_worker_error` is on.

## What to check

- **The mode** is PROCESS where none is given. BASE mode does not exist yet: for `SWOOLE_BASE` there is a warning, and
  PROCESS mode; without `rotor.swoole_aliases` it throws.
- **Values** are checked: Swoole clamps what is out of range, here it is refused. What the machine cannot give is lowered
  with a warning.
- **A callback that throws** has its connection closed (`close_on_worker_error`); under Swoole's names it stays open, as there.
  `exit()` in a callback ends the worker with that code, and another takes its place.
- **A worker that dies** loses the message in its callback, its client sees the end at once, and `onWorkerError` has the
  connection as a sixth argument.
- **A reload** starts the successor before the old worker leaves: both live for a moment, and `onWorkerStart` runs beside the
  old one. `onAfterReload` is told whether it succeeded.
- **A stop** (SIGTERM, and SIGINT as well) answers every complete message first. `max_wait_time` is 30 seconds: set it below
  what the supervisor of the server waits.
- **`onClose`** runs behind the connection's last message and after the callback that called `close()`, with the reactor id
  -1 whenever the server closed.
- **Dispatch**: mode 2, the default, keeps a connection at its worker, by session id. For callbacks that block, 7 is
  recommended: a message goes to a worker that has nothing to do.
- **`package_length_func` and `dispatch_func`** run in the master as in Swoole, but other ports keep their reactor threads,
  and an exception in them does not end the server.
- **A client has 60 seconds** to finish a message that it has begun (`message_timeout`); Swoole waits for ever.
- **Descriptors**: `$port->sock`, and `server_socket` and `server_fd` in arrays, are places in `$server->ports`.
- **Log lines** look different (see [log.md](log.md)), and the default level is notice.
- **Parameter names** are those of `php-stubs/rotor.stub.php`: it matters for named arguments alone.
"#;

const SETTINGS: &str = "
## Settings

[settings.md](settings.md) has types, ranges and defaults. Settings that are refused or come later are taken at the values
that ask for nothing, so that an application which spells out its defaults runs unchanged.

";

const EVENTS_INTRO: &str = "
## Events

Arguments, and the process that a callback runs in, are the same where nothing else is said.

";

const METHODS: &str = "
## Methods and properties

Methods that Swoole lets fail with false do so here, and `getLastError()` has the same codes.
";

const NAMES: &str = "
## Classes

The classes above have Swoole's names with `rotor.swoole_aliases=1`; `Rotor\\Exception` is `Swoole\\Exception`, and
`Rotor\\SettingException` is one of those; `Rotor\\Error` has the codes of `getLastError()`. Of the others:

";

const FUNCTIONS: &str = "
## Functions

With `rotor.swoole_aliases=1` alone. What is not listed here is not there.

";

const CONSTANTS: &str = "
## Constants

With `rotor.swoole_aliases=1`; the values are Swoole's. `Rotor\\Server` has those of the server without the `SWOOLE_`, and
`MODE_PROCESS` for `SWOOLE_PROCESS`.

";
