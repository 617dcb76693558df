//! Why a node says it ended something: Reason headers and vendor headers with a cause.
//!
//! Sources: RFC 3326, RFC 6432 (Q.850 in responses), RFC 8606 (location), 3GPP TS 24.229 (RELEASE_CAUSE).

use crate::call::store::message::Message;
use crate::call::store::tables::Tables;
use crate::sip::HeaderName;

/// The causes that a message names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cause {
    /// Q.850 cause.
    pub q850: Option<u16>,
    /// SIP status code.
    pub sip: Option<u16>,
    /// Whether the Q.850 location is the user (`U`, RFC 8606).
    pub is_user: bool,
    /// Cause of RELEASE_CAUSE, by which mobile networks say why they released a call (3GPP TS 24.229 section 7.2A.18.11).
    pub release: Option<u16>,
    /// Whether a protocol other than Q.850 and SIP is named, such as RELEASE_CAUSE or Preemption.
    pub has_other: bool,
}

impl Cause {
    /// Reads the Reason headers, and the hang-up cause headers of Asterisk.
    pub fn of(tables: &Tables, message: &Message) -> Self {
        let mut cause = Self::default();
        for header in tables.header_values(message, HeaderName::Reason) {
            // Nearly every Reason header has one value.
            if header.contains(',') {
                split_values(header).for_each(|value| cause.read(value));
            } else {
                cause.read(header);
            }
        }
        if cause.q850.is_none() {
            let asterisk = tables.header(message, HeaderName::XAsteriskHangupCauseCode);
            cause.q850 = asterisk.and_then(|code| code.trim().parse().ok());
        }
        cause
    }

    fn read(&mut self, value: &str) {
        // Values are short, so that they are walked over faster than searched.
        let mut parts = value.as_bytes().split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
        let protocol = parts.next().unwrap_or_default();
        let mut code = None;
        for part in parts {
            let equals = part.iter().position(|byte| *byte == b'=');
            let Some((name, [_, text @ ..])) = equals.and_then(|at| part.split_at_checked(at)) else {
                continue;
            };
            let name = name.trim_ascii();
            if name.eq_ignore_ascii_case(b"cause") {
                code = std::str::from_utf8(unquoted(text)).map_or(None, |text| text.parse().ok());
            } else if name.eq_ignore_ascii_case(b"location") {
                self.is_user = unquoted(text).eq_ignore_ascii_case(b"U");
            }
        }
        let is = |name: &[u8]| protocol.eq_ignore_ascii_case(name);
        if is(b"Q.850") || is(b"Q850") {
            self.q850 = self.q850.or(code);
        } else if is(b"SIP") {
            self.sip = self.sip.or(code);
        } else {
            if is(b"RELEASE_CAUSE") {
                self.release = self.release.or(code);
            }
            self.has_other |= !protocol.is_empty();
        }
    }
}

/// A parameter's value without blanks and quotes around it.
fn unquoted(text: &[u8]) -> &[u8] {
    let mut text = text.trim_ascii();
    while let [b'"', rest @ ..] = text {
        text = rest;
    }
    while let [rest @ .., b'"'] = text {
        text = rest;
    }
    text
}

/// Splits a header line at the commas outside quotes.
fn split_values(header: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    header.split(move |c| {
        if c == '"' {
            quoted = !quoted;
        }
        c == ',' && !quoted
    })
}
