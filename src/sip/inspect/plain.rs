//! Plain requests: those that a glance shows to be without defect, as nearly all are, so that a thorough look can be spared.
//!
//! What is not plain may be faultless all the same; [`crate::sip::inspect()`] tells. Source: RFC 3261 section 25.1, the part of it
//! that everyday messages use.

use memchr::{memchr, memchr2};

use crate::sip::inspect::values::{REQUEST_URI_BYTES_MAX, has_faulty_value};
use crate::sip::lexer::{number, split_commas};
use crate::sip::message::header_name::HeaderName;
use crate::sip::message::{Header, Message};
use crate::sip::syntax::method::Method;
use crate::sip::syntax::start_line::{StartLine, is_token_byte};
use crate::sip::values::{BRANCH_COOKIE, MediaType};

/// What a byte may stand in.
const HOST: u8 = 1;
const USER: u8 = 2;
const PARAMETERS: u8 = 4;
const DISPLAY: u8 = 8;

static CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let is_word = (byte as u8).is_ascii_alphanumeric();
        let class = match byte as u8 {
            _ if is_word => HOST | USER | PARAMETERS | DISPLAY,
            b'-' | b'.' | b'_' => HOST | USER | PARAMETERS | DISPLAY,
            b'!' | b'*' | b'\'' | b'~' | b'+' => USER | PARAMETERS | DISPLAY,
            b'$' | b'&' | b'(' | b')' => USER | PARAMETERS,
            b'=' | b'/' | b':' | b'[' | b']' => PARAMETERS,
            b' ' => DISPLAY,
            _ => 0,
        };
        classes[byte] = class;
        byte += 1;
    }
    classes
}

/// Parts `text` behind its first bytes that are of `class`.
fn run(text: &[u8], class: u8) -> (&[u8], &[u8]) {
    let is_of = |byte: &&u8| CLASSES[usize::from(**byte)] & class != 0;
    text.split_at(text.iter().take_while(is_of).count())
}

/// Whether `message` is a request without defect at a glance. `is_plain_header` says it of a header, as the function of that name
/// does: the answer is the same for the same line.
pub fn is_plain(message: &Message<'_>, mut is_plain_header: impl FnMut(&Header<'_>) -> bool) -> bool {
    let StartLine::Request { token, uri, version, .. } = message.start_line() else {
        return false;
    };
    let is_whole = !message.is_cut() && message.defects().is_empty();
    let length = token.len() + uri.len() + version.len() + 2;
    let behind = message.bytes().get(length..).unwrap_or_default();
    let has_plain_start = message.offset_of(token) == 0 && version == b"SIP/2.0" && behind.starts_with(b"\r\n");
    is_whole
        && has_plain_start
        && uri.len() <= REQUEST_URI_BYTES_MAX
        && is_plain_uri(uri)
        && is_complete(message)
        && message.headers().all(|header| {
            is_plain_header(&header) && (header.name != HeaderName::CSeq || is_sequence_of(header.value, token))
        })
}

/// Whether everything is there that the message must have; a body that Content-Length does not fit is among its defects.
fn is_complete(message: &Message<'_>) -> bool {
    let mut needed = HeaderName::IN_EVERY_MESSAGE.into_iter();
    needed.all(|name| message.has(name))
        && message.has(HeaderName::MaxForwards)
        && (message.method() != Some(Method::Invite) || message.has(HeaderName::Contact))
        && (message.body().is_empty() || message.has(HeaderName::ContentType))
}

/// Whether a CSeq value names the method `token`.
fn is_sequence_of(value: &[u8], token: &[u8]) -> bool {
    let before = value.strip_suffix(token);
    let digits = before.and_then(|before| before.strip_suffix(b" "));
    digits.and_then(number).is_some_and(|number| number < 1 << 31)
}

