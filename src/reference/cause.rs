//! Causes beside the status code: Warning codes, Q.850 causes and the other Reason protocols, vendor headers.
//!
//! Source: RFC 3261 section 20.43, ITU-T Q.850, RFC 3326, RFC 3398, RFC 4411, RFC 6432, RFC 8606, 3GPP TS 24.229.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

static CAUSES: LazyLock<Vec<Cause>> = LazyLock::new(|| {
    csv::Reader::from_reader(include_str!("data/causes.csv").as_bytes())
        .deserialize()
        .collect::<Result<_, _>>()
        .expect("the compiled-in table of causes is well-formed")
});

/// What is known about one cause that a message names beside its status code.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct Cause {
    /// The list that the code belongs to.
    pub kind: CauseKind,
    /// The code as it is written: a number, a location such as `LN`, a protocol or a header name.
    pub code: Box<str>,
    /// Its name; for a vendor header the vendor.
    pub name: Box<str>,
    /// Where it is defined.
    pub reference: Box<str>,
    /// What it says, in plain words.
    pub meaning: Box<str>,
    /// What usually lies behind it, or who sends it; may be empty.
    pub usual_cause: Box<str>,
    /// Ids of the rules that it points to, one space between; may be empty.
    pub rules: Box<str>,
    /// The response codes that go with it, as text with conditions; may be empty.
    pub sip_codes: Box<str>,
    /// What is easily misread; may be empty.
    pub notes: Box<str>,
}

/// The list that a cause code belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum CauseKind {
    /// The three digits of a Warning header. Source: RFC 3261 section 20.43.
    Warning,
    /// `Reason: Q.850;cause=`. Source: ITU-T Q.850.
    Q850,
    /// `location=` beside a Q.850 cause. Source: RFC 8606.
    Location,
    /// The protocol of a Reason header. Source: RFC 3326.
    Protocol,
    /// `Reason: RELEASE_CAUSE;cause=` of IMS phones. Source: 3GPP TS 24.229.
    ReleaseCause,
    /// `Reason: FAILURE_CAUSE;cause=` of IMS networks. Source: 3GPP TS 24.229.
    FailureCause,
    /// `Reason: Preemption;cause=`. Source: RFC 4411.
    Preemption,
    /// A header in which a vendor says more.
    Header,
}

impl Cause {
    /// All causes, list by list.
    pub fn all() -> &'static [Self] {
        &CAUSES
    }

    /// The entry of `code` in one list; case does not matter.
    pub fn find(kind: CauseKind, code: &str) -> Option<&'static Self> {
        CAUSES.iter().find(|entry| entry.kind == kind && entry.code.eq_ignore_ascii_case(code))
    }

    /// A Q.850 cause by its number; `None` for numbers that Q.850 leaves free.
    pub fn q850(number: u16) -> Option<&'static Self> {
        Self::find(CauseKind::Q850, &number.to_string())
    }

    /// A cause of a Reason header, by protocol and number.
    ///
    /// `None` for protocols whose causes are response codes (SIP, STIR) and those without a list here.
    pub fn reason(protocol: &str, number: u16) -> Option<&'static Self> {
        let kind = match protocol {
            p if p.eq_ignore_ascii_case("Q.850") => CauseKind::Q850,
            p if p.eq_ignore_ascii_case("RELEASE_CAUSE") => CauseKind::ReleaseCause,
            p if p.eq_ignore_ascii_case("FAILURE_CAUSE") => CauseKind::FailureCause,
            p if p.eq_ignore_ascii_case("Preemption") => CauseKind::Preemption,
            _ => return None,
        };
        Self::find(kind, &number.to_string())
    }

    /// Ids of the rules that the cause points to.
    pub fn rules(&self) -> impl Iterator<Item = &str> {
        self.rules.split_whitespace()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::rule_page;

    #[test]
    fn every_cause_has_a_name_and_a_meaning_and_is_listed_once() {
        for entry in Cause::all() {
            assert!(!entry.name.is_empty() && !entry.meaning.is_empty(), "{:?} {}", entry.kind, entry.code);
            let same = |other: &&Cause| other.kind == entry.kind && other.code == entry.code;
            assert_eq!(1, Cause::all().iter().filter(same).count());
            for rule in entry.rules() {
                assert!(rule_page(rule).is_some(), "{} names {rule}", entry.code);
            }
        }
    }

    #[test]
    fn q850_and_warning_numbers_are_found() {
        let name = |cause: Option<&'static Cause>| cause.map(|entry| &*entry.name);
        assert_eq!(Some("No circuit/channel available"), name(Cause::q850(34)));
        assert_eq!(Some("Incompatible media format"), name(Cause::find(CauseKind::Warning, "305")));
        assert_eq!(None, name(Cause::q850(10)));
        assert_eq!(Some("transit network"), name(Cause::find(CauseKind::Location, "tn")));
    }

    #[test]
    fn a_reason_is_named_by_the_list_of_its_protocol() {
        let name = |protocol, number| Cause::reason(protocol, number).map(|cause| &*cause.name);
        assert_eq!(Some("User busy"), name("Q.850", 17));
        assert_eq!(Some("SIP timeout - no ACK"), name("RELEASE_CAUSE", 4));
        assert_eq!(Some("Media bearer or QoS lost"), name("FAILURE_CAUSE", 1));
        assert_eq!(Some("Generic preemption"), name("Preemption", 3));
        assert_eq!(None, name("X.25", 17));
    }
}
