//! The command, for the binary and for programs that start themselves as one.

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

use crate::args::Args;
use crate::report::Report;
use crate::run;

/// Parses a command line (its first word is a name), runs it and prints the report.
///
/// 0: every request was answered as allowed. 1: the ledger has an objection. 2: it could not run.
pub fn command(words: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args = Args::parse_from(words);
    let is_json = args.json;
    let report = args.into_plan().and_then(|plan| run(&plan).map_err(|error| error.to_string()));
    let result = report.and_then(|report| match print(&report, is_json) {
        Ok(()) => Ok(report.passed),
        Err(error) => Err(error.to_string()),
    });
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
