//! Whole servers with a host of our own: real processes, real sockets, no PHP.
//!
//! Each test forks a server from this process, which has no other thread at that moment; hence a `main` of its own.
//! An argument selects the tests whose name contains it.

#![allow(clippy::print_stdout, reason = "this is the test harness")]

mod asked;
mod broadcasts;
mod chosen;
mod datagrams;
mod dispatch;
mod ends;
mod files;
mod host;
mod life;
mod limits;
mod load;
mod messages;
mod pressure;
mod processes;
mod server;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

/// Name and body.
type Test = (&'static str, fn());

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let wanted: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    let tests: Vec<Test> = [
        messages::TESTS,
        files::TESTS,
        datagrams::TESTS,
        pressure::TESTS,
        broadcasts::TESTS,
        life::TESTS,
        ends::TESTS,
        limits::TESTS,
        processes::TESTS,
        asked::TESTS,
        chosen::TESTS,
        dispatch::TESTS,
    ]
    .concat();
    let all = tests.len();
    let tests: Vec<Test> = tests
        .into_iter()
        .filter(|(name, _)| wanted.is_empty() || wanted.iter().any(|word| name.contains(word.as_str())))
        .collect();
    if arguments.iter().any(|argument| argument == "--list") {
        tests.iter().for_each(|(name, _)| println!("{name}: test"));
        return;
    }
    // What a server leaves becomes our child, and is found.
    nix::sys::prctl::set_child_subreaper(true).expect("a process may adopt");
    println!("\nrunning {} tests", tests.len());
    let began = Instant::now();
    let mut failed = Vec::new();
    for (name, body) in &tests {
        // The whole process, with the servers below it, ends when a test hangs in spite of its own limits.
        nix::unistd::alarm::set(300);
        let begin = Instant::now();
        let is_ok = catch_unwind(AssertUnwindSafe(body)).is_ok();
        let seconds = begin.elapsed().as_secs_f64();
        println!("test {name} ... {}", if is_ok { "ok" } else { "FAILED" });
        if std::env::var_os("ROTOR_TEST_TIMES").is_some() {
            println!("    {seconds:.2} s");
        }
        if !is_ok {
            failed.push(*name);
        }
    }
    nix::unistd::alarm::cancel();
    failed.iter().for_each(|name| println!("failed: {name}"));
    println!(
        "\ntest result: {}. {} passed; {} failed; 0 ignored; 0 measured; {} filtered out; finished in {:.2}s\n",
        if failed.is_empty() { "ok" } else { "FAILED" },
        tests.len() - failed.len(),
        failed.len(),
        all - tests.len(),
        began.elapsed().as_secs_f64()
    );
    std::process::exit(i32::from(!failed.is_empty()));
}
