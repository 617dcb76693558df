//! Logins: the chain of challenges and credentials of one attempt, and what went wrong in it.
//!
//! Sources: RFC 3261 section 22, RFC 7616 sections 3.3 to 3.5, RFC 8760 (algorithms in SIP).

use crate::call::outcome::verdict::is_name_only;
use crate::call::store::message::Message;
use crate::call::transaction::call_id_parts::is_challenge;
use crate::call::transaction::call_transactions::CallTransactions;
use crate::call::transaction::pairing::TransactionIndex;
use crate::sip::{Digest, HeaderName, StatusCode};

/// Rounds read of one attempt; only an attack has more.
const ROUNDS_MAX: usize = 64;
/// Challenges in a row that call the nonce stale, from which on its life is too short.
pub const STALE_MIN: u32 = 3;

/// One request of an attempt and what came back.
#[derive(Debug, Clone)]
pub struct Round<'a> {
    /// The request, first send.
    pub request: &'a Message,
    /// The final response.
    pub answer: Option<&'a Message>,
    /// The logins that the request carries, with the header that each is in.
    pub credentials: Vec<(HeaderName, Digest<'a>)>,
    /// The challenges of the answer, with the header that each is in.
    pub challenges: Vec<(HeaderName, Digest<'a>)>,
}

impl<'a> Round<'a> {
    /// Status of the answer; 0 where none came.
    pub(in crate::call) fn code(&self) -> u16 {
        self.answer.and_then(Message::status).map_or(0, |status| status.0)
    }

    /// Whether the answer asks for a login.
    pub fn is_challenged(&self) -> bool {
        is_challenge(StatusCode(self.code()))
    }

    /// Whether the answer says that only the nonce was too old.
    fn is_stale(&self) -> bool {
        self.challenges.iter().any(|(_, digest)| digest.is_stale())
    }
}

/// A visible mistake in a login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DigestFault<'a> {
    /// The login names another realm than the challenge.
    Realm {
        /// In the login.
        sent: &'a [u8],
        /// In the challenge.
        asked: &'a [u8],
    },
    /// The login is in the header for the other kind of challenge.
    Header {
        /// Where it is.
        sent: HeaderName,
        /// Where it belongs.
        asked: HeaderName,
    },
    /// The nonce is none that the server gave in this attempt.
    Nonce,
    /// The algorithm is none of those offered.
    Algorithm {
        /// In the login.
        sent: &'a [u8],
        /// In the challenge.
        asked: &'a [u8],
    },
    /// `qop` without the client nonce or the nonce count that it needs.
    Counter,
    /// The nonce count of a new nonce is not 1, or a later use does not count on.
    NonceCount {
        /// As sent.
        sent: u32,
        /// What it had to be at least.
        asked: u32,
    },
    /// Two logins for one realm.
    Twice,
}

/// Why an attempt to log in led nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoginFault<'a> {
    /// The challenge was never answered; whether another one of the attempt was.
    Unanswered {
        /// Another proxy's challenge was answered.
        is_second: bool,
    },
    /// The server asks for algorithms that the client never uses.
    Algorithm {
        /// Those offered, as sent.
        offered: Vec<&'a [u8]>,
        /// That of the login; `None` where none was sent.
        used: Option<&'a [u8]>,
    },
    /// The server called the nonce stale this often in a row.
    Stale {
        /// How often.
        times: u32,
    },
    /// The login used a nonce that the server had replaced in the same attempt.
    OldNonce,
    /// The login itself is wrong.
    Digest(DigestFault<'a>),
    /// The login was well formed and answered the latest challenge, and was challenged again.
    Refused {
        /// How often.
        times: u32,
    },
    /// The login was answered by a refusal instead of a new challenge.
    Forbidden {
        /// 403 or 404.
        code: u16,
    },
}

