//! The yardstick must be right before anything is measured by it.

use std::process::Command;

use clap::Parser;
use ledger::args::Args;
use rotor_benches::server::Server;

fn verify(line: &str) {
    let server = Server::start(false, |port| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rawecho"));
        command.args(["--port", &port.to_string(), "--pinned"]);
        command
    });
    let server = server.unwrap();
    let port = server.port.to_string();
    let words = ["ledger", "--port", &port].into_iter().chain(line.split_whitespace());
    let report = ledger::run(&Args::parse_from(words).into_plan().unwrap()).unwrap();
    assert!(report.passed && report.counts.answered == report.counts.sent, "{line}\n{report}");
    assert!(report.counts.answered > 0, "{line}\n{report}");
}

#[test]
fn the_raw_echo_returns_every_byte() {
    verify("--connections 50 --in-flight 16 --messages 20000 --size 1-64K");
    verify("--connections 50 --in-flight 16 --messages 20000 --size 64 --framing length");
}

#[test]
fn the_raw_echo_keeps_what_a_socket_does_not_take() {
    verify("--connections 4 --in-flight 2 --messages 32 --size 4M --framing length");
}

#[test]
fn the_raw_echo_serves_connections_that_come_and_go() {
    for close in ["reset", "finish"] {
        verify(&format!("--mode churn --connections 50 --messages 3000 --close {close}"));
    }
}
