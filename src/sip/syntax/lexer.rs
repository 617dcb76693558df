//! The small words of header values: blanks, tokens, quoted strings, parameters, lists.
//!
//! Source: RFC 3261 section 25.1. Folds count as blanks everywhere, so that values need no unfolding before they are read.

use memchr::{memchr, memchr2};

use crate::sip::syntax::places::Places;

/// A number of ASCII digits without anything else; `None` where it is none or does not fit.
pub fn number(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0u64, |value, &byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        value.checked_mul(10)?.checked_add(digit)
    })
}

/// The digits at the start of `text` as a number, and what follows them without blanks.
pub(in crate::sip) fn leading_number(text: &[u8]) -> Option<(u64, &[u8])> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = text.split_at_checked(digits)?;
    Some((number(digits)?, rest.trim_ascii()))
}

/// The first word up to a blank, and what follows it without blanks.
pub fn word(text: &[u8]) -> (&[u8], &[u8]) {
    let text = text.trim_ascii_start();
    let end = text.iter().position(u8::is_ascii_whitespace).unwrap_or(text.len());
    let (word, rest) = text.split_at_checked(end).unwrap_or((text, &[]));
    (word, rest.trim_ascii())
}

/// Where `wanted` first stands outside quoted strings and `<>`.
pub(in crate::sip) fn find_outside(text: &[u8], wanted: u8) -> Option<usize> {
    // Nearly always it stands before any quote or bracket, or there are none.
    let mut position = Places::of(text, [wanted, b'"', b'<']).next()?;
    let mut is_quoted = false;
    let mut is_bracketed = false;
    while let Some(&byte) = text.get(position) {
        match byte {
            b'\\' if is_quoted => position += 1,
            b'"' => is_quoted = !is_quoted,
            _ if is_quoted => {}
            _ if byte == wanted && !is_bracketed => return Some(position),
            b'<' => is_bracketed = true,
            b'>' => is_bracketed = false,
            _ => {}
        }
        position += 1;
    }
    None
}

/// The parts of `text` between `separator`s outside quotes and `<>`, without blanks around them; empty parts are left out.
pub(in crate::sip) fn split_outside(text: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> + use<'_> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        loop {
            let current = rest?;
            let at = find_outside(current, separator);
            let part = current.get(..at.unwrap_or(current.len())).unwrap_or_default().trim_ascii();
            rest = at.and_then(|at| current.get(at + 1..));
            if !part.is_empty() {
                return Some(part);
            }
        }
    })
}

/// The values of a list that commas part.
pub fn split_commas(text: &[u8]) -> impl Iterator<Item = &[u8]> + use<'_> {
    split_outside(text, b',')
}

/// A parameter, `name=value` or `name`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter<'a> {
    /// The name as sent; case does not matter.
    pub name: &'a [u8],
    /// The value as sent, quotes included; `None` where there is no `=`.
    pub value: Option<&'a [u8]>,
}

impl<'a> Parameter<'a> {
    /// Reads one parameter.
    #[inline]
    pub fn parse(text: &'a [u8]) -> Self {
        match text.iter().position(|&byte| byte == b'=') {
            Some(at) => Self {
                name: text.get(..at).unwrap_or_default().trim_ascii(),
                value: text.get(at + 1..).map(<[u8]>::trim_ascii),
            },
            None => Self { name: text.trim_ascii(), value: None },
        }
    }

    /// Whether this is the parameter called `name`.
    #[inline]
    pub fn is(&self, name: &str) -> bool {
        self.name.len() == name.len() && self.name.eq_ignore_ascii_case(name.as_bytes())
    }
}

/// The parameters behind a header value, as sent: `;name=value;name`, the first `;` optional.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Parameters<'a>(pub &'a [u8]);

impl<'a> Parameters<'a> {
    /// Every parameter in order.
    pub fn iter(&self) -> impl Iterator<Item = Parameter<'a>> + use<'a> {
        split_outside(self.0, b';').map(Parameter::parse)
    }

