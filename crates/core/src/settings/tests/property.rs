//! Whatever a script gives, it gets settings or an error.

use proptest::prelude::*;

use super::super::*;

fn value() -> impl Strategy<Value = Value> {
    let number = prop_oneof![-3_i64..70_000, any::<i64>(), (0_u32..63).prop_map(|shift| 1 << shift)];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        number.clone().prop_map(Value::Int),
        any::<f64>().prop_map(Value::Float),
        prop::collection::vec(any::<u8>(), 0..100).prop_map(Value::Str),
        (number, "[KMGkmgT ]?").prop_map(|(number, unit)| Value::str(&format!("{number}{unit}"))),
        Just(Value::Other("Closure")),
    ];
    leaf.prop_recursive(2, 8, 4, |inner| {
        let name = prop_oneof![Just("ssl_cert_file".to_owned()), Just("ssl_key_file".to_owned()), "[a*]\\.[a-c.]{0,5}"];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::List),
            prop::collection::vec((name, inner), 0..4).prop_map(Value::Map),
        ]
    })
}

fn key() -> impl Strategy<Value = String> {
    let known: Vec<&str> =
        ROWS.iter().map(|row| row.name).chain(ABSENT.iter().flat_map(|row| row.names.iter().copied())).collect();
    prop_oneof![
        8 => prop::sample::select(known.clone()).prop_map(str::to_owned),
        1 => (prop::sample::select(known), any::<char>()).prop_map(|(name, letter)| format!("{name}{letter}")),
        1 => any::<String>(),
    ]
}

fn any_machine() -> impl Strategy<Value = Machine> {
    (0_u32..2000, prop::collection::vec(0_u32..4, 0..4), any::<Option<u64>>(), any::<u64>()).prop_map(
        |(cpus, cpu_list, memory_bytes, descriptor_limit)| Machine {
            cpus,
            cpu_list,
            memory_bytes,
            descriptor_limit,
            ..super::machine()
        },
    )
}

proptest! {
    #[test]
    fn whatever_is_set_gives_settings_in_range_or_an_error_that_changes_nothing(
        calls in prop::collection::vec(prop::collection::vec((key(), value()), 0..6), 0..6),
        machine in any_machine(),
        lenient in any::<bool>(),
    ) {
        let names = if lenient { Names::Swoole } else { Names::Rotor };
        let mut input = SettingsInput::new(machine.clone());
        for settings in calls {
            let before: Vec<_> = input.values().map(|(name, value)| (name, value.clone())).collect();
            if let Err(error) = input.merge(settings, names) {
                prop_assert!(!error.to_string().contains('\n'));
                prop_assert_eq!(input.values().map(|(name, value)| (name, value.clone())).collect::<Vec<_>>(), before);
            }
        }
        match input.resolve(&machine, names) {
            Ok((settings, warnings)) => {
                prop_assert!((1..=settings.worker_num).contains(&settings.reactor_num));
                prop_assert!(settings.max_connection >= 1);
                prop_assert!(u64::from(settings.max_connection) < machine.descriptor_limit);
                prop_assert!(settings.task_tmpdir.is_absolute());
                prop_assert!(settings.ports[0].backlog >= 1 && settings.ports[0].package_max_length >= 1);
                prop_assert!(warnings.iter().all(|warning| input.values().any(|(name, _)| name == warning.key)));
            }
            Err(error) => prop_assert!(error.to_string().starts_with("Rotor\\Server::start(): ")),
        }
    }

    #[test]
    fn what_was_taken_is_taken_again_unchanged(key in key(), value in value()) {
        let mut input = SettingsInput::new(super::machine());
        if input.merge(vec![(key, value)], Names::Rotor).is_ok() {
            let stored: Vec<_> = input.values().map(|(name, value)| (name.to_owned(), value.clone())).collect();
            let mut again = SettingsInput::new(super::machine());
            prop_assert_eq!(again.merge(stored, Names::Rotor), Ok(Vec::new()));
            prop_assert_eq!(again.values().collect::<Vec<_>>(), input.values().collect::<Vec<_>>());
        }
    }
}
