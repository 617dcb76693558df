//! Media types of bodies: Content-Type and Accept values.
//!
//! Source: RFC 3261 sections 20.1 and 20.15, RFC 2045 section 5.1.

use crate::sip::lexer::Parameters;

/// A media type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MediaType<'a> {
    /// `application`
    pub kind: &'a [u8],
    /// `sdp`; empty where there is no slash.
    pub subtype: &'a [u8],
    /// `boundary=...` and others.
    pub parameters: Parameters<'a>,
}

impl<'a> MediaType<'a> {
    /// Reads `multipart/mixed;boundary="b1"`.
    pub fn parse(text: &'a [u8]) -> Self {
        let end = text.iter().position(|&byte| byte == b';').unwrap_or(text.len());
        let (name, parameters) = text.split_at_checked(end).unwrap_or((text, &[]));
        let slash = name.iter().position(|&byte| byte == b'/').unwrap_or(name.len());
        let (kind, subtype) = name.split_at_checked(slash).unwrap_or((name, &[]));
        Self {
            kind: kind.trim_ascii(),
            subtype: subtype.get(1..).unwrap_or_default().trim_ascii(),
            parameters: Parameters(parameters),
        }
    }

    /// Whether this is `kind/subtype`, in any case.
    pub fn is(&self, kind: &str, subtype: &str) -> bool {
        self.kind.eq_ignore_ascii_case(kind.as_bytes()) && self.subtype.eq_ignore_ascii_case(subtype.as_bytes())
    }

    /// Whether this is `application/sdp`.
    pub fn is_sdp(&self) -> bool {
        self.is("application", "sdp")
    }

    /// Whether the body has parts of its own.
    pub fn is_multipart(&self) -> bool {
        self.kind.eq_ignore_ascii_case(b"multipart")
    }

    /// What parts a multipart body, without the two hyphens before it.
    pub(in crate::sip) fn boundary(&self) -> Option<&'a [u8]> {
        self.parameters.get("boundary").filter(|boundary| !boundary.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types_are_told_in_any_case() {
        assert!(MediaType::parse(b"Application / SDP ; x=y").is_sdp());
        let parts = MediaType::parse(b"multipart/mixed;boundary=\"a;b\"");
        assert!(parts.is_multipart());
        assert_eq!(Some(&b"a;b"[..]), parts.boundary());
        assert_eq!(b"", MediaType::parse(b"text").subtype);
        assert_eq!(b"", MediaType::parse(b"").kind);
    }
}
