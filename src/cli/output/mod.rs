//! Where reports go: files, standard output, and what is said on standard error.

mod claims;
mod color;
mod destination;
mod draft;
mod identity;
mod interrupt;
mod place;
mod stop;

use std::io::{self, BufWriter, Write};

use anstream::{AutoStream, ColorChoice};

use crate::report::escape;

pub(crate) use claims::Claims;
pub(crate) use color::Color;
pub(crate) use destination::Destination;
pub(crate) use stop::Stop;

/// Bytes gathered before the system is asked to write them.
const BUFFER_BYTES: usize = 64 << 10;

/// Says something on standard error, in one line.
pub(crate) fn complain(line: &str) {
    // Where standard error is gone, nobody can be told.
    let _ = writeln!(io::stderr(), "sipscan: {}", escape::terminal(line));
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
    write(&mut out).and_then(|()| out.flush()).map_err(|error| Stop::of_write(&error, "standard output"))
}

/// Whether the reader of an output went away, as `head` does: the other outputs and the verdict stand all the same.
pub(crate) fn is_reader_gone(written: Result<(), Stop>) -> Result<bool, Stop> {
    match written {
        Ok(()) => Ok(false),
        Err(Stop::ReaderGone) => Ok(true),
        Err(stop) => Err(stop),
    }
}

/// Columns of the terminal, 100 where standard output is none.
pub(crate) fn width() -> usize {
    terminal_size::terminal_size_of(io::stdout()).map_or(100, |(width, _)| usize::from(width.0)).max(40)
}

/// Columns for running text: longer lines are hard to read.
pub(crate) fn reading_width() -> usize {
    width().min(100)
}