/// Whether a header has no defect at a glance, whatever message it stands in.
pub fn is_plain_header(header: &Header<'_>) -> bool {
    let value = header.value;
    match header.name {
        HeaderName::Malformed => false,
        HeaderName::Other => {
            let name = header.raw_name;
            !name.is_empty() && name.iter().all(|byte| is_token_byte(*byte))
        }
        // What is plain as a whole holds no comma that parts values.
        HeaderName::Via => is_plain_via(value) || split_commas(value).all(is_plain_via),
        HeaderName::From => plain_address(value).is_some_and(|tag| tag > 0),
        HeaderName::To => plain_address(value).is_some(),
        HeaderName::Contact | HeaderName::Route | HeaderName::RecordRoute | HeaderName::ReferTo => {
            let is_plain = |value| plain_address(value).is_some();
            let mut values = split_commas(value).peekable();
            is_plain(value) || values.peek().is_some() && values.all(is_plain)
        }
        HeaderName::ContentType => {
            let media_type = MediaType::parse(value);
            let has_type = !media_type.kind.is_empty() && !media_type.subtype.is_empty();
            has_type && !media_type.is_multipart()
        }
        name => !has_faulty_value(name, value),
    }
}

fn is_plain_via(text: &[u8]) -> bool {
    let parts = || {
        let behind = text.strip_prefix(b"SIP/2.0/")?;
        let (transport, behind) = run(behind, HOST);
        let behind = behind.strip_prefix(b" ")?;
        (!transport.is_empty()).then_some(behind)
    };
    let parameters = parts().and_then(behind_plain_host);
    let branch = parameters.and_then(|parameters| plain_parameters(parameters, b"branch="));
    branch.is_some_and(|length| length > BRANCH_COOKIE.len())
}

/// What follows host and port, where these are plain.
fn behind_plain_host(text: &[u8]) -> Option<&[u8]> {
    let (host, rest) = run(text, HOST);
    if host.is_empty() {
        return None;
    }
    let Some(behind) = rest.strip_prefix(b":") else {
        return Some(rest);
    };
    let digits = behind.iter().take_while(|byte| byte.is_ascii_digit());
    let (port, rest) = behind.split_at(digits.count());
    let is_port = number(port).is_some_and(|port| (1..1 << 16).contains(&port));
    is_port.then_some(rest)
}

fn is_plain_uri(text: &[u8]) -> bool {
    let Some(rest) = text.strip_prefix(b"sip:").or_else(|| text.strip_prefix(b"sips:")) else {
        return false;
    };
    let host = match run(rest, USER).1 {
        [b'@', host @ ..] => host,
        _ => rest,
    };
    behind_plain_host(host).is_some_and(|parameters| {
        parameters.is_empty()
            || parameters.starts_with(b";") && {
                let is_plain = |byte: &u8| *byte == b';' || CLASSES[usize::from(*byte)] & PARAMETERS != 0;
                parameters.iter().all(is_plain)
            }
    })
}

/// The length of the tag of an address in `<>`, where all of it is plain; 0 where it has none.
fn plain_address(text: &[u8]) -> Option<usize> {
    let rest = match text.strip_prefix(b"\"") {
        Some(display) => {
            let end = memchr2(b'"', b'\\', display)?;
            let rest = display.get(end..)?.strip_prefix(b"\"")?;
            rest.strip_prefix(b" ").unwrap_or(rest)
        }
        None => run(text, DISPLAY).1,
    };
    let inner = rest.strip_prefix(b"<")?;
    let (uri, behind) = inner.split_at(memchr(b'>', inner)?);
    let parameters = behind.get(1..)?;
    is_plain_uri(uri).then(|| plain_parameters(parameters, b"tag=")).flatten()
}

/// Where every parameter has a name and quotes hold nothing that needs a closer look: the length of the first value behind
/// `wanted`, the name of a parameter with its equals sign; 0 where there is none, or none without quotes.
fn plain_parameters(text: &[u8], wanted: &[u8]) -> Option<usize> {
    let (mut rest, mut length) = (text, None);
    while let Some(behind) = rest.strip_prefix(b";") {
        let (part, next) = run(behind, PARAMETERS);
        if part.is_empty() {
            return None;
        }
        if let Some(value) = part.strip_prefix(wanted) {
            length = length.or(Some(value.len()));
        }
        rest = next;
        if let Some(quoted) = next.strip_prefix(b"\"") {
            let (_, end) = quoted.split_at(memchr2(b'"', b'\\', quoted)?);
            rest = end.strip_prefix(b"\"")?;
        }
    }
    rest.is_empty().then_some(length.unwrap_or(0))
}

#[cfg(test)]
#[path = "plain_tests.rs"]
mod tests;
