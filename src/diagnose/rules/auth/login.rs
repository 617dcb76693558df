//! A login that led nowhere: of a call, of a registration or of another request, and what the capture shows around it.
//!
//! Sources: RFC 3261 section 22, RFC 7616, RFC 3329 (security agreement), RFC 3310 (AKA).

use crate::call::beside::registration::{RegisterAttempt, Registration, RegistrationOutcome};
use crate::call::detail::login::{LoginFault, Round, fault, rounds};
use crate::call::{CallTransactions, EndpointId, Message, Outcome};
use crate::diagnose::{CallContext, CaptureContext, Evidence, start_line};
use crate::sip::number::user_of;
use crate::sip::{Digest, HeaderName, Method};

/// Messages of a Call-ID before and behind a challenge among which its nonce is looked for.
const NEAR_MAX: usize = 500;
/// TLS connections that are looked at to find those of a client.
const HANDSHAKES_MAX: usize = 1_000;
/// Changes between two kinds of challenges that show two servers, rather than one that was updated or one proxy more.
pub(super) const SERVER_CHANGES_MIN: usize = 3;

/// An attempt to log in that led nowhere.
pub(super) struct Login<'s, 'a> {
    /// Where it happened.
    pub(super) capture: &'s CaptureContext<'a>,
    /// The requests of the attempt with what came back, in the order of time.
    pub(super) rounds: Vec<Round<'a>>,
    /// Why it led nowhere.
    pub(super) fault: LoginFault<'a>,
    /// Who should have logged in.
    pub(super) client: EndpointId,
    /// The next node of the client.
    pub(super) server: EndpointId,
    /// The node that asked, as far as the capture shows.
    pub(super) origin: EndpointId,
    /// How a reader knows the client.
    pub(super) client_name: String,
    /// How a reader knows the node that asked.
    pub(super) origin_name: String,
    /// The user as the address names it.
    pub(super) user: String,
    /// Tries of this kind that failed: 1 for a call.
    pub(super) tries: u32,
    /// Tries of this kind that were challenged and never carried a login: 1 for a call.
    pub(super) left: u32,
    /// Whether another try of this kind carried a login.
    pub(super) logs_in: bool,
    /// Whether the client repeated its request after the answer, so that the answer may not have reached it.
    pub(super) is_deaf: bool,
    /// What the client may do once it has logged in.
    pub(super) deed: Deed,
}

/// What a client may do once it has logged in; the order is that of the words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Deed {
    /// OPTIONS.
    AskCapabilities,
    /// INVITE.
    Call,
    /// PUBLISH.
    Publish,
    /// REGISTER.
    Register,
    /// MESSAGE.
    SendMessage,
    /// SUBSCRIBE.
    Subscribe,
}

impl Deed {
    /// What follows `may`.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::AskCapabilities => "ask for its capabilities",
            Self::Call => "call",
            Self::Publish => "publish",
            Self::Register => "register",
            Self::SendMessage => "send a message",
            Self::Subscribe => "subscribe",
        }
    }
}

impl<'s, 'a> Login<'s, 'a> {
    /// The login of a call that ended for lack of one.
    pub(super) fn of_call(context: &CallContext<'a>) -> Option<Login<'a, 'a>> {
        if context.outcome() != Outcome::AuthFailed {
            return None;
        }
        let rounds = rounds(&context.transactions, &context.transactions.chain);
        let step = context.transactions.transaction(context.transactions.last_step()?);
        let origin = context.refuser()?;
        Some(Login {
            capture: context.capture,
            fault: fault(&rounds)?,
            rounds,
            client: step.source,
            server: step.destination,
            origin,
            client_name: context.name(step.source),
            origin_name: context.name(origin),
            user: user_of(context.capture.text(context.call.caller)).to_owned(),
            tries: 1,
            left: 1,
            logs_in: false,
            is_deaf: step.last_request > step.final_response && step.ack.is_none(),
            deed: Deed::Call,
        })
    }

