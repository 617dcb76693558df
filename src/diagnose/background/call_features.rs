//! Features of a call that a person would compare: who sent it, with what, to which number, how large, by which way.

use std::borrow::Cow;

use crate::call::{Call, Message, NodeId};
use crate::diagnose::input::DiagnosisInput;
use crate::sip::sdp::MediaKind;
use crate::sip::{HeaderName, Identity, Method, Uri};

/// Bytes from which a request over UDP risks fragments (RFC 3261 section 18.1.1).
const LARGE_BYTES: u32 = 1300;
/// How sizes above and up to that are named.
const SIZES: [&str; 2] = ["of more than 1300 bytes", "of at most 1300 bytes"];
/// Digits of the prefixes that are compared.
const PREFIX_DIGITS: [usize; 5] = [2, 3, 4, 6, 8];
/// Headers that every call has, or that differ in each.
const COMMON: [HeaderName; 6] = [
    HeaderName::Contact,
    HeaderName::UserAgent,
    HeaderName::Via,
    HeaderName::Authorization,
    HeaderName::ProxyAuthorization,
    HeaderName::ContentType,
];
/// Nodes of a way that are named.
const WAY_MAX: usize = 6;

/// What kind of feature it is; of equally good ones the first is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Address that the call came from.
    Source,
    /// User-Agent with its version.
    UserAgent,
    /// Audio codecs offered, in order.
    Codecs,
    /// First digits dialled.
    CalleePrefix,
    /// How the dialled number is written.
    CalleeFormat,
    /// The number dialled.
    Callee,
    /// First digits of the caller.
    CallerPrefix,
    /// How the caller's number is written.
    CallerFormat,
    /// The caller.
    Caller,
    /// UDP, TCP, TLS.
    Transport,
    /// Larger or smaller than what UDP carries in one piece.
    Size,
    /// A header that is there.
    Header,
    /// A header that is not there.
    NoHeader,
    /// Nodes that the INVITE passed.
    Way,
    /// Attestation of the caller's number (RFC 8588).
    Attestation,
}

/// One feature of a call, its value as the texts of the run have it where they do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Feature<'a> {
    /// What kind it is.
    pub kind: Kind,
    /// Its value.
    pub value: Cow<'a, str>,
}

impl<'a> Feature<'a> {
    fn new(kind: Kind, value: impl Into<Cow<'a, str>>) -> Self {
        Self { kind, value: value.into() }
    }

    /// The same feature, kept for itself.
    pub fn into_owned(self) -> Feature<'static> {
        Feature { kind: self.kind, value: Cow::Owned(self.value.into_owned()) }
    }
}

impl std::fmt::Display for Feature<'_> {
    /// What calls with this feature do: `come from 10.0.0.5`, `are dialled +49…`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let value = &self.value;
        match self.kind {
            Kind::Source => write!(f, "come from {value}"),
            Kind::UserAgent => write!(f, "are sent by \"{value}\""),
            Kind::Codecs => write!(f, "offer {value}"),
            Kind::CalleePrefix => write!(f, "go to {value}…"),
            Kind::CalleeFormat => write!(f, "are dialled {value}"),
            Kind::Callee => write!(f, "go to {value}"),
            Kind::CallerPrefix => write!(f, "are from callers {value}…"),
            Kind::CallerFormat => write!(f, "name the caller {value}"),
            Kind::Caller => write!(f, "are from {value}"),
            Kind::Transport => write!(f, "come over {value}"),
            Kind::Size => write!(f, "have an INVITE {value}"),
            Kind::Header => write!(f, "carry the header {value}"),
            Kind::NoHeader => write!(f, "lack the header {value}"),
            Kind::Way => write!(f, "go by {value}"),
            Kind::Attestation => write!(f, "have attestation {value}"),
        }
    }
}

/// The first INVITE of a call.
pub fn invite_of<'a>(input: &DiagnosisInput<'a>, call: &Call) -> Option<&'a Message> {
    let leg = call.legs.first()?;
    input.store.messages_of(leg).iter().find(|message| message.is_request(Method::Invite) && message.to_tag.is_absent())
}

/// The features of a call on its way to a node; none where its INVITE is not in the input.
pub fn features<'a>(input: &DiagnosisInput<'a>, call: &Call, node: NodeId, mut add: impl FnMut(Feature<'a>)) {
    let Some(invite) = invite_of(input, call) else {
        return;
    };
    let tables = &input.store.tables;
    let mut add_named = |kind: Kind, value: Cow<'a, str>| {
        if !value.is_empty() {
            add(Feature { kind, value });
        }
    };
    let source = tables.endpoints.node_name(input.node(invite.source));
    add_named(Kind::Source, source.into());
    add_named(Kind::Transport, invite.transport.word().into());
    let [large, small] = SIZES;
    let size = if invite.size > LARGE_BYTES { large } else { small };
    add_named(Kind::Size, size.into());
    let software = tables.software(invite).unwrap_or_default();
    add_named(Kind::UserAgent, software.into());
    add_named(Kind::Codecs, codecs_of(input, invite).into());
    add_named(Kind::Way, way_of(input, call, node).into());
    let attestation = attestation(input, invite).unwrap_or_default();
    add_named(Kind::Attestation, attestation.into());
    for name in headers_of(input, invite) {
        add(Feature::new(Kind::Header, name.text()));
    }
    let callee = [Kind::CalleePrefix, Kind::CalleeFormat, Kind::Callee];
    number_features(input.text(call.callee), callee, &mut add);
    let caller = [Kind::CallerPrefix, Kind::CallerFormat, Kind::Caller];
    number_features(input.text(call.caller), caller, &mut add);
}

