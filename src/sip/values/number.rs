//! Numbers: how a called number is written, and whether two ways of writing may mean numbers of one region.
//!
//! Sources: RFC 3966 (global and local numbers, visual separators), RFC 3261 section 19.1.6 (tel and sip URIs), E.164.

use std::borrow::Cow;
use std::fmt;

use crate::sip::{Scheme, Uri};

/// Digits at the end that mean one subscriber however the number is written.
pub(in crate::sip) const SUBSCRIBER_DIGITS: usize = 7;
/// Digits without which a number is an extension or a service code, whose first digits are no prefix.
const LONG_NUMBER_DIGITS: usize = 8;

/// What a number begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lead {
    /// `+`, a global number.
    Plus,
    /// `00`, the international prefix of most countries.
    DoubleZero,
    /// `011`, the international prefix of North America.
    ZeroOneOne,
    /// One `0`, a national prefix.
    Zero,
    /// `9`, often the prefix for an outside line.
    Nine,
    /// None of these.
    Bare,
}

impl fmt::Display for Lead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plus => "+",
            Self::DoubleZero => "00",
            Self::ZeroOneOne => "011",
            Self::Zero => "0",
            Self::Nine => "9",
            Self::Bare => "no prefix",
        })
    }
}

/// How a number is written, its digits aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shape {
    /// What it begins with.
    pub lead: Lead,
    /// Whether the URI is `tel:`.
    pub is_tel: bool,
    /// Whether a `sip:` URI says `user=phone`.
    pub is_phone: bool,
    /// Whether it names a routing number (`rn`, RFC 4694).
    pub has_routing_number: bool,
    /// Whether it holds anything beside digits behind the lead: separators, `#`, `*`, letters.
    pub has_others: bool,
}

/// A called number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number<'a> {
    /// As sent, without scheme, host and parameters, escapes resolved.
    pub text: Cow<'a, str>,
    /// Its digits behind the lead.
    pub core: Cow<'a, str>,
    /// How it is written.
    pub shape: Shape,
}

impl<'a> Number<'a> {
    /// Reads the number of a URI; `None` where its user is a name rather than a number.
    pub fn of(uri: &'a str) -> Option<Self> {
        Self::of_uri(&Uri::parse(uri.as_bytes()))
    }

    /// Reads the number of a URI that was read.
    pub fn of_uri(uri: &Uri<'a>) -> Option<Self> {
        let digits = |user: &[u8]| user.iter().all(u8::is_ascii_digit);
        if let Some(user) = uri.user
            && digits(user.strip_prefix(b"+").unwrap_or(user))
        {
            return Self::plain(uri, std::str::from_utf8(user).ok()?);
        }
        let text = String::from_utf8_lossy(&uri.number()?).into_owned();
        let mut digits = String::with_capacity(text.len());
        digits.extend(text.chars().filter(char::is_ascii_digit));
        let letters = text.chars().filter(|c| c.is_alphabetic()).count();
        if digits.len() < 2 || letters >= digits.len() {
            return None;
        }
        let lead = lead_of(&text, &digits);
        let skipped = lead.digits();
        let plain = text.strip_prefix('+').unwrap_or(&text);
        let shape = Shape {
            lead,
            is_tel: uri.scheme == Scheme::Tel,
            is_phone: is_phone(uri),
            has_routing_number: uri.number_parameters().get("rn").is_some(),
            has_others: plain.chars().any(|c| !c.is_ascii_digit()),
        };
        digits.drain(..skipped.min(digits.len()));
        Some(Self { core: digits.into(), text: text.into(), shape })
    }

    /// The same of a user part that has nothing but digits, and a plus at most.
    fn plain(uri: &Uri<'_>, text: &'a str) -> Option<Self> {
        let digits = text.strip_prefix('+').unwrap_or(text);
        if digits.len() < 2 {
            return None;
        }
        let lead = lead_of(text, digits);
        let has_routing_number = uri.scheme == Scheme::Tel && uri.number_parameters().get("rn").is_some();
        Some(Self {
            core: digits.get(lead.digits()..).unwrap_or_default().into(),
            text: text.into(),
            shape: Shape {
                lead,
                is_tel: uri.scheme == Scheme::Tel,
                is_phone: is_phone(uri),
                has_routing_number,
                has_others: false,
            },
        })
    }

