//! Hostile senders: which of the nodes in the capture search for open servers, and what gives them away.
//!
//! Source: RFC 3261 section 26.1.

pub(in crate::diagnose) mod password_guessing;
pub(in crate::diagnose) mod probe;

use std::collections::BTreeSet;

use crate::call::NodeId;
use crate::diagnose::finding::Confidence;
use crate::diagnose::hostile::password_guessing::{GuessingRun, guessing_runs};
use crate::diagnose::hostile::probe::{Ask, Mark, Marks, Reply, Sender, senders, spellings};
use crate::diagnose::input::DiagnosisInput;
use crate::sip::Method;

/// Different users asked for within a minute that no phone or trunk asks for in vain.
const BREADTH_MIN: usize = 20;
/// The same for a sender that names a tool.
const BREADTH_MIN_MARKED: usize = 5;
/// Nodes asked.
const DESTINATIONS_MIN: usize = 10;
/// Numbers asked for in their order.
const SEQUENCE_MIN: usize = 10;
/// Ways of writing one called number.
const SPELLINGS_MIN: usize = 4;
/// Refused INVITEs without one ACK.
const UNCONFIRMED_MIN: usize = 5;
/// Requests in a second, and in all, that are a flood.
const FLOOD_PER_SECOND: usize = 50;
const FLOOD_MIN: usize = 500;
/// Sockets of one tool; phones behind one NAT have one each.
const SOCKETS_MAX: usize = 3;
/// The share of requests, in percent, that must come to nothing.
const REFUSED_PERCENT_MIN: usize = 90;

/// What gives a scanner away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sign {
    /// It names a tool: the product as sent.
    Tool(String),
    /// Its From is one that tools make up.
    MadeUpFrom(String),
    /// Users asked for within a minute, nearly all in vain.
    Breadth(usize),
    /// Nodes asked.
    Destinations(usize),
    /// Numbers asked for in their order.
    Sequence(usize),
    /// Ways of writing one called number.
    Prefixes(Vec<String>),
    /// Refused INVITEs that it never confirmed.
    NoAck(usize),
    /// Requests within a second.
    Flood(usize),
}

/// A node that searches.
#[derive(Debug, Clone)]
pub struct Scan {
    /// Its place in [`HostileSenders::senders`].
    pub sender: usize,
    /// What gives it away.
    pub signs: Vec<Sign>,
    /// How sure.
    pub confidence: Confidence,
}

/// What every node asked for, and which nodes attack.
#[derive(Debug, Default)]
pub struct HostileSenders {
    /// Every node that asked for something, in the order of first sight; empty once the rules about the capture have spoken.
    pub senders: Vec<Sender>,
    /// Nodes that search for open servers.
    pub scans: Vec<Scan>,
    /// Password guessing.
    pub guessing_runs: Vec<GuessingRun>,
    /// Nodes that do either: their requests are left out of everything that is said of real calls.
    pub nodes: BTreeSet<NodeId>,
}

impl HostileSenders {
    /// Judges every sender of a run.
    pub(in crate::diagnose) fn of(input: &DiagnosisInput<'_>) -> Self {
        let senders = senders(input.store, input.calls, input.attempts, input.requests);
        let mut marks = Marks::default();
        let judged = senders.iter().enumerate();
        let scans: Vec<Scan> = judged.filter_map(|(place, sender)| judge(input, place, sender, &mut marks)).collect();
        let guessing_runs = guessing_runs(input.store, input.attempts);
        let scanning = scans.iter().filter_map(|scan| senders.get(scan.sender)).map(|sender| sender.node);
        let guessing = guessing_runs.iter().flat_map(|run| run.nodes.iter().copied());
        let nodes = scanning.chain(guessing).collect();
        Self { senders, scans, guessing_runs, nodes }
    }
}

fn judge(input: &DiagnosisInput<'_>, place: usize, sender: &Sender, marks: &mut Marks) -> Option<Scan> {
    let store = input.store;
    let mark = sender.mark(store, marks);
    let is_public = sender.is_public(store);
    if mark.is_none() && !is_public {
        // Unmarked traffic inside a private network is a test or a mistake.
        return None;
    }
    let kind = mark.map(|(_, mark)| mark);
    let signs = signs(input, sender, mark);
    let has = |wanted: fn(&Sign) -> bool| signs.iter().any(wanted);
    let is_searching = signs.len() >= 2 || has(|sign| matches!(sign, Sign::Tool(_))) && !was_served(sender);
    let confidence = match kind {
        Some(Mark::Tool) => {
            let is_broad = signs.iter().any(|sign| {
                matches!(sign, Sign::Breadth(_) | Sign::Destinations(_) | Sign::Sequence(_) | Sign::MadeUpFrom(_))
            });
            if !is_searching {
                return None;
            }
            if is_broad { Confidence::Certain } else { Confidence::Likely }
        }
        Some(Mark::Doubtful) if is_public && signs.len() >= 3 && !was_served(sender) => Confidence::Likely,
        None if signs.len() >= 2 && !was_served(sender) && sender.sockets() <= SOCKETS_MAX => Confidence::Likely,
        _ => return None,
    };
    Some(Scan { sender: place, signs, confidence })
}

/// Whether it got what people want: a call that was answered, or a registration.
fn was_served(sender: &Sender) -> bool {
    sender.asks.iter().any(|ask| ask.reply == Reply::Served && matches!(ask.method, Method::Invite | Method::Register))
}

fn signs(input: &DiagnosisInput<'_>, sender: &Sender, mark: Option<(&Ask, Mark)>) -> Vec<Sign> {
    let store = input.store;
    let mut signs = Vec::new();
    if let Some((ask, _)) = mark {
        signs.push(Sign::Tool(input.text(ask.software).to_owned()));
    }
    if let Some(ask) = sender.made_up_from(store) {
        signs.push(Sign::MadeUpFrom(input.text(ask.from).to_owned()));
    }
    let is_marked = mark.is_some();
    let (breadth, range) = sender.breadth(store);
    let served = sender.count(range.clone(), Reply::Served);
    let is_in_vain = (range.len() - served) * 100 >= range.len() * REFUSED_PERCENT_MIN;
    let asks = sender.asks.get(range).unwrap_or_default();
    let is_fresh = || is_marked || asks.iter().all(|ask| !ask.is_relayed && !ask.has_login(store));
    let needed = if is_marked { BREADTH_MIN_MARKED } else { BREADTH_MIN };
    if breadth >= needed && is_in_vain && is_fresh() {
        signs.push(Sign::Breadth(breadth));
    }
    let destinations = sender.destinations(store);
    if destinations >= if is_marked { 3 } else { DESTINATIONS_MIN } {
        signs.push(Sign::Destinations(destinations));
    }
    let sequence = sender.sequence(store);
    if sequence >= if is_marked { BREADTH_MIN_MARKED } else { SEQUENCE_MIN } && is_in_vain {
        signs.push(Sign::Sequence(sequence));
    }
    let spellings = spellings(store, &sender.prefix_hunt(store));
    if spellings.len() >= SPELLINGS_MIN {
        signs.push(Sign::Prefixes(spellings));
    }
    let refused = || sender.asks.iter().filter(|ask| ask.method == Method::Invite && ask.code >= 300);
    let count = refused().count();
    if count >= UNCONFIRMED_MIN && refused().all(|ask| ask.lacks_ack(store)) {
        signs.push(Sign::NoAck(count));
    }
    let peak = sender.peak_per_second();
    if peak > FLOOD_PER_SECOND && sender.asks.len() >= FLOOD_MIN && is_in_vain {
        signs.push(Sign::Flood(peak));
    }
    signs
}
