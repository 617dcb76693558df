//! Inspection of header values: Via, addresses, URIs, numbers, dates.
//!
//! Source: RFC 3261 sections 19.1, 20 and 25.1; RFC 5118 (IPv6).

use std::net::Ipv6Addr;

use crate::sip::inspect::findings::Findings;
use crate::sip::lexer::{self, Parameters, quoted_end};
use crate::sip::message::defect::DefectKind;
use crate::sip::message::header_name::HeaderName;
use crate::sip::message::{Header, Message};
use crate::sip::syntax::start_line::is_token_byte;
use crate::sip::values::uri::hexadecimal;
use crate::sip::values::{BRANCH_COOKIE, HostPort, NameAddr, RetryAfter, Scheme, SessionExpires, Uri, Via, Warning};

/// Bytes of a Request-URI that every element must take.
pub(super) const REQUEST_URI_BYTES_MAX: usize = 255;

/// Notes what is wrong in one header's value.
pub(super) fn inspect_value(message: &Message<'_>, header: &Header<'_>, findings: &mut Findings<'_, '_>) {
    let value = header.value;
    match header.name {
        HeaderName::Via => {
            let is_top = message.value(HeaderName::Via).is_some_and(|top| message.offset_of(top) == header.offset);
            for (place, via) in lexer::split_commas(value).enumerate() {
                let needs_branch = is_top && place == 0 && !is_rfc2543_path(message);
                inspect_via(via, needs_branch, findings);
            }
        }
        HeaderName::From | HeaderName::To => {
            inspect_address(value, findings);
            if header.name == HeaderName::From && NameAddr::parse(value).tag().is_none_or(<[u8]>::is_empty) {
                findings.blame(DefectKind::MissingFromTag, value);
            }
        }
        HeaderName::Contact | HeaderName::Route | HeaderName::RecordRoute | HeaderName::ReferTo => {
            let mut values = lexer::split_commas(value).peekable();
            if values.peek().is_none() {
                findings.blame(DefectKind::BadAddress, header.raw_name);
            }
            values.for_each(|address| inspect_address(address, findings));
        }
        name if has_faulty_value(name, value) => {
            let (kind, names_header) = match name {
                HeaderName::CallId => (DefectKind::BadCallId, value.is_empty()),
                HeaderName::MaxForwards => (DefectKind::BadMaxForwards, value.is_empty()),
                HeaderName::Date => (DefectKind::BadDate, false),
                _ => (DefectKind::BadNumber, false),
            };
            findings.blame(kind, if names_header { header.raw_name } else { value });
        }
        _ => {}
    }
}

/// Whether the value of a header that holds neither Via nor addresses is not what the header takes.
pub(super) fn has_faulty_value(name: HeaderName, value: &[u8]) -> bool {
    match name {
        HeaderName::CallId => value.is_empty() || value.iter().any(u8::is_ascii_whitespace),
        HeaderName::MaxForwards => lexer::number(value).is_none_or(|number| number > 255),
        HeaderName::Date => !is_date(value),
        HeaderName::Expires | HeaderName::MinExpires | HeaderName::RSeq => !is_number(value),
        HeaderName::RetryAfter => RetryAfter::parse(value).is_none_or(|retry| retry.seconds > u64::from(u32::MAX)),
        HeaderName::SessionExpires | HeaderName::MinSe => SessionExpires::parse(value).is_none(),
        HeaderName::Warning => lexer::split_commas(value)
            .any(|warning| !Warning::parse(warning).code.is_some_and(|code| (100..1000).contains(&code))),
        _ => false,
    }
}

/// Whether `text` is a number of at most 32 bits.
fn is_number(text: &[u8]) -> bool {
    lexer::number(text).is_some_and(|value| u32::try_from(value).is_ok())
}

/// `Sat, 13 Nov 2010 23:29:00 GMT`
fn is_date(value: &[u8]) -> bool {
    let fields = value.split(u8::is_ascii_whitespace).filter(|field| !field.is_empty());
    fields.clone().count() == 6 && value.ends_with(b"GMT")
}

fn inspect_via(text: &[u8], needs_branch: bool, findings: &mut Findings<'_, '_>) {
    let via = Via::parse(text);
    if via.protocol.is_empty() || via.transport.is_empty() || via.sent_by.host.is_empty() {
        return findings.blame(DefectKind::BadVia, text);
    }
    match via.branch() {
        None | Some([]) if needs_branch => findings.blame(DefectKind::MissingBranch, text),
        Some(BRANCH_COOKIE) => findings.blame(DefectKind::EmptyBranch, text),
        _ => {}
    }
    if has_empty_parameter(via.parameters) {
        findings.blame(DefectKind::EmptyParameter, text);
    }
    inspect_host(via.sent_by, text, findings);
}

/// Whether several elements passed the message on and none made a branch as RFC 3261 asks.
fn is_rfc2543_path(message: &Message<'_>) -> bool {
    let has_cookie = |via| Via::parse(via).branch().is_some_and(|branch| branch.starts_with(BRANCH_COOKIE));
    message.list(HeaderName::Via).nth(1).is_some() && !message.list(HeaderName::Via).any(has_cookie)
}

