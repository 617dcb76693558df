//! Logins that were refused: with a visible mistake, or well formed and still wrong.
//!
//! Sources: RFC 3261 sections 22.2 and 22.4, RFC 7616 sections 3.3 to 3.5.

use std::time::Duration;

use crate::call::detail::login::{DigestFault, LoginFault};
use crate::diagnose::background::logins::foreign_uri;
use crate::diagnose::finding::words::{counted, duration};
use crate::diagnose::rules::auth::login::{Deed, Login, SERVER_CHANGES_MIN, names_login, readable};
use crate::diagnose::{Confidence, Observation, Proof};

/// An accepted login this near to a refused one of the same user: the password is right.
const SAME_LOGIN: Duration = Duration::from_secs(60);

/// A mistake that shows in a login.
enum Mistake<'a> {
    /// In its parameters.
    Digest(DigestFault<'a>),
    /// It was made for another URI than that of the request.
    Uri { made_for: String, requested: &'a str },
    /// Its user name has a domain, and no login that the server accepted has one.
    Domain { bare: String, domain: String },
}

impl<'a> Mistake<'a> {
    fn of(login: &Login<'_, 'a>) -> Option<Self> {
        if let LoginFault::Digest(fault) = login.fault {
            return Some(Self::Digest(fault));
        }
        let LoginFault::Refused { .. } = login.fault else {
            return None;
        };
        let (request, sent) = login.sent()?;
        let (client, server) = (login.capture.node(login.client), login.capture.node(login.server));
        let requested = login.capture.text(request.line);
        let logins = login.capture.logins();
        if let Some(made_for) = foreign_uri(&sent, requested).filter(|_| !logins.is_lenient(server)) {
            return Some(Self::Uri { made_for: readable(made_for), requested });
        }
        let name = readable(sent.username()?);
        let (bare, domain) = name.split_once('@')?;
        let accepted = logins.names(client, server);
        let is_bare = accepted.iter().all(|name| !name.contains(&b'@'));
        (!accepted.is_empty() && is_bare).then(|| Self::Domain { bare: bare.to_owned(), domain: domain.to_owned() })
    }

    fn confidence(&self) -> Confidence {
        match self {
            // A nonce of another attempt may be one that the client was given before the capture began.
            Self::Digest(DigestFault::Nonce) => Confidence::Possible,
            // Few servers mind the URI, and a wrong password looks the same.
            Self::Uri { .. } => Confidence::Possible,
            Self::Digest(_) | Self::Domain { .. } => Confidence::Likely,
        }
    }

    /// What the login carries, and what it should.
    fn words(&self) -> (String, String) {
        match self {
            Self::Digest(fault) => parameter(fault),
            Self::Uri { made_for, requested } => (
                format!("was made for {made_for} although the request goes to {requested}"),
                "calculate the login for the Request-URI".to_owned(),
            ),
            Self::Domain { bare, domain } => (
                format!("has the user name {bare}@{domain}, while accepted logins at this server carry no domain"),
                format!("set the user name to {bare}, without {domain}"),
            ),
        }
    }
}

/// A mistake in the parameters of a login: what it carries, and what it should.
fn parameter(fault: &DigestFault<'_>) -> (String, String) {
    match fault {
        DigestFault::Realm { sent, asked } => (
            format!("names the realm \"{}\" although \"{}\" was asked for", readable(sent), readable(asked)),
            format!("set the realm to \"{}\", or take over whatever realm the server names", readable(asked)),
        ),
        DigestFault::Header { sent, asked } => (
            format!("is in the header {} although {} is needed", sent.text(), asked.text()),
            "answer 401 in Authorization and 407 in Proxy-Authorization".to_owned(),
        ),
        DigestFault::Nonce => (
            "uses a nonce that the server did not give in this attempt".to_owned(),
            "use the nonce of the last challenge".to_owned(),
        ),
        DigestFault::Algorithm { sent, asked } => (
            format!("uses the algorithm {} although {} was offered", readable(sent), readable(asked)),
            format!("use the algorithm {}", readable(asked)),
        ),
        DigestFault::Counter => {
            ("says qop without the cnonce or nc that belong to it".to_owned(), "send cnonce and nc with qop".to_owned())
        }
        DigestFault::NonceCount { sent, asked } => (
            format!("has the nonce count {sent:08x} where {asked:08x} is due"),
            "begin with nc=00000001 for each nonce and count on".to_owned(),
        ),
        DigestFault::Twice => ("is there twice for one realm".to_owned(), "send one login for each realm".to_owned()),
    }
}

pub fn auth_digest_error(login: &Login<'_, '_>) -> Option<Observation> {
    if login.blames_nonce() {
        return None;
    }
    let mistake = Mistake::of(login)?;
    let (request, _) = login.sent()?;
    let (wrong, right) = mistake.words();
    let (client, server) = (&login.client_name, &login.origin_name);
    Some(
        Observation::new(mistake.confidence(), Proof::Protocol)
            .titled(format!("The login of {} is built wrongly", login.login_name()))
            .happened(format!("{server} refused the login of {}", login.login_name()))
            .because(format!("it {wrong}."))
            .remedy(format!(
                "On {client}: {right}. If the login is refused then as well, set the password anew on both sides."
            ))
            .shown_by(login.shows(request, "the request with the login"))
            .shown_by(login.shows(login.answer()?, "the refusal"))
            .at(login.origin, format!("{} {right}", login.login_name())),
    )
}

pub fn auth_rejected(login: &Login<'_, '_>) -> Option<Observation> {
    match login.fault {
        LoginFault::Refused { .. } if login.server_changes() >= SERVER_CHANGES_MIN => None,
        LoginFault::Refused { .. } | LoginFault::Forbidden { .. } if login.blames_nonce() => None,
        LoginFault::Refused { times } if Mistake::of(login).is_none() => challenged_again(login, times),
        LoginFault::Forbidden { code } => forbidden(login, code),
        _ => None,
    }
}

/// When the same login was accepted nearest to its refusal.
fn accepted(login: &Login<'_, '_>) -> Option<Duration> {
    let (request, sent) = login.sent()?;
    let (client, server) = (login.capture.node(login.client), login.capture.node(login.server));
    let logins = login.capture.logins();
    let time = logins.accepted_near(client, server, sent.username()?, request.time)?;
    Some(time.since(request.time).max(request.time.since(time)))
}

fn challenged_again(login: &Login<'_, '_>, times: u32) -> Option<Observation> {
    let (request, _) = login.sent()?;
    let answer = login.answer()?;
    let (client, server) = (&login.client_name, &login.origin_name);
    let (name, realm) = (login.login_name(), login.realm());
    let tries = if login.tries > 1 {
        format!(" in the last of {} that all failed", counted(login.tries, "attempt"))
    } else {
        String::new()
    };
    let says = format!(
        "{server} refused the login of {name} (realm \"{realm}\") {}{tries}: each answered the latest nonce and none was called stale",
        counted(times, "time")
    );
    let observation = match accepted(login).filter(|distance| *distance <= SAME_LOGIN) {
        Some(distance) => Observation::new(Confidence::Possible, Proof::Protocol)
            .titled(format!("The login of {name} is refused now and then"))
            .happened(format!(
                "{says}. The same user was accepted {} apart, so the password is right: a second device or a second server knows another one.",
                duration(distance)
            ))
            .remedy(format!("Find other devices that log in as {name}."))
            .remedy(format!("Where {server} is several machines: compare their user databases.")),
        None if login.server_changes() > 0 => Observation::new(Confidence::Possible, Proof::Protocol)
            .titled(format!("The login of {name} is refused"))
            .happened(format!("{says},"))
            .because(format!(
                "the password is wrong. Also consider two servers behind {server} that do not know each other's nonces: the challenges are of two kinds (length of the nonce, Server header)."
            ))
            .remedy(format!(
                "Where {server} is several machines: give them one nonce secret, or keep each client on one of them."
            ))
            .remedy(format!("Otherwise set the password of {name} anew on {client} and on {server}.")),
        None => Observation::new(Confidence::Likely, Proof::Protocol)
            .titled(format!("The login of {name} is wrong"))
            .happened(format!("{says},"))
            .because("the password or the user name is wrong.")
            .remedy(format!("Set the password of {name} anew on {client} and on {server}."))
            .remedy(format!(
                "See that {client} logs in with the user name that {server} expects, which may differ from the number."
            )),
    };
    Some(
        observation
            .shown_by(login.shows(answer, "asked again after the login"))
            .shown_by(login.shows(request, "the login"))
            .at(login.origin, name)
            .not("auth-stale-loop", "no challenge after the login says stale=true"),
    )
}

/// 403 or 404 as the answer to a login: some servers say so instead of asking again.
fn forbidden(login: &Login<'_, '_>, code: u16) -> Option<Observation> {
    // 404 to an INVITE is about the number that was called.
    if code == 404 && login.deed != Deed::Register {
        return None;
    }
    let (request, _) = login.sent()?;
    let answer = login.answer()?;
    let phrase = login.capture.text(answer.line);
    let words = phrase.to_ascii_lowercase();
    let is_explicit = names_login(&words);
    if !is_explicit && accepted(login).is_some() {
        return None;
    }
    let (confidence, proof) =
        if is_explicit { (Confidence::Certain, Proof::OwnWords) } else { (Confidence::Possible, Proof::CodeMeaning) };
    let (name, server, client) = (login.login_name(), &login.origin_name, &login.client_name);
    Some(
        Observation::new(confidence, proof)
            .titled(format!("The login of {name} was not accepted"))
            .happened(format!(
                "{server} answered {code} {phrase} to the login of {name}: a wrong password, a user that it does not know, or an account that is barred all lead to this answer."
            ))
            .remedy(format!("On {server}: see whether {name} exists and is not barred."))
            .remedy(format!("Set its password anew on {client} and on {server}."))
            .shown_by(login.shows(answer, "the answer to the login"))
            .shown_by(login.shows(request, "the login"))
            .at(login.origin, name),
    )
}
