//! Features of a call that a person would compare: who sent it, with what, to which number, how large, by which way.

use crate::call::{Call, Message, NodeId};
use crate::diagnose::scene::Scene;
use crate::sip::sdp::MediaKind;
use crate::sip::{HeaderName, Identity, Method, Uri};

/// Bytes from which a request over UDP risks fragments (RFC 3261 section 18.1.1).
const LARGE_BYTES: u32 = 1300;
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

/// One feature of a call.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Feature {
    /// What kind it is.
    pub kind: Kind,
    /// Its value.
    pub value: String,
}

impl Feature {
    fn new(kind: Kind, value: impl Into<String>) -> Self {
        Self {
            kind,
            value: value.into(),
        }
    }
}

impl std::fmt::Display for Feature {
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
pub fn invite_of<'a>(scene: &Scene<'a>, call: &Call) -> Option<&'a Message> {
    let leg = call.legs.first()?;
    let messages = scene
        .book
        .messages
        .get(leg.start as usize..leg.end as usize)?;
    messages
        .iter()
        .find(|message| message.is_request(Method::Invite) && message.to_tag.is_absent())
}

/// The features of a call on its way to a node; empty where its INVITE is not in the capture.
pub fn features(scene: &Scene<'_>, call: &Call, node: NodeId) -> Vec<Feature> {
    let Some(invite) = invite_of(scene, call) else {
        return Vec::new();
    };
    let tables = &scene.book.tables;
    let mut found = Vec::new();
    let mut add = |kind: Kind, value: &dyn Fn() -> String| {
        let value = value();
        if !value.is_empty() {
            found.push(Feature { kind, value });
        }
    };
    add(Kind::Source, &|| {
        let node = scene.node(invite.source);
        tables.endpoints.node_name(node)
    });
    add(Kind::Transport, &|| invite.transport.word().to_owned());
    add(Kind::Size, &|| {
        if invite.size > LARGE_BYTES {
            format!("of more than {LARGE_BYTES} bytes")
        } else {
            format!("of at most {LARGE_BYTES} bytes")
        }
    });
    add(Kind::UserAgent, &|| {
        tables.software(invite).unwrap_or_default().to_owned()
    });
    add(Kind::Codecs, &|| codecs_of(scene, invite));
    add(Kind::Way, &|| way_of(scene, call, node));
    add(Kind::Attestation, &|| {
        attestation(scene, invite).unwrap_or_default()
    });
    found.extend(headers_of(scene, invite));
    let callee = [Kind::CalleePrefix, Kind::CalleeFormat, Kind::Callee];
    number_features(scene.text(call.callee), callee, &mut found);
    let caller = [Kind::CallerPrefix, Kind::CallerFormat, Kind::Caller];
    number_features(scene.text(call.caller), caller, &mut found);
    found
}

/// How a number begins, how it is written and the number itself, in that order of kinds.
fn number_features(uri: &str, [prefix, format, whole]: [Kind; 3], found: &mut Vec<Feature>) {
    let number = number_of(uri);
    found.extend(prefixes(&number).map(|start| Feature::new(prefix, start)));
    found.push(Feature::new(format, format_of(&number)));
    if !number.is_empty() {
        found.push(Feature::new(whole, number));
    }
}

fn headers_of(scene: &Scene<'_>, invite: &Message) -> impl Iterator<Item = Feature> {
    let values = scene.book.tables.headers.get(invite.headers);
    let mut headers: Vec<HeaderName> = values
        .map(|(name, _)| name)
        .filter(|name| !COMMON.contains(name))
        .collect();
    headers.sort_unstable();
    headers.dedup();
    headers
        .into_iter()
        .map(|name| Feature::new(Kind::Header, name.text()))
}

fn codecs_of(scene: &Scene<'_>, invite: &Message) -> String {
    if invite.session.is_absent() {
        return String::new();
    }
    let offer = scene.book.tables.sessions.shape(invite.session);
    let audio = offer.media(MediaKind::Audio);
    let names = audio.iter().flat_map(|media| &media.codecs);
    let real: Vec<&str> = names
        .filter(|codec| codec.is_real())
        .map(|codec| codec.common_name())
        .collect();
    real.join(", ")
}

/// The nodes before `to`; those behind it are where a failure leads, not why it happens.
fn way_of(scene: &Scene<'_>, call: &Call, to: NodeId) -> String {
    let mut way: Vec<String> = Vec::new();
    for hop in call.hops.iter().take(WAY_MAX) {
        let node = scene.node(hop.destination);
        if node == to {
            break;
        }
        let address = scene.book.tables.endpoints.node_name(node);
        if !way.contains(&address) {
            way.push(address);
        }
    }
    way.join(", ")
}

fn attestation(scene: &Scene<'_>, invite: &Message) -> Option<String> {
    let header = scene.book.tables.header(invite, HeaderName::Identity)?;
    let passport = Identity::parse(header.as_bytes()).passport().ok()?;
    passport.attestation
}

/// The number or user of a URI without visual separators, a leading plus kept.
pub fn number_of(uri: &str) -> String {
    let uri = Uri::parse(uri.as_bytes());
    let user = match uri.number() {
        Some(number) => number.into_owned(),
        None => uri.user.unwrap_or_default().to_vec(),
    };
    let text = String::from_utf8_lossy(&user);
    let text = text.split(';').next().unwrap_or_default();
    let is_number = text
        .chars()
        .all(|c| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | '(' | ')' | ' ' | '*' | '#'));
    if is_number {
        text.chars()
            .filter(|c| !matches!(c, '-' | '.' | '(' | ')' | ' '))
            .collect()
    } else {
        text.to_owned()
    }
}

/// The beginnings of a number that are compared; none of names.
fn prefixes(number: &str) -> impl Iterator<Item = &str> {
    let plus = usize::from(number.starts_with('+'));
    let is_number = number.len() > 5 && number.bytes().skip(plus).all(|b| b.is_ascii_digit());
    let ends = PREFIX_DIGITS.into_iter().map(move |digits| digits + plus);
    ends.filter(move |end| is_number && *end < number.len())
        .filter_map(|end| number.get(..end))
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
        assert_eq!(
            "+49301234",
            number_of("sip:+49301234;npdi@example.org;user=phone")
        );
        assert_eq!("alice", number_of("sip:alice@example.org"));
        assert_eq!("", number_of("sip:example.org"));
    }

    #[test]
    fn formats_tell_international_national_and_short_numbers_apart() {
        assert_eq!("with +", format_of("+4930123456"));
        assert_eq!("with 00", format_of("004930123456"));
        assert_eq!("with 0", format_of("030123456"));
        assert_eq!("as a short number", format_of("2001"));
        assert_eq!("as a name", format_of("alice"));
        assert_eq!("without + or 0", format_of("12125550100"));
    }
}
