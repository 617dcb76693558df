//! Registered devices: which one stands behind an address that leaves something unanswered, and since when it has been silent.
//!
//! Sources: RFC 3261 section 10.3 (what a contact is for), RFC 5626 sections 3.5 and 4.4 (mappings that close, keep-alives).

use std::net::IpAddr;
use std::time::Duration;

use crate::call::beside::registration::{RegisterAttempt, RegistrationOutcome, address_of};
use crate::call::{EndpointId, FastMap, detail::target, is_private};
use crate::capture::{FrameRef, Timestamp};
use crate::diagnose::background::needs::Needs;
use crate::diagnose::background::node_activity::NodeActivity;
use crate::diagnose::finding::words::duration;
use crate::diagnose::finding::{Evidence, Steps};
use crate::diagnose::input::DiagnosisInput;
use crate::sip::HeaderName;
use crate::sip::number::user_of;

/// Silence after which many NATs have closed a UDP mapping (RFC 4787 section 4.3 wants two minutes, many take 30 s).
const IDLE_MIN: Duration = Duration::from_secs(30);
/// How long a binding lives where the registrar does not say (RFC 3261 section 10.2.1.1).
const EXPIRY_UNSAID: Duration = Duration::from_secs(3600);
/// Registrations from one address that are looked back at.
const TRIES_MAX: usize = 256;

/// Indices of the accepted tries to register that came from each endpoint, in the order in which they ended.
#[derive(Debug, Default)]
pub struct RegisteredDevices(FastMap<EndpointId, Vec<u32>>);

/// A device as it was registered when something was sent to it.
#[derive(Debug, Clone)]
pub struct Device {
    /// Its address-of-record.
    pub aor: String,
    /// Where its registrar accepted it last.
    pub registered_at: FrameRef,
    /// The REGISTER that asked for that, which names its Contact.
    asked_at: FrameRef,
    /// Its Contact as sent.
    contact: String,
    /// How long before it had registered.
    age: Duration,
    /// How long it had said nothing.
    idle: Duration,
    /// Its own address, where that is a private one and its packets come from a public one.
    inside: Option<IpAddr>,
}

impl RegisteredDevices {
    /// Files the tries of a run.
    pub(super) fn of(input: &DiagnosisInput<'_>, needs: Needs) -> Self {
        let mut devices = Self::default();
        if !needs.silence {
            return devices;
        }
        let accepted = (0_u32..)
            .zip(input.attempts)
            .filter(|(_, attempt)| attempt.outcome == RegistrationOutcome::Registered && !attempt.contact.is_absent());
        for (index, attempt) in accepted {
            devices.0.entry(attempt.source).or_default().push(index);
        }
        for tries in devices.0.values_mut() {
            tries.sort_by_key(|index| input.attempts[*index as usize].ended);
        }
        devices
    }

    /// The device that is registered from an endpoint at a moment; `None` where none is, and where several are, as at a proxy.
    pub fn at(
        &self,
        input: &DiagnosisInput<'_>,
        activity: &NodeActivity,
        endpoint: EndpointId,
        time: Timestamp,
    ) -> Option<Device> {
        let tries = self.0.get(&endpoint)?;
        let known = tries.partition_point(|index| input.attempts[*index as usize].ended <= time);
        let recent = tries.get(known.saturating_sub(TRIES_MAX)..known)?;
        let last = &input.attempts[*recent.last()? as usize];
        let mut users = recent.iter().map(|index| &input.attempts[*index as usize]);
        if users.any(|attempt| attempt.aor != last.aor) {
            return None;
        }
        let granted = last.expires_s.map_or(EXPIRY_UNSAID, |seconds| Duration::from_secs(u64::from(seconds)));
        if last.is_removal || time > last.ended.plus(granted) || came_through_proxy(input, last) {
            return None;
        }
        let heard = activity.last_from(input.store, endpoint, time);
        let heard = heard.map_or(last.ended, |message| message.time.max(last.ended));
        let contact = input.text(last.contact);
        let public = input.store.tables.endpoint(endpoint).address;
        let inside = target::address(address_of(contact)).filter(|address| is_private(*address) && !is_private(public));
        Some(Device {
            aor: input.text(last.aor).to_owned(),
            registered_at: last.answered_at.unwrap_or(last.asked_at),
            asked_at: last.asked_at,
            contact: contact.to_owned(),
            age: time.since(last.ended),
            idle: time.since(heard),
            inside,
        })
    }
}

/// Whether a proxy passed the REGISTER on: what is at its address is that proxy then, and no device.
fn came_through_proxy(input: &DiagnosisInput<'_>, attempt: &RegisterAttempt) -> bool {
    let tables = &input.store.tables;
    let request = input.store.messages_of(&attempt.leg).iter().find(|message| message.at == attempt.asked_at);
    request.is_some_and(|request| {
        tables.vias.get(request.via).depth > 1 || tables.header(request, HeaderName::Path).is_some()
    })
}

impl Device {
    /// The user of its address-of-record, for a title.
    pub fn user(&self) -> &str {
        match user_of(&self.aor) {
            "" => &self.aor,
            user => user,
        }
    }

    /// What makes it the same problem as another call that it leaves unanswered.
    pub fn signature(&self, silence: &str) -> String {
        format!("{silence} {}", self.user())
    }

    /// What is known of it, as a sentence about the address that does not answer.
    pub fn sentence(&self) -> String {
        let silent = if self.idle + Duration::from_secs(1) >= self.age {
            "and was not heard since".to_owned()
        } else {
            format!("and was last heard {} before", duration(self.idle))
        };
        let who = format!(
            "There {} had registered {} before (frame {}), {silent}",
            self.aor,
            duration(self.age),
            self.registered_at.frame
        );
        match self.inside {
            Some(inside) if self.idle >= IDLE_MIN => format!(
                "{who}: it is a device behind NAT (its own address is {inside}), and most likely its NAT closed the mapping meanwhile. Also consider that it was switched off or lost its network."
            ),
            Some(inside) => format!(
                "{who}: it is a device behind NAT (its own address is {inside}) that was switched off or lost its network, or whose NAT closed the mapping."
            ),
            None => format!(
                "{who}: a device that was switched off or lost its network, or that a firewall or NAT cuts off."
            ),
        }
    }

    /// Who changes what so that requests of `sender` reach it.
    pub fn remedy(&self, sender: &str) -> Steps {
        Steps::from([
            format!(
                "The device of {}: is it on, and on its network? Behind NAT it has to send a keep-alive every 25 s (CRLF or STUN, RFC 5626), or use TCP or TLS.",
                self.aor
            ),
            format!("{sender}: or send OPTIONS to it that often."),
            "Router in front of the device: a longer UDP time-out.".to_owned(),
        ])
    }

    /// The registration.
    pub fn evidence(&self) -> Evidence {
        Evidence::seen(self.asked_at, format!("Contact: {}", self.contact), "the device registered from there")
    }
}
