//! URIs: sip, sips, tel, urn and any other scheme, split into parts without judging.
//!
//! Sources: RFC 3261 section 19.1, RFC 3966 (tel), RFC 4694 (number portability parameters).

use std::borrow::Cow;
use std::net::IpAddr;

use memchr::memchr;

use crate::sip::lexer::{Parameters, number};

/// The scheme of a URI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// `sip:`
    Sip,
    /// `sips:`
    Sips,
    /// `tel:`
    Tel,
    /// `urn:`
    Urn,
    /// Any other scheme.
    Other,
    /// There is no scheme.
    Missing,
}

/// Host and port as they stand in a URI or a Via.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HostPort<'a> {
    /// Host name or address, an IPv6 address without its brackets.
    pub host: &'a [u8],
    /// The port; `None` where there is none or it is malformed.
    pub port: Option<u16>,
    /// Whether a port is given that is no number from 1 to 65535.
    pub is_port_bad: bool,
    /// Whether the host is an IPv6 address without brackets, so that its end may be a port as well.
    pub is_unbracketed_ipv6: bool,
}

impl<'a> HostPort<'a> {
    /// Reads `host`, `host:port`, `[v6]` or `[v6]:port`; blanks around each part do not matter.
    pub fn parse(text: &'a [u8]) -> Self {
        let text = text.trim_ascii();
        if let Some(inner) = text.strip_prefix(b"[") {
            let end = inner.iter().position(|&byte| byte == b']').unwrap_or(inner.len());
            let host = inner.get(..end).unwrap_or_default();
            let after = inner.get(end + 1..).unwrap_or_default().trim_ascii();
            return Self::with_port(host, after.strip_prefix(b":"));
        }
        let Some(at) = memchr(b':', text) else {
            return Self { host: text, ..Self::default() };
        };
        let (host, port) = (text.get(..at).unwrap_or_default(), text.get(at + 1..));
        if port.is_some_and(|port| port.contains(&b':')) {
            return Self { host: text, is_unbracketed_ipv6: true, ..Self::default() };
        }
        Self::with_port(host.trim_ascii(), port)
    }

    fn with_port(host: &'a [u8], port: Option<&'a [u8]>) -> Self {
        let Some(text) = port else {
            return Self { host, ..Self::default() };
        };
        let port = number(text.trim_ascii()).and_then(|port| u16::try_from(port).ok()).filter(|&port| port > 0);
        Self { host, port, is_port_bad: port.is_none(), is_unbracketed_ipv6: false }
    }

    /// The host as an address; `None` for a name.
    pub fn address(&self) -> Option<IpAddr> {
        std::str::from_utf8(self.host).ok()?.parse().ok()
    }
}

/// A URI in its parts; each part as sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Uri<'a> {
    /// The whole URI.
    pub text: &'a [u8],
    /// Its scheme.
    pub scheme: Scheme,
    /// User part without password, for `tel:` the number, for other schemes all behind the colon; may hold parameters
    /// and escapes.
    pub user: Option<&'a [u8]>,
    /// What stands between the user's colon and the at sign.
    pub password: Option<&'a [u8]>,
    /// Host and port; empty for `tel:` and other schemes.
    pub host_port: HostPort<'a>,
    /// The parameters behind the host, for `tel:` those behind the number.
    pub parameters: Parameters<'a>,
    /// What follows the question mark: `name=value&name=value`.
    pub headers: Option<&'a [u8]>,
}

impl<'a> Uri<'a> {
    /// Splits `text` into parts; blanks around it do not matter.
    pub fn parse(text: &'a [u8]) -> Self {
        let text = text.trim_ascii();
        let (scheme, rest) = split_scheme(text);
        match scheme {
            Scheme::Tel => Self::parse_tel(text, rest),
            Scheme::Urn | Scheme::Other => Self { user: Some(rest), ..Self::empty(text, scheme) },
            Scheme::Sip | Scheme::Sips | Scheme::Missing => Self::parse_sip(text, scheme, rest),
        }
    }

