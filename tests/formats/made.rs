//! A small laboratory for tests of this floor: an analysis by hand, with hostile texts where the wire could put them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use sipscan::analysis::{Analysis, CallEntry, CaptureEntry, Fitness, Peer, RegistrationEntry, Undecoded};
use sipscan::call::beside::other_request::OtherCount;
use sipscan::call::beside::registration::{Registration, RegistrationOutcome};
use sipscan::call::survey::metrics::Metrics;
use sipscan::call::{
    Call, CallId, Hop, Leg, MessageRange, MessageStore, Milestones, Origin, Outcome, Party, Step, Tables,
};
use sipscan::capture::{FrameRef, OpenError, OpenProblem, Timestamp, Weakness, WeaknessKind};
use sipscan::diagnose::{Confidence, Evidence, Finding, Incident, Observation, Proof, Severity, Variety};
use sipscan::net::{Endpoint, Transport};
use sipscan::sip::{Method, StatusCode};

/// Clears a screen, turns the reading direction, begins a formula, breaks a line.
pub const HOSTILE: &str = "=\u{1b}[2J\u{202e}evil\r\n\u{9b}31m,\"x\u{200b}";

/// Milliseconds after the beginning of the capture.
pub fn at(milliseconds: i64) -> Timestamp {
    Timestamp::from_nanoseconds(1_566_926_798_123_456_000 + milliseconds * 1_000_000)
}

fn frame(frame: u32) -> FrameRef {
    FrameRef { file: 0, frame }
}

fn endpoint(text: &str) -> Endpoint {
    let address: std::net::SocketAddr = text.parse().expect("an address with a port");
    Endpoint { address: address.ip(), port: address.port() }
}

/// A call from 203.0.113.9 to a PBX, ended so.
fn call(tables: &mut Tables, number: i64, callee: &str, outcome: Outcome, code: u16, phrase: &str) -> Call {
    let mut text = |text: &str| tables.texts.intern(text.as_bytes());
    let call_id = text(&format!("{number}@203.0.113.9"));
    let (caller, callee) = (text("sip:+13035550101@203.0.113.9"), text(callee));
    let (phrase, software) = (text(phrase), text("Asterisk 18.2"));
    let source = tables.endpoints.intern(endpoint("203.0.113.9:5060"));
    let destination = tables.endpoints.intern(endpoint("10.0.0.5:5060"));
    let start = number * 1000;
    let is_answered = outcome.is_answered();
    let answered = is_answered.then(|| at(start + 4100));
    Call {
        legs: vec![Leg { call_id, messages: MessageRange::default() }],
        caller,
        callee,
        source,
        destination,
        transport: Transport::Udp,
        started: at(start),
        ended: at(start + 40),
        outcome,
        final_code: Some(StatusCode(code)),
        phrase,
        ended_by: is_answered.then_some(Party::Caller),
        milestones: Milestones {
            invited: Some(at(start)),
            alerted: is_answered.then(|| at(start + 200)),
            ringing: is_answered.then(|| at(start + 200)),
            answered,
            cancelled: None,
            concluded: Some(at(start + if is_answered { 4100 } else { 38 })),
            hung_up: is_answered.then(|| at(start + 36_100)),
            released: is_answered.then(|| at(start + 36_120)),
        },
        hops: Box::new([Hop {
            source,
            destination,
            transport: Transport::Udp,
            final_code: code,
            final_ms: Some(if is_answered { 4100.0 } else { 38.25 }),
            sent: at(start),
            reply_ms: Some(2.5),
            alerted_ms: None,
            parent: None,
            asked: None,
        }]),
        origin: (outcome.is_failure()).then_some(Origin {
            endpoint: destination,
            code,
            code_origin: destination,
            software,
            beyond_capture: false,
            step: Step::Relayed,
        }),
        messages: 3,
        retransmissions: 0,
        copies: 0,
    }
}

fn codec_mismatch(tables: &mut Tables) -> Finding {
    let origin = tables.endpoints.intern(endpoint("10.0.0.5:5060"));
    let seen = Observation::new(Confidence::Certain, Proof::Comparison)
        .titled("No common codec")
        .happened("PBX 10.0.0.5 refused the call")
        .because("the trunk offered only G729 (18) and this PBX takes PCMU (0) or PCMA (8).")
        .remedy("Trunk 203.0.113.9: add PCMU or PCMA to its codec list.")
        .remedy("Re-test: an offer of 0 18 must be answered with 0.")
        .shown_by(Evidence::seen(frame(17), "m=audio 40012 RTP/AVP 18 101", "the offer"))
        .shown_by(Evidence::in_frames(vec![frame(21), frame(22)], "SIP/2.0 488 Not Acceptable Here", "the refusal"))
        .shown_by(Evidence::Missing {
            expected: "second offer".to_owned(),
            after: frame(22),
            watched: Duration::from_secs(40),
        })
        .not("sdp-profile-mismatch", "accepted offers use RTP/AVP too")
        .at(origin, "18");
    Finding { rule: "sdp-codec-mismatch", severity: Severity::Error, seen }
}

