//! Event and Subscription-State: what a subscription is about and how it stands.
//!
//! Source: RFC 6665 sections 8.2.1 and 8.2.3.

use crate::sip::lexer::Parameters;

/// An Event value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event<'a> {
    /// The event package: `dialog`, `presence`, `refer`.
    pub package: &'a [u8],
    /// Distinguishes subscriptions to the same package.
    pub id: Option<&'a [u8]>,
}

impl<'a> Event<'a> {
    /// Reads `refer;id=93809824`.
    pub fn parse(text: &'a [u8]) -> Self {
        let (package, parameters) = head_and_parameters(text);
        Self { package, id: parameters.get("id") }
    }
}

/// A Subscription-State value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubscriptionState<'a> {
    /// `active`, `pending` or `terminated`, as sent.
    pub state: &'a [u8],
    /// Why it ended.
    pub reason: Option<&'a [u8]>,
    /// Seconds that are left.
    pub expires: Option<u64>,
    /// Seconds after which to subscribe again.
    pub retry_after: Option<u64>,
}

impl<'a> SubscriptionState<'a> {
    /// Reads `terminated;reason=noresource`.
    pub fn parse(text: &'a [u8]) -> Self {
        let (state, parameters) = head_and_parameters(text);
        Self {
            state,
            reason: parameters.get("reason"),
            expires: parameters.number("expires"),
            retry_after: parameters.number("retry-after"),
        }
    }

    /// Whether the subscription is over.
    pub fn is_terminated(&self) -> bool {
        self.state.eq_ignore_ascii_case(b"terminated")
    }
}

fn head_and_parameters(text: &[u8]) -> (&[u8], Parameters<'_>) {
    let end = text.iter().position(|&byte| byte == b';').unwrap_or(text.len());
    let (head, parameters) = text.split_at_checked(end).unwrap_or((text, &[]));
    (head.trim_ascii(), Parameters(parameters))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_and_states_are_read() {
        let event = Event::parse(b"refer ;id=93");
        assert_eq!((&b"refer"[..], Some(&b"93"[..])), (event.package, event.id));
        let state = SubscriptionState::parse(b"Terminated;reason=noresource;retry-after=5");
        assert!(state.is_terminated());
        assert_eq!((Some(&b"noresource"[..]), None, Some(5)), (state.reason, state.expires, state.retry_after));
        assert_eq!(b"", Event::parse(b"").package);
    }
}
