//! Names of tools that look for open servers, as they stand in User-Agent.

use crate::call::{FastMap, MessageStore, TextId};

/// Names that only tools carry which look for open servers.
const TOOL_MARKS: [&str; 11] = [
    "friendly-scanner",
    "friendly-request",
    "sipvicious",
    "sundayddr",
    "sip-scan",
    "sippts",
    "sipptk",
    "pplsip",
    "smap",
    "iwar",
    "gulp",
];
/// Names of tools that also serve honest tests.
const DOUBTFUL_MARKS: [&str; 3] = ["sipcli", "sipsak", "vaxsipuseragent"];

/// Name of a tool in requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// The tool serves attacks alone.
    Tool,
    /// The tool also serves tests.
    Doubtful,
}

/// What product names say, each read once: the devices of a run have few.
#[derive(Debug, Default)]
pub struct Marks(FastMap<TextId, Option<Mark>>);

impl Marks {
    pub(super) fn of(&mut self, software: TextId, store: &MessageStore) -> Option<Mark> {
        let known = self.0.entry(software);
        *known.or_insert_with(|| mark_of(store.tables.text(software)))
    }
}

/// The kind of tool that a product name belongs to.
pub(in crate::diagnose) fn mark_of(software: &str) -> Option<Mark> {
    let name = software.to_ascii_lowercase();
    let is_any = |marks: &[&str]| marks.iter().any(|mark| name.contains(mark));
    if is_any(&TOOL_MARKS) {
        Some(Mark::Tool)
    } else if is_any(&DOUBTFUL_MARKS) {
        Some(Mark::Doubtful)
    } else {
        None
    }
}
