//! One run: find the captures, read them, build what happened, say why.

use std::path::PathBuf;

use rayon::prelude::*;

use crate::analysis::batch::IcmpSeen;
use crate::analysis::collector::Collector;
use crate::analysis::fitness;
use crate::analysis::peers;
use crate::analysis::read::read;
use crate::analysis::result::{Analysis, CallEntry, CaptureEntry, RegistrationEntry};
use crate::call::beside::icmp::IcmpReport;
use crate::call::beside::{dns, other_request, registration};
use crate::call::{self, Call, CallSet, Census, MessageStore, MessageStoreBuilder, NodeSurvey};
use crate::capture::{self, OpenError, Pause, Reader, Source, Timestamp, Weakness};
use crate::diagnose::{DiagnosisInput, Verdict, diagnose};
use crate::net::{Connection, IncompleteDatagram, Network, TlsHandshake};
use crate::sip::{HeaderName, HeaderSpan, Message, Seed};

/// How a run is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Threads that read; at least 1. What follows runs on the threads of the current pool of rayon. The result does not depend
    /// on either.
    pub workers: usize,
    /// Whether arguments that cannot be read are left out rather than ending the run.
    pub keep_going: bool,
    /// TLS key logs (SSLKEYLOGFILE, RFC 9850), one behind the other; those within captures are used besides.
    pub secrets: Vec<u8>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            workers: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            keep_going: false,
            secrets: Vec::new(),
        }
    }
}

/// How far reading has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Stored bytes read of all captures.
    pub bytes_done: u64,
    /// Stored bytes of all captures; `None` where one is a pipe.
    pub bytes_total: Option<u64>,
}

/// Reads and explains captures: files, folders of files, and `-` for standard input.
///
/// # Errors
/// What could not be read, one error for each argument, where that is all of them or [`Options::keep_going`] is off.
pub fn analyze(
    arguments: &[PathBuf],
    options: &Options,
    progress: &mut dyn FnMut(Progress),
) -> Result<Analysis, Vec<OpenError>> {
    let found = capture::find(arguments);
    if !found.errors.is_empty() && (!options.keep_going || found.sources.is_empty()) {
        return Err(found.errors);
    }
    let mut analysis = analyze_sources(&found.sources, options, progress).map_err(|error| vec![error])?;
    analysis.problems.extend(found.errors.into_iter().chain(found.skipped));
    analysis.repeated = found.repeated;
    Ok(analysis)
}

/// Reads and explains captures that were found, in their order.
///
/// # Errors
/// The first capture that cannot be opened any more, where [`Options::keep_going`] is off.
pub fn analyze_sources(
    sources: &[Source],
    options: &Options,
    progress: &mut dyn FnMut(Progress),
) -> Result<Analysis, OpenError> {
    let seed = Seed::default();
    let mut collector = Collector::new(seed.clone());
    collector.add_secrets(&options.secrets);
    let total = sources.iter().map(|source| source.bytes).sum::<Option<u64>>();
    collector.set_total(total);
    let (mut captures, mut problems, mut done) = (Vec::new(), Vec::new(), 0);
    for source in sources {
        // What cannot be opened has no place among the captures, so it takes no number either.
        let file = u16::try_from(captures.len()).unwrap_or(u16::MAX);
        let mut reader = match Reader::open(source, file) {
            Ok(reader) => reader,
            Err(error) if options.keep_going => {
                problems.push(error);
                continue;
            }
            Err(error) => return Err(error),
        };
        let lane = collector.lane_for(source.first_at);
        collector.begin_capture(done);
        let mut report = |bytes: u64| progress(Progress { bytes_done: done + bytes, bytes_total: total });
        let times = read(&mut reader, lane, options.workers, &seed, &mut collector, &mut report);
        let entry = capture_entry(source, &reader.summary(&times));
        done += entry.bytes;
        captures.push(entry);
    }
    collector.finish();
    Ok(explain(collector, captures, problems))
}

fn capture_entry(source: &Source, summary: &capture::FileSummary) -> CaptureEntry {
    let mut weaknesses = summary.weaknesses.clone();
    if summary.dropped > 0 && !weaknesses.iter().any(|weakness| weakness.kind == capture::WeaknessKind::CaptureDrops) {
        let detail = format!("the capturing machine says that it dropped {} packets", summary.dropped);
        weaknesses.push(Weakness { kind: capture::WeaknessKind::CaptureDrops, frame: None, detail });
    }
    CaptureEntry {
        path: source.path.clone(),
        format: source.format.word(),
        compression: source.compression.map(capture::Compression::word),
        link_types: summary.link_types.iter().map(ToString::to_string).collect(),
        bytes: summary.bytes,
        frames: summary.frames,
        first_at: summary.first_at,
        last_at: summary.last_at,
        pauses: summary.pauses.clone(),
        dropped: summary.dropped,
        weaknesses,
    }
}

/// What the messages of a run say happened.
struct Happened {
    store: MessageStore,
    errors: Vec<IcmpReport>,
    set: CallSet,
    survey: NodeSurvey,
    census: Census,
}

/// Sorts the messages and builds the calls; from here on nothing of them changes.
fn happened(
    mut builder: MessageStoreBuilder,
    seen: &[IcmpSeen],
    pauses: &[Pause],
    span: (Timestamp, Timestamp),
) -> Happened {
    // What never spoke SIP, such as the address for media, may be what an error is about.
    for error in seen {
        builder.add_endpoint(error.error.quoted.destination);
    }
    let mut store = builder.finish(call::shifts);
    let errors = icmp_reports(seen, &store);
    let split = call::split_call_ids(&mut store, span, pauses, &errors);
    let (census, (set, survey)) = rayon::join(|| Census::of(&store), || call::build_calls(split, &store));
    Happened { store, errors, set, survey, census }
}

