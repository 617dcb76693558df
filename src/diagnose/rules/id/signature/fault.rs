//! What can be wrong with a signature, and how it is said.
//!
//! Sources: RFC 8224 sections 4 to 6, RFC 8225 sections 4 and 5, RFC 8588.

use std::fmt;

use crate::diagnose::finding::Confidence;
use crate::sip::TokenFault;

/// Something that is wrong with a signature; as text the end of a sentence that begins with "its signature".
#[derive(Debug, Clone)]
pub enum PassportFault {
    /// The token is damaged.
    Token(TokenFault),
    /// Its algorithm is not ES256.
    Algorithm(Option<String>),
    /// Its type is not `passport`.
    Type(Option<String>),
    /// The header names another extension than the token.
    Extension { header: Option<String>, token: Option<String> },
    /// It says SHAKEN without attestation A, B or C.
    Attestation(Option<String>),
    /// The header names another certificate than the token.
    TwoCertificates { header: String, token: String },
    /// The certificate is not fetched over https.
    PlainCertificate(String),
    /// It is for another caller than the call shows.
    Caller { signed: String, shown: String },
    /// It is for other called numbers than the call goes to.
    Called { signed: String, shown: String },
    /// It was used in another call so many seconds before.
    Replay { seconds: u64 },
    /// It was issued at another time than the INVITE has in Date, both in seconds since 1970.
    Date { issued: i64, date: i64 },
    /// It was issued so many seconds before, or if less than 0 after, the call.
    Age {
        seconds: i64,
        /// Whether other tokens show that the clock of the capture is right.
        is_clock_known: bool,
    },
}

impl PassportFault {
    /// How sure.
    pub fn confidence(&self) -> Confidence {
        match self {
            Self::Age { is_clock_known: false, .. } => Confidence::Likely,
            _ => Confidence::Certain,
        }
    }

    /// What makes it the same problem in other calls.
    pub fn signature(&self) -> &'static str {
        match self {
            Self::Token(_) => "token",
            Self::Algorithm(_) => "alg",
            Self::Type(_) => "typ",
            Self::Extension { .. } => "ppt",
            Self::Attestation(_) => "attest",
            Self::TwoCertificates { .. } | Self::PlainCertificate(_) => "x5u",
            Self::Caller { .. } => "caller",
            Self::Called { .. } => "called",
            Self::Replay { .. } => "replay",
            Self::Date { .. } => "date",
            Self::Age { .. } => "age",
        }
    }

    /// What follows `signature` in a title.
    pub fn title(&self) -> &'static str {
        match self {
            Self::Age { .. } | Self::Date { .. } => "is not fresh",
            Self::Caller { .. } => "is for another caller",
            Self::Called { .. } => "is for another called number",
            Self::Replay { .. } => "was used before",
            _ => "is malformed",
        }
    }

    /// What whoever signs does differently.
    pub fn fix(&self) -> &'static str {
        match self {
            Self::Token(_) => {
                "send the token whole, on one line; no element on the way may shorten or fold the Identity header"
            }
            Self::Caller { .. } | Self::Called { .. } => {
                "sign after the last change of the numbers, and let no element behind the signer rewrite them"
            }
            Self::Replay { .. } | Self::Date { .. } | Self::Age { .. } => {
                "sign each call when it is placed, with a clock that NTP keeps right"
            }
            _ => "sign with typ passport, alg ES256 and the same ppt and certificate address in token and header",
        }
    }
}

impl fmt::Display for PassportFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or_none = |value: &Option<String>| value.as_deref().unwrap_or("none").to_owned();
        let side = |is_before: bool| if is_before { "before" } else { "after" };
        match self {
            Self::Token(damage) => write!(f, "cannot be read: {damage}"),
            Self::Algorithm(named) => write!(f, "names the algorithm {}, and only ES256 is taken", or_none(named)),
            Self::Type(named) => write!(f, "has typ {} instead of passport", or_none(named)),
            Self::Extension { header, token } => {
                write!(f, "says ppt {} in the header and {} in the token", or_none(header), or_none(token))
            }
            Self::Attestation(named) => {
                write!(f, "has the attestation {}, which must be A, B or C", or_none(named))
            }
            Self::TwoCertificates { header, token } => {
                write!(f, "names two certificates, {header} in the header and {token} in the token")
            }
            Self::PlainCertificate(url) => write!(f, "names a certificate that is not fetched over https: {url}"),
            Self::Caller { signed, shown } => write!(f, "is for the caller {signed}, and the call shows {shown}"),
            Self::Called { signed, shown } => write!(f, "is for a call to {signed}, and the call goes to {shown}"),
            Self::Replay { seconds } => write!(f, "was already used in another call {seconds} s before"),
            Self::Date { issued, date } => {
                let side = side(issued < date);
                write!(f, "was issued {} s {side} the Date of the INVITE", date.abs_diff(*issued))
            }
            Self::Age { seconds, is_clock_known } => {
                let caution = if *is_clock_known { "" } else { ", by the clock of the capture" };
                write!(f, "was issued {} s {} the call{caution}", seconds.unsigned_abs(), side(*seconds > 0))
            }
        }
    }
}