    /// The last login of a device that could not register.
    pub(super) fn of_device(capture: &'s CaptureContext<'a>, device: &Registration) -> Option<Self> {
        if !matches!(device.outcome, RegistrationOutcome::Failed | RegistrationOutcome::Challenged) {
            return None;
        }
        let is_failed = |index: &&u32| {
            capture.attempts.get(**index as usize).is_some_and(|attempt| {
                matches!(attempt.outcome, RegistrationOutcome::Failed | RegistrationOutcome::Challenged)
            })
        };
        let tries = device.attempts.iter().filter(is_failed).count() as u32;
        let count = |is: fn(&RegisterAttempt) -> bool| {
            let all = device.attempts.iter();
            let own = all.filter_map(|index| capture.attempts.get(*index as usize));
            own.filter(|attempt| is(attempt)).count() as u32
        };
        let last = device.attempts.iter().rev().find(is_failed)?;
        let attempt = capture.attempts.get(*last as usize)?;
        let messages = capture.between(&attempt.leg, (attempt.started, attempt.ended));
        let own = messages.iter().filter(|message| message.status().is_some() || message.to == attempt.aor);
        let transactions = CallTransactions::new(own.collect(), &capture.store.tables);
        let roots = transactions.each().filter(|(_, t)| t.method == Method::Register && t.parent.is_none());
        let (steps, unseen): (Vec<_>, Vec<_>) =
            roots.map(|(index, _)| index).partition(|index| transactions.transaction(*index).request.is_some());
        // What an answer at the end refuses, or lets in, was not captured.
        if unseen.last() > steps.last() {
            return None;
        }
        let rounds = rounds(&transactions, &steps);
        Some(Self {
            capture,
            fault: fault(&rounds)?,
            rounds,
            client: device.source,
            server: device.registrar,
            origin: device.registrar,
            client_name: capture.name(device.source),
            origin_name: capture.name(device.registrar),
            user: user_of(capture.text(device.aor)).to_owned(),
            tries,
            left: count(|attempt| attempt.outcome == RegistrationOutcome::Challenged),
            logs_in: count(|attempt| attempt.has_credentials) > 0,
            is_deaf: false,
            deed: Deed::Register,
        })
    }

