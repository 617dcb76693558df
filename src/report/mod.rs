//! How results read: JSON and CSV for programs, a screen for people, explanations of terms.

pub mod csv;
pub mod escape;
pub mod github;
pub mod json;
pub mod junit;
#[cfg(test)]
mod lab;
pub mod markdown_check;
pub mod sarif;
pub mod tap;
pub mod terminal;
pub mod time;
pub mod verdict_json;
pub mod verdict_text;
mod words;