/// What the networks of all lanes hold beside messages.
struct NetworkRecords {
    connections: Vec<Connection>,
    incomplete: Vec<IncompleteDatagram>,
    handshakes: Vec<TlsHandshake>,
    missing_bytes: u64,
}

impl NetworkRecords {
    fn of(networks: &[Network]) -> Self {
        Self {
            connections: networks.iter().flat_map(|network| network.connections().iter().cloned()).collect(),
            incomplete: networks.iter().flat_map(|network| network.incomplete_datagrams().iter().cloned()).collect(),
            handshakes: networks.iter().flat_map(|network| network.handshakes().iter().cloned()).collect(),
            missing_bytes: networks.iter().map(|network| network.stream_counters().missing_bytes).sum(),
        }
    }
}

/// Says why: joins what happened with what the input can prove and with what is found about it.
fn explain(collector: Collector, mut captures: Vec<CaptureEntry>, problems: Vec<OpenError>) -> Analysis {
    let start = captures.iter().filter_map(|capture| capture.first_at).min().unwrap_or_default();
    let end = captures.iter().filter_map(|capture| capture.last_at).max().unwrap_or_default();
    let (builder, mut tally, networks) = collector.into_parts();
    let lookups = dns::lookups(std::mem::take(&mut tally.dns));
    let records = NetworkRecords::of(&networks);
    let pauses = fitness::pauses(&captures);
    let Happened { store, errors, set, survey, census } = happened(builder, &tally.errors, &pauses, (start, end));
    let registrations = registration::registrations(&set.attempts, |endpoint| store.tables.node(endpoint));
    let seen = fitness::Seen {
        census: &census,
        tally: &tally,
        missing_bytes: records.missing_bytes,
        incomplete: &records.incomplete,
        connections: &records.connections,
        networks: &networks,
        pauses,
    };
    let (fitness, sight) = fitness::assess(&store, &set, &mut captures, &seen);
    let diagnosis = diagnose(DiagnosisInput {
        store: &store,
        calls: &set.calls,
        attempts: &set.attempts,
        registrations: &registrations,
        requests: &set.requests,
        errors: &errors,
        connections: &records.connections,
        handshakes: &records.handshakes,
        incomplete: &records.incomplete,
        loads: &survey.loads,
        timers: &survey.timers,
        lookups: &lookups,
        sight,
        start,
        end,
    });
    // What only rules ask for makes room for the result.
    let (peers, ()) = rayon::join(|| peers::peers(&set.calls, &store), || drop(survey));
    let registrations = registrations.into_iter().zip(diagnosis.registrations);
    Analysis {
        captures,
        fitness,
        metrics: diagnosis.metrics,
        calls: entries(set.calls, diagnosis.calls),
        hostile_calls: diagnosis.hostile_calls,
        registrations: registrations
            .map(|(registration, findings)| RegistrationEntry { registration, findings })
            .collect(),
        register_attempts: set.attempts,
        others: other_request::count(&set.requests).into_iter().map(|count| (count, Vec::new())).collect(),
        other_requests: set.requests,
        incidents: diagnosis.incidents,
        peers,
        problems,
        repeated: Vec::new(),
        begun: tally.begun,
        narrowing: None,
        store,
    }
}

/// Joins calls with what is said of them.
fn entries(calls: Vec<Call>, verdicts: Vec<Verdict>) -> Vec<CallEntry> {
    let judged = calls.into_par_iter().zip(verdicts);
    judged
        .map(|(call, verdict)| CallEntry { call, findings: verdict.findings, has_primary: verdict.has_primary })
        .collect()
}

/// Joins ICMP errors to the Call-IDs that they quote, in the order of time.
fn icmp_reports(errors: &[IcmpSeen], store: &MessageStore) -> Vec<IcmpReport> {
    let groups: std::collections::HashMap<&str, u32> = if errors.is_empty() {
        Default::default()
    } else {
        (0..).zip(&store.tables.call_ids).map(|(group, id)| (store.tables.text(*id), group)).collect()
    };
    let mut spans: Vec<HeaderSpan> = Vec::new();
    let mut reports: Vec<IcmpReport> = Vec::with_capacity(errors.len());
    for seen in errors {
        let mut report = IcmpReport::new(seen.packet.at, seen.packet.time, &seen.error);
        if let Some(message) = Message::parse(&seen.quoted, true, &mut spans) {
            report.method = message.method();
            report.status = message.status();
            let call_id = message.value(HeaderName::CallId).and_then(|id| std::str::from_utf8(id).ok());
            report.group = call_id.and_then(|id| groups.get(id)).map(|group| crate::call::GroupId(*group));
        }
        reports.push(report);
    }
    reports.sort_by_key(|report| (report.time, report.at));
    reports
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Source {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/samples/488-codec-mismatch.pcap");
        let bytes = std::fs::read(path).expect("the sample is there");
        Source::from_read(path.into(), Box::new(std::io::Cursor::new(bytes))).expect("the sample is a capture")
    }

    #[test]
    fn a_capture_that_cannot_be_opened_shifts_no_frame_to_another_capture() {
        let sources = [sample(), sample()];
        // A stream gives its bytes once.
        drop(Reader::open(&sources[0], 0).expect("it opens once"));
        let options = Options { workers: 1, keep_going: true, ..Options::default() };
        let analysis = analyze_sources(&sources, &options, &mut |_| {}).expect("one is left");
        assert_eq!((1, 1), (analysis.captures.len(), analysis.problems.len()));
        let messages = &analysis.store.messages;
        assert!(!messages.is_empty() && messages.iter().all(|message| message.at.file == 0));
    }
}
