//! Nonces that are too old before the client can use them.
//!
//! Sources: RFC 7616 section 3.3 (`stale`), RFC 3261 section 22.4.

use std::time::Duration;

use crate::call::Message;
use crate::call::detail::login::{LoginFault, STALE_MIN};
use crate::diagnose::finding::words::{counted, duration};
use crate::diagnose::rules::auth::login::{Login, SERVER_CHANGES_MIN, names_nonce};
use crate::diagnose::{Confidence, Observation, Proof};

/// How long a client takes at most to use a new nonce.
const RETRY_WAIT: Duration = Duration::from_secs(1);

/// How it shows that a nonce was too old before the client could use it.
enum NonceTrouble {
    /// The server called it stale so often; the client had answered each challenge within this time.
    CalledStale { times: u32, within: Option<Duration> },
    /// The server had already replaced it.
    Replaced,
    /// Challenges are of two kinds, so that several servers ask, and changed between them so often.
    SeveralServers { changes: u32 },
}

impl NonceTrouble {
    fn degree(&self) -> (Confidence, Proof) {
        match self {
            Self::CalledStale { times: STALE_MIN.., .. } => (Confidence::Certain, Proof::OwnWords),
            Self::CalledStale { .. } => (Confidence::Possible, Proof::OwnWords),
            Self::Replaced => (Confidence::Likely, Proof::OwnWords),
            Self::SeveralServers { .. } => (Confidence::Likely, Proof::Protocol),
        }
    }

    fn sentence(&self, client: &str, server: &str) -> String {
        match self {
            Self::CalledStale { times, within } => {
                let within = within
                    .map_or(String::new(), |wait| format!("; {client} had answered each within {}", duration(wait)));
                format!("{server} called the nonce stale {}{within}", counted(*times, "time"))
            }
            Self::Replaced => format!("{client} logged in with a nonce that {server} had already replaced"),
            Self::SeveralServers { changes } => format!(
                "{server} answered each login of {client} with a challenge of another kind (length of the nonce, Server header), changing {}",
                counted(*changes, "time")
            ),
        }
    }

    /// Why the password is not at fault.
    fn clears_password(&self) -> &'static str {
        match self {
            Self::SeveralServers { .. } => "no login reached the server whose nonce it answers",
            _ => "the server says that only the nonce was too old",
        }
    }
}

pub fn auth_stale_loop(login: &Login<'_, '_>) -> Option<Observation> {
    let answer = login.answer()?;
    let trouble = match login.fault {
        // The client may have been about to use the new nonce when the capture ended.
        LoginFault::Stale { times: ..STALE_MIN } if login.capture.watched_since(answer.time) < RETRY_WAIT => {
            return None;
        }
        LoginFault::Stale { times } => {
            let waits = login.rounds.windows(2);
            let waits = waits.filter_map(|pair| Some(pair[1].request.time.since(pair[0].answer?.time)));
            NonceTrouble::CalledStale { times, within: waits.max() }
        }
        LoginFault::OldNonce => NonceTrouble::Replaced,
        LoginFault::Refused { .. } if login.server_changes() >= SERVER_CHANGES_MIN => {
            NonceTrouble::SeveralServers { changes: login.server_changes() as u32 }
        }
        _ if login.blames_nonce() => return blamed(login),
        _ => return None,
    };
    let server = &login.origin_name;
    let (confidence, proof) = trouble.degree();
    Some(
        Observation::new(confidence, proof)
            .titled(format!("The nonce of {} is too old before ", login.capture.name(login.origin)))
            .naming(&login.user, "user", " can use it")
            .happened(format!(
                "{}: the nonce lives too short, or several servers behind this address do not know each other's nonces.",
                trouble.sentence(&login.client_name, server)
            ))
            .remedy(format!("On {server}: let a nonce live for at least 30 s."))
            .remedy(
                "Where several servers share the address: give them one nonce secret, or keep each client on one server.",
            )
            .remedy("Synchronise their clocks.")
            .shown_by(login.shows(answer, "the last challenge"))
            .at(login.origin, "")
            .not("auth-rejected", trouble.clears_password()),
    )
}

/// A server that says in words that the nonce is at fault, and not by `stale=true`, as RFC 7616 section 3.3 has it.
fn blamed(login: &Login<'_, '_>) -> Option<Observation> {
    let (client, server) = (&login.client_name, &login.origin_name);
    let answer = login.answer()?;
    let code = answer.status()?.0;
    let (name, phrase) = (login.login_name(), login.capture.text(answer.line));
    let times = login.rounds.iter().filter(|round| {
        let blames = |answer: &Message| names_nonce(login.capture.text(answer.line));
        !round.credentials.is_empty() && round.answer.is_some_and(blames)
    });
    let times = times.count() as u32;
    let confidence = if times > 1 { Confidence::Likely } else { Confidence::Possible };
    Some(
        Observation::new(confidence, Proof::OwnWords)
            .titled(format!("{} refuses the login of ", login.capture.name(login.origin)))
            .naming(&name, "user", " for its nonce")
            .happened(format!("{server} refused the login of {name} {}", counted(times, "time")))
            .because(format!(
                "the nonce was too old or replaced when the login came: it says {code} \"{phrase}\". It does not say stale=true, without which {client} takes the password for wrong and gives up. A wrong password is not ruled out."
            ))
            .remedy(format!(
                "On {server}: say stale=true where a nonce is too old, and let a nonce live for at least 30 s."
            ))
            .remedy("Where several servers share the address: give them one nonce secret.")
            .remedy(format!("Where that is not it, set the password anew on {client} and on {server}."))
            .shown_by(login.shows(answer, "what it says of the login"))
            .at(login.origin, ""),
    )
}
