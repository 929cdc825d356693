//! The verifying load client.

use std::process::ExitCode;

fn main() -> ExitCode {
    ledger::command(std::env::args_os())
}
