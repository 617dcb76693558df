//! Via: the way a request came, and with it the answer's way back.
//!
//! Sources: RFC 3261 section 20.42, RFC 3581 (rport), RFC 5923 (alias), RFC 7339 section 4 (overload control).

use memchr::memchr;

use crate::sip::lexer::{Parameter, Parameters, strip_quotes, word};
use crate::sip::syntax::places::Places;
use crate::sip::values::uri::HostPort;

/// One Via value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Via<'a> {
    /// Protocol and version without blanks as sent, `SIP/2.0` as a rule.
    pub protocol: &'a [u8],
    /// The transport as sent: UDP, TCP, TLS, SCTP, WS, WSS.
    pub transport: &'a [u8],
    /// Who sent the request and wants the answer.
    pub sent_by: HostPort<'a>,
    /// The parameters as sent.
    pub parameters: Parameters<'a>,
}

/// The begin of every branch that RFC 3261 elements make.
pub const BRANCH_COOKIE: &[u8] = b"z9hG4bK";

impl<'a> Via<'a> {
    /// Reads one Via value; a list must be split first ([`crate::sip::Message::list`]). What is missing stays empty.
    pub fn parse(text: &'a [u8]) -> Self {
        let end = memchr(b';', text).unwrap_or(text.len());
        let (head, parameters) = text.split_at_checked(end).unwrap_or((text, &[]));
        let parameters = Parameters(parameters);
        if let Some(rest) = head.strip_prefix(b"SIP/2.0/") {
            let (transport, sent_by) = word(rest);
            return Self { protocol: b"SIP/2.0", transport, sent_by: HostPort::parse(sent_by), parameters };
        }
        let mut slashes = head.iter().enumerate().filter(|&(_, &byte)| byte == b'/').map(|(at, _)| at);
        let (Some(_), Some(second)) = (slashes.next(), slashes.next()) else {
            return Self { protocol: &[], transport: &[], sent_by: HostPort::parse(head), parameters };
        };
        let protocol = head.get(..second).unwrap_or_default().trim_ascii();
        let (transport, sent_by) = word(head.get(second + 1..).unwrap_or_default());
        Self { protocol, transport, sent_by: HostPort::parse(sent_by), parameters }
    }

    /// The branch, the transaction's name; `None` where there is none.
    pub fn branch(&self) -> Option<&'a [u8]> {
        self.parameters.get("branch")
    }

    /// What the element says of its load, RFC 7339; `None` where it has no `oc` parameter.
    pub fn overload(&self) -> Option<Overload<'a>> {
        let parameters = &self.parameters;
        let value = parameters.get("oc")?;
        Some(Overload {
            value: crate::sip::lexer::number(value),
            algorithm: parameters.get("oc-algo"),
            validity_milliseconds: parameters.number("oc-validity"),
            sequence: parameters.get("oc-seq"),
        })
    }
}

/// Of the parameters of a Via those that every message is asked for, in one pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ViaMarks<'a> {
    /// As [`Via::branch`].
    pub branch: Option<&'a [u8]>,
    /// Whether there is an `rport` parameter (RFC 3581).
    pub has_rport: bool,
    /// Whether there is an `oc` parameter (RFC 7339).
    pub has_overload: bool,
}

impl<'a> ViaMarks<'a> {
    /// Reads the parameters of a Via value.
    pub fn of(parameters: Parameters<'a>) -> Self {
        let (mut marks, mut start) = (Self::default(), 0);
        for end in Places::of(parameters.0, [b';', b'"', b'<']) {
            if parameters.0.get(end) != Some(&b';') {
                // Quotes may hold semicolons.
                let mut marks = Self::default();
                parameters.parts(|part| marks.take(part));
                return marks;
            }
            marks.take(parameters.0.get(start..end).unwrap_or_default());
            start = end + 1;
        }
        marks.take(parameters.0.get(start..).unwrap_or_default());
        marks
    }

