//! Numbers of calls: the index that programs count by, from 0, and the id that reports print, from 1.

use std::fmt;

use serde::Serialize;

/// The place of a call among all calls of a run, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallIndex(pub u32);

impl CallIndex {
    /// The number under which reports print the call.
    pub fn id(self) -> CallId {
        CallId(self.0 + 1)
    }

    /// The place as one in a list.
    pub fn place(self) -> usize {
        self.0 as usize
    }
}

/// The number of a call in reports, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct CallId(pub u32);

impl CallId {
    /// The index of the call; `None` for 0, which names none.
    pub fn index(self) -> Option<CallIndex> {
        self.0.checked_sub(1).map(CallIndex)
    }
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
