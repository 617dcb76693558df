//! Inspection: every defect of a message with its place, for messages that somebody refused.
//!
//! Source: RFC 3261 sections 7, 8.1.1, 18.3, 20 and 25.1. What RFC 4475 section 3.1.1 calls valid is no defect.

mod findings;
pub(in crate::sip) mod plain;
mod values;

use memchr::memchr_iter;

use crate::sip::inspect::findings::Findings;
use crate::sip::inspect::values::{inspect_request_uri, inspect_value};
use crate::sip::message::body;
use crate::sip::message::defect::{Defect, DefectKind};
use crate::sip::message::header_name::HeaderName;
use crate::sip::message::{ContentLength, Message};
use crate::sip::syntax::method::Method;
use crate::sip::syntax::start_line::{self, StartLine};
use crate::sip::values::{CSeq, MediaType};

/// All defects of `message`, at most 32, the start line's first.
pub fn inspect(message: &Message<'_>) -> Vec<Defect> {
    let mut findings = Findings::new(message);
    inspect_start_line(message, &mut findings);
    if let Some(uri) = message.request_uri() {
        inspect_request_uri(uri, &mut findings);
    }
    inspect_lines(message, &mut findings);
    inspect_presence(message, &mut findings);
    for header in message.headers().filter(|header| !header.is_cut) {
        inspect_value(message, &header, &mut findings);
    }
    inspect_sequence(message, &mut findings);
    inspect_body(message, &mut findings);
    findings.into_defects()
}

fn inspect_start_line(message: &Message<'_>, findings: &mut Findings<'_, '_>) {
    let rest = start_line::skip_blank_lines(message.bytes());
    let start = match message.start_line() {
        StartLine::Request { token, .. } => token,
        StartLine::Response { version, .. } => version,
    };
    let offset = message.offset_of(start) as usize;
    let junk = offset - (message.bytes().len() - rest.len()).min(offset);
    if junk > 0 {
        findings.blame(DefectKind::JunkBeforeStart, rest.get(..junk).unwrap_or_default());
    }
    let line = start_line::first_line(message.bytes().get(offset..).unwrap_or_default()).0;
    let (version, length) = match message.start_line() {
        StartLine::Request { token, uri, version, .. } => (version, token.len() + uri.len() + version.len() + 2),
        StartLine::Response { status, version, .. } => {
            if !status.is_valid() {
                findings.blame(DefectKind::BadStatus, line);
            }
            (version, line.len())
        }
    };
    if version != b"SIP/2.0" {
        findings.blame(DefectKind::BadVersion, line);
    } else if length != line.len() {
        findings.blame(DefectKind::StartLineBlanks, line);
    }
}

fn inspect_lines(message: &Message<'_>, findings: &mut Findings<'_, '_>) {
    let bytes = message.bytes();
    let defects = message.defects();
    if defects.contains(DefectKind::BareLineFeed) {
        let bare = memchr_iter(b'\n', bytes).find(|&at| at == 0 || bytes.get(at - 1) != Some(&b'\r'));
        let place = bare.and_then(|at| bytes.get(at..=at)).unwrap_or_default();
        findings.blame(DefectKind::BareLineFeed, place);
    }
    for kind in [DefectKind::FoldAtStart, DefectKind::TooManyHeaders] {
        if defects.contains(kind) {
            findings.blame(kind, &[]);
        }
    }
    if defects.contains(DefectKind::NoBlankLine) && !message.is_cut() {
        findings.blame(DefectKind::NoBlankLine, &[]);
    }
    let mut seen = 0u128;
    for header in message.headers().filter(|header| !header.is_cut) {
        if header.name == HeaderName::Malformed {
            findings.blame(DefectKind::NoColon, header.raw_name);
        } else if header.raw_name.is_empty() || !header.raw_name.iter().all(|&byte| start_line::is_token_byte(byte)) {
            findings.blame(DefectKind::BadHeaderName, header.raw_name);
        }
        if header.name.is_single() && seen & header.name.bit() != 0 {
            let part = if header.value.is_empty() { header.raw_name } else { header.value };
            findings.blame(DefectKind::Duplicate, part);
        }
        seen |= header.name.bit();
    }
}

