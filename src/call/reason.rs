//! Why a node says it ended something: Reason headers and vendor headers with a cause.
//!
//! Sources: RFC 3326, RFC 6432 (Q.850 in responses), RFC 8606 (location), 3GPP TS 24.229 (RELEASE_CAUSE).

use crate::call::message::Message;
use crate::call::tables::Tables;
use crate::sip::HeaderName;

/// The causes that a message names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cause {
    /// Q.850 cause.
    pub q850: Option<u16>,
    /// SIP status code.
    pub sip: Option<u16>,
    /// Whether the Q.850 location is told to be the user (`U`, RFC 8606).
    pub is_user: bool,
    /// Cause of RELEASE_CAUSE, by which mobile networks tell why they released a call (3GPP TS 24.229 section 7.2A.18.11).
    pub release: Option<u16>,
    /// Whether a protocol other than Q.850 and SIP is named, such as RELEASE_CAUSE or Preemption.
    pub has_other: bool,
}

impl Cause {
    /// Reads the Reason headers, and the hang-up cause headers of Asterisk.
    pub fn of(tables: &Tables, message: &Message) -> Self {
        let mut cause = Self::default();
        for header in tables.header_values(message, HeaderName::Reason) {
            for value in split_values(header) {
                cause.read(value);
            }
        }
        if cause.q850.is_none() {
            let asterisk = tables.header(message, HeaderName::XAsteriskHangupCauseCode);
            cause.q850 = asterisk.and_then(|code| code.trim().parse().ok());
        }
        cause
    }

    fn read(&mut self, value: &str) {
        let mut parts = value.split(';').map(str::trim);
        let protocol = parts.next().unwrap_or_default().to_ascii_lowercase();
        let mut code = None;
        for part in parts {
            let Some((name, text)) = part.split_once('=') else {
                continue;
            };
            let text = text.trim().trim_matches('"');
            match name.trim().to_ascii_lowercase().as_str() {
                "cause" => code = text.parse().ok(),
                "location" => self.is_user = text.eq_ignore_ascii_case("U"),
                _ => {}
            }
        }
        match protocol.as_str() {
            "q.850" | "q850" => self.q850 = self.q850.or(code),
            "sip" => self.sip = self.sip.or(code),
            "release_cause" => (self.release, self.has_other) = (self.release.or(code), true),
            "" => {}
            _ => self.has_other = true,
        }
    }
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
