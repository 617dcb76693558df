//! Family AUTH: digest authentication of calls and registrations, and refusals by policy.
//!
//! Sources: RFC 3261 section 22, RFC 7616, RFC 8760.

mod forbidden;
mod outside;
mod refused;
mod unanswered;

use crate::call::login::{DigestFault, LoginFault, Round, fault, rounds};
use crate::call::number::user_of;
use crate::call::registration::{Registration, RegistrationOutcome};
use crate::call::{Anatomy, EndpointId, Message, Outcome, TransactionIndex};
use crate::diagnose::rule::{AskCall, AskCapture, AskRegistration, Gate, Rule, Subject};
use crate::diagnose::{Case, Evidence, Scene, Severity, start_line};
use crate::sip::{Digest, HeaderName, Method};

/// The rules of this family; each speaks of calls, of registrations and of other requests.
pub const RULES: &[Rule] = &[
    rule(
        "auth-stale-loop",
        "Nonce expires faster than the client can use it",
        unanswered::stale_call,
        unanswered::stale_device,
        outside::stale,
    ),
    rule(
        "auth-algorithm",
        "Digest algorithm not supported by the client",
        unanswered::algorithm_call,
        unanswered::algorithm_device,
        outside::algorithm,
    ),
    rule(
        "auth-digest-error",
        "The login answer itself is wrong",
        refused::digest_call,
        refused::digest_device,
        outside::digest,
    ),
    rule(
        "auth-rejected",
        "Wrong password (or unknown user)",
        refused::rejected_call,
        refused::rejected_device,
        outside::rejected,
    ),
    Rule {
        gate: Gate::BothDirections,
        ..rule(
            "auth-no-credentials",
            "Caller never answered the login request",
            unanswered::silent_call,
            unanswered::silent_device,
            outside::silent,
        )
    },
    Rule {
        id: "auth-forbidden",
        severity: Severity::Error,
        title: "Refused by policy (403)",
        subject: Subject::CallAndRegistration(forbidden::call, forbidden::device),
        gate: Gate::Open,
    },
];

const fn rule(
    id: &'static str,
    title: &'static str,
    of_call: AskCall,
    of_device: AskRegistration,
    of_requests: AskCapture,
) -> Rule {
    Rule {
        id,
        severity: Severity::Error,
        title,
        subject: Subject::All(of_call, of_device, of_requests),
        gate: Gate::Open,
    }
}

/// Changes between two kinds of challenges that show two servers, rather than one that was updated or one proxy more.
const SERVER_CHANGES_MIN: usize = 3;

/// An attempt to log in that led nowhere.
struct Login<'s, 'a> {
    scene: &'s Scene<'a>,
    rounds: Vec<Round<'a>>,
    fault: LoginFault<'a>,
    /// Who should have logged in.
    client: EndpointId,
    /// The next node of the client.
    server: EndpointId,
    /// The node that asked, as far as the capture shows.
    origin: EndpointId,
    client_name: String,
    origin_name: String,
    /// The user as the address names it.
    user: String,
    /// Tries of this kind that failed: 1 for a call.
    tries: u32,
    /// Whether the client repeated its request after the answer, so that the answer may not have reached it.
    is_deaf: bool,
    is_registration: bool,
    /// What the client may do once it has logged in.
    deed: &'static str,
}

impl<'s, 'a> Login<'s, 'a> {
    fn of_call(case: &Case<'a>) -> Option<Login<'a, 'a>> {
        if case.outcome() != Outcome::AuthFailed {
            return None;
        }
        let rounds = rounds(&case.anatomy, &case.anatomy.chain);
        let step = case.anatomy.transaction(case.anatomy.last_step()?);
        let origin = case.refuser()?;
        Some(Login {
            scene: case.scene,
            fault: fault(&rounds)?,
            rounds,
            client: step.source,
            server: step.destination,
            origin,
            client_name: case.name(step.source),
            origin_name: case.name(origin),
            user: user_of(case.scene.text(case.call.caller)).to_owned(),
            tries: 1,
            is_deaf: step.last_request > step.final_response && step.ack.is_none(),
            is_registration: false,
            deed: "call",
        })
    }