fn inspect_presence(message: &Message<'_>, findings: &mut Findings<'_, '_>) {
    // What was cut off may have held them.
    if message.is_cut() && message.defects().contains(DefectKind::NoBlankLine) {
        return;
    }
    let is_request = message.method().is_some();
    let is_invite = message.method() == Some(Method::Invite);
    for (name, kind, is_needed) in [
        (HeaderName::Via, DefectKind::MissingVia, true),
        (HeaderName::From, DefectKind::MissingFrom, true),
        (HeaderName::To, DefectKind::MissingTo, true),
        (HeaderName::CallId, DefectKind::MissingCallId, true),
        (HeaderName::CSeq, DefectKind::MissingCSeq, true),
        (HeaderName::MaxForwards, DefectKind::MissingMaxForwards, is_request),
        (HeaderName::Contact, DefectKind::MissingContact, is_invite),
    ] {
        if is_needed && !message.has(name) {
            findings.blame(kind, &[]);
        }
    }
}

fn inspect_sequence(message: &Message<'_>, findings: &mut Findings<'_, '_>) {
    let Some(value) = whole_value(message, HeaderName::CSeq) else {
        return;
    };
    let cseq = CSeq::parse(value);
    if cseq.token.is_empty() || cseq.number.is_none_or(|number| number >= 1 << 31) {
        findings.blame(DefectKind::BadCSeq, value);
    }
    if let StartLine::Request { token, .. } = message.start_line()
        && !cseq.token.is_empty()
        && token != cseq.token
    {
        findings.blame(DefectKind::CSeqMethodMismatch, value);
    }
}

/// The first header of this name that the end of the message does not cut.
fn whole_value<'a>(message: &Message<'a>, name: HeaderName) -> Option<&'a [u8]> {
    let mut headers = message.headers().filter(|header| !header.is_cut);
    headers.find(|header| header.name == name).map(|header| header.value)
}

fn inspect_body(message: &Message<'_>, findings: &mut Findings<'_, '_>) {
    let declared = message.values(HeaderName::ContentLength).last().unwrap_or_default();
    match message.content_length() {
        ContentLength::Malformed => findings.blame(DefectKind::BadContentLength, declared),
        ContentLength::TooLarge(_) if !message.is_cut() => findings.blame(DefectKind::BodyTooShort, declared),
        // A datagram may hold blank lines or another message behind the body (RFC 4475 section 3.1.1.8).
        ContentLength::TooSmall(_) if !is_harmless(surplus(message)) => {
            findings.blame(DefectKind::BodyTooLong, declared)
        }
        _ => {}
    }
    let Some(value) = whole_value(message, HeaderName::ContentType) else {
        if !message.body().trim_ascii().is_empty() {
            findings.blame(DefectKind::MissingContentType, &[]);
        }
        return;
    };
    let media_type = MediaType::parse(value);
    if media_type.kind.is_empty() || media_type.subtype.is_empty() {
        findings.blame(DefectKind::BadContentType, value);
    }
    if media_type.is_multipart() && !message.body().is_empty() && !message.is_cut() {
        let occurs =
            media_type.boundary().is_some_and(|boundary| body::split(message.body(), boundary).next().is_some());
        if !occurs {
            findings.blame(DefectKind::MissingBoundary, value);
        }
    }
}

fn surplus<'a>(message: &Message<'a>) -> &'a [u8] {
    let end = message.offset_of(message.body()) as usize + message.body().len();
    message.bytes().get(end..).unwrap_or_default()
}

fn is_harmless(surplus: &[u8]) -> bool {
    let rest = start_line::skip_blank_lines(surplus);
    rest.trim_ascii().is_empty() || start_line::begins_here(rest)
}

#[cfg(test)]
mod tests;
