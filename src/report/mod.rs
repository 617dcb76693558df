//! How results read: JSON and CSV for programs, a screen for people.

pub mod csv;
pub mod escape;
pub mod json;
pub mod time;
mod words;
