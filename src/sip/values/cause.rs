//! Reason, Warning and Retry-After: what a sender says about why, and about when to come back.
//!
//! Sources: RFC 3326 (Reason), RFC 3261 sections 20.43 (Warning) and 20.33 (Retry-After).

use crate::sip::lexer::{Parameters, leading_number, quoted_end, strip_quotes, word};

/// One Reason value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reason<'a> {
    /// `SIP`, `Q.850`, `STIR` or another protocol, as sent.
    pub protocol: &'a [u8],
    /// The cause; `None` where there is none or it is no number below 65536.
    pub cause: Option<u16>,
    /// The text without quotes, escapes kept.
    pub text: Option<&'a [u8]>,
    /// All parameters.
    pub parameters: Parameters<'a>,
}

impl<'a> Reason<'a> {
    /// Reads `Q.850;cause=16;text="Terminated"`.
    pub fn parse(text: &'a [u8]) -> Self {
        let end = text.iter().position(|&byte| byte == b';').unwrap_or(text.len());
        let (protocol, parameters) = text.split_at_checked(end).unwrap_or((text, &[]));
        let parameters = Parameters(parameters);
        let cause = parameters.get("cause").and_then(leading_number).and_then(|(cause, _)| u16::try_from(cause).ok());
        Self { protocol: protocol.trim_ascii(), cause, text: parameters.get("text"), parameters }
    }
}

/// One Warning value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Warning<'a> {
    /// The warn-code, 300 to 399; `None` where the value does not begin with a number.
    pub code: Option<u16>,
    /// Who warns: host name, address or pseudonym.
    pub agent: &'a [u8],
    /// The text without quotes, escapes kept.
    pub text: &'a [u8],
}

impl<'a> Warning<'a> {
    /// Reads `304 bob "Incompatible media type"`; a text without quotes reaches to the end.
    pub fn parse(text: &'a [u8]) -> Self {
        let (code, rest) = match leading_number(text.trim_ascii()) {
            Some((code, rest)) => (u16::try_from(code).ok(), rest),
            None => (None, text.trim_ascii()),
        };
        // Some stacks leave the agent out.
        let (agent, rest) = if rest.starts_with(b"\"") { (&[][..], rest) } else { word(rest) };
        let quoted = quoted_end(rest).filter(|_| rest.starts_with(b"\"")).and_then(|end| rest.get(..end));
        Self { code, agent, text: strip_quotes(quoted.unwrap_or(rest)) }
    }
}

/// A Retry-After value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryAfter<'a> {
    /// Seconds to wait.
    pub seconds: u64,
    /// The comment between parentheses, without them.
    pub comment: Option<&'a [u8]>,
    /// Seconds for which the sender will be there then.
    pub duration: Option<u64>,
}

impl<'a> RetryAfter<'a> {
    /// Reads `18000;duration=3600` or `120 (in a meeting)`; `None` where it does not begin with a number.
    pub fn parse(text: &'a [u8]) -> Option<Self> {
        let (seconds, rest) = leading_number(text.trim_ascii())?;
        let (comment, rest) = match rest.strip_prefix(b"(") {
            Some(inner) => {
                let end = inner.iter().rposition(|&byte| byte == b')').unwrap_or(inner.len());
                (inner.get(..end), inner.get(end + 1..).unwrap_or_default())
            }
            None => (None, rest),
        };
        Some(Self { seconds, comment, duration: Parameters(rest).number("duration") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_name_protocol_cause_and_text() {
        let reason = Reason::parse(b"Q.850 ;cause=16 ;text=\"Normal; clearing\"");
        assert_eq!(
            (&b"Q.850"[..], Some(16), Some(&b"Normal; clearing"[..])),
            (reason.protocol, reason.cause, reason.text)
        );
        assert_eq!(Some(480), Reason::parse(b"SIP;cause=\"480\"").cause);
        assert_eq!(None, Reason::parse(b"SIP;cause=x").cause);
        assert_eq!(b"", Reason::parse(b"").protocol);
    }

    #[test]
    fn warnings_are_read_with_and_without_agent_and_quotes() {
        let warning = Warning::parse(b"304 bob:5060 \"Incompatible \\\"media\\\"\"");
        assert_eq!((Some(304), &b"bob:5060"[..]), (warning.code, warning.agent));
        assert_eq!(b"Incompatible \\\"media\\\"", warning.text);
        assert_eq!(
            (&b""[..], &b"text"[..]),
            (Warning::parse(b"399 \"text\"").agent, Warning::parse(b"399 \"text\"").text)
        );
        assert_eq!(b"no codec", Warning::parse(b"305 host no codec").text);
        assert_eq!(None, Warning::parse(b"x").code);
        assert_eq!(b"", Warning::parse(b"399 a \"").text);
    }

    #[test]
    fn retry_after_may_hold_comment_and_duration() {
        let retry = RetryAfter::parse(b"120 (I'm (in) a meeting);duration=60").expect("seconds");
        assert_eq!((120, Some(&b"I'm (in) a meeting"[..]), Some(60)), (retry.seconds, retry.comment, retry.duration));
        assert_eq!(None, RetryAfter::parse(b"later"));
        assert_eq!(Some(&b"x"[..]), RetryAfter::parse(b"5 (x").expect("seconds").comment);
    }
}