    fn empty(text: &'a [u8], scheme: Scheme) -> Self {
        let host_port = HostPort::default();
        Self { text, scheme, user: None, password: None, host_port, parameters: Parameters(&[]), headers: None }
    }

    fn parse_tel(text: &'a [u8], rest: &'a [u8]) -> Self {
        let (number, parameters) = cut_at(rest, |byte| byte == b';');
        Self { user: Some(number), parameters: Parameters(parameters), ..Self::empty(text, Scheme::Tel) }
    }

    fn parse_sip(text: &'a [u8], scheme: Scheme, rest: &'a [u8]) -> Self {
        // Senders that do not escape the at sign of a Call-ID in `?Replaces=` are no rarity.
        let first = memchr(b'@', rest).unwrap_or(rest.len());
        let behind = rest.get(first..).unwrap_or_default();
        let end = memchr(b'?', behind).map_or(rest.len(), |at| first + at);
        let before_headers = rest.get(..end).unwrap_or(rest);
        let at = before_headers.iter().rposition(|&byte| byte == b'@');
        let user_info = at.and_then(|at| rest.get(..at));
        let behind = at.and_then(|at| rest.get(at + 1..)).unwrap_or(rest);
        let (host_and_parameters, headers) = cut_at(behind, |byte| byte == b'?');
        let (host_port, parameters) = cut_at(host_and_parameters, |byte| byte == b';');
        let (user, password) = match user_info {
            Some(info) => {
                let (user, password) = cut_at(info, |byte| byte == b':');
                (Some(user), password.get(1..))
            }
            None => (None, None),
        };
        let host_port = HostPort::parse(host_port);
        Self { text, scheme, user, password, host_port, parameters: Parameters(parameters), headers: headers.get(1..) }
    }

    /// The user part before its first `;`, escapes resolved: the number or name that is called.
    pub fn number(&self) -> Option<Cow<'a, [u8]>> {
        Some(unescape(cut_at(self.user?, |byte| byte == b';').0))
    }

    /// The parameters inside the user part (`rn`, `npdi`, `phone-context`), or those of a `tel:` URI.
    pub(in crate::sip) fn number_parameters(&self) -> Parameters<'a> {
        match (self.scheme, self.user) {
            (Scheme::Sip | Scheme::Sips, Some(user)) => Parameters(cut_at(user, |byte| byte == b';').1),
            (Scheme::Tel, _) => self.parameters,
            _ => Parameters(&[]),
        }
    }
}

/// Splits before the first byte that `is_end` takes; the second part keeps that byte.
fn cut_at(text: &[u8], is_end: impl Fn(u8) -> bool) -> (&[u8], &[u8]) {
    let at = text.iter().position(|&byte| is_end(byte)).unwrap_or(text.len());
    text.split_at_checked(at).unwrap_or((text, &[]))
}

fn split_scheme(text: &[u8]) -> (Scheme, &[u8]) {
    // Nearly every URI begins so.
    if let Some(rest) = text.strip_prefix(b"sip:") {
        return (Scheme::Sip, rest);
    }
    let length =
        text.iter().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')).count();
    let name = text.get(..length).unwrap_or_default();
    let Some(rest) = text.get(length..).and_then(|rest| rest.strip_prefix(b":")) else {
        return (Scheme::Missing, text);
    };
    let starts_with_letter = name.first().is_some_and(u8::is_ascii_alphabetic);
    let is = |scheme: &[u8]| name.eq_ignore_ascii_case(scheme);
    match () {
        () if is(b"sip") => (Scheme::Sip, rest),
        () if is(b"sips") => (Scheme::Sips, rest),
        () if is(b"tel") => (Scheme::Tel, rest),
        () if is(b"urn") => (Scheme::Urn, rest),
        // `host:5060` without a scheme looks like one.
        () if !starts_with_letter || begins_with_port(rest) => (Scheme::Missing, text),
        () => (Scheme::Other, rest),
    }
}

