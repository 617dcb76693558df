//! Where capture bytes come from: files, pipes and memory, compressed or not.

pub(in crate::capture) mod decompress;
pub(in crate::capture) mod key_log;
pub(in crate::capture) mod open_error;

use std::fmt;
use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use crate::capture::format::sniff::{self, Compression, Format, HEAD_BYTES};
use crate::capture::input::decompress::{Stream, decompress, read_full};
use crate::capture::{OpenError, OpenProblem};

/// Bytes of a pipe held while the sources of a run are put in order: more than one compressed block of any format.
pub(in crate::capture) const PIPE_PEEK_BYTES: u64 = 5 << 20;

/// Where the bytes of a source come from.
pub(in crate::capture) enum Input {
    /// A file, opened by its path whenever it is read.
    File,
    /// A pipe, standard input or memory: read once.
    Stream(Mutex<Option<Stream>>),
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::File => "File",
            Self::Stream(_) => "Stream",
        })
    }
}

/// An input that proved to be a capture.
pub(in crate::capture) struct Opened {
    pub(in crate::capture) format: Format,
    pub(in crate::capture) compression: Option<Compression>,
    /// Bytes of capture, from the first one on.
    pub(in crate::capture) stream: Stream,
    /// Stored bytes taken so far.
    pub(in crate::capture) position: Arc<AtomicU64>,
}

/// Takes the bytes of `input`, named `path`, from the first one on.
pub(in crate::capture) fn bytes_of(path: &Path, input: &Input) -> Result<Stream, OpenError> {
    match input {
        Input::File => {
            let file = File::open(path).map_err(|error| OpenError::from_io(path, error))?;
            Ok(Box::new(file))
        }
        Input::Stream(stream) => {
            let mut held = stream.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            held.take().ok_or_else(|| OpenError::new(path, OpenProblem::AlreadyRead))
        }
    }
}

/// Tells by its first bytes what `raw` is, and decompresses it.
pub(in crate::capture) fn open(path: &Path, raw: Stream) -> Result<Opened, OpenError> {
    let position = Arc::new(AtomicU64::new(0));
    let counted = Counted { input: raw, position: Arc::clone(&position) };
    let (head, stored) = with_head(Box::new(counted)).map_err(|(_, error)| OpenError::from_io(path, error))?;
    if head.is_empty() {
        return Err(OpenError::new(path, OpenProblem::Empty));
    }
    let compression = sniff::compression_of(&head);
    let (head, stream) = match compression {
        None => (head, stored),
        Some(compression) => plain(path, stored, compression)?,
    };
    let format = sniff::format_of(&head).map_err(|lookalike| OpenError::not_a_capture(path, lookalike, compression))?;
    Ok(Opened { format, compression, stream, position })
}

fn plain(path: &Path, stored: Stream, compression: Compression) -> Result<(Vec<u8>, Stream), OpenError> {
    let (head, stream) = match with_head(decompress(stored, compression)) {
        Ok(decompressed) => decompressed,
        // What came out before the data broke may be a capture still.
        Err((head, error)) if head.is_empty() => {
            let text = format!("is {} data that cannot be decompressed: {error}", compression.word());
            return Err(OpenError::new(path, OpenProblem::Compressed(text)));
        }
        Err((head, error)) => {
            let rest: Stream = Box::new(Cursor::new(head.clone()).chain(Broken(Some(error))));
            (head, rest)
        }
    };
    if head.is_empty() {
        return Err(OpenError::new(path, OpenProblem::Empty));
    }
    match sniff::compression_of(&head) {
        Some(inner) => Err(OpenError::nested(path, compression, inner)),
        None => Ok((head, stream)),
    }
}

/// The first bytes of `stream`, and the stream with them in front again.
///
/// # Errors
/// The error of the stream, with what it gave before.
fn with_head(mut stream: Stream) -> Result<(Vec<u8>, Stream), (Vec<u8>, io::Error)> {
    let mut head = Vec::with_capacity(HEAD_BYTES);
    let result = stream.by_ref().take(HEAD_BYTES as u64).read_to_end(&mut head);
    match result {
        Ok(_) => Ok((head.clone(), Box::new(Cursor::new(head).chain(stream)))),
        Err(error) => Err((head, error)),
    }
}

/// Reads up to `limit` bytes of `stream` ahead; gives them, and the stream with them in front again.
pub(in crate::capture) fn peek(mut stream: Stream, limit: u64) -> io::Result<(Vec<u8>, Stream)> {
    let mut ahead = Vec::new();
    stream.by_ref().take(limit).read_to_end(&mut ahead)?;
    Ok((ahead.clone(), Box::new(Cursor::new(ahead).chain(stream))))
}

/// A stream that counts what is taken from it.
struct Counted {
    input: Stream,
    position: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.input.read(buffer)?;
        self.position.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// A stream that has broken off: its error once, then its end.
struct Broken(Option<io::Error>);

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

/// Fills `bytes` from `filled` up to `target`, whatever the sizes in which `stream` gives them.
///
/// Says how many bytes are there now, and why there are no more: `Some(None)` is the end, `Some(Some(error))` a broken stream.
pub(in crate::capture) fn fill(
    stream: &mut Stream,
    bytes: &mut Vec<u8>,
    filled: usize,
    target: usize,
) -> (usize, Option<Option<io::Error>>) {
    /// A record that claims many megabytes gets its room only as they come.
    const GROWTH_BYTES: usize = 8 << 20;
    let mut filled = filled;
    while filled < target {
        let end = target.min(filled + GROWTH_BYTES);
        if bytes.len() < end {
            bytes.resize(end, 0);
        }
        let Some(room) = bytes.get_mut(filled..end) else {
            break;
        };
        match read_full(stream, room) {
            Ok(count) => {
                filled += count;
                if filled < end {
                    return (filled, Some(None));
                }
            }
            Err((count, error)) => return (filled + count, Some(Some(error))),
        }
    }
    (filled, None)
}
