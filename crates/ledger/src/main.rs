//! The command line of the ledger.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;
use ledger::args::Args;
use ledger::report::Report;

fn main() -> ExitCode {
    let args = Args::parse();
    let is_json = args.json;
    let report = args.into_plan().and_then(|plan| ledger::run(&plan).map_err(|error| error.to_string()));
    let result = report.and_then(|report| print(&report, is_json).map(|()| report.passed).map_err(|e| e.to_string()));
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(message) => {
            eprintln!("ledger: {message}");
            ExitCode::from(2)
        }
    }
}

fn print(report: &Report, is_json: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if is_json {
        serde_json::to_writer(&mut out, report)?;
        writeln!(out)
    } else {
        writeln!(out, "{report}")
    }
}
