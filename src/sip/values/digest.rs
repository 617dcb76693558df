//! Digest challenges and credentials.
//!
//! Sources: RFC 3261 section 22.4, RFC 7616 sections 3.3 and 3.4, RFC 8760 (algorithms in SIP).

use crate::sip::lexer::{Parameter, split_commas, strip_quotes, word};

/// A challenge (`WWW-Authenticate`, `Proxy-Authenticate`) or credentials (`Authorization`, `Proxy-Authorization`).
///
/// Each header is one value; its commas part parameters, so it must come from [`crate::sip::Message::values`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digest<'a> {
    /// `Digest`, `Basic` or another scheme, as sent.
    pub scheme: &'a [u8],
    parameters: &'a [u8],
}

impl<'a> Digest<'a> {
    /// Reads a whole header value.
    pub fn parse(text: &'a [u8]) -> Self {
        let (scheme, parameters) = word(text);
        Self { scheme, parameters }
    }

    /// Whether the scheme is Digest.
    pub fn is_digest(&self) -> bool {
        self.scheme.eq_ignore_ascii_case(b"Digest")
    }

    /// Every parameter in order, quotes kept.
    pub fn parameters(&self) -> impl Iterator<Item = Parameter<'a>> + use<'a> {
        split_commas(self.parameters).map(Parameter::parse)
    }

    /// The parameter called `name` without quotes, escapes kept.
    pub fn get(&self, name: &str) -> Option<&'a [u8]> {
        self.parameters().find(|parameter| parameter.is(name))?.value.map(strip_quotes)
    }

    /// The protection domain.
    pub fn realm(&self) -> Option<&'a [u8]> {
        self.get("realm")
    }

    /// The server's nonce.
    pub fn nonce(&self) -> Option<&'a [u8]> {
        self.get("nonce")
    }

    /// The algorithm as sent; where it is absent, MD5 is meant.
    pub fn algorithm(&self) -> &'a [u8] {
        self.get("algorithm").unwrap_or(b"MD5")
    }

    /// The qualities of protection: a list in a challenge, one in credentials.
    pub fn qop(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        split_commas(self.get("qop").unwrap_or_default())
    }

    /// Whether the server says that only the nonce was too old.
    pub fn is_stale(&self) -> bool {
        self.get("stale").is_some_and(|value| value.eq_ignore_ascii_case(b"true"))
    }

    /// Who logs in.
    pub fn username(&self) -> Option<&'a [u8]> {
        self.get("username")
    }

    /// The URI that the digest was made for.
    pub fn uri(&self) -> Option<&'a [u8]> {
        self.get("uri")
    }

    /// How often the client has used this nonce: eight hexadecimal digits as a number.
    pub fn nonce_count(&self) -> Option<u32> {
        let text = std::str::from_utf8(self.get("nc")?).ok()?;
        u32::from_str_radix(text, 16).ok()
    }

    /// The client's nonce.
    pub fn client_nonce(&self) -> Option<&'a [u8]> {
        self.get("cnonce")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_challenge_is_read_across_folds_and_commas_in_quotes() {
        let text = b"Digest realm=\"a, \\\"b\\\"\", nonce=\"n==\",\r\n\tqop=\"auth, auth-int\", STALE=True , algorithm=SHA-256";
        let challenge = Digest::parse(text);
        assert!(challenge.is_digest() && challenge.is_stale());
        assert_eq!(Some(&b"a, \\\"b\\\""[..]), challenge.realm());
        assert_eq!(Some(&b"n=="[..]), challenge.nonce());
        assert_eq!(vec![&b"auth"[..], b"auth-int"], challenge.qop().collect::<Vec<_>>());
        assert_eq!(b"SHA-256", challenge.algorithm());
    }

    #[test]
    fn credentials_count_their_nonce_in_hexadecimal() {
        let credentials =
            Digest::parse(b"digest username=\"bob\",uri=\"sip:a;b\",nc=0000001A,cnonce=\"\",response=\"00112233\"");
        assert_eq!(Some(26), credentials.nonce_count());
        assert_eq!((Some(&b"bob"[..]), Some(&b"sip:a;b"[..])), (credentials.username(), credentials.uri()));
        assert_eq!(Some(&b""[..]), credentials.client_nonce());
        assert_eq!(b"MD5", credentials.algorithm());
    }

    #[test]
    fn a_challenge_cut_anywhere_is_read() {
        let text = b"Digest realm=\"a\\\"\", nonce=\"n\", nc=1, qop=\"auth\"";
        for length in 0..=text.len() {
            let challenge = Digest::parse(&text[..length]);
            std::hint::black_box((challenge.realm(), challenge.nonce_count(), challenge.qop().count()));
        }
    }
}