/// An analysis of six calls, with something in every list of the report.
pub fn analysis() -> Analysis {
    let mut store = MessageStore::default();
    let tables = &mut store.tables;
    let mut entries = Vec::new();
    let callees = ["sip:2005@10.0.0.5", "sip:2006@10.0.0.5", "sip:2007@10.0.0.5"];
    for (number, callee) in (0..).zip(callees) {
        let is_refused = number > 0;
        let (outcome, code, phrase) =
            if is_refused { (Outcome::Rejected, 488, "Not Acceptable Here") } else { (Outcome::Completed, 200, "OK") };
        entries.push(CallEntry {
            call: call(tables, number, callee, outcome, code, phrase),
            findings: is_refused.then(|| codec_mismatch(tables)).into_iter().collect(),
            has_primary: is_refused,
        });
    }
    let ends = [
        ("sip:2008@10.0.0.5", Outcome::Busy, 486, "Busy Here"),
        ("sip:2009@10.0.0.5", Outcome::ServerFailed, 503, "Service Unavailable"),
        (HOSTILE, Outcome::Rejected, 499, HOSTILE),
    ];
    for (number, (callee, outcome, code, phrase)) in (3..).zip(ends) {
        entries.push(CallEntry {
            call: call(tables, number, callee, outcome, code, phrase),
            findings: Vec::new(),
            has_primary: false,
        });
    }
    let incident = Incident {
        finding: codec_mismatch(tables),
        variety: Variety::default(),
        calls: vec![CallId(2), CallId(3)],
        count: 2,
        first_at: at(1000),
        last_at: at(2038),
        scope: "2 of 6 calls to 10.0.0.5".to_owned(),
        distinction: String::new(),
    };
    Analysis {
        begun: Default::default(),
        narrowing: None,
        captures: vec![capture()],
        fitness: fitness(),
        metrics: Metrics::of(entries.iter().map(|entry| &entry.call)),
        hostile_calls: Vec::new(),
        calls: entries,
        registrations: vec![registration(tables)],
        register_attempts: Vec::new(),
        others: vec![(options(tables), Vec::new())],
        other_requests: Vec::new(),
        incidents: vec![incident],
        peers: vec![pbx(tables)],
        problems: vec![OpenError { path: PathBuf::from("notes.txt"), problem: OpenProblem::Empty }],
        repeated: vec![PathBuf::from("trunk.pcap")],
        store,
    }
}

fn capture() -> CaptureEntry {
    CaptureEntry {
        path: PathBuf::from("trunk.pcap"),
        format: "pcap",
        compression: Some("gzip"),
        link_types: vec!["ETHERNET".to_owned()],
        bytes: 8208,
        frames: 1213,
        first_at: Some(at(0)),
        last_at: Some(at(45_000)),
        pauses: Vec::new(),
        dropped: 0,
        weaknesses: vec![Weakness {
            kind: WeaknessKind::SnaplenCut,
            frame: Some(13),
            detail: "2 SIP messages are cut short".to_owned(),
        }],
    }
}

fn fitness() -> Fitness {
    Fitness {
        sip_messages: BTreeMap::from([(Transport::Udp, 24), (Transport::Tcp, 3)]),
        copies: 12,
        media_packets: 1174,
        undecoded: vec![Undecoded { reason: "tls-without-keys".to_owned(), frames: 7 }],
        one_direction_pairs: vec![(endpoint("10.0.0.1:5060"), endpoint("[2001:db8::5]:5060"))],
    }
}

fn registration(tables: &mut Tables) -> RegistrationEntry {
    let registration = Registration {
        aor: tables.texts.intern(b"sip:8801@10.0.0.5"),
        source: tables.endpoints.intern(endpoint("203.0.113.9:5060")),
        registrar: tables.endpoints.intern(endpoint("10.0.0.5:5060")),
        outcome: RegistrationOutcome::Failed,
        final_code: Some(StatusCode(403)),
        expires_s: None,
        attempts: vec![0, 1],
    };
    RegistrationEntry { registration, findings: Vec::new() }
}

fn options(tables: &mut Tables) -> OtherCount {
    OtherCount {
        method: Method::Options,
        source: tables.endpoints.intern(endpoint("10.0.0.5:5060")),
        destination: tables.endpoints.intern(endpoint("203.0.113.9:5060")),
        count: 9,
        unanswered: 2,
        final_codes: BTreeMap::from([(200, 7)]),
    }
}

fn pbx(tables: &mut Tables) -> Peer {
    let id = tables.endpoints.intern(endpoint("10.0.0.5:5060"));
    Peer {
        node: tables.node(id),
        software: "Asterisk 18.2".to_owned(),
        tries: 6,
        answered: 1,
        no_reply: 0,
        reply_p50_ms: Some(2.0),
        pdd_p50_ms: Some(200.0),
        codes: BTreeMap::from([(200, 1), (486, 1), (488, 2), (499, 1), (503, 1)]),
    }
}

/// The analysis of one of the samples.
pub fn sample(name: &str) -> Analysis {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("samples").join(name);
    let options = sipscan::analysis::Options { workers: 1, ..Default::default() };
    sipscan::analysis::analyze(&[path], &options, &mut |_| {}).expect("a sample reads")
}
