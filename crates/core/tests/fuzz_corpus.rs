//! Replays the inputs of the fuzz targets that are worth keeping, without a fuzzer.

use std::fs;
use std::path::Path;

#[path = "../../../fuzz/src/lib.rs"]
mod checks;

#[test]
fn the_eof_framer_passes_every_input_of_its_corpus() {
    replay("eof", checks::check_eof);
}

#[test]
fn the_length_framer_passes_every_input_of_its_corpus() {
    replay("length", checks::check_length);
}

#[test]
fn the_proxy_header_passes_every_input_of_its_corpus() {
    replay("proxy", checks::check_proxy);
}

#[test]
fn the_settings_pass_every_input_of_their_corpus() {
    replay("settings", checks::check_settings);
}

/// Names the input on failure; the fuzzer's own `crash-…` files can be put into the folder as they are.
fn replay(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(target);
    let mut inputs: Vec<_> = fs::read_dir(&folder).expect("corpus").map(|entry| entry.expect("entry").path()).collect();
    inputs.sort();
    assert!(!inputs.is_empty(), "{} is empty", folder.display());
    for path in inputs {
        let data = fs::read(&path).expect("input");
        assert!(std::panic::catch_unwind(|| check(&data)).is_ok(), "failed on {}", path.display());
    }
}
