//! Password guessing: many refused logins in little time, and whether one of them succeeded in the end.

use crate::diagnose::context::capture_context::CaptureContext;
use crate::diagnose::finding::words::counted;
use crate::diagnose::finding::{Confidence, Evidence, Observation, Proof, Steps};
use crate::diagnose::hostile::password_guessing::GuessingRun;
use crate::diagnose::rule::Claim;

/// Names and frames that a claim lists.
const LISTED_MAX: usize = 5;

pub fn sec_brute_force(capture: &CaptureContext<'_>) -> Vec<Claim> {
    capture.guessing_runs().iter().filter_map(|siege| claim(capture, siege)).collect()
}

fn claim(capture: &CaptureContext<'_>, siege: &GuessingRun) -> Option<Claim> {
    let (first, last) = (siege.logins.first()?, siege.logins.last()?);
    let addresses: Vec<String> =
        siege.nodes.iter().take(LISTED_MAX).map(|node| capture.store.tables.endpoints.node_name(*node)).collect();
    let from = match siege.nodes.len() {
        count if count > LISTED_MAX => format!("{} and {} more addresses", addresses.join(", "), count - LISTED_MAX),
        _ => addresses.join(", "),
    };
    let users: Vec<&str> = siege.users.iter().take(LISTED_MAX).map(|user| capture.text(*user)).collect();
    let whom = match siege.users.len() {
        1 => users.join(", "),
        count => format!("{count} users ({})", users.join(", ")),
    };
    let count = siege.logins.len();
    let seconds = last.time.millis_since(first.time) / 1000.0;
    let success = siege.success.and_then(|index| capture.attempts.get(index as usize));
    let (title, end, remedy, confidence) = match success {
        Some(success) => {
            let user = capture.text(success.aor);
            let frame = success.answered_at.unwrap_or(success.asked_at).frame;
            (
                format!("Account {user} was taken by guessing its password"),
                format!(" {user} then logged in from there (frame {frame})."),
                Steps::from([
                    format!(
                        "Now: change the secret of {user}, end its registrations and look at its calls since then."
                    ),
                    format!("Firewall: block {from}."),
                    "Registrar: limit refused logins per address, and use long random secrets.".to_owned(),
                ]),
                Confidence::Certain,
            )
        }
        None => (
            format!("{from} {} passwords", if siege.nodes.len() == 1 { "guesses" } else { "guess" }),
            " None of them succeeded in this capture.".to_owned(),
            Steps::from([
                format!("Firewall: block {from}."),
                "Registrar: limit refused logins per address, and use long random secrets.".to_owned(),
            ]),
            Confidence::Likely,
        ),
    };
    let observation = Observation::new(confidence, Proof::Comparison)
        .titled(title)
        .happened(format!(
            "{from} tried {count} logins for {whom} at {} in {seconds:.0} s, up to {} within a minute, and these were refused.{end}",
            capture.name(first.registrar),
            siege.peak
        ))
        .remedy(remedy)
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
    Some(Claim {
        said: observation,
        calls: Vec::new(),
        count: count as u32,
        first_at: first.time,
        last_at: success.map_or(last.time, |success| success.ended),
        scope: format!(
            "{}, {}",
            counted(siege.users.len() as u32, "user"),
            match siege.nodes.len() {
                1 => "1 address".to_owned(),
                nodes => format!("{nodes} addresses"),
            }
        ),
    })
}
