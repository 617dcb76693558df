//! Outputs harm nothing: no file that is read is written over, two never share a file, and the old one stays until the new one is
//! complete.
// The tests name files of /proc and /dev.
#![cfg(target_os = "linux")]

#[path = "outputs/completeness.rs"]
mod completeness;
#[path = "outputs/conflicts.rs"]
mod conflicts;
#[path = "outputs/folder.rs"]
mod folder;
#[path = "outputs/streams.rs"]
mod streams;
