//! Why the program ends without a result.

use std::io;

/// Why the program ends without a result: one line for the user on standard error, or nothing.
#[derive(Debug)]
pub(crate) enum Stop {
    /// What went wrong and what to do; one line each.
    Because(Vec<String>),
    /// Whoever read the output went away, as `head` does; nobody is left to read a message.
    ReaderGone,
    /// The run went well and its verdict is "no"; all is said.
    Failed,
}

impl Stop {
    /// Why nothing can be written to what is called `name`.
    pub(super) fn of_write(error: &io::Error, name: &str) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::ReaderGone,
            _ => Self::Because(vec![format!("{name}: cannot be written: {error}")]),
        }
    }
}
