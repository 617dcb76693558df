//! How results read: JSON and CSV for programs, a screen for people, explanations of terms.

pub mod csv;
pub mod escape;
pub mod explain;
pub mod json;
#[cfg(test)]
mod lab;
pub mod terminal;
pub mod time;
mod words;