    /// The same with texts of its own, to be kept.
    pub fn into_owned(self) -> Number<'static> {
        Number { text: self.text.into_owned().into(), core: self.core.into_owned().into(), shape: self.shape }
    }

    /// The last digits, which mean the same subscriber in every way of writing; `None` for short numbers.
    pub fn subscriber(&self) -> Option<&str> {
        let start = self.core.len().checked_sub(SUBSCRIBER_DIGITS)?;
        self.core.get(start..)
    }

    /// Whether another way of writing may mean a number of the same region: equal first digits behind the lead, or the national
    /// number of one begins behind the country code of the other.
    pub fn shares_region(&self, other: &Number<'_>) -> bool {
        if self.core.len() < SUBSCRIBER_DIGITS || other.core.len() < SUBSCRIBER_DIGITS {
            return false;
        }
        let same_country = self.core.get(..2) == other.core.get(..2);
        let behind_country_code = |long: &str, short: &str| {
            long.len() > short.len() && (1..=3).any(|code| long.get(code..code + 3) == short.get(..3))
        };
        same_country || behind_country_code(&self.core, &other.core) || behind_country_code(&other.core, &self.core)
    }

    /// How this number is written unlike another: `it begins with 00 instead of +`.
    pub fn unlike(&self, other: &Number<'_>) -> String {
        let (mine, theirs) = (self.shape, other.shape);
        let mut parts: Vec<String> = Vec::new();
        if mine.lead != theirs.lead {
            parts.push(match (mine.lead, theirs.lead) {
                (Lead::Bare, wanted) => format!("the leading {wanted} is missing"),
                (own, Lead::Bare) => format!("it begins with {own}"),
                (own, wanted) => format!("it begins with {own} instead of {wanted}"),
            });
        }
        let facts = [
            (mine.is_tel, theirs.is_tel, "a tel: URI"),
            (mine.is_phone, theirs.is_phone, "the parameter user=phone"),
            (mine.has_routing_number, theirs.has_routing_number, "a routing number (rn)"),
            (mine.has_others, theirs.has_others, "characters that are no digits"),
        ];
        for (own, wanted, what) in facts {
            match (own, wanted) {
                (true, false) => parts.push(format!("it has {what}")),
                (false, true) => parts.push(format!("it lacks {what}")),
                _ => {}
            }
        }
        if parts.is_empty() && self.core.len() != other.core.len() {
            parts.push(format!("it has {} digits instead of {}", self.core.len(), other.core.len()));
        }
        parts.join(" and ")
    }
}

impl Lead {
    /// Digits of it, which are not part of the number proper.
    fn digits(self) -> usize {
        match self {
            Self::Plus | Self::Bare => 0,
            Self::Zero | Self::Nine => 1,
            Self::DoubleZero => 2,
            Self::ZeroOneOne => 3,
        }
    }
}

fn is_phone(uri: &Uri<'_>) -> bool {
    !uri.parameters.0.is_empty() && uri.parameters.get("user").is_some_and(|user| user.eq_ignore_ascii_case(b"phone"))
}

fn lead_of(text: &str, digits: &str) -> Lead {
    let is_long = digits.len() >= LONG_NUMBER_DIGITS;
    if text.trim_start().starts_with('+') {
        Lead::Plus
    } else if digits.starts_with("011") && digits.len() >= LONG_NUMBER_DIGITS + 2 {
        Lead::ZeroOneOne
    } else if is_long && digits.starts_with("00") {
        Lead::DoubleZero
    } else if is_long && digits.starts_with('0') {
        Lead::Zero
    } else if is_long && digits.starts_with('9') {
        Lead::Nine
    } else {
        Lead::Bare
    }
}

/// The user part of a URI as sent, without a password, or what is behind the scheme where there is none: how a report names a party.
pub fn user_of(uri: &str) -> &str {
    // Single bytes of ASCII never stand inside a character, so every cut is one between characters. URIs are short, so that
    // they are walked over faster than searched.
    let bytes = uri.as_bytes();
    let start = bytes.iter().position(|byte| *byte == b':');
    let rest = uri.get(start.map_or(0, |colon| colon + 1)..).unwrap_or_default();
    let (user, is_end): (&str, fn(u8) -> bool) = match rest.bytes().rposition(|byte| byte == b'@') {
        Some(at) => (rest.get(..at).unwrap_or_default(), |byte| matches!(byte, b';' | b'?' | b':')),
        None => (rest, |byte| matches!(byte, b';' | b'?')),
    };
    let end = user.bytes().position(is_end);
    user.get(..end.unwrap_or(user.len())).unwrap_or_default()
}

