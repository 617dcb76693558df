//! Names of tools that look for open servers, as they stand in User-Agent.

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

/// The kind of tool that a product name tells.
pub(in crate::call) fn mark_of(software: &str) -> Option<Mark> {
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