/// The rounds of an attempt, whose steps are in the order of time.
///
/// None where a request was not captured, or where the capture cut headers: what they carried is not known.
pub fn rounds<'a>(transactions: &CallTransactions<'a>, steps: &[TransactionIndex]) -> Vec<Round<'a>> {
    // The end of a long chain shows what its begin does.
    let steps = &steps[steps.len().saturating_sub(ROUNDS_MAX)..];
    let read = steps.iter().map(|step| {
        let step = transactions.hop(*step);
        let (request, answer) = (step.request()?, step.final_response());
        if [Some(request), answer].into_iter().flatten().any(|message| message.flags.is_cut_in_headers()) {
            return None;
        }
        let challenges = answer.map_or(Vec::new(), |answer| {
            let names = [HeaderName::WwwAuthenticate, HeaderName::ProxyAuthenticate];
            digests(transactions, answer, names)
        });
        let names = [HeaderName::Authorization, HeaderName::ProxyAuthorization];
        Some(Round {
            request,
            answer,
            credentials: digests(transactions, request, names)
                .into_iter()
                .filter(|(_, login)| !is_name_only(login))
                .collect(),
            challenges,
        })
    });
    read.collect::<Option<_>>().unwrap_or_default()
}

fn digests<'a>(
    transactions: &CallTransactions<'a>,
    message: &Message,
    names: [HeaderName; 2],
) -> Vec<(HeaderName, Digest<'a>)> {
    let lists = names.into_iter().flat_map(|name| {
        transactions.tables.header_values(message, name).map(move |value| (name, Digest::parse(value.as_bytes())))
    });
    lists.filter(|(_, digest)| digest.is_digest()).collect()
}

/// What went wrong in an attempt whose last answer is a challenge, or a 403 or 404 to a login; `None` where nothing did.
pub fn fault<'a>(rounds: &[Round<'a>]) -> Option<LoginFault<'a>> {
    let last = rounds.iter().rposition(|round| round.answer.is_some())?;
    let (before, round) = (&rounds[..last], &rounds[last]);
    if !round.is_challenged() {
        let is_refusal = matches!(round.code(), 403 | 404) && !round.credentials.is_empty();
        return is_refusal.then(|| LoginFault::Forbidden { code: round.code() });
    }
    let stale = rounds[..=last].iter().rev().take_while(|round| round.is_stale()).count() as u32;
    if stale >= STALE_MIN {
        return Some(LoginFault::Stale { times: stale });
    }
    let Some((header, login)) = login_for(before, round) else {
        return Some(unanswered(before, round));
    };
    if stale > 0 {
        return Some(LoginFault::Stale { times: stale });
    }
    let Some((asked_in, asked)) = challenge_for(before, &login) else {
        return Some(strange_realm(before, round, &login));
    };
    if let Some(fault) = unoffered(before, &asked, &login) {
        return Some(fault);
    }
    let fault = digest_fault(before, round, (header, &login), (asked_in, &asked));
    match fault {
        Some(DigestFault::Nonce) if was_issued(before, &login) => Some(LoginFault::OldNonce),
        Some(fault) => Some(LoginFault::Digest(fault)),
        None => {
            let refused = rounds[..=last].iter().filter(|round| round.is_challenged() && !round.credentials.is_empty());
            Some(LoginFault::Refused { times: refused.count() as u32 })
        }
    }
}

/// The login of a request for the realm that its answer asks for again; any login where the realms differ by a mistake.
fn login_for<'a>(before: &[Round<'a>], round: &Round<'a>) -> Option<(HeaderName, Digest<'a>)> {
    let asks = |realm: Option<&[u8]>| round.challenges.iter().any(|(_, asked)| asked.realm() == realm);
    let same = round.credentials.iter().find(|(_, login)| asks(login.realm()));
    // A login that an earlier challenge of the attempt had asked for, and was accepted, says nothing of the next proxy.
    let strange = || round.credentials.iter().find(|(_, login)| challenge_for(before, login).is_none());
    same.or_else(strange).copied()
}

fn challenge_for<'a>(before: &[Round<'a>], login: &Digest<'_>) -> Option<(HeaderName, Digest<'a>)> {
    let all = before.iter().rev().flat_map(|round| round.challenges.iter());
    // Of several algorithms for one realm the one that the login uses counts.
    let same: Vec<_> = all.filter(|(_, asked)| asked.realm() == login.realm()).collect();
    let newest = same.first()?.1.nonce();
    let fits = same
        .iter()
        .find(|(_, asked)| asked.nonce() == newest && asked.algorithm().eq_ignore_ascii_case(login.algorithm()));
    fits.or(same.first()).map(|found| **found)
}