/// Whether at most five digits stand before the end or the parameters.
fn begins_with_port(rest: &[u8]) -> bool {
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (1..=5).contains(&digits) && matches!(rest.get(digits), None | Some(b';' | b'?'))
}

/// Resolves `%41`; malformed escapes stay as sent.
pub(in crate::sip) fn unescape(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.contains(&b'%') {
        return Cow::Borrowed(text);
    }
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        if first == b'%'
            && let Some((digits, behind)) = after.split_first_chunk::<2>()
            && let Some(byte) = hexadecimal(*digits)
        {
            out.push(byte);
            rest = behind;
        } else {
            out.push(first);
            rest = after;
        }
    }
    Cow::Owned(out)
}

/// Two hexadecimal digits as a byte.
pub(in crate::sip) fn hexadecimal(digits: [u8; 2]) -> Option<u8> {
    let [high, low] = digits.map(|digit| char::from(digit).to_digit(16));
    u8::try_from(high? * 16 + low?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_at_sign_in_the_headers_of_a_uri_does_not_end_its_user() {
        let uri = Uri::parse(b"sip:2003@10.30.0.1?Replaces=abc@10.0.0.9;to-tag=x");
        assert_eq!(uri.user, Some(b"2003".as_slice()));
        assert_eq!(uri.host_port.host, b"10.30.0.1");
    }

    #[test]
    fn a_sip_uri_comes_apart() {
        let uri = Uri::parse(b" sip:+1234;npdi:secret@[2001:db8::1]:5070;transport=tcp;lr?Subject=a%20b&Replaces=x ");
        assert_eq!(Scheme::Sip, uri.scheme);
        assert_eq!(Some(&b"+1234;npdi"[..]), uri.user);
        assert_eq!(Some(&b"secret"[..]), uri.password);
        assert_eq!(b"2001:db8::1", uri.host_port.host);
        assert_eq!(Some(5070), uri.host_port.port);
        assert_eq!(Some(&b"tcp"[..]), uri.parameters.get("transport"));
        assert_eq!(b"+1234", &*uri.number().expect("a number"));
        assert!(uri.number_parameters().has("npdi"));
        assert_eq!(Some(&b"Subject=a%20b&Replaces=x"[..]), uri.headers);
        assert!(uri.host_port.address().is_some());
    }

    #[test]
    fn other_schemes_keep_what_they_say() {
        let tel = Uri::parse(b"tel:+358-555;phone-context=a");
        assert_eq!((Scheme::Tel, Some(&b"+358-555"[..])), (tel.scheme, tel.user));
        assert!(tel.number_parameters().has("phone-context"));
        assert_eq!(Scheme::Urn, Uri::parse(b"urn:service:sos").scheme);
        assert_eq!(Scheme::Other, Uri::parse(b"soap.beep://192.0.2.103:3002").scheme);
        assert_eq!(Scheme::Missing, Uri::parse(b"10.0.0.1:5060").scheme);
        assert_eq!(Some(5060), Uri::parse(b"10.0.0.1:5060").host_port.port);
    }

    #[test]
    fn odd_hosts_are_marked() {
        assert!(HostPort::parse(b"2001:db8::10").is_unbracketed_ipv6);
        assert!(HostPort::parse(b"a:0").is_port_bad);
        assert!(HostPort::parse(b"a:65536").is_port_bad);
        assert_eq!(Some(4000), HostPort::parse(b"first.example.com: 4000").port);
        assert_eq!(b"::1", HostPort::parse(b"[::1").host);
    }

    #[test]
    fn a_uri_cut_anywhere_is_read() {
        let text = b"sips:a%4:p@[::1]:5061;x?y=%zz";
        for length in 0..=text.len() {
            let uri = Uri::parse(&text[..length]);
            std::hint::black_box((uri.number(), uri.host_port.address()));
        }
        assert_eq!(b"a%4", &*unescape(b"a%4"));
    }
}
