//! Why an argument gave no capture, in one line that says what to do.

use std::io;
use std::path::{Path, PathBuf};

use crate::capture::format::sniff::{Compression, Lookalike, Remedy};

/// Why a path cannot be read as a capture; its text begins with the path.
#[derive(Debug, thiserror::Error)]
#[error("{}: {problem}", path.display())]
pub struct OpenError {
    /// The path as it was given, or as it was found in a folder.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: OpenProblem,
}

/// What is wrong with a path.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenProblem {
    /// Nothing is there.
    #[error("there is no such file; check the path")]
    Missing,
    /// The user may not read it.
    #[error("may not be read; check its permissions, or copy it as a user who may")]
    Denied,
    /// The operating system gave another reason.
    #[error("cannot be read: {0}")]
    Unreadable(io::Error),
    /// Zero bytes, also after decompression.
    #[error("is empty; was the capture stopped before a packet came?")]
    Empty,
    /// Another kind of file.
    #[error("{0}")]
    NotACapture(String),
    /// Compressed data inside compressed data, or data that the decoder refuses at once.
    #[error("{0}")]
    Compressed(String),
    /// Given as a key log, and none.
    #[error("{0}")]
    NotAKeyLog(String),
    /// A folder without one capture in it.
    #[error("no file in this folder is a capture (pcap or pcapng); folders within it are not searched")]
    NoCaptures,
    /// A pipe or standard input that was opened before.
    #[error("can be read only once")]
    AlreadyRead,
    /// More captures than one run reads.
    #[error("is one more than the {0} captures that one run reads; split the run")]
    TooMany(usize),
}

impl OpenError {
    pub(in crate::capture) fn new(path: &Path, problem: OpenProblem) -> Self {
        Self { path: path.to_path_buf(), problem }
    }

    pub(in crate::capture) fn from_io(path: &Path, error: io::Error) -> Self {
        let problem = match error.kind() {
            io::ErrorKind::NotFound => OpenProblem::Missing,
            io::ErrorKind::PermissionDenied => OpenProblem::Denied,
            _ => OpenProblem::Unreadable(error),
        };
        Self::new(path, problem)
    }

    pub(in crate::capture) fn not_a_capture(path: &Path, lookalike: Lookalike, within: Option<Compression>) -> Self {
        let within = within.map_or(String::new(), |outer| format!("holds, behind {}, what ", outer.word()));
        let remedy = match lookalike.remedy {
            Remedy::Convert => format!("; convert it with: editcap -F pcapng {} out.pcapng", path.display()),
            Remedy::FromText => {
                format!("; convert it with: text2pcap {} out.pcapng", path.display())
            }
            Remedy::Unpack => "; unpack it first".to_owned(),
            Remedy::Nothing => String::new(),
        };
        let text = format!("{within}looks like {}, not like a capture (pcap or pcapng){remedy}", lookalike.looks_like);
        Self::new(path, OpenProblem::NotACapture(text))
    }

    pub(in crate::capture) fn nested(path: &Path, outer: Compression, inner: Compression) -> Self {
        let text = format!("is {} within {}; decompress it once and give what comes out", inner.word(), outer.word());
        Self::new(path, OpenProblem::Compressed(text))
    }
}
