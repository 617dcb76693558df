//! Password guessing: many refused logins in little time, and whether one of them succeeded in the end.

use crate::call::beside::registration::RegisterAttempt;
use crate::diagnose::context::capture_context::CaptureContext;
use crate::diagnose::finding::words::counted;
use crate::diagnose::finding::{Confidence, Evidence, Observation, Proof};
use crate::diagnose::hostile::password_guessing::GuessingRun;
use crate::diagnose::rule::Claim;

/// Names and frames that a claim lists.
const LISTED_MAX: usize = 5;

pub fn sec_brute_force(capture: &CaptureContext<'_>) -> Vec<Claim> {
    capture.guessing_runs().iter().filter_map(|siege| claim(capture, siege)).collect()
}

fn claim(capture: &CaptureContext<'_>, siege: &GuessingRun) -> Option<Claim> {
    let (first, last) = (siege.logins.first()?, siege.logins.last()?);
    let success = siege.success.and_then(|index| capture.attempts.get(index as usize));
    let from = addresses(capture, siege);
    let confidence = if success.is_some() { Confidence::Certain } else { Confidence::Likely };
    let observation = Observation::new(confidence, Proof::Comparison)
        .titled(match success {
            Some(success) => format!("Account {} was taken by guessing its password", capture.text(success.aor)),
            None => format!("{from} {} passwords", if siege.nodes.len() == 1 { "guesses" } else { "guess" }),
        })
        .happened(format!(
            "{from} tried {} logins for {} at {} in {:.0} s, up to {} within a minute, and these were refused.{}",
            siege.logins.len(),
            users(capture, siege),
            capture.name(first.registrar),
            last.time.millis_since(first.time) / 1000.0,
            siege.peak,
            end(capture, success)
        ))
        .remedy(success.map_or(String::new(), |success| {
            format!(
                "Now: change the secret of {}, end its registrations and look at its calls since then.",
                capture.text(success.aor)
            )
        }))
        .remedy(format!("Firewall: block {from}."))
        .remedy("Registrar: limit refused logins per address, and use long random secrets.")
        .at(first.source, "guessing")
        .maybe_shown_by(success.map(|success| {
            Evidence::seen(
                success.answered_at.unwrap_or(success.asked_at),
                format!("REGISTER {}", capture.text(success.aor)),
                "the login that succeeded",
            )
        }))
        .shown_by(Evidence::in_frames(
            siege.logins.iter().take(LISTED_MAX).map(|login| login.at).collect(),
            format!("REGISTER {}", capture.text(first.aor)),
            "the first refused logins",
        ));
    let addresses = match siege.nodes.len() {
        1 => "1 address".to_owned(),
        nodes => format!("{nodes} addresses"),
    };
    Some(Claim {
        said: observation,
        calls: Vec::new(),
        count: siege.logins.len() as u32,
        first_at: first.time,
        last_at: success.map_or(last.time, |success| success.ended),
        scope: format!("{}, {addresses}", counted(siege.users.len() as u32, "user")),
    })
}

/// Where the logins came from.
fn addresses(capture: &CaptureContext<'_>, siege: &GuessingRun) -> String {
    let nodes = siege.nodes.iter().take(LISTED_MAX);
    let addresses: Vec<String> = nodes.map(|node| capture.store.tables.endpoints.node_name(*node)).collect();
    match siege.nodes.len() {
        count if count > LISTED_MAX => format!("{} and {} more addresses", addresses.join(", "), count - LISTED_MAX),
        _ => addresses.join(", "),
    }
}

/// Whose password was tried.
fn users(capture: &CaptureContext<'_>, siege: &GuessingRun) -> String {
    let users: Vec<&str> = siege.users.iter().take(LISTED_MAX).map(|user| capture.text(*user)).collect();
    match siege.users.len() {
        1 => users.join(", "),
        count => format!("{count} users ({})", users.join(", ")),
    }
}

/// Whether one of them succeeded, as a sentence with a blank before it.
fn end(capture: &CaptureContext<'_>, success: Option<&RegisterAttempt>) -> String {
    let Some(success) = success else {
        return " None of them succeeded in this capture.".to_owned();
    };
    let frame = success.answered_at.unwrap_or(success.asked_at).frame;
    format!(" {} then logged in from there (frame {frame}).", capture.text(success.aor))
}
