//! One output: written as it comes to a stream, and as a whole or not at all to a file.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use crate::analysis::ExtractError;
use crate::cli::output::stop::Stop;

use super::BUFFER_BYTES;
use super::draft::Draft;
use super::place::Place;

/// A place that a report was promised; [`super::Claims`] gives them out.
#[derive(Debug)]
pub(crate) struct Destination {
    name: String,
    place: Place,
}

/// Why an output is not complete.
#[derive(Debug)]
pub(crate) enum Failure {
    /// It cannot be written.
    Write(io::Error),
    /// What it is made of fails; one line for the user.
    Content(String),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Write(error)
    }
}

impl From<ExtractError> for Failure {
    fn from(error: ExtractError) -> Self {
        match error {
            ExtractError::Write(error) => Self::Write(error),
            other => Self::Content(other.to_string()),
        }
    }
}

impl Destination {
    pub(super) fn new(path: &Path, place: Place) -> Self {
        let name = match place {
            Place::Stdout => "standard output".to_owned(),
            _ => path.display().to_string(),
        };
        Self { name, place }
    }

    pub(super) fn is_stdout(&self) -> bool {
        matches!(self.place, Place::Stdout)
    }

    /// Has `write` write the output. A file is replaced once all is written; until then, and where something fails, it stays as
    /// it was.
    ///
    /// # Errors
    /// What `write` says, or the system.
    pub(crate) fn write<T, E: Into<Failure>>(
        &self,
        write: impl FnOnce(&mut dyn Write) -> Result<T, E>,
    ) -> Result<T, Stop> {
        let written = match &self.place {
            Place::Stdout => through(io::stdout().lock(), write),
            Place::Stream(path) => stream(path).map_err(Failure::Write).and_then(|file| through(file, write)),
            Place::File { path, old } => replace(path, old.as_ref(), write),
        };
        written.map_err(|failure| match failure {
            Failure::Write(error) => Stop::of_write(&error, &self.name),
            Failure::Content(line) => Stop::Because(vec![line]),
        })
    }
}

/// Writes through a buffer.
fn through<T, E: Into<Failure>>(
    out: impl Write,
    write: impl FnOnce(&mut dyn Write) -> Result<T, E>,
) -> Result<T, Failure> {
    let mut out = BufWriter::with_capacity(BUFFER_BYTES, out);
    let done = write(&mut out).map_err(Into::into)?;
    out.flush()?;
    Ok(done)
}

/// Opens a pipe or device. What the shell opened is continued: it may have written there, and will write behind it.
fn stream(path: &Path) -> io::Result<File> {
    let is_file = fs::metadata(path)?.is_file();
    OpenOptions::new().write(true).append(is_file).open(path)
}

/// Writes a file beside `path` and puts it there when it is complete.
fn replace<T, E: Into<Failure>>(
    path: &Path,
    old: Option<&Metadata>,
    write: impl FnOnce(&mut dyn Write) -> Result<T, E>,
) -> Result<T, Failure> {
    let draft = Draft::beside(path, old)?;
    let done = through(draft.file(), write)?;
    draft.complete(path, old)?;
    Ok(done)
}
