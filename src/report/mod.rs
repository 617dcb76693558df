//! How results read: text and JSON.

pub mod explain;
