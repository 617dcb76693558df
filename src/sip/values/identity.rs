//! Identity: the signed caller of STIR/SHAKEN, decoded and not verified.
//!
//! Sources: RFC 8224 section 4 (header), RFC 8225 (PASSporT), RFC 8588 (shaken), RFC 8946 (div).

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::sip::lexer::Parameters;

/// Bytes of a token part that are decoded; real ones have a few hundred.
const TOKEN_PART_BYTES_MAX: usize = 16 * 1024;
/// Destinations of a PASSporT that are kept.
const DESTINATIONS_MAX: usize = 32;

/// An Identity value: the token and the parameters beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity<'a> {
    /// The token: `header.payload.signature`, or `..signature` in the compact form.
    pub token: &'a [u8],
    /// The parameters `info`, `alg` and `ppt`.
    pub parameters: Parameters<'a>,
}

/// Why a token could not be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenFault {
    /// The compact form carries no claims.
    Compact,
    /// The token has not three parts.
    Parts(usize),
    /// A part is not base64url.
    Encoding(&'static str),
    /// A part is no JSON object.
    Json(&'static str),
}

impl fmt::Display for TokenFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compact => f.write_str("the token is in its compact form, without claims"),
            Self::Parts(count) => write!(f, "the token has {count} parts, it needs 3"),
            Self::Encoding(part) => write!(f, "the token's {part} is not base64url"),
            Self::Json(part) => write!(f, "the token's {part} is no JSON object"),
        }
    }
}

/// What a PASSporT says. A field is empty or `None` where the token lacks it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Passport {
    /// `typ`, "passport".
    pub kind: Option<String>,
    /// `alg`, "ES256".
    pub algorithm: Option<String>,
    /// `ppt`, the extension: "shaken", "div", "rph".
    pub extension: Option<String>,
    /// `x5u`, where the certificate is.
    pub certificate_url: Option<String>,
    /// `iat`, when the token was issued: seconds since 1970.
    pub issued_at: Option<i64>,
    /// `orig.tn` or `orig.uri`, the caller.
    pub origin: Option<String>,
    /// `dest.tn` and `dest.uri`, the called.
    pub destinations: Vec<String>,
    /// `attest`: A, B or C.
    pub attestation: Option<String>,
    /// `origid`, a UUID that names the origin.
    pub origin_id: Option<String>,
    /// `div.tn` or `div.uri`: who diverted the call.
    pub diverter: Option<String>,
}

impl<'a> Identity<'a> {
    /// Reads one Identity header.
    pub fn parse(text: &'a [u8]) -> Self {
        let end = text.iter().position(|&byte| byte == b';').unwrap_or(text.len());
        let (token, parameters) = text.split_at_checked(end).unwrap_or((text, &[]));
        Self { token: token.trim_ascii(), parameters: Parameters(parameters) }
    }

    /// The certificate's address, without `<>`.
    pub fn info(&self) -> Option<&'a [u8]> {
        let info = self.parameters.get("info")?;
        Some(info.strip_prefix(b"<").and_then(|inner| inner.strip_suffix(b">")).unwrap_or(info))
    }

    /// The PASSporT extension.
    pub fn extension(&self) -> Option<&'a [u8]> {
        self.parameters.get("ppt")
    }

    /// The claims of the token.
    ///
    /// # Errors
    /// [`TokenFault`] says which part is unreadable.
    pub fn passport(&self) -> Result<Passport, TokenFault> {
        let mut parts = self.token.split(|&byte| byte == b'.');
        let (Some(header), Some(payload), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(TokenFault::Parts(self.token.split(|&byte| byte == b'.').count()));
        };
        if header.is_empty() && payload.is_empty() {
            return Err(TokenFault::Compact);
        }
        Ok(Passport::from_json(&decode(header, "header")?, &decode(payload, "payload")?))
    }
}

fn decode(part: &[u8], name: &'static str) -> Result<Value, TokenFault> {
    // Folds inside a token are damage on the way that does not hide what it says.
    let text: Vec<u8> = part
        .iter()
        .copied()
        .filter(|byte| !byte.is_ascii_whitespace() && *byte != b'=')
        .take(TOKEN_PART_BYTES_MAX)
        .collect();
    let json = URL_SAFE_NO_PAD.decode(&text).map_err(|_| TokenFault::Encoding(name))?;
    let value: Value = serde_json::from_slice(&json).map_err(|_| TokenFault::Json(name))?;
    if value.is_object() { Ok(value) } else { Err(TokenFault::Json(name)) }
}

impl Passport {
    fn from_json(header: &Value, payload: &Value) -> Self {
        let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
        let number_or_uri = |key: &str| {
            let party = payload.get(key)?;
            text(party, "tn").or_else(|| text(party, "uri"))
        };
        let mut destinations = Vec::new();
        for key in ["tn", "uri"] {
            match payload.get("dest").and_then(|dest| dest.get(key)) {
                Some(Value::Array(items)) => {
                    destinations.extend(items.iter().filter_map(Value::as_str).map(str::to_owned))
                }
                Some(Value::String(item)) => destinations.push(item.clone()),
                _ => {}
            }
        }
        destinations.truncate(DESTINATIONS_MAX);
        Self {
            kind: text(header, "typ"),
            algorithm: text(header, "alg"),
            extension: text(header, "ppt"),
            certificate_url: text(header, "x5u"),
            issued_at: payload.get("iat").and_then(Value::as_i64),
            origin: number_or_uri("orig"),
            destinations,
            attestation: text(payload, "attest"),
            origin_id: text(payload, "origid"),
            diverter: number_or_uri("div"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> String {
        let header = URL_SAFE_NO_PAD
            .encode(r#"{"alg":"ES256","ppt":"shaken","typ":"passport","x5u":"https://c.example/a.pem"}"#);
        let payload = URL_SAFE_NO_PAD
            .encode(r#"{"attest":"A","dest":{"tn":["12155550113"]},"iat":1443208345,"orig":{"tn":"12155550112"},"origid":"1-2"}"#);
        format!("{header}.{payload}.c2ln")
    }

    #[test]
    fn a_shaken_token_names_caller_called_and_attestation() {
        let value = format!("{};info=<https://c.example/a.pem>;alg=ES256;ppt=\"shaken\"", token());
        let identity = Identity::parse(value.as_bytes());
        assert_eq!(Some(&b"https://c.example/a.pem"[..]), identity.info());
        assert_eq!(Some(&b"shaken"[..]), identity.extension());
        let passport = identity.passport().expect("claims");
        assert_eq!(Some("12155550112"), passport.origin.as_deref());
        assert_eq!(vec!["12155550113".to_owned()], passport.destinations);
        assert_eq!((Some("A"), Some(1443208345)), (passport.attestation.as_deref(), passport.issued_at));
        assert_eq!(Some("https://c.example/a.pem"), passport.certificate_url.as_deref());
    }

    #[test]
    fn an_unreadable_token_says_why() {
        assert_eq!(Err(TokenFault::Compact), Identity::parse(b"..c2ln;info=<a>").passport());
        assert_eq!(Err(TokenFault::Parts(1)), Identity::parse(b"").passport());
        assert_eq!(Err(TokenFault::Encoding("header")), Identity::parse(b"!.e30.x").passport());
        assert_eq!(Err(TokenFault::Json("payload")), Identity::parse(b"e30.MQ.x").passport());
    }

    #[test]
    fn a_token_cut_anywhere_is_read_or_faulted() {
        let token = token();
        for length in 0..token.len() {
            let _ = Identity::parse(&token.as_bytes()[..length]).passport();
        }
    }
}
