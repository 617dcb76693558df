//! How results read: JSON and CSV for programs, a screen for people, verdicts in the forms of pipelines.

pub mod csv;
pub mod escape;
pub mod json;
pub mod terminal;
pub mod time;
pub mod verdict;
mod words;
