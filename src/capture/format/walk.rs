//! Why the walk over records stopped, and what is wrong with a record.

use std::fmt;

/// Why the walk over the records of a window stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::capture) enum Stop {
    /// The next record needs `needs` bytes in all, or at least that many to tell its length.
    Incomplete { needs: usize },
    /// The next record contradicts itself, and with it the place of all that follow.
    Damaged(Damage),
}

/// What is wrong with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::capture) enum Damage {
    /// A captured length that no packet has.
    PacketLength(u32),
    /// A block length that is too short, too long or no multiple of 4.
    BlockLength(u32),
    /// The two lengths of a block differ.
    TrailingLength { first: u32, last: u32 },
    /// A section header without a byte-order magic.
    ByteOrder,
    /// Zeros where a record should begin.
    Zeros,
    /// The input ends `lacks` bytes before the record does.
    Cut { lacks: usize },
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PacketLength(length) => write!(f, "its packet claims {length} bytes"),
            Self::BlockLength(length) => write!(f, "its block claims {length} bytes"),
            Self::TrailingLength { first, last } => {
                write!(f, "its block claims {first} bytes at its start and {last} at its end")
            }
            Self::ByteOrder => f.write_str("its section header has no byte-order magic"),
            Self::Zeros => f.write_str("it consists of zeros"),
            Self::Cut { lacks } => write!(f, "it needs {lacks} bytes more than there are"),
        }
    }
}
