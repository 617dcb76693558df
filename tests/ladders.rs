//! Every ladder in tests/ladders says of itself what the analysis must find.

mod ladder;
#[path = "ladder/notes.rs"]
mod notes;
#[path = "ladder/wording.rs"]
mod wording;

use std::fs;
use std::path::{Path, PathBuf};

use sipscan::analysis::Analysis;

/// Every ladder with its name and the analysis of its capture, in the order of names.
fn each_ladder() -> impl Iterator<Item = (String, ladder::parse::Ladder, Analysis)> {
    files("tests/ladders", &["ladder"]).into_iter().map(|path| {
        let text = fs::read_to_string(&path).expect("a ladder is text");
        let parsed = ladder::parse::parse(&text);
        let analysis = ladder::analyze(&parsed);
        (name_of(&path), parsed, analysis)
    })
}

/// The files of a folder of this project with one of these extensions, in the order of names.
fn files(folder: &str, extensions: &[&str]) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = fs::read_dir(folder).expect("the folder exists");
    let mut files: Vec<PathBuf> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
    files.retain(|path| {
        let extension = path.extension().and_then(|extension| extension.to_str());
        extension.is_some_and(|extension| extensions.contains(&extension))
    });
    files.sort();
    assert!(!files.is_empty(), "the folder is not empty");
    files
}

fn name_of(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

#[test]
fn every_ladder_finds_what_it_says() {
    let mut failures = Vec::new();
    for (name, parsed, analysis) in each_ladder() {
        assert!(!parsed.expectations.is_empty(), "{name} expects nothing");
        failures.extend(
            ladder::expect::failures(&analysis, &parsed.expectations).into_iter().map(|why| format!("{name}, {why}")),
        );
    }
    assert!(failures.is_empty(), "{} of the expectations fail:\n{}", failures.len(), failures.join("\n"));
}

/// Whether a name stands alone in a title: not as a part of an address or of a longer name.
fn names(title: &str, name: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || ".:@-+_".contains(c);
    let mut words = title.split(|c: char| !is_part(c));
    words.any(|word| word.trim_end_matches([':', '.']) == name)
}

#[test]
fn titles_that_name_a_party_say_whom_they_name() {
    let mut failures = Vec::new();
    for (name, _, analysis) in each_ladder() {
        for entry in &analysis.calls {
            let text = |id| {
                let address = analysis.store.tables.text(id);
                sipscan::sip::number::user_of(address).to_owned()
            };
            let parties = [text(entry.call.caller), text(entry.call.callee)];
            for finding in &entry.findings {
                let unsaid = parties.iter().find(|party| {
                    !party.is_empty()
                        && names(&finding.title(), party)
                        && finding.seen.title.subject.is_none()
                        && !finding.seen.signature.contains(party.as_str())
                });
                if let Some(party) = unsaid {
                    failures.push(format!("{name}: {} `{}` names {party}", finding.rule, finding.title()));
                }
            }
        }
    }
    failures.sort();
    failures.dedup();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Three calls of alice; what bob says is in a file of its own whose clock is `early_us` behind.
fn of_two_captures(early_us: u64) -> sipscan::analysis::Analysis {
    let call = |n: u64| {
        let at = n * 20_000;
        format!(
            "+{at}ms alice -> bob INVITE call={n} callee=bob offer=PCMU\n\
             +{}ms bob -> alice 180 call={n}\n\
             +{}ms bob -> alice 200 call={n} answer=PCMU\n\
             +{}ms alice -> bob ACK call={n} dialog=1\n\
             +{}ms alice -> bob BYE call={n}\n\
             +{}ms bob -> alice 200 call={n} method=BYE\n",
            at + 100,
            at + 300,
            at + 310,
            at + 9_000,
            at + 9_010
        )
    };
    let text = format!(
        "alice = 10.0.0.1:5060   bob = 10.0.0.5:5060\n{}{}{}tail 60s\nexpect calls 3\n",
        call(1),
        call(2),
        call(3)
    );
    let ladder = ladder::parse::parse(&text);
    let bob = ladder.nodes["bob"];
    let (mut answers, requests): (Vec<_>, Vec<_>) =
        ladder::sip::frames(&ladder).into_iter().partition(|frame| frame.source == bob);
    for frame in &mut answers {
        frame.at_us -= early_us;
    }
    ladder::analyze_files(vec![
        ladder::capture::write(&requests, ladder::capture::WHOLE),
        ladder::capture::write(&answers, ladder::capture::WHOLE),
    ])
}

#[test]
fn answers_before_their_requests_tell_of_a_clock_that_is_behind() {
    let of_clock = |analysis: &sipscan::analysis::Analysis| {
        let mut incidents = analysis.incidents.iter();
        incidents.any(|incident| incident.finding.rule == "cap-clock")
    };
    assert!(of_clock(&of_two_captures(500_000)));
    assert!(!of_clock(&of_two_captures(0)));
}
