//! Logins that never came to a decision: no answer to the challenge, no common algorithm, a nonce that dies too soon.
//!
//! Sources: RFC 3261 sections 8.1.3.5 and 22, RFC 7616 section 3.3, RFC 8760.

use std::time::Duration;

use super::{Login, SERVER_CHANGES_MIN, readable};
use crate::call::detail::login::{LoginFault, STALE_MIN};
use crate::call::{Message, Transaction, is_challenge};
use crate::diagnose::finding::words::{counted, duration};
use crate::diagnose::{CallContext, Confidence, Observation, Proof};
use crate::sip::Method;

/// How long a client may take to answer a challenge.
const ANSWER_WAIT: Duration = Duration::from_secs(5);
/// How long a client takes at most to use a new nonce.
const RETRY_WAIT: Duration = Duration::from_secs(1);
/// How long a person may take to be asked for a password and to type it.
const PERSON_WAIT: Duration = Duration::from_secs(60);

pub fn auth_no_credentials(login: &Login<'_, '_>) -> Option<Observation> {
    let LoginFault::Unanswered { is_second } = login.fault else {
        return None;
    };
    let answer = login.answer()?;
    let watched = login.capture.watched_since(answer.time);
    if watched < ANSWER_WAIT || login.is_deaf || login.is_one_directional() {
        return None;
    }
    if login.is_protected() || login.was_answered_later() {
        return None;
    }
    // A login that answers a challenge which the capture lacks may have been refused for what it was.
    let had_login = !is_second && login.sent().is_some();
    let client = login.capture.node(login.client);
    let knows_password = login.logs_in_elsewhere();
    // Several challenges left alone are no chance; one may be where the capture goes blind.
    let left = login.rounds.iter();
    let left = left.filter(|round| round.is_challenged() && round.credentials.is_empty());
    let is_sure = login.left > 1 || left.count() > 1 || login.capture.is_alive_after(answer, ANSWER_WAIT);
    let blind = if is_sure {
        ""
    } else {
        " The capture holds nothing else in the seconds behind it, so that it may have missed the login."
    };
    let confidence = match (watched >= PERSON_WAIT, is_sure) {
        _ if had_login || knows_password => Confidence::Possible,
        (true, true) => Confidence::Certain,
        (false, false) => Confidence::Possible,
        _ => Confidence::Likely,
    };
    if login.deed != "call" && login.capture.logins().is_sweep(client) {
        return None;
    }
    let never = !login.capture.logins().has_tried(client);
    let why = if had_login {
        "; it had sent a login for an earlier challenge, which the capture lacks, so that the password may be wrong as well"
    } else if knows_password {
        "; it logs in there at other times, so that it has a password, and possibly the capture lacks the login"
    } else if is_second {
        "; it answered the other login request of this attempt only"
    } else if never {
        "; it never sends a login in this capture, so it may be set up to be known by its address"
    } else {
        ""
    };
    let (client, server, realm) = (&login.client_name, &login.origin_name, login.realm());
    let observation = Observation::new(confidence, Proof::Protocol)
        .titled("")
        .naming(&login.user, "user", " never answered the login request")
        .happened(format!(
            "{server} asked {} to log in for the realm \"{realm}\" before it may {}, and {client} did not answer{why}.{blind}",
            login.user,
            login.deed
        ))
        .remedy(format!("On {client}: set user name and password for the realm \"{realm}\"."))
        .remedy(format!(
            "Or on {server}: accept {} by its address without a password.",
            login.capture.name(login.client)
        ))
        .shown_by(login.shows(answer, "the login request"))
        .shown_by(crate::diagnose::Evidence::Missing {
            expected: "the same request with a login".to_owned(),
            after: answer.at,
            watched: login.capture.watched_since(answer.time),
        })
        .at(login.origin, format!("{} {realm}", login.capture.name(login.client)));
    if had_login || knows_password {
        return Some(observation);
    }
    Some(observation.not("auth-rejected", "no login was sent that could have been refused"))
}

/// A request inside a call that was challenged and not sent again.
pub fn auth_no_credentials_of_call(context: &CallContext<'_>) -> Option<Observation> {
    let dialog = context.dialogs.first()?;
    let transactions = &context.transactions;
    // Each side counts its own requests.
    let sender = |t: &Transaction| context.message(t.first).map(|first| first.from_tag);
    let asked = transactions.each().find(|(_, t)| {
        let retried = || {
            transactions.each().any(|(_, next)| {
                next.method == t.method && next.first > t.first && next.cseq > t.cseq && sender(next) == sender(t)
            })
        };
        t.parent.is_none()
            && !matches!(t.method, Method::Ack | Method::Cancel)
            && !transactions.is_initial(t)
            && t.request.is_some_and(|request| request > dialog.answer)
            && transactions.final_status(t).is_some_and(is_challenge)
            && !retried()
    });
    let (_, hop) = asked?;
    let answer = context.message(hop.final_response?)?;
    if context.capture.watched_since(answer.time) < ANSWER_WAIT || hop.last_request > hop.final_response {
        return None;
    }
    let (client, server, method) = (context.name(hop.source), context.name(hop.destination), hop.method.text());
    let effect = match hop.method {
        Method::Bye => "the call may stay up at the other side",
        Method::Refer => "the transfer did not happen",
        _ => "the change did not happen",
    };
    Some(
        Observation::new(Confidence::Certain, Proof::Protocol)
            .warn()
            .titled(format!("A login request for {method} inside the call was not answered"))
            .happened(format!(
                "{server} asked {client} to log in for a {method} in the call and got no answer; {effect}."
            ))
            .remedy(format!("On {server}: do not ask for a login inside a call that was let through."))
            .remedy(format!("Or on {client}: answer login requests for {method} too."))
            .shown_by(context.shows(answer, "the login request"))
            .at(hop.destination, method)
            .beside(),
    )
}

