//! Why the program ends without a result.

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
