//! Session timers, Replaces, Target-Dialog and Session-ID: values that tie requests to dialogs.
//!
//! Sources: RFC 4028 (session timers), RFC 3891 (Replaces), RFC 4538 (Target-Dialog), RFC 7989 (Session-ID).

use crate::sip::lexer::{Parameters, leading_number};

/// Who repeats the INVITE or UPDATE that keeps a session alive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refresher {
    /// The side that sent the request with the timer.
    Uac,
    /// The side that answered it.
    Uas,
}

/// A Session-Expires or Min-SE value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionExpires {
    /// Seconds until the session ends unless refreshed.
    pub seconds: u64,
    /// Who refreshes; `None` where that is left open.
    pub refresher: Option<Refresher>,
}

impl SessionExpires {
    /// Reads `1800;refresher=uac`; `None` where it does not begin with a number.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let (seconds, rest) = leading_number(text.trim_ascii())?;
        let refresher = match Parameters(rest).get("refresher") {
            Some(word) if word.eq_ignore_ascii_case(b"uac") => Some(Refresher::Uac),
            Some(word) if word.eq_ignore_ascii_case(b"uas") => Some(Refresher::Uas),
            _ => None,
        };
        Some(Self { seconds, refresher })
    }
}

/// A reference to another dialog: a Replaces, Join or Target-Dialog value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DialogReference<'a> {
    /// Call-ID of that dialog.
    pub call_id: &'a [u8],
    /// `to-tag`, or `remote-tag` of Target-Dialog.
    pub to_tag: Option<&'a [u8]>,
    /// `from-tag`, or `local-tag` of Target-Dialog.
    pub from_tag: Option<&'a [u8]>,
    /// Whether only a call that still rings may be replaced.
    pub is_early_only: bool,
}

impl<'a> DialogReference<'a> {
    /// Reads `call-id;to-tag=a;from-tag=b`.
    pub fn parse(text: &'a [u8]) -> Self {
        let end = text.iter().position(|&byte| byte == b';').unwrap_or(text.len());
        let (call_id, parameters) = text.split_at_checked(end).unwrap_or((text, &[]));
        let parameters = Parameters(parameters);
        Self {
            call_id: call_id.trim_ascii(),
            to_tag: parameters.get("to-tag").or_else(|| parameters.get("remote-tag")),
            from_tag: parameters.get("from-tag").or_else(|| parameters.get("local-tag")),
            is_early_only: parameters.has("early-only"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn session_timers_name_seconds_and_refresher() {
        let timer = SessionExpires::parse(b"1800 ; Refresher=UAS").expect("seconds");
        assert_eq!((1800, Some(Refresher::Uas)), (timer.seconds, timer.refresher));
        assert_eq!(None, SessionExpires::parse(b"90").expect("seconds").refresher);
        assert_eq!(None, SessionExpires::parse(b""));
    }

    #[test]
    fn dialog_references_are_read_in_both_spellings() {
        let replaces = DialogReference::parse(b"12@a;to-tag=1;from-tag=2;early-only");
        assert_eq!(
            (&b"12@a"[..], Some(&b"1"[..]), Some(&b"2"[..])),
            (replaces.call_id, replaces.to_tag, replaces.from_tag)
        );
        assert!(replaces.is_early_only);
        let target = DialogReference::parse(b"12@a;local-tag=2;remote-tag=1");
        assert_eq!((Some(&b"1"[..]), Some(&b"2"[..])), (target.to_tag, target.from_tag));
        assert_eq!(b"", DialogReference::parse(b"").call_id);
    }
}