fn has_empty_parameter(parameters: Parameters<'_>) -> bool {
    let mut rest = parameters.0.trim_ascii();
    while let Some(behind) = rest.strip_prefix(b";") {
        let end = lexer::find_outside(behind, b';').unwrap_or(behind.len());
        let (parameter, next) = behind.split_at(end);
        if parameter.trim_ascii().is_empty() {
            return true;
        }
        rest = next;
    }
    false
}

fn inspect_host(host: HostPort<'_>, text: &[u8], findings: &mut Findings<'_, '_>) {
    if host.is_unbracketed_ipv6 {
        findings.blame(DefectKind::UnbracketedIpv6, text);
    } else if host.host.contains(&b':') {
        let is_address = std::str::from_utf8(host.host).is_ok_and(|host| host.parse::<Ipv6Addr>().is_ok());
        if !is_address {
            findings.blame(DefectKind::BadUri, text);
        }
    }
    if host.is_port_bad {
        findings.blame(DefectKind::BadPort, text);
    }
}

fn inspect_address(text: &[u8], findings: &mut Findings<'_, '_>) {
    if text == b"*" {
        return;
    }
    let whole = text;
    let mut rest = text;
    if text.starts_with(b"\"") {
        let Some(end) = quoted_end(text) else {
            return findings.blame(DefectKind::OpenQuote, whole);
        };
        rest = text.get(end..).unwrap_or_default().trim_ascii();
        if !rest.starts_with(b"<") {
            return findings.blame(DefectKind::BadAddress, whole);
        }
    }
    let address = NameAddr::parse(text);
    if address.uri.is_empty() || !address.is_closed {
        return findings.blame(DefectKind::BadAddress, whole);
    }
    if has_empty_parameter(address.parameters) {
        findings.blame(DefectKind::EmptyParameter, whole);
    }
    if address.has_brackets {
        inspect_bracketed(rest, whole, &address, findings);
    } else if address.uri.iter().any(|byte| matches!(byte, b'?' | b',')) || has_uri_parameter(&address) {
        return findings.blame(DefectKind::MissingAngleBrackets, whole);
    }
    inspect_uri(address.uri, findings);
}

/// `rest` is the address without a quoted display name.
fn inspect_bracketed(rest: &[u8], whole: &[u8], address: &NameAddr<'_>, findings: &mut Findings<'_, '_>) {
    let open = memchr::memchr(b'<', rest).unwrap_or(0);
    let display = rest.get(..open).unwrap_or_default();
    if !display.iter().all(|&byte| is_token_byte(byte) || byte.is_ascii_whitespace() || byte >= 0x80) {
        findings.blame(DefectKind::BadAddress, whole);
    }
    let inner = rest.get(open + 1..).unwrap_or_default();
    let uri = inner.get(..memchr::memchr(b'>', inner).unwrap_or(inner.len())).unwrap_or_default();
    if uri.len() != address.uri.len() {
        findings.blame(DefectKind::BlankInUri, uri);
    }
    let behind = address.parameters.0.trim_ascii();
    if !behind.is_empty() && !behind.starts_with(b";") {
        findings.blame(DefectKind::BadAddress, whole);
    }
}

/// Whether a parameter that only makes sense inside a URI stands outside.
fn has_uri_parameter(address: &NameAddr<'_>) -> bool {
    ["transport", "lr", "user", "maddr"].iter().any(|name| address.parameters.has(name))
}

/// Notes what is wrong in a Request-URI.
pub(super) fn inspect_request_uri(text: &[u8], findings: &mut Findings<'_, '_>) {
    if text.starts_with(b"<") {
        return findings.blame(DefectKind::BracketedRequestUri, text);
    }
    if text.len() > REQUEST_URI_BYTES_MAX {
        findings.blame(DefectKind::LongRequestUri, text);
    }
    let uri = Uri::parse(text);
    match uri.scheme {
        Scheme::Other => findings.blame(DefectKind::UnknownScheme, text),
        Scheme::Sip | Scheme::Sips if uri.headers.is_some() => findings.blame(DefectKind::BadUri, text),
        _ => {}
    }
    inspect_uri(text, findings);
}

fn inspect_uri(text: &[u8], findings: &mut Findings<'_, '_>) {
    if text.iter().any(u8::is_ascii_whitespace) {
        return findings.blame(DefectKind::BlankInUri, text);
    }
    let uri = Uri::parse(text);
    match uri.scheme {
        Scheme::Missing => findings.blame(DefectKind::BadUri, text),
        Scheme::Sip | Scheme::Sips => {
            if uri.host_port.host.is_empty() {
                findings.blame(DefectKind::BadUri, text);
            }
            inspect_host(uri.host_port, text, findings);
        }
        Scheme::Tel | Scheme::Urn | Scheme::Other => {}
    }
    if text.iter().any(|&byte| {
        !(0x20..0x7f).contains(&byte) || matches!(byte, b'"' | b'<' | b'>' | b'\\' | b'^' | b'{' | b'|' | b'}')
    }) {
        findings.blame(DefectKind::UnescapedUri, text);
    }
    let has_bad_escape = memchr::memchr_iter(b'%', text)
        .any(|at| !matches!(text.get(at + 1..at + 3), Some(&[high, low]) if hexadecimal([high, low]).is_some()));
    if has_bad_escape {
        findings.blame(DefectKind::BadEscape, text);
    }
}
