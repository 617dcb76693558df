//! Extraction through the front door: what is written is read again, by sipscan and by Wireshark's own reader.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use sipscan::analysis::{Analysis, Options, Pick, PickError, Selection, analyze, analyze_sources, extract};
use sipscan::capture::{self, Source};

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn samples() -> Vec<PathBuf> {
    let entries = fs::read_dir(path("samples")).expect("samples are there");
    let mut paths: Vec<PathBuf> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| {
            let ending = path.extension().and_then(|ending| ending.to_str());
            matches!(ending, Some("pcap" | "pcapng"))
        })
        .collect();
    paths.sort();
    paths
}

fn analyzed(path: &Path) -> (Vec<Source>, Analysis) {
    let found = capture::find(&[path.to_path_buf()]);
    assert!(found.errors.is_empty(), "{:?}", found.errors);
    let analysis = analyze_sources(&found.sources, &Options::default(), &mut |_| {}).expect("a capture");
    (found.sources, analysis)
}

/// What is extracted of `path`, analysed again.
fn extracted(path: &Path, picks: &[Pick], with_media: bool, out: &Path) -> Analysis {
    let (sources, analysis) = analyzed(path);
    let selection = Selection::of(&analysis, picks, with_media).expect("there are such calls");
    let mut file = fs::File::create(out).expect("a file");
    let frames = extract(&sources, &selection, &mut file, &mut |_| {}).expect("the capture is there still");
    let again = analyze(&[out.to_path_buf()], &Options::default(), &mut |_| {}).expect("a capture");
    assert_eq!(frames, again.captures[0].frames);
    again
}

fn story(analysis: &Analysis) -> Vec<String> {
    let told = analysis.calls.iter().map(|entry| {
        let call = &entry.call;
        let id = analysis.store.tables.text(call.legs[0].call_id);
        format!(
            "{id} {:?} {:?} {} messages from {:?} to {:?}",
            call.outcome, call.final_code, call.messages, call.started, call.ended
        )
    });
    told.collect()
}

#[test]
fn every_sample_tells_the_same_calls_after_extraction() {
    let folder = tempfile::tempdir().expect("a folder");
    for sample in samples() {
        let (_, analysis) = analyzed(&sample);
        let picks: Vec<Pick> = (1..=analysis.calls.len()).map(|number| Pick::Call(number.to_string())).collect();
        let out = folder.path().join("out.pcapng");
        let again = extracted(&sample, &picks, false, &out);
        assert_eq!(story(&analysis), story(&again), "{}", sample.display());
        let Some(expected) = sip_messages(&sample) else {
            continue;
        };
        assert_eq!(Some(expected), sip_messages(&out), "{}", sample.display());
    }
}

/// SIP messages of calls as tshark counts them; `None` where it is not installed.
fn sip_messages(path: &Path) -> Option<usize> {
    let filter = "sip && !icmp && !(sip.CSeq.method == \"REGISTER\")";
    let output = Command::new("tshark")
        .arg("-r")
        .arg(path)
        .args(["-Y", filter, "-T", "fields", "-e", "sip.Call-ID"])
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    Some(text.split([',', '\n']).filter(|id| !id.is_empty()).count())
}

#[test]
fn one_call_of_many_comes_alone_and_frames_keep_their_moment() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out.pcapng");
    let sample = path("samples/tcp-calls.pcap");
    let (_, analysis) = analyzed(&sample);
    let again = extracted(&sample, &[Pick::Call("2".into())], false, &out);
    assert_eq!(story(&analysis)[1..2], story(&again)[..]);
}

#[test]
fn media_of_the_call_comes_along_on_request() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out.pcapng");
    let sample = path("samples/registered-phones-call.pcapng");
    let picks = [Pick::Call("1".into())];
    let alone = extracted(&sample, &picks, false, &out);
    assert_eq!(0, alone.fitness.media_packets);
    let again = extracted(&sample, &picks, true, &out);
    let (_, analysis) = analyzed(&sample);
    assert_eq!(analysis.fitness.media_packets, again.fitness.media_packets);
    assert!(again.registrations.is_empty(), "they are no part of the call");
}

#[test]
fn a_call_is_named_by_number_call_id_or_a_unique_part_of_it() {
    let (_, analysis) = analyzed(&path("samples/tcp-calls.pcap"));
    let pick = |word: &str| Selection::of(&analysis, &[Pick::Call(word.into())], false).map(|it| it.messages);
    let id = analysis.store.tables.text(analysis.calls[1].call.legs[0].call_id);
    assert_eq!(pick("2"), pick(id));
    assert_eq!(pick("2"), pick(id.get(..3).expect("a longer Call-ID")));
    assert_eq!(Err(PickError::ManyCalls("@".into(), 3)), pick("@"));
    assert_eq!(Err(PickError::NoCall("99".into())), pick("99"));
    let none = Selection::of(&analysis, &[Pick::Incident(99)], false);
    assert!(matches!(none, Err(PickError::NoIncident(99, _))));
}

#[test]
fn what_can_be_read_only_once_is_refused() {
    let bytes = fs::read(path("samples/busy.pcap")).expect("a sample");
    let input = Box::new(std::io::Cursor::new(bytes));
    let sources = [Source::from_read("-".into(), input).expect("a capture")];
    let analysis = analyze_sources(&sources, &Options::default(), &mut |_| {}).expect("a capture");
    let selection = Selection::of(&analysis, &[Pick::Call("1".into())], false).expect("one call");
    let error = extract(&sources, &selection, &mut Vec::new(), &mut |_| {}).expect_err("standard input is gone");
    assert!(error.to_string().contains("save it to a file"), "{error}");
}
