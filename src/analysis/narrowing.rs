//! Which calls a narrow report is about, and by what they were chosen.

use std::collections::BTreeSet;

use crate::call::CallId;
use crate::diagnose::words::counted;

/// Which calls a report is about, and by what they were chosen.
#[derive(Debug)]
pub struct Narrowing {
    /// The expression that they match, as it was written.
    pub expression: String,
    /// How many match.
    pub calls: u32,
    /// How many there are.
    pub of: u32,
    /// By the place of each call, whether it matches.
    pub(super) matching: Vec<bool>,
    /// Places of incidents that concern none of them.
    pub(super) foreign: BTreeSet<usize>,
}

impl Narrowing {
    /// `3 of 12 calls match final_code == 488`.
    pub fn sentence(&self) -> String {
        let Self { expression, calls, of, .. } = self;
        let verb = if *calls == 1 { "matches" } else { "match" };
        let expression = expression.split_whitespace().collect::<Vec<_>>().join(" ");
        format!("{calls} of {} {verb} {expression}", counted(*of, "call"))
    }

    /// Whether the report is about the call with this number.
    pub(super) fn has_call(&self, id: CallId) -> bool {
        id.index().and_then(|index| self.matching.get(index.place())) == Some(&true)
    }

    /// Whether the report is about the incident at this place.
    pub(super) fn has_incident(&self, place: usize) -> bool {
        !self.foreign.contains(&place)
    }
}
