//! Excerpts: the small things that the row of a message takes out of it.

use std::borrow::Cow;
use std::hash::{BuildHasher, Hasher};
use std::net::IpAddr;

use crate::call::ingest::arrival::Arrival;
use crate::call::store::message::MessageFlags;
use crate::net::{Endpoint, Flow};
use crate::sip::{ContentLength, HeaderName, Message, Method, NameAddr, Seed, body};

/// The URI of From or To; empty where there is none.
pub(in crate::call) fn uri_of(address: Option<NameAddr<'_>>) -> &[u8] {
    address.map(|address| address.uri).unwrap_or_default()
}

/// The status in the `message/sipfrag` body of a NOTIFY; 0 where there is none.
pub(in crate::call) fn fragment_of(message: &Message<'_>) -> u16 {
    if message.method() != Some(Method::Notify) {
        return 0;
    }
    body::sipfrag_status(message).map_or(0, |(status, _)| status.0)
}

/// The tag of From or To; empty where there is none.
pub(in crate::call) fn tag_of(address: Option<NameAddr<'_>>) -> &[u8] {
    address.and_then(|address| address.tag()).unwrap_or_default()
}

/// What of a message is either so or not.
pub(in crate::call) fn flags_of(message: &Message<'_>, arrival: &Arrival) -> MessageFlags {
    let mut flags = MessageFlags::default();
    flags.set_cut(arrival.is_cut);
    flags.set_fragmented(arrival.fragments > 1);
    flags.set_incomplete(arrival.is_incomplete);
    flags.set_body(!message.body().is_empty());
    flags.set_short_body(matches!(message.content_length(), ContentLength::TooLarge(_)));
    flags.set_headless(arrival.is_cut && is_headless(message));
    flags
}

/// Whether a cut message lacks one of the headers that distinguish messages, or the end of one.
fn is_headless(message: &Message<'_>) -> bool {
    let is_half = |name| message.headers().any(|header| header.is_cut && header.name == name);
    HeaderName::IN_EVERY_MESSAGE.into_iter().any(|name| !message.has(name) || is_half(name))
}

/// Bytes of a host name that are brought to small letters at a time: hardly any host name has more.
pub(in crate::call) const LOWERED_AT_A_TIME: usize = 32;

/// Host names are compared without regard to case (RFC 3261 section 19.1.4); `part` has [`LOWERED_AT_A_TIME`] bytes at most.
pub(in crate::call) fn write_lower(hasher: &mut impl Hasher, part: &[u8]) {
    let mut lower = [0; LOWERED_AT_A_TIME];
    for (to, from) in lower.iter_mut().zip(part) {
        *to = from.to_ascii_lowercase();
    }
    hasher.write(lower.get(..part.len()).unwrap_or_default());
}

/// Writes a port; the way over `fmt` costs more than reading the Via that it stands in.
pub(in crate::call) fn push_digits(bytes: &mut Vec<u8>, port: u16) {
    let (mut digits, mut rest, mut start) = ([0; 5], port, 5);
    loop {
        start -= 1;
        digits[start] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    bytes.extend_from_slice(&digits[start..]);
}

/// The hash of sender and receiver; between IPv4 addresses, as nearly always, of two words.
pub(in crate::call) fn flow_hash(flow: &Flow, seed: &Seed) -> u64 {
    let word = |endpoint: &Endpoint| match endpoint.address {
        IpAddr::V4(address) => Some(u64::from(address.to_bits()) << 16 | u64::from(endpoint.port)),
        IpAddr::V6(_) => None,
    };
    match (word(&flow.source), word(&flow.destination)) {
        (Some(source), Some(destination)) => seed.hash_one((source, destination)),
        _ => seed.hash_one(flow),
    }
}

/// A header value on one line: each fold reads as one blank (RFC 3261 section 7.3.1).
pub(in crate::call) fn unfolded(value: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr2(b'\n', b'\r', value).is_none() {
        return Cow::Borrowed(value);
    }
    let lines =
        value.split(|&byte| byte == b'\r' || byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    Cow::Owned(lines.collect::<Vec<_>>().join(&b' '))
}
