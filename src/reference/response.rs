//! Response codes: what each one says, who is to blame, and whether trying again makes sense.
//!
//! Source: IANA SIP parameters, RFC 3261 section 21 and the RFC named in each row; Q.850 mappings of RFC 3398.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

static CODES: LazyLock<Vec<ResponseCode>> = LazyLock::new(|| {
    csv::Reader::from_reader(include_str!("data/response-codes.csv").as_bytes())
        .deserialize()
        .collect::<Result<_, _>>()
        .expect("the compiled-in table of response codes is well-formed")
});

/// What is known about one response code.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct ResponseCode {
    /// The number of the status line, 100 to 699.
    pub code: u16,
    /// The reason phrase of the IANA registry; for codes outside it the phrase used in practice.
    pub phrase: Box<str>,
    /// Where the code stands in the IANA registry.
    pub standing: Standing,
    /// The RFC and section that define it, or the products that send it.
    pub reference: Box<str>,
    /// Whose doing it usually is.
    pub blame: Blame,
    /// Whether an INVITE that ends with this code has failed.
    pub is_failure_for_invite: Failure,
    /// What the sender says with it, in plain words.
    pub meaning: Box<str>,
    /// What usually lies behind it.
    pub usual_cause: Box<str>,
    /// Where to look next in a capture or a configuration.
    pub what_to_check: Box<str>,
    /// Whether and where the same request may be tried again.
    pub retry_advice: Box<str>,
    /// The Q.850 cause that a gateway sends for it, with its condition; empty where there is none.
    ///
    /// Source: RFC 3398 section 8.2.6.1.
    pub to_q850: Box<str>,
    /// The Q.850 causes that a gateway turns into it; empty where there is none.
    ///
    /// Source: RFC 3398 section 7.2.4.1.
    pub from_q850: Box<str>,
    /// What the code ends when it answers a request within a dialog; `None` for 1xx to 3xx.
    pub mid_dialog: Option<MidDialog>,
    /// Ids of the rules that look for its reason, strongest first, one space between; may be empty.
    pub rules: Box<str>,
    /// What is easily misread; may be empty.
    pub notes: Box<str>,
}

impl ResponseCode {
    /// All codes, ascending.
    pub fn all() -> &'static [Self] {
        &CODES
    }

    /// The entry of exactly this code; `None` for numbers that no table lists.
    pub fn find(code: u16) -> Option<&'static Self> {
        let index = CODES.binary_search_by_key(&code, |entry| entry.code).ok()?;
        CODES.get(index)
    }

    /// The entry that a client must go by: the code's own, else that of its class.
    ///
    /// An unknown 1xx is handled as 183, any other unknown code as the x00 of its class; `None` outside 100 to 699.
    /// Source: RFC 3261 section 8.1.3.2.
    pub fn treated_as(code: u16) -> Option<&'static Self> {
        let default = match ResponseClass::of(code)? {
            ResponseClass::Provisional => 183,
            _ => code / 100 * 100,
        };
        Self::find(code).or_else(|| Self::find(default))
    }

    /// The class of the code.
    pub fn class(&self) -> ResponseClass {
        ResponseClass::of(self.code).unwrap_or(ResponseClass::GlobalFailure)
    }

    /// The Q.850 cause that a gateway sends for this code, conditions aside. Source: RFC 3398 section 8.2.6.1.
    pub(in crate::reference) fn q850_sent(&self) -> Option<u16> {
        numbers(&self.to_q850).next()
    }

    /// The Q.850 causes that a gateway turns into this code. Source: RFC 3398 section 7.2.4.1.
    pub(in crate::reference) fn q850_received(&self) -> impl Iterator<Item = u16> {
        numbers(&self.from_q850)
    }
}

/// The numbers in `text`, in order.
fn numbers(text: &str) -> impl Iterator<Item = u16> {
    text.split(|c: char| !c.is_ascii_digit()).filter_map(|word| word.parse().ok())
}

/// The first digit of a response code. Source: RFC 3261 section 7.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ResponseClass {
    /// 1xx: received, work goes on.
    Provisional,
    /// 2xx: done.
    Success,
    /// 3xx: try elsewhere.
    Redirection,
    /// 4xx: this request fails at this server.
    RequestFailure,
    /// 5xx: the server fails, another may succeed.
    ServerFailure,
    /// 6xx: no server anywhere will succeed.
    GlobalFailure,
}

