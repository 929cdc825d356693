use std::sync::LazyLock;

use rotor_core::settings::{Machine, Names, PortSettings, SettingsInput, Value};

/// A machine with a lot of limits to run into.
static MACHINE: LazyLock<Machine> = LazyLock::new(|| Machine {
    cpus: 4,
    cpu_list: (0..4).collect(),
    memory_bytes: Some(8 << 30),
    descriptor_limit: 20_000,
    ..Machine::detect(20_000)
});

/// What scripts set. The first byte's lowest bit: under the peer's names. Then a line for each setting, `name=` and a
/// value: `n` null, `t` and `f` the booleans, `i` an integer, `d` a float, `s` a string, `l` a list of values with commas
/// between them, `c` something that can be called, `m` hosts with their files, anything else an object. A line without `=`
/// ends a call of `set()`. A port is told all that the server was, too.
pub fn check_settings(data: &[u8]) {
    let (options, text) = data.split_first().unwrap_or((&0, &[]));
    let names = if options & 1 == 1 { Names::Swoole } else { Names::Rotor };
    let machine = MACHINE.clone();
    let mut input = SettingsInput::new(machine.clone());
    let mut call = Vec::new();
    for line in text.split(|byte| *byte == b'\n').chain([&b""[..]]) {
        match line.iter().position(|byte| *byte == b'=') {
            Some(end) => {
                call.push((String::from_utf8_lossy(&line[..end]).into_owned(), value(&line[end + 1..])));
            }
            None => set(&mut input, std::mem::take(&mut call), names),
        }
    }
    match input.resolve(&machine, names) {
        Ok((settings, warnings)) => {
            assert!((1..=settings.worker_num).contains(&settings.reactor_num));
            assert!((1..machine.descriptor_limit).contains(&settings.max_connection.into()));
            assert!(warnings.iter().all(|warning| input.values().any(|(name, _)| name == warning.key)));
            check_port(&input, &settings.ports[0], names);
        }
        Err(error) => assert!(error.to_string().starts_with("Rotor\\Server::start(): "), "{error}"),
    }
    let stored: Vec<_> = input.values().map(|(name, value)| (name.to_owned(), value.clone())).collect();
    let mut again = SettingsInput::new(machine);
    assert_eq!(again.merge(stored, Names::Rotor), Ok(Vec::new()), "what was taken is taken again");
    assert!(again.values().eq(input.values()), "and is the same");
}

/// A port of its own takes of what the server was told what is a port's, and is as the primary one then.
fn check_port(server: &SettingsInput, primary: &PortSettings, names: Names) {
    let mut input = SettingsInput::of_port(MACHINE.clone());
    for (name, value) in server.values() {
        let told = input.merge(vec![(name.to_owned(), value.clone())], Names::Rotor);
        assert!(told.is_ok() || input.values().all(|(taken, _)| taken != name), "{name} is refused and taken");
    }
    let (own, _) = input.resolve_port(primary, &MACHINE, names).expect("the primary port has it all");
    assert_eq!(own, *primary);
}

fn set(input: &mut SettingsInput, call: Vec<(String, Value)>, names: Names) {
    let before: Vec<_> = input.values().map(|(name, value)| (name, value.clone())).collect();
    let keys: Vec<String> = call.iter().map(|(name, _)| name.clone()).collect();
    if let Err(error) = input.merge(call, names) {
        assert!(keys.iter().any(|key| key == error.key()), "the error is about one of {keys:?}: {error}");
        assert!(!error.to_string().contains('\n'));
        assert!(
            input.values().map(|(name, value)| (name, value.clone())).eq(before),
            "a call that fails changes nothing"
        );
    }
}

fn value(text: &[u8]) -> Value {
    let (kind, rest) = text.split_first().unwrap_or((&b'n', &[]));
    let number = std::str::from_utf8(rest).unwrap_or_default();
    match kind {
        b'n' => Value::Null,
        b't' => Value::Bool(true),
        b'f' => Value::Bool(false),
        b'i' => Value::Int(number.parse().unwrap_or(i64::MIN)),
        b'd' => Value::Float(number.parse().unwrap_or(f64::NAN)),
        b's' => Value::Str(rest.to_vec()),
        b'c' => Value::Callable,
        b'm' => Value::Map(rest.split(|byte| *byte == b',').map(host).collect()),
        // A list in a list ends with it: commas are not counted.
        b'l' => Value::List(rest.split(|byte| *byte == b',').filter(|item| !item.is_empty()).map(value).collect()),
        _ => Value::Other("Closure"),
    }
}

/// `host` with nothing, `host:certificate:key`, and more than that.
fn host(text: &[u8]) -> (String, Value) {
    let mut parts = text.split(|byte| *byte == b':').map(<[u8]>::to_vec);
    let name = String::from_utf8_lossy(&parts.next().unwrap_or_default()).into_owned();
    let names = ["ssl_cert_file", "ssl_key_file", "ssl_ciphers"].map(str::to_owned);
    (name, Value::Map(names.into_iter().zip(parts.map(Value::Str)).collect()))
}