/// How a number begins, how it is written and the number itself, in that order of kinds.
fn number_features<'a>(uri: &'a str, [prefix, format, whole]: [Kind; 3], add: &mut impl FnMut(Feature<'a>)) {
    let number = number_of(uri);
    for end in prefix_ends(&number) {
        if let Some(start) = cut(&number, end) {
            add(Feature::new(prefix, start));
        }
    }
    add(Feature::new(format, format_of(&number)));
    if !number.is_empty() {
        add(Feature::new(whole, number));
    }
}

/// The first bytes of a text.
fn cut<'a>(text: &Cow<'a, str>, end: usize) -> Option<Cow<'a, str>> {
    Some(match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.get(..end)?),
        Cow::Owned(text) => Cow::Owned(text.get(..end)?.to_owned()),
    })
}

fn headers_of(input: &DiagnosisInput<'_>, invite: &Message) -> Vec<HeaderName> {
    let values = input.store.tables.headers.get(invite.headers);
    let mut headers: Vec<HeaderName> = values.map(|(name, _)| name).filter(|name| !COMMON.contains(name)).collect();
    headers.sort_unstable();
    headers.dedup();
    headers
}

fn codecs_of(input: &DiagnosisInput<'_>, invite: &Message) -> String {
    if invite.session.is_absent() {
        return String::new();
    }
    let offer = input.store.tables.sessions.shape(invite.session);
    let audio = offer.media(MediaKind::Audio);
    let names = audio.iter().flat_map(|media| &media.codecs);
    let real: Vec<&str> = names.filter(|codec| codec.is_real()).map(|codec| codec.common_name()).collect();
    real.join(", ")
}

/// The nodes before `to`; those behind it are where a failure leads, not why it happens.
fn way_of(input: &DiagnosisInput<'_>, call: &Call, to: NodeId) -> String {
    let mut way: Vec<String> = Vec::new();
    for hop in call.hops.iter().take(WAY_MAX) {
        let node = input.node(hop.destination);
        if node == to {
            break;
        }
        let address = input.store.tables.endpoints.node_name(node);
        if !way.contains(&address) {
            way.push(address);
        }
    }
    way.join(", ")
}

fn attestation(input: &DiagnosisInput<'_>, invite: &Message) -> Option<String> {
    let header = input.store.tables.header(invite, HeaderName::Identity)?;
    let passport = Identity::parse(header.as_bytes()).passport().ok()?;
    passport.attestation
}

/// The number or user of a URI without visual separators, a leading plus kept.
pub fn number_of(uri: &str) -> Cow<'_, str> {
    if let Some(number) = plain_number(uri) {
        return Cow::Borrowed(number);
    }
    let uri = Uri::parse(uri.as_bytes());
    let user = match uri.number() {
        Some(number) => number.into_owned(),
        None => uri.user.unwrap_or_default().to_vec(),
    };
    let text = String::from_utf8_lossy(&user);
    let text = text.split(';').next().unwrap_or_default();
    let is_number =
        text.chars().all(|c| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | '(' | ')' | ' ' | '*' | '#'));
    if is_number {
        text.chars().filter(|c| !matches!(c, '-' | '.' | '(' | ')' | ' ')).collect()
    } else {
        text.to_owned().into()
    }
}

/// The number of a SIP URI whose user part is nothing but digits, a plus before them at most: nearly every one is such.
fn plain_number(uri: &str) -> Option<&str> {
    let rest = uri.strip_prefix("sip:")?;
    let (user, host) = rest.split_once('@')?;
    let digits = user.strip_prefix('+').unwrap_or(user);
    let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && !host.contains('@');
    is_plain.then_some(user)
}

/// Where the beginnings of a number end that are compared; none of names.
fn prefix_ends(number: &str) -> impl Iterator<Item = usize> + use<> {
    let (length, plus) = (number.len(), usize::from(number.starts_with('+')));
    let is_number = length > 5 && number.bytes().skip(plus).all(|b| b.is_ascii_digit());
    let ends = PREFIX_DIGITS.into_iter().map(move |digits| digits + plus);
    ends.filter(move |end| is_number && *end < length)
}

/// How a number is written.
fn format_of(number: &str) -> &'static str {
    let digits = number.bytes().filter(u8::is_ascii_digit).count();
    match number {
        "" => "without a number",
        _ if digits + usize::from(number.starts_with('+')) < number.len() => "as a name",
        _ if number.starts_with('+') => "with +",
        _ if digits <= 6 => "as a short number",
        _ if number.starts_with("00") => "with 00",
        _ if number.starts_with("011") => "with 011",
        _ if number.starts_with('0') => "with 0",
        _ => "without + or 0",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_lose_separators_and_parameters_and_keep_the_plus() {
        assert_eq!("+12125550100", number_of("tel:+1-212-555-0100"));
        assert_eq!("+49301234", number_of("sip:+49301234;npdi@example.org;user=phone"));
        assert_eq!("alice", number_of("sip:alice@example.org"));
        assert_eq!("", number_of("sip:example.org"));
    }

    #[test]
    fn international_national_and_short_numbers_have_formats_of_their_own() {
        assert_eq!("with +", format_of("+4930123456"));
        assert_eq!("with 00", format_of("004930123456"));
        assert_eq!("with 0", format_of("030123456"));
        assert_eq!("as a short number", format_of("2001"));
        assert_eq!("as a name", format_of("alice"));
        assert_eq!("without + or 0", format_of("12125550100"));
    }
}
