//! Shared memory between processes that may die.
