//! Bindings: which device an address-of-record led to at a moment, as the REGISTER requests of the capture show.
//!
//! Source: RFC 3261 sections 10.2 (expiry, removal, `Contact: *`) and 10.3.

use std::collections::HashMap;
use std::time::Duration;

use crate::call::beside::registration::{RegisterAttempt, RegistrationOutcome, address_of};
use crate::call::store::endpoint::NodeId;
use crate::call::store::fast_map::FastMap;
use crate::call::store::tables::Tables;
use crate::capture::Timestamp;
use crate::sip::number::{host_of, user_of};

/// How long a binding lives where the registrar does not say (RFC 3261 section 10.2.1.1).
const EXPIRY_UNSAID: Duration = Duration::from_secs(3600);
/// Tries looked back at for one moment: a device refreshes every minute at most, and bindings last hours.
const TRIES_MAX: usize = 256;
/// Contacts distinguished for one address-of-record; hundreds of devices on one address occur in attacks alone.
const CONTACTS_MAX: usize = 32;

/// What is known of an address-of-record at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binding {
    /// Index of the try that decides, among all tries of the run.
    pub attempt: u32,
    /// What it led to.
    pub state: BindingState,
}

/// Whether an address-of-record leads to a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BindingState {
    /// It does, until the binding expires.
    Active {
        /// When that is.
        until: Timestamp,
    },
    /// The last binding expired without being refreshed.
    Expired {
        /// When that was.
        at: Timestamp,
    },
    /// The device took its last binding away.
    Removed {
        /// When that was.
        at: Timestamp,
    },
    /// Every try to register failed.
    Refused,
}

/// Every address-of-record that a device tried to register in the capture.
#[derive(Debug, Default)]
pub struct Bindings {
    /// Tries by the user of their address-of-record, in the order in which they ended.
    by_user: FastMap<Box<str>, Vec<u32>>,
}

impl Bindings {
    /// Indexes the tries of a run.
    pub fn of(attempts: &[RegisterAttempt], tables: &Tables) -> Self {
        let mut by_user: FastMap<Box<str>, Vec<u32>> = HashMap::default();
        for (index, attempt) in attempts.iter().enumerate() {
            let user = user_of(tables.text(attempt.aor)).to_ascii_lowercase();
            by_user.entry(user.into()).or_default().push(index as u32);
        }
        for tries in by_user.values_mut() {
            tries.sort_by_key(|index| attempts[*index as usize].ended);
        }
        Self { by_user }
    }

    /// What `aor` led to at `time`; `None` where no try for it had ended by then.
    ///
    /// An address-of-record is the same where user and host are, or where the user is and the registrar is one of `nodes`:
    /// calls often name a registrar by its address rather than its domain.
    pub fn binding_at(
        &self,
        attempts: &[RegisterAttempt],
        tables: &Tables,
        aor: &str,
        nodes: &[NodeId],
        time: Timestamp,
    ) -> Option<Binding> {
        let user = user_of(aor).to_ascii_lowercase();
        let tries = self.by_user.get(user.as_str())?;
        let known = tries.partition_point(|index| attempts[*index as usize].ended <= time);
        let recent = tries.get(known.saturating_sub(TRIES_MAX)..known)?;
        let host = host_of(aor);
        let of_aor = recent.iter().map(|index| (*index, &attempts[*index as usize]));
        let of_aor = of_aor.filter(|(_, attempt)| {
            host.eq_ignore_ascii_case(host_of(tables.text(attempt.aor)))
                || nodes.contains(&tables.node(attempt.registrar))
        });
        let mut contacts: Vec<(&str, Binding)> = Vec::new();
        let mut refused = None;
        for (index, attempt) in of_aor {
            let Some(state) = state_after(attempt) else {
                refused = refused.or(Some(Binding { attempt: index, state: BindingState::Refused }));
                continue;
            };
            let contact = address_of(tables.text(attempt.contact));
            let binding = Binding { attempt: index, state };
            if contact == "*" {
                contacts.clear();
            }
            match contacts.iter().position(|(known, _)| *known == contact) {
                Some(place) => contacts[place].1 = binding,
                None if contacts.len() < CONTACTS_MAX => contacts.push((contact, binding)),
                None => {}
            }
        }
        let now = contacts.into_iter().map(|(_, binding)| binding.at(time));
        now.max_by_key(|binding| binding.rank()).or(refused)
    }
}

impl Binding {
    /// The binding as it stands at a moment.
    fn at(self, time: Timestamp) -> Self {
        match self.state {
            BindingState::Active { until } if until <= time => {
                Self { state: BindingState::Expired { at: until }, ..self }
            }
            _ => self,
        }
    }

    /// A live binding hides dead ones; of dead ones the last to die counts.
    fn rank(self) -> (u8, Timestamp) {
        match self.state {
            BindingState::Active { until } => (1, until),
            BindingState::Expired { at } | BindingState::Removed { at } => (0, at),
            BindingState::Refused => (0, Timestamp::default()),
        }
    }
}

fn state_after(attempt: &RegisterAttempt) -> Option<BindingState> {
    if attempt.outcome != RegistrationOutcome::Registered {
        return None;
    }
    if attempt.is_removal || attempt.expires_s == Some(0) {
        return Some(BindingState::Removed { at: attempt.ended });
    }
    let expiry = attempt.expires_s.map_or(EXPIRY_UNSAID, |seconds| Duration::from_secs(u64::from(seconds)));
    Some(BindingState::Active { until: attempt.ended.plus(expiry) })
}
