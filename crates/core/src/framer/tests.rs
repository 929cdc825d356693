//! Tables and properties of the framers.
