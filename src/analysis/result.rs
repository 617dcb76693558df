//! What an analysis holds: every number that a report prints is a field here.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::analysis::narrowing::Narrowing;
use crate::call::FastMap;
use crate::call::beside::other_request::{OtherCount, OtherRequest};
use crate::call::beside::registration::{RegisterAttempt, Registration};
use crate::call::survey::metrics::{Metrics, RegistrationMetrics};
use crate::call::survey::profile::Profile;
use crate::call::{Call, CallId, CallIndex, MessageStore, NodeId};
use crate::capture::{FrameRef, Timestamp};
use crate::diagnose::{Finding, Incident};
use crate::net::{Endpoint, Transport};

/// Everything that is known about the captures of one run.
#[derive(Debug)]
pub struct Analysis {
    /// In the order of their first packet.
    pub captures: Vec<CaptureEntry>,
    /// What the input can and cannot prove.
    pub fitness: Fitness,
    /// Over all calls whose outcome is known.
    pub metrics: Metrics,
    /// By [`CallIndex`], in the order of their first message.
    pub calls: Vec<CallEntry>,
    /// Those of the calls that tools which look for open servers sent, ascending; they are in no metric.
    pub hostile_calls: Vec<CallIndex>,
    /// In the order of their first try.
    pub registrations: Vec<RegistrationEntry>,
    /// Every try to register, in the order of time.
    pub register_attempts: Vec<RegisterAttempt>,
    /// Requests outside calls by method, sender and receiver.
    pub others: Vec<(OtherCount, Vec<Finding>)>,
    /// Each of these requests, in the order of time.
    pub other_requests: Vec<OtherRequest>,
    /// Findings with one cause, most harmful first.
    pub incidents: Vec<Incident>,
    /// Nodes that calls were sent to, busiest first.
    pub peers: Vec<Peer>,
    /// Arguments and folder entries that could not be read.
    pub problems: Vec<crate::capture::OpenError>,
    /// Files that were given more than once, and read once.
    pub repeated: Vec<PathBuf>,
    /// Of messages in several pieces of a TCP stream: by the frame that completed one, the frame in which it begins.
    pub begun: FastMap<FrameRef, FrameRef>,
    /// Which of the calls reports are about, where not about all.
    pub narrowing: Option<Narrowing>,
    /// The messages themselves, and the tables that every id refers to.
    pub store: MessageStore,
}

impl Analysis {
    /// The metrics of the calls that reports are about, by destination, by source, by the caller's product and over time.
    pub fn profile(&self) -> Profile {
        let honest = self.reported_calls().filter(|(id, _)| !self.is_hostile(*id));
        let honest: Vec<&Call> = honest.map(|(_, entry)| &entry.call).collect();
        Profile::of(&honest, &self.store)
    }

    /// The call with a number; `None` where there is none.
    pub fn call(&self, id: CallId) -> Option<&CallEntry> {
        self.calls.get(id.index()?.place())
    }

    /// Whether a tool that looks for open servers sent the call with a number.
    pub fn is_hostile(&self, id: CallId) -> bool {
        id.index().is_some_and(|index| self.hostile_calls.binary_search(&index).is_ok())
    }

    /// How tries to register went; a report on some of the calls has none.
    pub fn registration_metrics(&self) -> RegistrationMetrics {
        let is_whole = self.narrowing.is_none();
        RegistrationMetrics::of(self.register_attempts.iter().filter(|_| is_whole))
    }
}

/// One input file.
#[derive(Debug, Clone, PartialEq)]
pub struct CaptureEntry {
    /// As given; `-` for standard input.
    pub path: PathBuf,
    /// `pcap` or `pcapng`.
    pub format: &'static str,
    /// `gzip`, `zstd`, `xz`, `lz4`, `bzip2`, or none.
    pub compression: Option<&'static str>,
    /// LINKTYPE names in the order of first use.
    pub link_types: Vec<String>,
    /// Bytes on disk, or read from a pipe.
    pub bytes: u64,
    /// Frames read.
    pub frames: u64,
    /// First frame.
    pub first_at: Option<Timestamp>,
    /// Last frame.
    pub last_at: Option<Timestamp>,
    /// Times in which it holds nothing although it was busy before and behind: it was stopped, or its clock was set.
    pub pauses: Vec<crate::capture::Pause>,
    /// Packets that the capturing machine says it dropped.
    pub dropped: u64,
    /// What it cannot show.
    pub weaknesses: Vec<crate::capture::Weakness>,
}

/// What the input can and cannot prove.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Fitness {
    /// SIP messages by transport, copies left out.
    pub sip_messages: BTreeMap<Transport, u64>,
    /// Messages that repeat one captured elsewhere.
    pub copies: u64,
    /// RTP and RTCP packets that were passed over.
    pub media_packets: u64,
    /// What was not read, by reason, most frames first.
    pub undecoded: Vec<Undecoded>,
    /// Pairs of which one direction is missing: who was captured speaking, and who was not.
    pub one_direction_pairs: Vec<(Endpoint, Endpoint)>,
}

/// Frames that were not read, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Undecoded {
    /// In kebab case where it is one of a known set, such as `tls-without-keys`; else a short sentence.
    pub reason: String,
    /// How many frames.
    pub frames: u64,
}

/// One call with what is said about it.
#[derive(Debug)]
pub struct CallEntry {
    /// What happened.
    pub call: Call,
    /// Why, best explanation first.
    pub findings: Vec<Finding>,
    /// Whether the first finding explains the outcome.
    pub has_primary: bool,
}

impl CallEntry {
    /// The finding that explains the outcome.
    pub fn primary(&self) -> Option<&Finding> {
        self.findings.first().filter(|_| self.has_primary)
    }
}

/// One registration with what is said about it.
#[derive(Debug)]
pub struct RegistrationEntry {
    /// What happened.
    pub registration: Registration,
    /// Why.
    pub findings: Vec<Finding>,
}

/// A node that calls were sent to.
#[derive(Debug, Clone, PartialEq)]
pub struct Peer {
    /// Its address.
    pub node: NodeId,
    /// Product name, empty where it names none.
    pub software: String,
    /// INVITEs that were sent to it, without repeats, challenges and steps.
    pub tries: u32,
    /// Of these, answered with a 2xx.
    pub answered: u32,
    /// Of these, without any final response.
    pub no_reply: u32,
    /// Median of the time to its first response in milliseconds.
    pub reply_p50_ms: Option<f64>,
    /// Median of the time to its first 18x in milliseconds.
    pub pdd_p50_ms: Option<f64>,
    /// Final codes and how often each.
    pub codes: BTreeMap<u16, u32>,
}
