//! The tables as text: for the docs, and for the stubs.

use std::fmt::Write as _;

use super::absent::{ABSENT, Absence, AbsentRow};
use super::row::{Kind, Preset, Row, Scope, Unit};
use super::table::ROWS;

/// `docs/settings.md`.
pub fn settings_page() -> String {
    let mut page = String::from(INTRO);
    for (scope, title, text) in [(Scope::Server, "The server", ""), (Scope::Port, "A port", PORT_INTRO)] {
        let _ = write!(
            page,
            "\n## {title}\n\n{text}| setting | type | range | default | meaning |\n|---|---|---|---|---|\n"
        );
        for row in ROWS.iter().filter(|row| row.scope == scope) {
            let _ = writeln!(
                page,
                "| {} | {} | {} | {} | {} |",
                names(std::iter::once(row.name).chain(row.aliases.iter().copied())),
                row.docs_type(),
                row.expected(None),
                row.docs_default(),
                row.doc
            );
        }
    }
    page.push_str(ABSENT_INTRO);
    for (absence, title, text) in ABSENCES {
        let _ = write!(page, "\n### {title}\n\n{text}\n\n| setting | taken | about |\n|---|---|---|\n");
        for row in ABSENT.iter().filter(|row| row.absence == absence) {
            let _ =
                writeln!(page, "| {} | {} | {} |", names(row.names.iter().copied()), row.expected(), row.docs_about());
        }
    }
    page
}

/// The argument of `set()` as a type for PHPStan: an array shape, one key a line. Values that are converted
/// (numeric strings, 0 and 1) are left out of it, but for quantities such as `"8M"`.
pub fn array_shape() -> String {
    let mut shape = String::from("array{\n");
    for row in ROWS {
        for name in std::iter::once(&row.name).chain(row.aliases) {
            let _ = writeln!(shape, "    {name}?: {},", row.stub_type());
        }
    }
    shape.push('}');
    shape
}

impl Row {
    /// The type in the stubs.
    fn stub_type(&self) -> &'static str {
        match (self.kind, self.unit) {
            (Kind::Int, Unit::Bytes | Unit::Mode) => "int|string",
            (Kind::Float, _) => "int|float",
            (kind, _) => kind.php_type(),
        }
    }

    fn docs_type(&self) -> &'static str {
        match (self.kind, self.unit) {
            (Kind::Int, Unit::Bytes) => "size",
            (Kind::Int, Unit::Mode) => "permissions",
            (Kind::Int, Unit::Seconds) => "seconds",
            (Kind::Int, Unit::Milliseconds) => "milliseconds",
            (Kind::Float, Unit::Seconds) => "seconds, float",
            (Kind::Path, _) => "path",
            (kind, _) => kind.php_type(),
        }
    }

    fn docs_default(&self) -> String {
        match self.preset {
            Preset::Flag(flag) => flag.to_string(),
            Preset::FlagByNames { rotor, swoole } => format!("{rotor}; {swoole} under the Swoole names"),
            Preset::Int(number) if self.unit == Unit::Bytes => quantity(number),
            Preset::Int(number) => number.to_string(),
            Preset::Machine { words, .. } => words.into(),
            Preset::Text(text) => format!("`\"{}\"`", text.escape_default()),
            Preset::Nothing => "none".into(),
        }
    }
}

impl AbsentRow {
    fn docs_about(&self) -> &'static str {
        if self.about.is_empty() { "coroutines" } else { self.about }
    }
}

/// Bytes as they would be set.
fn quantity(bytes: i64) -> String {
    match bytes {
        0 => "0".into(),
        _ if bytes % (1 << 30) == 0 => format!("{}G", bytes >> 30),
        _ if bytes % (1 << 20) == 0 => format!("{}M", bytes >> 20),
        _ if bytes % (1 << 10) == 0 => format!("{}K", bytes >> 10),
        _ => bytes.to_string(),
    }
}

fn names(names: impl Iterator<Item = &'static str>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

const INTRO: &str = r#"# Settings

<!-- Generated from the settings table: `cargo run -p rotor-core --example settings_page > docs/settings.md` -->

```php
$server->set([
    'worker_num' => 4,
    'open_length_check' => true,
    'package_max_length' => '8M',
]);
```

`set()` may be called several times before `start()`: of several values for a setting the last one holds,
and `null` puts it back to its default. A call that is refused changes nothing.

A value may also be a numeric string (`'4'`), 0 or 1 for a bool, and for a size a quantity (`'64K'`, `'8M'`,
`'1G'`; powers of 1024). Anything else of the wrong type, a value out of range and an unknown name throw
`Rotor\SettingException`, which names the setting, what was expected and what was given. Under the Swoole names
(`rotor.swoole_aliases`) an unknown name and a value out of range are a warning, the setting stays as it was, and
`set()` returns false.

A limit that the machine cannot give is lowered at `start()`, with a warning if it was set. Relative paths
count from the working directory at `start()`.
"#;

const PORT_INTRO: &str = "How bytes become messages: with `open_eof_check` or `open_eof_split`, by terminator; \
else with `package_length_func`, by what that function says; else with `open_length_check`, by a length in the header; \
else each read is a message.\n\n";

const ABSENT_INTRO: &str = "
## Settings of Swoole that Rotor does not have

They are known, and taken at the values that ask for nothing, so that an application which spells out its
defaults runs unchanged. Other values are refused with the reason.
";

const ABSENCES: [(Absence, &str, &str); 3] = [
    (Absence::Later, "Not in this version yet", "What they belong to does not exist yet."),
    (Absence::Coroutines, "Coroutines", "Rotor has none; callbacks run one after the other in each worker."),
    (
        Absence::Meaningless,
        "Nothing to set",
        "They tune what Rotor does not have or does not leave open. Under the Swoole names other values are a warning.",
    ),
];
