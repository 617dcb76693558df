//! Logins that never came: no answer to the challenge, or no algorithm in common.
//!
//! Sources: RFC 3261 sections 8.1.3.5 and 22, RFC 8760.

use std::time::Duration;

use crate::call::detail::login::LoginFault;
use crate::call::{Message, Transaction, is_challenge};
use crate::diagnose::rules::auth::login::{Deed, Login, readable};
use crate::diagnose::{CallContext, Confidence, Evidence, Observation, Proof};
use crate::sip::Method;

/// How long a client may take to answer a challenge.
const ANSWER_WAIT: Duration = Duration::from_secs(5);
/// How long a person may take to be asked for a password and to type it.
const PERSON_WAIT: Duration = Duration::from_secs(60);

/// A login request that was left alone.
struct LeftAlone<'a> {
    /// The login request.
    answer: &'a Message,
    /// How long the capture ran on behind it.
    watched: Duration,
    /// What is known of the client besides.
    client: ClientHabit,
    /// Whether the capture holds enough behind it that a login would not have been missed.
    is_sure: bool,
}

/// What the capture shows of the logins of a client that left a login request alone.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ClientHabit {
    /// It had sent a login for an earlier challenge, which the capture lacks: it may have been refused for what it was.
    HadLogin,
    /// It logs in there at other times.
    LogsInElsewhere,
    /// It answered the other login request of the attempt.
    AnsweredOther,
    /// It sends no login in the whole capture.
    NeverLogsIn,
    /// It sends logins to others.
    LogsInToOthers,
}

impl ClientHabit {
    fn of(login: &Login<'_, '_>, is_second: bool) -> Self {
        match () {
            () if !is_second && login.sent().is_some() => Self::HadLogin,
            () if login.logs_in_elsewhere() => Self::LogsInElsewhere,
            () if is_second => Self::AnsweredOther,
            () if !login.capture.logins().has_tried(login.capture.node(login.client)) => Self::NeverLogsIn,
            () => Self::LogsInToOthers,
        }
    }

    /// Whether it has a password, so that the capture may lack its login.
    fn has_password(self) -> bool {
        matches!(self, Self::HadLogin | Self::LogsInElsewhere)
    }

    /// What follows `did not answer`.
    fn words(self) -> &'static str {
        match self {
            Self::HadLogin => {
                "; it had sent a login for an earlier challenge, which the capture lacks, so that the password may be wrong as well"
            }
            Self::LogsInElsewhere => {
                "; it logs in there at other times, so that it has a password, and possibly the capture lacks the login"
            }
            Self::AnsweredOther => "; it answered the other login request of this attempt only",
            Self::NeverLogsIn => {
                "; it never sends a login in this capture, so it may be set up to be known by its address"
            }
            Self::LogsInToOthers => "",
        }
    }
}

impl LeftAlone<'_> {
    fn confidence(&self) -> Confidence {
        match (self.watched >= PERSON_WAIT, self.is_sure) {
            _ if self.client.has_password() => Confidence::Possible,
            (true, true) => Confidence::Certain,
            (false, false) => Confidence::Possible,
            _ => Confidence::Likely,
        }
    }
}

pub fn auth_no_credentials(login: &Login<'_, '_>) -> Option<Observation> {
    let left = left_alone(login)?;
    let (client, server, realm) = (&login.client_name, &login.origin_name, login.realm());
    let blind = if left.is_sure {
        ""
    } else {
        " The capture holds nothing else in the seconds behind it, so that it may have missed the login."
    };
    let observation = Observation::new(left.confidence(), Proof::Protocol)
        .titled("")
        .naming(&login.user, "user", " never answered the login request")
        .happened(format!(
            "{server} asked {} to log in for the realm \"{realm}\" before it may {}, and {client} did not answer{}.{blind}",
            login.user,
            login.deed.words(),
            left.client.words()
        ))
        .remedy(format!("On {client}: set user name and password for the realm \"{realm}\"."))
        .remedy(format!(
            "Or on {server}: accept {} by its address without a password.",
            login.capture.name(login.client)
        ))
        .shown_by(login.shows(left.answer, "the login request"))
        .shown_by(Evidence::Missing {
            expected: "the same request with a login".to_owned(),
            after: left.answer.at,
            watched: left.watched,
        })
        .at(login.origin, format!("{} {realm}", login.capture.name(login.client)));
    if left.client.has_password() {
        return Some(observation);
    }
    Some(observation.not("auth-rejected", "no login was sent that could have been refused"))
}

/// A login request that its client got and had time to answer, and did not where the capture would show it.
fn left_alone<'a>(login: &Login<'_, 'a>) -> Option<LeftAlone<'a>> {
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
    if login.deed != Deed::Call && login.capture.logins().is_sweep(login.capture.node(login.client)) {
        return None;
    }
    // Several challenges left alone are no chance; one may be where the capture goes blind.
    let left = login.rounds.iter();
    let left = left.filter(|round| round.is_challenged() && round.credentials.is_empty());
    let is_sure = login.left > 1 || left.count() > 1 || login.capture.is_alive_after(answer, ANSWER_WAIT);
    Some(LeftAlone { answer, watched, client: ClientHabit::of(login, is_second), is_sure })
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
