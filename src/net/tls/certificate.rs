//! The few lines of a certificate that explain why a handshake fails.
//!
//! Source: RFC 5280 section 4.1, RFC 5922 section 7 (SIP domain certificates).

use x509_parser::prelude::{FromDer, GeneralName, X509Certificate, X509Name};

use crate::capture::Timestamp;
use crate::net::tls::hello::short_text;

/// Names of one certificate that are kept.
const NAMES_MAX: usize = 16;

/// What a certificate says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// Common name of the subject, or the whole subject where it has none.
    pub subject: Box<str>,
    /// Common name of the issuer, or the whole issuer where it has none.
    pub issuer: Box<str>,
    /// Host names, URIs and addresses that it is for (subjectAltName); at most 16.
    pub names: Vec<Box<str>>,
    /// Not valid before this moment.
    pub not_before: Timestamp,
    /// Not valid after this moment.
    pub not_after: Timestamp,
    /// Whether subject and issuer are the same.
    pub is_self_issued: bool,
    /// Whether it is signed with SHA-1, which today's stacks refuse.
    pub has_sha1_signature: bool,
}

/// Object identifiers of RSA, DSA and ECDSA signatures over SHA-1 (RFC 3279 section 2.2).
const SHA1_SIGNATURES: [&str; 3] = ["1.2.840.113549.1.1.5", "1.2.840.10040.4.3", "1.2.840.10045.4.1"];

/// Reads a DER certificate; `None` where it is none.
pub(super) fn read(der: &[u8]) -> Option<Certificate> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let alternative = certificate.subject_alternative_name().ok().flatten();
    let names = alternative.iter().flat_map(|names| &names.value.general_names);
    Some(Certificate {
        subject: short_name(certificate.subject()),
        issuer: short_name(certificate.issuer()),
        names: names.filter_map(alternative_name).take(NAMES_MAX).collect(),
        not_before: moment(certificate.validity().not_before.timestamp()),
        not_after: moment(certificate.validity().not_after.timestamp()),
        is_self_issued: certificate.subject().as_raw() == certificate.issuer().as_raw(),
        has_sha1_signature: SHA1_SIGNATURES
            .contains(&certificate.signature_algorithm.algorithm.to_id_string().as_str()),
    })
}

fn short_name(name: &X509Name<'_>) -> Box<str> {
    let common = name.iter_common_name().next().and_then(|common| common.as_str().ok());
    short_text(common.map_or_else(|| name.to_string(), Into::into).as_bytes())
}

fn alternative_name(name: &GeneralName<'_>) -> Option<Box<str>> {
    match name {
        GeneralName::DNSName(name) | GeneralName::URI(name) => Some(short_text(name.as_bytes())),
        GeneralName::IPAddress(bytes) => {
            let v4 = <[u8; 4]>::try_from(*bytes).ok().map(std::net::IpAddr::from);
            let address = v4.or_else(|| <[u8; 16]>::try_from(*bytes).ok().map(std::net::IpAddr::from))?;
            Some(address.to_string().into())
        }
        _ => None,
    }
}

fn moment(seconds: i64) -> Timestamp {
    Timestamp::from_nanoseconds(seconds.saturating_mul(1_000_000_000))
}
