//! Sources: one capture each, found and not read yet.

use std::path::PathBuf;

use crate::capture::format::sniff::{Compression, Format};
use crate::capture::frame::Timestamp;
use crate::capture::input::Input;

/// One capture: a file, a pipe, or bytes in memory.
#[derive(Debug)]
pub struct Source {
    /// As it was given or found in a folder; `-` for standard input.
    pub path: PathBuf,
    /// By its content.
    pub format: Format,
    /// By its content; `None` for plain captures.
    pub compression: Option<Compression>,
    /// Size as stored; `None` for pipes.
    pub bytes: Option<u64>,
    /// When its first packet was captured; `None` where none was found in its first part.
    pub first_at: Option<Timestamp>,
    pub(in crate::capture) input: Input,
}