fn unanswered<'a>(before: &[Round<'a>], round: &Round<'a>) -> LoginFault<'a> {
    let offered: Vec<&[u8]> = round.challenges.iter().map(|(_, asked)| asked.algorithm()).collect();
    let is_second = !round.credentials.is_empty() || before.iter().any(|round| !round.credentials.is_empty());
    let is_plain = |asked: &&[u8]| asked.eq_ignore_ascii_case(b"MD5");
    let only_integrity = !round.challenges.is_empty()
        && round.challenges.iter().all(|(_, asked)| {
            asked.qop().next().is_some() && asked.qop().all(|qop| qop.eq_ignore_ascii_case(b"auth-int"))
        });
    if !is_second && !offered.is_empty() && (!offered.iter().any(is_plain) || only_integrity) {
        return LoginFault::Algorithm { offered, used: None };
    }
    LoginFault::Unanswered { is_second }
}

/// A login whose realm no challenge of the attempt named.
fn strange_realm<'a>(before: &[Round<'a>], round: &Round<'a>, login: &Digest<'a>) -> LoginFault<'a> {
    let asked = before.iter().rev().flat_map(|round| round.challenges.iter()).next();
    match asked {
        Some((_, asked)) => LoginFault::Digest(DigestFault::Realm {
            sent: login.realm().unwrap_or_default(),
            asked: asked.realm().unwrap_or_default(),
        }),
        // The login is older than the capture: the client was asked anew and gave up.
        None if round.challenges.iter().any(|(_, asked)| asked.realm() == login.realm()) => {
            LoginFault::Unanswered { is_second: false }
        }
        None => LoginFault::Unanswered { is_second: true },
    }
}

fn unoffered<'a>(before: &[Round<'a>], asked: &Digest<'a>, login: &Digest<'a>) -> Option<LoginFault<'a>> {
    let newest =
        before.iter().rev().find(|round| round.challenges.iter().any(|(_, other)| other.nonce() == asked.nonce()))?;
    let offered: Vec<&[u8]> = newest
        .challenges
        .iter()
        .filter(|(_, other)| other.realm() == login.realm())
        .map(|(_, other)| other.algorithm())
        .collect();
    let uses = |offer: &&[u8]| offer.eq_ignore_ascii_case(login.algorithm());
    if offered.is_empty() || offered.iter().any(uses) {
        return None;
    }
    let used = Some(login.algorithm());
    if offered.iter().any(|offer| offer.eq_ignore_ascii_case(b"MD5")) {
        return Some(LoginFault::Digest(DigestFault::Algorithm { sent: login.algorithm(), asked: asked.algorithm() }));
    }
    Some(LoginFault::Algorithm { offered, used })
}

fn digest_fault<'a>(
    before: &[Round<'a>],
    round: &Round<'a>,
    (header, login): (HeaderName, &Digest<'a>),
    (asked_in, asked): (HeaderName, &Digest<'a>),
) -> Option<DigestFault<'a>> {
    let belongs = match asked_in {
        HeaderName::ProxyAuthenticate => HeaderName::ProxyAuthorization,
        _ => HeaderName::Authorization,
    };
    if header != belongs {
        return Some(DigestFault::Header { sent: header, asked: belongs });
    }
    let same_realm = |other: &&(HeaderName, Digest<'_>)| other.0 == header && other.1.realm() == login.realm();
    if round.credentials.iter().filter(same_realm).count() > 1 {
        return Some(DigestFault::Twice);
    }
    if login.nonce() != asked.nonce() {
        return Some(DigestFault::Nonce);
    }
    let has_qop = login.qop().next().is_some();
    if has_qop && (login.nonce_count().is_none() || login.client_nonce().is_none()) {
        return Some(DigestFault::Counter);
    }
    if let Some(sent) = login.nonce_count().filter(|_| has_qop) {
        let wanted = next_count(before, login);
        if sent != 1 && wanted == 1 || sent < wanted {
            return Some(DigestFault::NonceCount { sent, asked: wanted });
        }
    }
    None
}

/// The smallest nonce count that the next use of a login's nonce may have.
fn next_count(before: &[Round<'_>], login: &Digest<'_>) -> u32 {
    let used = before
        .iter()
        .flat_map(|round| round.credentials.iter())
        .filter(|(_, other)| other.nonce() == login.nonce())
        .filter_map(|(_, other)| other.nonce_count())
        .max();
    used.unwrap_or(0).saturating_add(1)
}

fn was_issued(before: &[Round<'_>], login: &Digest<'_>) -> bool {
    before.iter().flat_map(|round| round.challenges.iter()).any(|(_, asked)| asked.nonce() == login.nonce())
}
