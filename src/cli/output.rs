//! Where reports go: files, standard output, and what is said on standard error.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use anstream::{AutoStream, ColorChoice};

use crate::cli::Stop;
use crate::cli::color::Color;
use crate::report::escape;

/// Bytes gathered before the system is asked to write them.
const BUFFER_BYTES: usize = 64 << 10;
/// Endings of captures and of what they are packed in: a report never goes into such a file, since the user most likely
/// forgot the name of the report.
const CAPTURE_ENDINGS: [&str; 10] = ["pcap", "pcapng", "cap", "dmp", "ntar", "gz", "zst", "xz", "lz4", "bz2"];

/// Says something on standard error, in one line.
pub(crate) fn complain(line: &str) {
    // Where standard error is gone, nobody can be told.
    let _ = writeln!(io::stderr(), "sipscan: {}", escape::terminal(line));
}

/// Writes a report for programs to a file, or to standard output for `-`.
pub(crate) fn to_file(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Stop> {
    if path.as_os_str() == "-" {
        let mut out = BufWriter::with_capacity(BUFFER_BYTES, io::stdout().lock());
        return write(&mut out).and_then(|()| out.flush()).map_err(stop);
    }
    let cannot = |error: io::Error| Stop::Because(vec![format!("{}: cannot be written: {error}", path.display())]);
    let ending = path.extension().and_then(|ending| ending.to_str());
    if ending.is_some_and(|ending| CAPTURE_ENDINGS.iter().any(|known| known.eq_ignore_ascii_case(ending))) {
        return Err(Stop::Because(vec![format!(
            "{}: is named like a capture, so no report is written to it; name the report first: --json report.json",
            path.display()
        )]));
    }
    let mut out = BufWriter::with_capacity(BUFFER_BYTES, File::create(path).map_err(cannot)?);
    write(&mut out).and_then(|()| out.flush()).map_err(cannot)
}

/// Writes text with colours to standard output, without them where they are not wanted.
pub(crate) fn to_screen(color: Color, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Stop> {
    let choice = match color {
        Color::Auto => AutoStream::choice(&io::stdout()),
        Color::Always => ColorChoice::Always,
        Color::Never => ColorChoice::Never,
    };
    let stream = AutoStream::new(io::stdout().lock(), choice);
    let mut out = BufWriter::with_capacity(BUFFER_BYTES, stream);
    write(&mut out).and_then(|()| out.flush()).map_err(stop)
}

/// Columns of the terminal, 100 where standard output is none.
pub(crate) fn width() -> usize {
    terminal_size::terminal_size_of(io::stdout()).map_or(100, |(width, _)| usize::from(width.0)).max(40)
}

/// Columns for running text: longer lines are hard to read.
pub(crate) fn reading_width() -> usize {
    width().min(100)
}

fn stop(error: io::Error) -> Stop {
    if error.kind() == io::ErrorKind::BrokenPipe {
        Stop::ReaderGone
    } else {
        Stop::Because(vec![format!("standard output: cannot be written: {error}")])
    }
}
