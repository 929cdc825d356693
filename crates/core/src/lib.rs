//! Rotor's processes, reactors and protocols. Nothing here knows PHP: user code is reached through
//! [`host::Host`], and the tests bring a host of their own.
#![forbid(unsafe_code)]

pub mod error;
pub mod framer;
pub mod settings;
