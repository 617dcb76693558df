//! Containers, link layers, tunnels and transports through the front door, on bytes that other programs made.

use std::fs;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use sipscan::analysis::{Analysis, Options, analyze, analyze_sources};
use sipscan::call::Outcome;
use sipscan::capture::Source;
use sipscan::net::Transport;
use sipscan::report::json;

const CALL_ID: &str = "36775c96b3ccb76d";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/encap")
}

fn captures() -> Vec<PathBuf> {
    let entries = fs::read_dir(folder()).expect("fixtures are there");
    let mut paths: Vec<PathBuf> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| {
            let ending = path.extension().and_then(|ending| ending.to_str());
            !matches!(ending, Some("md" | "py" | "snoop"))
        })
        .collect();
    paths.sort();
    paths
}

fn one_worker() -> Options {
    Options { workers: 1, ..Options::default() }
}

fn of_bytes(bytes: Vec<u8>) -> Option<Analysis> {
    let source = Source::from_read("-".into(), Box::new(Cursor::new(bytes))).ok()?;
    analyze_sources(&[source], &one_worker(), &mut |_| {}).ok()
}

#[test]
fn every_wrapping_holds_the_same_call() {
    let captures = captures();
    assert!(captures.len() > 35, "{} fixtures", captures.len());
    for path in captures {
        let analysis = analyze(std::slice::from_ref(&path), &one_worker(), &mut |_| {}).expect("a capture");
        let name = path.display();
        let [entry] = &analysis.calls[..] else {
            panic!("{name}: {} calls", analysis.calls.len());
        };
        let call = &entry.call;
        let id = analysis.store.tables.text(call.legs[0].call_id);
        assert_eq!(CALL_ID, id, "{name}");
        assert_eq!(Outcome::Rejected, call.outcome, "{name}");
        assert_eq!(3, call.messages, "{name}");
        assert_eq!(0, call.copies + call.retransmissions, "{name}");
        assert!(analysis.fitness.undecoded.is_empty(), "{name}");
        let source = analysis.store.tables.endpoint(call.source).to_string();
        let is_v6 = path.ends_with("6in4.pcap");
        let expected = if is_v6 { "[2001:db8::11]:5060" } else { "10.0.0.11:5060" };
        assert_eq!(expected, source, "{name}");
        let transport = match path.file_stem().and_then(|stem| stem.to_str()) {
            Some("sctp") => Transport::Sctp,
            Some("tcp-out-of-order") => Transport::Tcp,
            Some("websocket") => Transport::Ws,
            _ => Transport::Udp,
        };
        assert_eq!(transport, call.transport, "{name}");
    }
}

#[test]
fn a_snoop_file_is_refused_with_the_program_that_converts_it() {
    let errors = analyze(&[folder().join("plain.snoop")], &one_worker(), &mut |_| {}).expect_err("no pcap");
    let text = errors[0].to_string();
    assert!(text.contains("snoop") && text.contains("editcap"), "{text}");
}

#[test]
fn captures_cut_anywhere_are_read_as_far_as_they_go() {
    for path in captures() {
        let bytes = fs::read(&path).expect("a fixture");
        for length in (0..bytes.len()).step_by(13) {
            let cut = bytes.get(..length).expect("within").to_vec();
            if let Some(analysis) = of_bytes(cut) {
                assert!(analysis.calls.len() <= 1, "{}", path.display());
            }
        }
    }
}

#[test]
fn captures_with_a_damaged_byte_anywhere_are_read() {
    for path in captures() {
        let bytes = fs::read(&path).expect("a fixture");
        for place in (0..bytes.len()).step_by(17) {
            for flip in [0xff, 0x01] {
                let mut damaged = bytes.clone();
                *damaged.get_mut(place).expect("within") ^= flip;
                let _ = of_bytes(damaged);
            }
        }
    }
}

/// A gzip file of `header` and then a gibibyte of zeros, in members of one mebibyte.
fn bomb(header: &[u8]) -> Vec<u8> {
    let member = |bytes: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).expect("memory takes it");
        encoder.finish().expect("memory takes it")
    };
    let zeros = member(&vec![0; 1 << 20]);
    [member(header), zeros.repeat(1024)].concat()
}

/// The most memory that this process ever held, in bytes; `None` where the system does not tell.
fn peak_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib << 10)
}

#[test]
fn a_gibibyte_of_zeros_in_a_small_file_takes_neither_memory_nor_time() {
    let plain = fs::read(folder().join("plain.pcap")).expect("a fixture");
    let section = fs::read(folder().join("plain.pcapng")).expect("a fixture");
    for header in [plain, section] {
        let start = Instant::now();
        let analysis = of_bytes(bomb(&header)).expect("a capture");
        assert_eq!(1, analysis.calls.len());
        assert!(!analysis.captures[0].weaknesses.is_empty());
        assert!(start.elapsed() < Duration::from_secs(60));
    }
    if let Some(peak) = peak_bytes() {
        assert!(peak < 300 << 20, "{} MiB", peak >> 20);
    }
}

fn report(paths: &[PathBuf], workers: usize) -> Vec<u8> {
    let options = Options { workers, ..Options::default() };
    let analysis = analyze(paths, &options, &mut |_| {}).expect("captures");
    let mut out = Vec::new();
    json::write(&analysis, true, &mut out).expect("memory takes it");
    out
}

#[test]
fn the_order_of_arguments_and_the_number_of_threads_change_no_byte() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    let paths = [
        folder().join("plain.pcap"),
        folder().join("clock-behind.pcap"),
        folder().join("websocket.pcap"),
        samples.join("answered-through-proxy.pcapng"),
        samples.join("tcp-calls.pcap"),
    ];
    let first = report(&paths, 1);
    for turn in 0..paths.len() {
        let mut turned = paths.clone();
        turned.rotate_left(turn);
        for workers in [1, 2, 4] {
            assert!(first == report(&turned, workers), "turned by {turn}, {workers} workers");
            turned.reverse();
        }
    }
}

#[test]
fn two_files_with_clocks_apart_show_one_call_and_say_by_how_much() {
    let paths = [folder().join("plain.pcap"), folder().join("clock-behind.pcap")];
    let analysis = analyze(&paths, &one_worker(), &mut |_| {}).expect("captures");
    assert_eq!(1, analysis.calls.len());
    let call = &analysis.calls[0].call;
    assert_eq!((3, 3), (call.messages, call.copies));
    let mut weaknesses = analysis.captures.iter().flat_map(|it| &it.weaknesses);
    let offset = weaknesses.find(|weakness| weakness.kind.word() == "clock-offset").expect("told");
    assert!(offset.detail.contains("2.500 s"), "{}", offset.detail);
}