/// Host of a URI, without port, parameters and brackets; empty for `tel:`.
pub fn host_of(uri: &str) -> &str {
    std::str::from_utf8(Uri::parse(uri.as_bytes()).host_port.host).unwrap_or_default()
}

/// Whether two URIs lead to one place: user, host and port, the scheme's own port where none is named; parameters aside.
pub fn is_same_target(a: &str, b: &str) -> bool {
    let port = |uri: &Uri<'_>| {
        let own = if uri.scheme == Scheme::Sips { 5061 } else { 5060 };
        uri.host_port.port.unwrap_or(own)
    };
    let (a, b) = (Uri::parse(a.as_bytes()), Uri::parse(b.as_bytes()));
    a.user == b.user && a.host_port.host.eq_ignore_ascii_case(b.host_port.host) && port(&a) == port(&b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_the_scheme_s_own_need_not_be_named() {
        assert!(is_same_target("sip:2@B.example:5060", "sip:2@b.example"));
        assert!(is_same_target("sip:2@b.example;transport=tcp", "sip:2@b.example"));
        assert!(!is_same_target("sip:2@b.example:5080", "sip:2@b.example"));
        assert!(!is_same_target("sip:3@b.example", "sip:2@b.example"));
    }

    fn number(uri: &str) -> Number<'_> {
        Number::of(uri).expect("a number")
    }

    #[test]
    fn a_number_is_read_by_its_lead() {
        for (uri, lead, core) in [
            ("sip:+4930123456@a.example", Lead::Plus, "4930123456"),
            ("sip:004930123456@a.example", Lead::DoubleZero, "4930123456"),
            ("tel:011-49-30-123456;phone-context=+1", Lead::ZeroOneOne, "4930123456"),
            ("sip:030123456;npdi@a.example", Lead::Zero, "30123456"),
            ("sip:2001@10.0.0.1", Lead::Bare, "2001"),
            ("sip:%2B4930123456@a.example", Lead::Plus, "4930123456"),
        ] {
            let number = number(uri);
            assert_eq!((lead, core), (number.shape.lead, number.core.as_ref()), "{uri}");
        }
    }

    #[test]
    fn a_name_is_no_number() {
        for uri in ["sip:alice@a.example", "sip:a.example", "", "sip:b2@a", "urn:x"] {
            assert_eq!(None, Number::of(uri), "{uri}");
        }
    }

    #[test]
    fn ways_of_writing_one_subscriber_share_region_and_last_digits() {
        let global = number("sip:+4930123456@a");
        for uri in ["sip:004930123456@a", "sip:030123456@a", "sip:4930123456@a"] {
            let other = number(uri);
            assert_eq!(global.subscriber(), other.subscriber(), "{uri}");
            assert!(global.shares_region(&other) && other.shares_region(&global), "{uri}");
        }
        assert!(!global.shares_region(&number("sip:0044207946000@a")));
        assert!(!global.shares_region(&number("sip:2001@a")));
    }

    #[test]
    fn the_difference_is_told_in_words() {
        let wanted = number("sip:+4930123456@a");
        assert_eq!("it begins with 00 instead of +", number("sip:004930123456@a").unlike(&wanted));
        assert_eq!("the leading + is missing", number("sip:4930123456@a").unlike(&wanted));
        assert_eq!("it has the parameter user=phone", number("sip:+4930123456@a;user=phone").unlike(&wanted));
    }

    #[test]
    fn parties_are_named_by_their_user() {
        assert_eq!("2001", user_of("sip:2001@a.example;x=y"));
        assert_eq!("2001", user_of("sip:2001:secret@a.example"));
        assert_eq!("[2001:db8::1]:5070", user_of("sip:[2001:db8::1]:5070"));
        assert_eq!("", user_of(""));
        assert_eq!("+4930", user_of("tel:+4930;x=y"));
        assert_eq!("a.example", user_of("sip:a.example;transport=udp"));
        assert_eq!("a.example", host_of("sip:2001@a.example:5070;x"));
    }
}
