//! Logins that worked: who logged in where and how, beside which a wrong login differs from a server that is strict.

use crate::call::beside::registration::RegistrationOutcome;
use crate::call::{FastMap, FastSet, Leg, Message, NodeId};
use crate::capture::Timestamp;
use crate::diagnose::background::needs::Needs;
use crate::diagnose::input::DiagnosisInput;
use crate::sip::{Digest, HeaderName, Scheme, Uri};

/// Logins kept of one user at one server; only the first and the latest matter to a refused one.
const TIMES_MAX: usize = 64;
/// Addresses-of-record that one node tries in vain, from which on it searches; gateways with more lines register some.
const SWEEP_MIN: u32 = 10;

/// A client's node, a server's node and a user name.
type Account = (NodeId, NodeId, Box<[u8]>);

/// What is known of logins in a run.
#[derive(Debug, Default)]
pub struct Logins {
    /// When a user's login was accepted, by the client's node, the server's node and the user name.
    accepted: FastMap<Account, Vec<Timestamp>>,
    /// User names that were accepted from a client by a server.
    names: FastMap<(NodeId, NodeId), Vec<Box<[u8]>>>,
    /// Servers that accepted a login made for another URI than that of the request.
    lenient: FastSet<NodeId>,
    /// Nodes that ever sent a login.
    clients: FastSet<NodeId>,
    /// Nodes whose MD5 login was accepted.
    plain: FastSet<NodeId>,
    /// Nodes that registered something.
    registered: FastSet<NodeId>,
    /// How many addresses-of-record a node tried to register.
    tried: FastMap<NodeId, u32>,
}

impl Logins {
    /// Reads every login of a run.
    pub(super) fn of(input: &DiagnosisInput<'_>, needs: Needs) -> Self {
        let mut logins = Self::default();
        if !needs.refused_login {
            return logins;
        }
        for call in input.calls {
            let is_accepted = call.outcome.is_answered();
            for leg in &call.legs {
                logins.add(input, leg, is_accepted, (call.started, call.ended));
            }
        }
        for device in input.registrations {
            let client = input.node(device.source);
            *logins.tried.entry(client).or_default() += 1;
            if device.outcome == RegistrationOutcome::Registered {
                logins.registered.insert(client);
            }
        }
        for attempt in input.attempts {
            let is_accepted = attempt.outcome == RegistrationOutcome::Registered;
            if attempt.has_credentials {
                let span = (attempt.started, attempt.ended);
                logins.add(input, &attempt.leg, is_accepted, span);
            }
        }
        logins
    }

    fn add(&mut self, input: &DiagnosisInput<'_>, leg: &Leg, is_accepted: bool, span: (Timestamp, Timestamp)) {
        let own = input.between(leg, span).iter().filter(|message| message.method().is_some());
        // The last login of an attempt that worked is the one that was accepted.
        let mut last: Option<(&Message, Digest<'_>)> = None;
        for message in own {
            for name in [HeaderName::Authorization, HeaderName::ProxyAuthorization] {
                let values = input.store.tables.header_values(message, name);
                for value in values {
                    self.clients.insert(input.node(message.source));
                    last = Some((message, Digest::parse(value.as_bytes())));
                }
            }
        }
        if let Some((message, login)) = last.filter(|_| is_accepted) {
            self.accept(input, message, &login);
        }
    }

    fn accept(&mut self, input: &DiagnosisInput<'_>, message: &Message, login: &Digest<'_>) {
        let client = input.node(message.source);
        let server = input.node(message.destination);
        if foreign_uri(login, input.text(message.line)).is_some() {
            self.lenient.insert(server);
        }
        if login.algorithm().eq_ignore_ascii_case(b"MD5") {
            self.plain.insert(client);
        }
        let Some(user) = login.username() else {
            return;
        };
        let names = self.names.entry((client, server)).or_default();
        if names.len() < TIMES_MAX && !names.iter().any(|known| **known == *user) {
            names.push(user.into());
        }
        let times = self.accepted.entry((client, server, user.into())).or_default();
        if times.len() < TIMES_MAX {
            times.push(message.time);
        }
    }

    /// The time nearest to a moment at which a server accepted this user from this client.
    pub fn accepted_near(&self, client: NodeId, server: NodeId, user: &[u8], time: Timestamp) -> Option<Timestamp> {
        let times = self.accepted.get(&(client, server, user.into()))?;
        let distance = |other: &Timestamp| time.since(*other).max(other.since(time));
        times.iter().min_by_key(|other| distance(other)).copied()
    }

    /// User names that a server accepted from a client.
    pub fn names(&self, client: NodeId, server: NodeId) -> &[Box<[u8]>] {
        self.names.get(&(client, server)).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether a server accepted a login made for another URI than that of the request.
    pub fn is_lenient(&self, server: NodeId) -> bool {
        self.lenient.contains(&server)
    }

    /// Whether a node tries one address-of-record after the other and registers none: a search, not a phone.
    pub fn is_sweep(&self, client: NodeId) -> bool {
        let tried = self.tried.get(&client).copied().unwrap_or(0);
        tried >= SWEEP_MIN && !self.registered.contains(&client)
    }

    /// Whether a node ever sent a login.
    pub fn has_tried(&self, client: NodeId) -> bool {
        self.clients.contains(&client)
    }

    /// Whether a node's MD5 login was accepted.
    pub fn uses_md5(&self, client: NodeId) -> bool {
        self.plain.contains(&client)
    }
}

/// The URI of a login where its host or user is another one than the request's; strict servers refuse it.
///
/// Source: RFC 7616 section 3.4.6; RFC 3261 section 22.4 lets a proxy change the Request-URI on the way.
pub fn foreign_uri<'a>(login: &Digest<'a>, request_uri: &str) -> Option<&'a [u8]> {
    let sent = login.uri()?;
    let (own, other) = (Uri::parse(sent), Uri::parse(request_uri.as_bytes()));
    let is_sip = |uri: &Uri<'_>| matches!(uri.scheme, Scheme::Sip | Scheme::Sips);
    let same_host = own.host_port.host.eq_ignore_ascii_case(other.host_port.host);
    let same = is_sip(&own) == is_sip(&other) && same_host && own.number() == other.number();
    (!same).then_some(sent)
}
