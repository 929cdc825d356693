//! The raw epoll echo.

use std::process::ExitCode;

fn main() -> ExitCode {
    rotor_benches::rawecho::command(std::env::args_os())
}