    fn take(&mut self, part: &'a [u8]) {
        // Nearly every branch is written so, and most other parameters differ in their first letter.
        if let Some(branch) = part.strip_prefix(b"branch=") {
            return self.take_branch(branch.trim_ascii());
        }
        match part.trim_ascii_start().first().map(u8::to_ascii_lowercase) {
            Some(b'b') => {
                let parameter = Parameter::parse(part);
                if parameter.is("branch") {
                    self.take_branch(parameter.value.unwrap_or_default());
                }
            }
            Some(b'r') => self.has_rport |= Parameter::parse(part).is("rport"),
            Some(b'o') => self.has_overload |= Parameter::parse(part).is("oc"),
            _ => {}
        }
    }

    fn take_branch(&mut self, value: &'a [u8]) {
        self.branch = self.branch.or(Some(strip_quotes(value)));
    }
}

/// Overload control feedback in a Via, RFC 7339 section 4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overload<'a> {
    /// `oc`: percent of requests to keep back with algorithm "loss"; `None` where the sender only offers the feature.
    pub value: Option<u64>,
    /// `oc-algo`, without quotes.
    pub algorithm: Option<&'a [u8]>,
    /// `oc-validity`; 0 ends the overload control.
    pub validity_milliseconds: Option<u64>,
    /// `oc-seq`, a time stamp.
    pub sequence: Option<&'a [u8]>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_via_with_blanks_everywhere_is_read() {
        let via =
            Via::parse(b"SIP  / 2.0\r\n / UDP  first.example.com: 4000;ttl=16 ; maddr = 224.2.0.1 ;branch=z9hG4bKa7c6");
        assert_eq!(b"UDP", via.transport);
        assert_eq!((&b"first.example.com"[..], Some(4000)), (via.sent_by.host, via.sent_by.port));
        assert_eq!(Some(&b"z9hG4bKa7c6"[..]), via.branch());
        assert_eq!(Some(&b"224.2.0.1"[..]), via.parameters.get("maddr"));
    }

    #[test]
    fn overload_feedback_is_read() {
        let via = Via::parse(
            b"SIP/2.0/TCP p1;branch=z9hG4bK1;received=192.0.2.1;oc=20;oc-algo=\"loss\";oc-validity=500;oc-seq=12.3",
        );
        let overload = via.overload().expect("overload feedback");
        assert_eq!(
            (Some(20), Some(&b"loss"[..]), Some(500)),
            (overload.value, overload.algorithm, overload.validity_milliseconds)
        );
        assert_eq!(None, Via::parse(b"SIP/2.0/UDP a;oc").overload().expect("an offer").value);
    }

    #[test]
    fn marks_are_what_the_parameters_say() {
        for text in [
            &b"SIP/2.0/UDP a;branch=z9hG4bK1;rport"[..],
            b"SIP/2.0/UDP a; RPORT=5060 ; Branch = z9hG4bK2;oc",
            b"SIP/2.0/UDP a;x=\"branch=no;rport\";branch=\"q\";branch=second",
            b"SIP/2.0/UDP a;branches=1;orport;ocx",
            b"SIP/2.0/UDP a",
        ] {
            let via = Via::parse(text);
            let marks = ViaMarks::of(via.parameters);
            assert_eq!(via.branch(), marks.branch);
            assert_eq!(via.parameters.has("rport"), marks.has_rport);
            assert_eq!(via.overload().is_some(), marks.has_overload);
        }
    }

    #[test]
    fn a_via_cut_anywhere_is_read() {
        let text = b"SIP/2.0/UDP [2001:db8::9:1]:5060;received=10.0.0.1;branch=z9hG4bKas3-111";
        for length in 0..=text.len() {
            let via = Via::parse(&text[..length]);
            std::hint::black_box((via.branch(), via.overload()));
        }
        assert_eq!(b"2001:db8::9:1", Via::parse(text).sent_by.host);
    }
}
