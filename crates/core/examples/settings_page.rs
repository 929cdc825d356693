//! Prints what is generated from the settings table: the page of the docs, or with `--shape` the type of
//! `set()`'s argument for the stubs.
#![allow(clippy::print_stdout, reason = "printing is what it is for")]

use rotor_core::settings::{array_shape, settings_page};

fn main() {
    match std::env::args().nth(1).as_deref() {
        None => print!("{}", settings_page()),
        Some("--shape") => println!("{}", array_shape()),
        Some(other) => {
            eprintln!("unknown argument {other}; expected nothing or --shape");
            std::process::exit(2);
        }
    }
}