    /// Hands out every parameter as sent, in order, for readers that want several.
    #[inline]
    pub fn parts(&self, mut take: impl FnMut(&'a [u8])) {
        if memchr2(b'"', b'<', self.0).is_some() {
            return split_outside(self.0, b';').for_each(take);
        }
        let mut rest = self.0;
        loop {
            let at = memchr(b';', rest);
            let part = rest.get(..at.unwrap_or(rest.len())).unwrap_or_default();
            if !part.is_empty() {
                take(part);
            }
            let Some(behind) = at.and_then(|at| rest.get(at + 1..)) else {
                return;
            };
            rest = behind;
        }
    }

    /// The value of the parameter called `name`, without quotes around it (escapes inside are kept); empty where the
    /// parameter has no value, `None` where there is no such parameter.
    pub fn get(&self, name: &str) -> Option<&'a [u8]> {
        if memchr2(b'"', b'<', self.0).is_none() {
            return self.get_plain(name.as_bytes());
        }
        let found = self.iter().find(|parameter| parameter.is(name))?;
        Some(found.value.map_or(&[][..], strip_quotes))
    }

    /// The same where nothing is quoted, as in nearly every Via, From and To: names are compared before anything is split.
    fn get_plain(&self, name: &[u8]) -> Option<&'a [u8]> {
        let mut rest = self.0;
        loop {
            let at = memchr(b';', rest);
            let part = rest.get(..at.unwrap_or(rest.len()))?.trim_ascii_start();
            if let Some((begin, after)) = part.split_at_checked(name.len())
                && begin.eq_ignore_ascii_case(name)
            {
                match after.trim_ascii_start() {
                    [] => return Some(&[]),
                    [b'=', value @ ..] => return Some(value.trim_ascii()),
                    _ => {}
                }
            }
            rest = rest.get(at? + 1..)?;
        }
    }

    /// Whether the parameter called `name` is there.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The value of the parameter called `name` as a number; `None` also where it is none.
    pub fn number(&self, name: &str) -> Option<u64> {
        number(self.get(name)?)
    }
}

/// `text` without the quotes around it, if there are any; escapes inside are kept.
pub(in crate::sip) fn strip_quotes(text: &[u8]) -> &[u8] {
    let Some(inner) = text.strip_prefix(b"\"") else {
        return text;
    };
    inner.strip_suffix(b"\"").unwrap_or(inner)
}

/// A quoted string's end: place behind the closing quote; `None` where it is not closed. `text` begins at the quote.
pub(in crate::sip) fn quoted_end(text: &[u8]) -> Option<usize> {
    let mut position = 1;
    loop {
        match text.get(position)? {
            b'\\' => position += 2,
            b'"' => return Some(position + 1),
            _ => position += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_in_quotes_and_brackets_part_nothing() {
        let parts: Vec<_> = split_commas(b"\"a, \\\" b\" <sip:a,b@c>;q=1 , <sip:d>,,").collect();
        assert_eq!(vec![&b"\"a, \\\" b\" <sip:a,b@c>;q=1"[..], b"<sip:d>"], parts);
        assert_eq!(0, split_commas(b"").count());
    }

    #[test]
    fn parameters_are_found_in_any_case_and_without_quotes() {
        let parameters = Parameters(b"; Tag=a1 ;lr;text = \"x;y\" ;n=07");
        assert_eq!(Some(&b"a1"[..]), parameters.get("tag"));
        assert_eq!(Some(&b""[..]), parameters.get("LR"));
        assert_eq!(Some(&b"x;y"[..]), parameters.get("text"));
        assert_eq!(Some(7), parameters.number("n"));
        assert_eq!(None, parameters.get("x"));
    }

    #[test]
    fn numbers_that_do_not_fit_are_none() {
        assert_eq!(Some(u64::MAX), number(b"18446744073709551615"));
        assert_eq!(None, number(b"18446744073709551616"));
        assert_eq!(None, number(b""));
        assert_eq!(None, number(b"+1"));
        assert_eq!(Some((18, &b"(soon);duration=3"[..])), leading_number(b"18 (soon);duration=3"));
        assert_eq!(None, leading_number(b"x"));
    }

    #[test]
    fn a_quoted_string_ends_at_its_own_quote() {
        assert_eq!(Some(6), quoted_end(b"\"a\\\"b\" x"));
        assert_eq!(None, quoted_end(b"\"a\\\""));
        assert_eq!(None, quoted_end(b"\""));
        assert_eq!(None, quoted_end(b""));
    }
}
