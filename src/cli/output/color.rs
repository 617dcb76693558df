//! When the screen has colours.

use clap::ValueEnum;

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal that has colours.
    Auto,
    /// Always, as for `less -R`.
    Always,
    /// Never.
    Never,
}
