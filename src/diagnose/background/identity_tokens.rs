//! Tokens that sign calls: how old they usually are in this capture, and where each was used first.
//!
//! Sources: RFC 8224 section 4 (Identity), RFC 8225 (the token in it).

use crate::call::{FastMap, GroupId, Message, TextId};
use crate::capture::Timestamp;
use crate::diagnose::input::DiagnosisInput;
use crate::sip::{HeaderName, Identity, Method};

/// Signed calls whose token's age is compared.
const SIGNED_CALLS_MAX: usize = 2_000;
/// Signed calls that show how old tokens usually are.
const USUAL_MIN: usize = 3;

/// What the signatures of all calls have in common.
#[derive(Debug, Default)]
pub struct IdentityTokens {
    /// Seconds from issue to INVITE of each signed call, sorted.
    ages: Vec<i64>,
    /// First use of each Identity header: when, and in which Call-ID.
    first_use: FastMap<TextId, (Timestamp, GroupId)>,
}

impl IdentityTokens {
    /// Reads the first INVITEs of all calls, where any message is signed.
    pub(super) fn of(input: &DiagnosisInput<'_>) -> Self {
        let mut tokens = Self::default();
        let lists = input.store.messages.iter().map(|message| message.headers);
        if !input.store.tables.headers.any_has(lists, HeaderName::Identity) {
            return tokens;
        }
        let mut signed = 0;
        for leg in input.calls.iter().filter_map(|call| call.legs.first()) {
            let messages = input.store.messages_of(leg).iter();
            let mut is_first = true;
            for message in messages.filter(|message| message.is_request(Method::Invite) && message.to_tag.is_absent()) {
                for id in identities(input, message) {
                    tokens.first_use.entry(id).or_insert((message.time, message.group));
                    if is_first && signed < SIGNED_CALLS_MAX {
                        tokens.ages.extend(age(input, message, id));
                        signed += 1;
                        is_first = false;
                    }
                }
            }
        }
        tokens.ages.sort_unstable();
        tokens
    }

    /// How old the tokens of most calls seem, where several calls are signed: the clock of the capture when it is far from 0.
    pub fn usual_age(&self) -> Option<i64> {
        (self.ages.len() >= USUAL_MIN).then(|| self.ages[self.ages.len() / 2])
    }

    /// When a token was first used and in which Call-ID.
    pub fn first_use(&self, identity: TextId) -> Option<(Timestamp, GroupId)> {
        self.first_use.get(&identity).copied()
    }
}

/// The Identity headers of a message.
pub fn identities<'a>(input: &'a DiagnosisInput<'_>, message: &'a Message) -> impl Iterator<Item = TextId> + 'a {
    input.store.tables.headers.values_of(message.headers, HeaderName::Identity)
}

/// Seconds from the issue of a token to the capture of the message that carries it.
pub fn age(input: &DiagnosisInput<'_>, message: &Message, identity: TextId) -> Option<i64> {
    let passport = Identity::parse(input.text(identity).as_bytes()).passport().ok()?;
    Some((message.time.nanoseconds() / 1_000_000_000).saturating_sub(passport.issued_at?))
}