pub fn auth_algorithm(login: &Login<'_, '_>) -> Option<Observation> {
    let LoginFault::Algorithm { offered, used } = &login.fault else {
        return None;
    };
    let answer = login.answer()?;
    let was_watched = login.capture.watched_since(answer.time) >= ANSWER_WAIT;
    let cannot_tell = || login.is_deaf || login.is_one_directional();
    let is_elsewhere = || login.is_protected() || login.was_answered_later();
    if used.is_none() && (!was_watched || cannot_tell() || is_elsewhere()) {
        return None;
    }
    let mut names: Vec<String> = offered.iter().map(|name| readable(name)).collect();
    names.dedup();
    let offered = names.join(", ");
    let (client, server) = (&login.client_name, &login.origin_name);
    let plain = login.capture.logins().uses_md5(login.capture.node(login.client));
    let (does, confidence) = match used {
        Some(used) => (format!("{client} answered with {}", readable(used)), Confidence::Certain),
        None if plain => (format!("{client}, which logs in with MD5 elsewhere, sent no login"), Confidence::Certain),
        None => (format!("{client} sent no login, as devices do that know MD5 alone"), Confidence::Likely),
    };
    let only = if names.iter().all(|name| name.eq_ignore_ascii_case("MD5")) {
        "the quality of protection auth-int".to_owned()
    } else {
        offered.clone()
    };
    Some(
        Observation::new(confidence, Proof::Protocol)
            .titled(format!("{} asks for a login that ", login.capture.name(login.origin)))
            .naming(&login.user, "user", " cannot make")
            .happened(format!("{server} accepts only {only}; {does}."))
            .remedy(format!("On {server}: offer MD5 with qop auth as a further challenge."))
            .remedy(format!("Or update {client} to a version that knows {only}."))
            .shown_by(login.shows(answer, "the login request"))
            .at(login.origin, offered)
            .not("auth-rejected", "no login with an algorithm that was asked for was refused"),
    )
}

pub fn auth_stale_loop(login: &Login<'_, '_>) -> Option<Observation> {
    let (client, server) = (&login.client_name, &login.origin_name);
    let answer = login.answer()?;
    let (says, confidence) = match login.fault {
        // The client may have been about to use the new nonce when the capture ended.
        LoginFault::Stale { times: ..STALE_MIN } if login.capture.watched_since(answer.time) < RETRY_WAIT => {
            return None;
        }
        LoginFault::Stale { times } => {
            let waits: Vec<Duration> = login
                .rounds
                .windows(2)
                .filter_map(|pair| Some(pair[1].request.time.since(pair[0].answer?.time)))
                .collect();
            let within = waits
                .iter()
                .max()
                .map_or(String::new(), |wait| format!("; {client} had answered each within {}", duration(*wait)));
            let confidence = if times >= STALE_MIN { Confidence::Certain } else { Confidence::Possible };
            (format!("{server} called the nonce stale {}{within}", counted(times, "time")), confidence)
        }
        LoginFault::OldNonce => {
            (format!("{client} logged in with a nonce that {server} had already replaced"), Confidence::Likely)
        }
        LoginFault::Refused { .. } if login.server_changes() >= SERVER_CHANGES_MIN => (
            format!(
                "{server} answered each login of {client} with a challenge of another kind (length of the nonce, Server header), changing {}",
                counted(login.server_changes() as u32, "time")
            ),
            Confidence::Likely,
        ),
        _ if login.blames_nonce() => return blamed(login),
        _ => return None,
    };
    let proof = match login.fault {
        LoginFault::Refused { .. } => Proof::Protocol,
        _ => Proof::OwnWords,
    };
    let observation = Observation::new(confidence, proof)
        .titled(format!("The nonce of {} is too old before ", login.capture.name(login.origin)))
        .naming(&login.user, "user", " can use it")
        .happened(format!(
            "{says}: the nonce lives too short, or several servers behind this address do not know each other's nonces."
        ))
        .remedy(format!("On {server}: let a nonce live for at least 30 s."))
        .remedy(
            "Where several servers share the address: give them one nonce secret, or keep each client on one server.",
        )
        .remedy("Synchronise their clocks.")
        .shown_by(login.shows(answer, "the last challenge"))
        .at(login.origin, "");
    let because = match login.fault {
        LoginFault::Refused { .. } => "no login reached the server whose nonce it answers",
        _ => "the server says that only the nonce was too old",
    };
    Some(observation.not("auth-rejected", because))
}

/// A server that says in words that the nonce is at fault, and not by `stale=true`, as RFC 7616 section 3.3 has it.
fn blamed(login: &Login<'_, '_>) -> Option<Observation> {
    let (client, server) = (&login.client_name, &login.origin_name);
    let answer = login.answer()?;
    let code = answer.status()?.0;
    let (name, phrase) = (login.login_name(), login.capture.text(answer.line));
    let times = login.rounds.iter().filter(|round| {
        let blames = |answer: &Message| super::names_nonce(login.capture.text(answer.line));
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
