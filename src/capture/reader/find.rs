//! The search for captures: which ones the arguments name, in the order in which they were captured.

use std::collections::HashSet;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::capture::frame::Timestamp;
use crate::capture::input::open_error::{OpenError, OpenProblem};
use crate::capture::input::{self, Input, PIPE_PEEK_BYTES};
use crate::capture::reader::Reader;
use crate::capture::reader::source::Source;
use crate::capture::reader::window::Window;

/// Captures of one run: frames say theirs in 16 bits.
const SOURCES_MAX: usize = 65_535;
/// Bytes of a window when only the first packet is wanted.
const PEEK_WINDOW_BYTES: usize = 64 << 10;

/// What the arguments of a run came to.
#[derive(Debug, Default)]
pub struct Sources {
    /// Captures, by their first packet and then by their path, whatever the order of the arguments.
    pub sources: Vec<Source>,
    /// Arguments that gave no capture.
    pub errors: Vec<OpenError>,
    /// Files within folders that are no captures.
    pub skipped: Vec<OpenError>,
    /// Paths that name a capture which another path named already; it is read once.
    pub repeated: Vec<PathBuf>,
}

impl Source {
    /// A capture that is read once from `input`; `path` is only its name.
    ///
    /// Reads a first part of it, which is kept.
    ///
    /// # Errors
    /// [`OpenError`] where it is no capture.
    pub fn from_read(path: PathBuf, input: Box<dyn Read + Send>) -> Result<Self, OpenError> {
        let (ahead, stream) = input::peek(input, PIPE_PEEK_BYTES).map_err(|error| OpenError::from_io(&path, error))?;
        let opened = input::open(&path, Box::new(io::Cursor::new(ahead)))?;
        let mut source = Self {
            format: opened.format,
            compression: opened.compression,
            bytes: None,
            first_at: None,
            input: Input::Stream(Mutex::new(Some(stream))),
            path,
        };
        source.first_at = first_time(Reader::new(source.path.clone(), opened, PEEK_WINDOW_BYTES)?);
        Ok(source)
    }

    fn from_path(path: &Path) -> Result<Self, OpenError> {
        let metadata = fs::metadata(path).map_err(|error| OpenError::from_io(path, error))?;
        let raw = input::bytes_of(path, &Input::File)?;
        if !metadata.is_file() {
            // A named pipe gives its bytes only once.
            return Self::from_read(path.to_path_buf(), raw);
        }
        let opened = input::open(path, raw)?;
        let (format, compression) = (opened.format, opened.compression);
        let first_at = first_time(Reader::new(path.to_path_buf(), opened, PEEK_WINDOW_BYTES)?);
        Ok(Self {
            path: path.to_path_buf(),
            format,
            compression,
            bytes: Some(metadata.len()),
            first_at,
            input: Input::File,
        })
    }
}

fn first_time(mut reader: Reader) -> Option<Timestamp> {
    let mut window = Window::new();
    reader.next_window(&mut window);
    window.frames().next().map(|frame| frame.time)
}

/// Finds the captures that `arguments` name: files, pipes, folders (their files, not their folders), `-` for standard input.
///
/// What a file is, its content shows. Nothing fails as a whole: each argument that gives no capture is listed.
pub fn find(arguments: &[PathBuf]) -> Sources {
    let mut found = Sources::default();
    let mut seen = HashSet::new();
    let mut folders_with_captures: HashSet<&Path> = HashSet::new();
    let candidates = candidates(arguments, &mut found.errors);
    for Candidate { path, folder } in &candidates {
        let identity = fs::canonicalize(path).unwrap_or_else(|_| path.clone());
        if !seen.insert(identity) {
            folders_with_captures.extend(folder.as_deref());
            found.repeated.push(path.clone());
            continue;
        }
        match open_candidate(path, found.sources.len()) {
            Ok(source) => {
                folders_with_captures.extend(folder.as_deref());
                found.sources.push(source);
            }
            Err(error) if folder.is_some() => found.skipped.push(error),
            Err(error) => found.errors.push(error),
        }
    }
    for folder in arguments.iter().filter(|argument| argument.is_dir()) {
        if !folders_with_captures.contains(folder.as_path()) {
            found.errors.push(OpenError::new(folder, OpenProblem::NoCaptures));
        }
    }
    found.sources.sort_by(|a, b| {
        let key = |source: &Source| (source.first_at.is_none(), source.first_at);
        key(a).cmp(&key(b)).then_with(|| a.path.cmp(&b.path))
    });
    found
}

fn open_candidate(path: &Path, count: usize) -> Result<Source, OpenError> {
    if count >= SOURCES_MAX {
        return Err(OpenError::new(path, OpenProblem::TooMany(SOURCES_MAX)));
    }
    if path == Path::new("-") {
        return Source::from_read(path.to_path_buf(), Box::new(io::stdin()));
    }
    Source::from_path(path)
}

/// A path that may be a capture, and the folder argument that it was found in.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    path: PathBuf,
    folder: Option<PathBuf>,
}

/// All paths that the arguments name, sorted; those named more than once stand beside each other.
fn candidates(arguments: &[PathBuf], errors: &mut Vec<OpenError>) -> Vec<Candidate> {
    let mut candidates = Vec::new();
    for argument in arguments {
        if !argument.is_dir() {
            candidates.push(Candidate { path: argument.clone(), folder: None });
            continue;
        }
        let entries = match fs::read_dir(argument) {
            Ok(entries) => entries,
            Err(error) => {
                errors.push(OpenError::from_io(argument, error));
                continue;
            }
        };
        let files = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file());
        candidates.extend(files.map(|path| Candidate { path, folder: Some(argument.clone()) }));
    }
    candidates.sort();
    candidates
}
