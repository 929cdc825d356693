//! Prints the page of the docs for those who come from the peer, from the tables that say what is the same.
#![allow(clippy::print_stdout, reason = "printing is what it is for")]

fn main() {
    print!("{}", rotor_core::migration::migration_page());
}