impl ResponseClass {
    /// The class of a code; `None` outside 100 to 699.
    pub fn of(code: u16) -> Option<Self> {
        Some(match code {
            100..=199 => Self::Provisional,
            200..=299 => Self::Success,
            300..=399 => Self::Redirection,
            400..=499 => Self::RequestFailure,
            500..=599 => Self::ServerFailure,
            600..=699 => Self::GlobalFailure,
            _ => return None,
        })
    }

    /// The first digit.
    pub fn digit(self) -> u16 {
        self as u16 + 1
    }

    /// The name of the class as RFC 3261 has it, in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Provisional => "provisional",
            Self::Success => "success",
            Self::Redirection => "redirection",
            Self::RequestFailure => "request failure",
            Self::ServerFailure => "server failure",
            Self::GlobalFailure => "global failure",
        }
    }
}

/// Whose doing a response usually is, before the capture says more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Blame {
    /// Nothing went wrong.
    Nobody,
    /// The request, or who sent it.
    Caller,
    /// The called user or device.
    Callee,
    /// A rule somebody configured.
    Policy,
    /// The path or the next hop.
    Network,
    /// The server that answered.
    Server,
    /// Offer and answer do not fit.
    Media,
}

/// Whether an INVITE that ends with a code has failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Failure {
    /// It has.
    Yes,
    /// It has not, or the code is not meant for INVITE.
    No,
    /// It has where nobody acted on the answer: a challenge, a redirection, a limit to respect.
    Depends,
}

/// What a failure response ends when it answers a request within a dialog. Source: RFC 5057 section 5.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MidDialog {
    /// The request alone; the call stays as it was.
    Transaction,
    /// The call, or the subscription that the request belonged to; other usages of the dialog stay.
    Usage,
    /// Everything in the dialog.
    Dialog,
}

/// Where a code stands in the IANA registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Listed.
    Registered,
    /// Listed, and no longer to be sent.
    Deprecated,
    /// In RFC 2543, dropped since.
    Obsolete,
    /// Never listed, sent by known products.
    Vendor,
    /// Never listed.
    Unregistered,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::rule_page;

    #[test]
    fn every_code_is_in_its_place_and_complete() {
        assert!(CODES.is_sorted_by(|a, b| a.code < b.code));
        assert_eq!(82, CODES.len());
        for entry in ResponseCode::all() {
            assert!(ResponseClass::of(entry.code).is_some(), "{}", entry.code);
            for text in [&entry.phrase, &entry.meaning, &entry.usual_cause, &entry.what_to_check, &entry.retry_advice] {
                assert!(!text.is_empty(), "{} lacks a text", entry.code);
            }
        }
    }

    #[test]
    fn an_unknown_code_is_treated_as_the_x00_of_its_class() {
        let treated = |code| ResponseCode::treated_as(code).map(|entry| entry.code);
        assert_eq!(Some(183), treated(150));
        assert_eq!(Some(400), treated(499));
        assert_eq!(Some(500), treated(599));
        assert_eq!(Some(600), treated(699));
        assert_eq!(Some(486), treated(486));
        assert_eq!(None, treated(99));
        assert_eq!(None, treated(700));
    }

    #[test]
    fn failures_say_what_they_end_within_a_call_and_name_rules_that_exist() {
        for entry in ResponseCode::all() {
            assert_eq!(entry.code >= 400, entry.mid_dialog.is_some(), "{}", entry.code);
            for rule in entry.rules.split_whitespace() {
                assert!(rule_page(rule).is_some(), "{} names {rule}", entry.code);
            }
        }
        let ends = |code| ResponseCode::find(code).and_then(|entry| entry.mid_dialog);
        assert_eq!(Some(MidDialog::Transaction), ends(488));
        assert_eq!(Some(MidDialog::Usage), ends(481));
        assert_eq!(Some(MidDialog::Dialog), ends(404));
    }

    #[test]
    fn q850_mappings_are_numbers_with_their_conditions_left_out() {
        let busy = ResponseCode::find(486).expect("486 is listed");
        assert_eq!(Some(17), busy.q850_sent());
        let unavailable = ResponseCode::find(480).expect("480 is listed");
        assert_eq!(vec![19, 20, 31], unavailable.q850_received().collect::<Vec<_>>());
        let terminated = ResponseCode::find(487).expect("487 is listed");
        assert_eq!(None, terminated.q850_sent());
    }
}