    /// The last round that was answered.
    fn last(&self) -> Option<&Round<'a>> {
        self.rounds.iter().rfind(|round| round.answer.is_some())
    }

    /// What came back last.
    pub(super) fn answer(&self) -> Option<&'a Message> {
        self.last()?.answer
    }

    /// The last login that was sent, with its request.
    pub(super) fn sent(&self) -> Option<(&'a Message, Digest<'a>)> {
        let round = self.last()?;
        Some((round.request, round.credentials.first()?.1))
    }

    /// The realm that was asked for last.
    pub(super) fn realm(&self) -> String {
        let asked = self.last().and_then(|round| round.challenges.first());
        asked.map_or(String::new(), |(_, asked)| readable(asked.realm().unwrap_or_default()))
    }

    /// Name in the last login, else the user of the address.
    pub(super) fn login_name(&self) -> String {
        self.sent().and_then(|(_, login)| login.username().map(readable)).unwrap_or_else(|| self.user.clone())
    }

    /// How often the challenges of one realm changed between two kinds, as those of two servers behind one address do.
    pub(super) fn server_changes(&self) -> usize {
        /// By how much nonces of one server may differ in length: some write numbers without leading zeros.
        const LENGTH_SLACK: usize = 2;
        let realm = self.realm();
        let kinds: Vec<(usize, Option<&str>)> = self
            .rounds
            .iter()
            .filter_map(|round| {
                let (_, asked) = round.challenges.first()?;
                let is_same = readable(asked.realm().unwrap_or_default()) == realm;
                let server = self.capture.store.tables.header(round.answer?, HeaderName::Server);
                is_same.then_some((asked.nonce().map_or(0, <[u8]>::len), server))
            })
            .collect();
        let changed =
            kinds.windows(2).filter(|pair| pair[0].1 != pair[1].1 || pair[0].0.abs_diff(pair[1].0) > LENGTH_SLACK);
        changed.count()
    }

    /// Whether what follows goes where a capture may not see it: to other ports through IPsec, as in IMS, or over TLS.
    pub(super) fn is_protected(&self) -> bool {
        let tables = &self.capture.store.tables;
        let Some(round) = self.last() else {
            return false;
        };
        let is_aka = |asked: &Digest<'_>| {
            let algorithm = asked.algorithm().get(..3);
            algorithm.is_some_and(|name| name.eq_ignore_ascii_case(b"AKA"))
        };
        let agrees = tables.header(round.request, HeaderName::SecurityClient).is_some()
            || round.answer.is_some_and(|answer| tables.header(answer, HeaderName::SecurityServer).is_some());
        agrees || round.challenges.iter().any(|(_, asked)| is_aka(asked)) || self.turned_to_tls()
    }

    /// Whether the client speaks TLS with the server that the capture cannot read.
    fn turned_to_tls(&self) -> bool {
        let tables = &self.capture.store.tables;
        let (client, server) = (tables.endpoint(self.client), tables.endpoint(self.server));
        let mut handshakes = self.capture.handshakes.iter().take(HANDSHAKES_MAX);
        handshakes.any(|handshake| {
            handshake.is_unread()
                && handshake.flow.source.address == client.address
                && handshake.flow.destination.address == server.address
        })
    }

    /// Whether a request with the nonce of the last challenge is in the capture all the same: behind a clock that was set, or
    /// after longer than a login takes.
    pub(super) fn was_answered_later(&self) -> bool {
        let Some((answer, asked)) = self.last().and_then(|round| {
            let (_, asked) = round.challenges.first()?;
            Some((round.answer?, asked))
        }) else {
            return false;
        };
        let store = self.capture.store;
        let own = store.messages_of_group(answer.group);
        let place = own.partition_point(|message| message.order() < answer.order());
        let near = own.get(place.saturating_sub(NEAR_MAX)..(place + NEAR_MAX).min(own.len()));
        let nonce = asked.nonce();
        let carries = |message: &Message| {
            [HeaderName::Authorization, HeaderName::ProxyAuthorization]
                .into_iter()
                .flat_map(|name| store.tables.header_values(message, name))
                .any(|value| Digest::parse(value.as_bytes()).nonce() == nonce)
        };
        let mut requests = near.unwrap_or_default().iter();
        nonce.is_some_and(|nonce| !nonce.is_empty())
            && requests.any(|message| message.method().is_some() && carries(message))
    }

    /// Whether the server says in words that the nonce is at fault.
    pub(super) fn blames_nonce(&self) -> bool {
        self.sent().is_some() && self.answer().is_some_and(|answer| names_nonce(self.capture.text(answer.line)))
    }

    /// Whether this user logs in from this client at other times.
    pub(super) fn logs_in_elsewhere(&self) -> bool {
        let (client, server) = (self.capture.node(self.client), self.capture.node(self.server));
        let names = self.capture.logins().names(client, server);
        let user = |name: &[u8]| name.split(|byte| *byte == b'@').next().map(<[u8]>::to_vec);
        let own = user(self.user.as_bytes());
        self.logs_in || names.iter().any(|name| user(name) == own)
    }

    /// Evidence in one message.
    pub(super) fn shows(&self, message: &Message, shows: &str) -> Evidence {
        Evidence::seen(message.at, start_line(&self.capture.store.tables, message), shows)
    }

    /// Whether the capture lacks what one of both sends to the other.
    pub(super) fn is_one_directional(&self) -> bool {
        let capture = self.capture;
        capture.is_one_directional(capture.node(self.client), capture.node(self.server))
    }
}

/// Whether a phrase speaks of the nonce.
pub(super) fn names_nonce(phrase: &str) -> bool {
    phrase.to_ascii_lowercase().contains("nonce")
}

/// Whether a phrase, in lower case, says that the login itself is wrong.
pub(super) fn names_login(phrase: &str) -> bool {
    ["password", "credential", "bad auth", "auth failed", "authentication", "wrong user", "digest"]
        .iter()
        .any(|word| phrase.contains(word))
}

/// A header value's text; what is no UTF-8 is replaced.
pub(super) fn readable(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
