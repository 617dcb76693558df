//! What calls, frames, parties and numbers are called on the screen.

use std::collections::BTreeMap;

use crate::call::{CallId, EndpointId, NodeId, Outcome, OutcomeGroup};
use crate::capture::FrameRef;
use crate::diagnose::Severity;
use crate::diagnose::words::plural;
use crate::report::terminal::context::Context;
use crate::report::terminal::page::Ink;
use crate::report::words::grouped;

/// Frames or calls named before the rest is counted.
const NAMED_MAX: usize = 5;

/// The part of a URI that people call: the user or number, else the host.
pub(super) fn party(uri: &str) -> &str {
    let rest = uri.split_once(':').map_or(uri, |(_, rest)| rest);
    let (user, host) = match rest.split_once('@') {
        Some((user, host)) => (user, host),
        None => ("", rest),
    };
    let user = user.split([';', ':']).next().unwrap_or_default();
    if !user.is_empty() {
        return user;
    }
    host.split([';', '?']).next().unwrap_or(host)
}

/// `call 14`, `calls 2, 4, 6`, `calls 2, 4, 6, 9, 11 and 410 more`.
pub(super) fn calls(ids: &[CallId]) -> String {
    let noun = plural(ids.len() as u64, "call");
    format!("{noun} {}", numbers(ids))
}

/// `2, 4, 6`, `2, 4, 6, 9, 11 and 410 more`.
pub(super) fn numbers(ids: &[CallId]) -> String {
    some(ids.iter().map(ToString::to_string), ids.len())
}

fn some(names: impl Iterator<Item = String>, all: usize) -> String {
    let named: Vec<String> = names.take(NAMED_MAX).collect();
    let more = all - named.len().min(all);
    let mut text = named.join(", ");
    if more > 0 {
        text.push_str(&format!(" and {} more", grouped(more as u64)));
    }
    text
}

/// How often each final code came: `200 (12), 503 (3)`.
pub(super) fn codes(codes: &BTreeMap<u16, u32>) -> String {
    let named = codes.iter().map(|(code, count)| format!("{code} ({count})"));
    some(named, codes.len())
}

/// Ink of an outcome: a normal ending is never red.
pub(super) fn ink(outcome: Outcome) -> Ink {
    match outcome.group() {
        OutcomeGroup::Answered => Ink::Good,
        OutcomeGroup::Normal => Ink::Plain,
        OutcomeGroup::Failure => Ink::Bad,
        OutcomeGroup::Unknown => Ink::Faint,
    }
}

/// Ink of a severity.
pub(super) fn severity_ink(severity: Severity) -> Ink {
    match severity {
        Severity::Error => Ink::Bad,
        Severity::Warn => Ink::Caution,
        Severity::Info => Ink::Faint,
    }
}

impl Context<'_> {
    /// The text of an id.
    pub(super) fn text(&self, id: crate::call::TextId) -> &str {
        self.analysis.store.tables.text(id)
    }

    /// Address and port.
    pub(super) fn endpoint(&self, id: EndpointId) -> String {
        self.analysis.store.tables.endpoint(id).to_string()
    }

    /// Address and port with the product that runs there, as far as it names one.
    pub(super) fn endpoint_and_software(&self, id: EndpointId) -> String {
        let software = self.software(self.analysis.store.tables.node(id));
        with_software(self.endpoint(id), software)
    }

    /// The product of a node that calls were sent to; empty where it never named one.
    fn software(&self, node: NodeId) -> &str {
        let mut peers = self.analysis.peers.iter();
        let peer = peers.find(|peer| peer.node == node);
        peer.map_or("", |peer| peer.software.as_str())
    }

    /// A frame number, behind the number of its file where there are several: `21`, `2:21`.
    pub(super) fn frame(&self, at: FrameRef) -> String {
        if self.analysis.captures.len() > 1 {
            format!("{}:{}", u32::from(at.file) + 1, at.frame)
        } else {
            at.frame.to_string()
        }
    }

    /// `frame 21`, `frames 21, 22 and 5 more`.
    pub(super) fn frames(&self, frames: &[FrameRef]) -> String {
        let noun = plural(frames.len() as u64, "frame");
        let named = frames.iter().map(|at| self.frame(*at));
        format!("{noun} {}", some(named, frames.len()))
    }
}

/// `10.0.0.5:5060 (Asterisk 18.2)`.
pub(super) fn with_software(endpoint: String, software: &str) -> String {
    if software.is_empty() { endpoint } else { format!("{endpoint} ({software})") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_party_is_called_by_user_or_number_else_by_host() {
        for (uri, expected) in [
            ("sip:8801@192.168.8.13", "8801"),
            ("sips:+4930123456;phone-context=x@host;user=phone", "+4930123456"),
            ("tel:+4930123456;isub=1", "+4930123456"),
            ("sip:10.0.0.1:5060;transport=tcp", "10.0.0.1:5060"),
            ("sip:user:password@host", "user"),
            ("", ""),
            ("nonsense", "nonsense"),
        ] {
            assert_eq!(expected, party(uri), "{uri}");
        }
    }

    #[test]
    fn long_lists_name_some_and_count_the_rest() {
        assert_eq!("call 14", calls(&[CallId(14)]));
        assert_eq!("calls 2, 4, 6", calls(&[2, 4, 6].map(CallId)));
        let ids: Vec<CallId> = (1..=1500).map(CallId).collect();
        assert_eq!("calls 1, 2, 3, 4, 5 and 1,495 more", calls(&ids));
    }
}
