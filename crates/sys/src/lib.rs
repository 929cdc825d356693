//! System calls as safe types.