    fn of_device(scene: &'s Scene<'a>, device: &Registration) -> Option<Self> {
        if !matches!(
            device.outcome,
            RegistrationOutcome::Failed | RegistrationOutcome::Challenged
        ) {
            return None;
        }
        let is_failed = |index: &&u32| {
            scene.attempts.get(**index as usize).is_some_and(|attempt| {
                matches!(
                    attempt.outcome,
                    RegistrationOutcome::Failed | RegistrationOutcome::Challenged
                )
            })
        };
        let tries = device.attempts.iter().filter(is_failed).count() as u32;
        let last = device.attempts.iter().rev().find(is_failed)?;
        let attempt = scene.attempts.get(*last as usize)?;
        let messages = scene.between(&attempt.leg, (attempt.started, attempt.ended));
        let own = messages
            .iter()
            .filter(|message| message.status().is_some() || message.to == attempt.aor);
        let anatomy = Anatomy::new(own.collect(), &scene.book.tables);
        let steps: Vec<TransactionIndex> = anatomy
            .each()
            .filter(|(_, t)| {
                t.method == Method::Register && t.parent.is_none() && t.request.is_some()
            })
            .map(|(index, _)| index)
            .collect();
        let rounds = rounds(&anatomy, &steps);
        Some(Self {
            scene,
            fault: fault(&rounds)?,
            rounds,
            client: device.source,
            server: device.registrar,
            origin: device.registrar,
            client_name: scene.name(device.source),
            origin_name: scene.name(device.registrar),
            user: user_of(scene.text(device.aor)).to_owned(),
            tries,
            is_deaf: false,
            is_registration: true,
            deed: "register",
        })
    }

    /// The last round that was answered.
    fn last(&self) -> Option<&Round<'a>> {
        self.rounds.iter().rfind(|round| round.answer.is_some())
    }

    fn answer(&self) -> Option<&'a Message> {
        self.last()?.answer
    }

    /// The last login that was sent, with its request.
    fn sent(&self) -> Option<(&'a Message, Digest<'a>)> {
        let round = self.last()?;
        Some((round.request, round.credentials.first()?.1))
    }

    /// The realm that was asked for last.
    fn realm(&self) -> String {
        let asked = self.last().and_then(|round| round.challenges.first());
        asked.map_or(String::new(), |(_, asked)| {
            readable(asked.realm().unwrap_or_default())
        })
    }

    /// Name in the last login, else the user of the address.
    fn login_name(&self) -> String {
        self.sent()
            .and_then(|(_, login)| login.username().map(readable))
            .unwrap_or_else(|| self.user.clone())
    }

    /// How often the challenges of one realm changed between two kinds, as those of two servers behind one address do.
    fn server_changes(&self) -> usize {
        /// By how much nonces of one server may differ in length: some write numbers without leading zeros.
        const LENGTH_SLACK: usize = 2;
        let realm = self.realm();
        let kinds: Vec<(usize, Option<&str>)> = self
            .rounds
            .iter()
            .filter_map(|round| {
                let (_, asked) = round.challenges.first()?;
                let is_same = readable(asked.realm().unwrap_or_default()) == realm;
                let server = self
                    .scene
                    .book
                    .tables
                    .header(round.answer?, HeaderName::Server);
                is_same.then_some((asked.nonce().map_or(0, <[u8]>::len), server))
            })
            .collect();
        let changed = kinds
            .windows(2)
            .filter(|pair| pair[0].1 != pair[1].1 || pair[0].0.abs_diff(pair[1].0) > LENGTH_SLACK);
        changed.count()
    }

    fn shows(&self, message: &Message, shows: &str) -> Evidence {
        Evidence::seen(
            message.at,
            start_line(&self.scene.book.tables, message),
            shows,
        )
    }

    fn is_one_directional(&self) -> bool {
        let scene = self.scene;
        scene.is_one_directional(scene.node(self.client), scene.node(self.server))
    }
}

/// A header value's text; what is no UTF-8 is replaced.
fn readable(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A visible mistake in words: what the login carries, and what it should.
fn mistake(fault: &DigestFault<'_>) -> (String, String) {
    match fault {
        DigestFault::Realm { sent, asked } => (
            format!(
                "names the realm \"{}\" although \"{}\" was asked for",
                readable(sent),
                readable(asked)
            ),
            format!(
                "set the realm to \"{}\", or take over whatever realm the server names",
                readable(asked)
            ),
        ),
        DigestFault::Header { sent, asked } => (
            format!(
                "is in the header {} although {} is needed",
                sent.text(),
                asked.text()
            ),
            "answer 401 in Authorization and 407 in Proxy-Authorization".to_owned(),
        ),
        DigestFault::Nonce => (
            "uses a nonce that the server did not give in this attempt".to_owned(),
            "use the nonce of the last challenge".to_owned(),
        ),
        DigestFault::Algorithm { sent, asked } => (
            format!(
                "uses the algorithm {} although {} was offered",
                readable(sent),
                readable(asked)
            ),
            format!("use the algorithm {}", readable(asked)),
        ),
        DigestFault::Counter => (
            "says qop without the cnonce or nc that belong to it".to_owned(),
            "send cnonce and nc with qop".to_owned(),
        ),
        DigestFault::NonceCount { sent, asked } => (
            format!("has the nonce count {sent:08x} where {asked:08x} is due"),
            "begin with nc=00000001 for each nonce and count on".to_owned(),
        ),
        DigestFault::Twice => (
            "is there twice for one realm".to_owned(),
            "send one login for each realm".to_owned(),
        ),
    }
}
