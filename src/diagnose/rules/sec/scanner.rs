//! A node that searches for open servers, valid extensions or a way to call for free.

use std::collections::BTreeMap;

use crate::diagnose::context::capture_context::CaptureContext;
use crate::diagnose::finding::{Evidence, Observation, Proof};
use crate::diagnose::hostile::probe::{Ask, Reply, Sender};
use crate::diagnose::hostile::{Scan, Sign};
use crate::diagnose::rule::Claim;
use crate::sip::Method;

/// Frames that a claim quotes.
const FRAMES_MAX: usize = 5;
/// Servers and users that a text lists.
const TARGETS_SHOWN: usize = 5;
/// Ways of writing one number that a text lists.
const SPELLINGS_SHOWN: usize = 6;

pub fn sec_scanner(capture: &CaptureContext<'_>) -> Vec<Claim> {
    let claims = capture.scans().iter().filter_map(|scan| {
        let sender = capture.senders().get(scan.sender)?;
        Some(claim(capture, scan, sender))
    });
    claims.collect()
}

fn claim(capture: &CaptureContext<'_>, scan: &Scan, sender: &Sender) -> Claim {
    let address = capture.store.tables.endpoints.address(sender.node);
    let (first, last) = (&sender.asks[0], &sender.asks[sender.asks.len() - 1]);
    let seconds = last.time.millis_since(first.time) / 1000.0;
    let mut methods: BTreeMap<&str, usize> = BTreeMap::new();
    for ask in &sender.asks {
        *methods.entry(ask.method.text()).or_default() += 1;
    }
    let sent: Vec<String> = methods.iter().map(|(method, count)| format!("{count} {method}")).collect();
    let signs: Vec<String> = scan.signs.iter().map(sign).collect();
    let found: Vec<&Ask> = sender.asks.iter().filter(|ask| is_find(ask)).collect();
    let finds = finds(capture, &found);
    let some = |asks: &mut dyn Iterator<Item = &Ask>, shows: &str| {
        let mut asks = asks.take(FRAMES_MAX).peekable();
        let first = *asks.peek()?;
        let quote = format!("{} {}", first.method.text(), capture.text(first.target));
        Some(Evidence::in_frames(asks.map(|ask| ask.at).collect(), quote, shows))
    };
    let observation = Observation::new(scan.confidence, Proof::Comparison)
        .titled(format!("{address} searches for open SIP servers"))
        .happened(format!("{address} sent {} in {seconds:.1} s: {}.{finds}", sent.join(", "), signs.join("; ")))
        .remedy(format!("Firewall: block {address}, and let only known peers and registered phones reach SIP."))
        .remedy("Servers: answer unknown users the same way as known ones.")
        .at(first.source, "scan")
        .maybe_shown_by(some(&mut sender.asks.iter(), "the first of its requests"))
        .maybe_shown_by(some(&mut found.iter().copied(), "requests that got something other than a plain refusal"));
    Claim {
        said: observation,
        calls: calls(sender),
        count: sender.asks.len() as u32,
        first_at: first.time,
        last_at: last.time,
        scope: "left out of the call statistics".to_owned(),
    }
}

/// The calls that a sender placed, rising.
fn calls(sender: &Sender) -> Vec<u32> {
    let mut calls: Vec<u32> = sender.asks.iter().filter_map(|ask| ask.call).collect();
    calls.sort_unstable();
    calls
}

fn sign(sign: &Sign) -> String {
    match sign {
        Sign::Tool(name) => format!("it calls itself `{name}`"),
        Sign::MadeUpFrom(from) => format!("its From is `{from}`"),
        Sign::Breadth(users) => {
            format!("{users} different users or hosts within a minute, nearly all in vain")
        }
        Sign::Destinations(nodes) => format!("{nodes} servers asked"),
        Sign::Sequence(numbers) => format!("{numbers} numbers asked for in their order"),
        Sign::Prefixes(spellings) => {
            format!(
                "one number tried as {}",
                spellings.iter().take(SPELLINGS_SHOWN).cloned().collect::<Vec<_>>().join(", ")
            )
        }
        Sign::NoAck(count) => format!("{count} refused INVITEs, none confirmed by an ACK"),
        Sign::Flood(rate) => format!("up to {rate} requests within one second"),
    }
}

/// What a scanner takes home: a server or user that answered unlike one that is not there.
fn is_find(ask: &Ask) -> bool {
    ask.reply == Reply::Served
        || matches!(ask.method, Method::Register | Method::Invite) && matches!(ask.code, 401 | 407)
}

fn finds(capture: &CaptureContext<'_>, found: &[&Ask]) -> String {
    let targets = |is_served: bool| -> Vec<&str> {
        let asks = found.iter().filter(|ask| (ask.reply == Reply::Served) == is_served);
        asks.map(|ask| capture.text(ask.target)).take(TARGETS_SHOWN).collect()
    };
    let (served, asked) = (targets(true), targets(false));
    let mut text = String::new();
    if !served.is_empty() {
        text.push_str(&format!(" It was served for {}.", served.join(", ")));
    }
    if !asked.is_empty() {
        text.push_str(&format!(" It was asked for a login, as a server that is there asks, for {}.", asked.join(", ")));
    }
    text
}
