//! Addresses in From, To, Contact, Route and their like: display name, URI, header parameters.
//!
//! Source: RFC 3261 sections 20.10, 20.20 and 25.1 (name-addr, addr-spec).

use memchr::memchr;

use crate::sip::lexer::{Parameters, quoted_end};
use crate::sip::syntax::start_line::is_token_byte;

/// A display name, a URI and the parameters behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NameAddr<'a> {
    /// The display name without quotes, escapes kept; empty where none.
    pub display: &'a [u8],
    /// The URI without `<>`, as sent; `*` for a Contact that removes all bindings.
    pub uri: &'a [u8],
    /// The header's own parameters: tag, expires, q, reg-id.
    pub parameters: Parameters<'a>,
    /// Whether the URI stands in `<>`; without them every parameter belongs to the header.
    pub has_brackets: bool,
    /// Whether quotes and brackets are closed.
    pub is_closed: bool,
}

impl<'a> NameAddr<'a> {
    /// Reads one address; a list must be split first ([`crate::sip::Message::list`]).
    pub fn parse(text: &'a [u8]) -> Self {
        let text = text.trim_ascii();
        let Some(end) = text.starts_with(b"\"").then(|| quoted_end(text)) else {
            return Self::parse_unquoted(text);
        };
        match end {
            Some(end) => {
                let display = text.get(1..end - 1).unwrap_or_default();
                let rest = Self::parse_unquoted(text.get(end..).unwrap_or_default());
                Self { display, ..rest }
            }
            None => Self { is_closed: false, ..Self::parse_unquoted(text) },
        }
    }

    fn parse_unquoted(text: &'a [u8]) -> Self {
        if let Some(open) = memchr(b'<', text) {
            let display = text.get(..open).unwrap_or_default().trim_ascii();
            let inner = text.get(open + 1..).unwrap_or_default();
            let close = memchr(b'>', inner);
            let uri = inner.get(..close.unwrap_or(inner.len())).unwrap_or_default().trim_ascii();
            let after = close.and_then(|close| inner.get(close + 1..)).unwrap_or_default();
            let parameters = Parameters(after);
            return Self { display, uri, parameters, has_brackets: true, is_closed: close.is_some() };
        }
        let end = memchr(b';', text).unwrap_or(text.len());
        let (uri, parameters) = text.split_at_checked(end).unwrap_or((text, &[]));
        let parameters = Parameters(parameters);
        Self { display: &[], uri: uri.trim_ascii(), parameters, has_brackets: false, is_closed: true }
    }

    /// The dialog tag; `None` where there is none.
    pub fn tag(&self) -> Option<&'a [u8]> {
        // Nearly always the tag is the only parameter and plain.
        if let Some(tag) = self.parameters.0.strip_prefix(b";tag=")
            && tag.iter().all(|byte| is_token_byte(*byte))
        {
            return Some(tag);
        }
        self.parameters.get("tag")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_without_brackets_belong_to_the_header() {
        let from = NameAddr::parse(b"sip:user@example.com;tag=81x2");
        assert_eq!((&b"sip:user@example.com"[..], Some(&b"81x2"[..])), (from.uri, from.tag()));
        let from = NameAddr::parse(b"<sip:user@example.com;lr>;tag=1");
        assert_eq!((&b"sip:user@example.com;lr"[..], Some(&b"1"[..])), (from.uri, from.tag()));
    }

    #[test]
    fn display_names_may_be_quoted_or_not() {
        let quoted = NameAddr::parse(b"\"J <Rosenberg> \\\\\\\"\"\r\n <sip:a@b> ; tag = 9");
        assert_eq!(b"J <Rosenberg> \\\\\\\"", quoted.display);
        assert_eq!((&b"sip:a@b"[..], Some(&b"9"[..])), (quoted.uri, quoted.tag()));
        assert_eq!(b"Bell, A", NameAddr::parse(b"Bell, A<sip:a@b>").display);
        assert!(!NameAddr::parse(b"\"Mr. J. <sip:a@b>").is_closed);
        assert_eq!(b"sip:a@b", NameAddr::parse(b"\"Mr. J. <sip:a@b>").uri);
    }

    #[test]
    fn contact_parameters_are_read() {
        let contact = NameAddr::parse(b"<sip:a@b>;expires=60;+sip.instance=\"<urn:uuid:1>\";q=0.5");
        assert_eq!(Some(60), contact.parameters.number("expires"));
        assert_eq!(b"*", NameAddr::parse(b"*").uri);
    }

    #[test]
    fn an_address_cut_anywhere_is_read() {
        let text = b"\"A \\\" B\" <sip:a@b;c>;tag=\"d\"";
        for length in 0..=text.len() {
            let address = NameAddr::parse(&text[..length]);
            std::hint::black_box((address.tag(), address.uri));
        }
    }
}
