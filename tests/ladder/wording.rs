//! Every text that a rule says of a ladder or a sample keeps to the rules of English that a machine can test.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;
use sipscan::analysis::{Analysis, Options, analyze};
use sipscan::diagnose::{Evidence, Finding};

/// Which place of a finding a text stands at.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    /// A few words.
    Title,
    /// Whole sentences.
    Sentences,
    /// A part of a sentence, after a colon or in brackets.
    Part,
}

/// Tests of a text: what is wrong where the expression matches. What the capture quotes is taken out before.
const FAULTS: &[(&str, &str)] = &[
    ("two blanks", r"\s\s|^\s|\s$"),
    ("an empty pair", r"\(\s*\)|``|\[\]|\x22\x22"),
    ("a blank before a stop", r"\s[.,;:)](\s|$)"),
    ("stop after stop", r"[.,;][.,;:]|:[.,;]|\(\s"),
    ("an open place", r"\{\w*\}"),
    ("a value of the program", r"Some\(|\bNone[,)]|\bNaN\b|\binf\b|Id\(|\bOk\("),
    (
        "1 with a plural",
        r"(^|[\s(])1 (INVITEs|[a-z]*(alls|ers|ies|imes|opies|ges|ets|ons|ests|als|ures|uts|nodes|ices|cks|tries|ends|ys|tes|ames|bers|onds))\b",
    ),
    ("1 with a verb of many", r"(^|[\s(])1 (were|are|have|came and)\b|\b1 of 1\b|\bof the 1\b|\ball 1\b"),
    ("none said as 0", r"(^|[\s(])0 (were|was|of|calls|call|others?|requests|INVITEs|failed|times)\b"),
    ("a word twice", r"\b(the the|a a|of of|to to|in in|is is|and and|for for|it it)\b"),
    ("a lost zero", r"(^|[\s(])0(\.0)? (ms|s)\b"),
];

/// The expressions of [`FAULTS`], each with its name.
static EXPRESSIONS: LazyLock<Vec<(&str, Regex)>> = LazyLock::new(|| {
    let each = FAULTS.iter();
    each.map(|(fault, expression)| (*fault, Regex::new(expression).expect("an expression"))).collect()
});

/// What the capture itself says.
static QUOTED: LazyLock<Regex> = LazyLock::new(|| Regex::new("`[^`]*`|\"[^\"]*\"").expect("an expression"));

/// What is wrong with a text; empty where nothing is. `users` are names that begin as they are written.
fn faults(place: Place, text: &str, users: &BTreeSet<String>) -> Vec<&'static str> {
    let own = QUOTED.replace_all(text, "X");
    let mut found: Vec<&str> =
        EXPRESSIONS.iter().filter(|(_, expression)| expression.is_match(&own)).map(|(fault, _)| *fault).collect();
    let first = own.split([' ', ',', ':', ';']).next().unwrap_or_default();
    let begins_small = first.starts_with(|first: char| first.is_ascii_lowercase())
        && !first.contains(['.', '@'])
        && !users.contains(first);
    let ends_whole = own.ends_with(['.', '?']);
    match place {
        _ if own.is_empty() => {}
        Place::Title if begins_small => found.push("begins small"),
        Place::Title if own.ends_with('.') => found.push("a title that ends in a stop"),
        Place::Sentences if begins_small => found.push("begins small"),
        Place::Sentences if !ends_whole => found.push("ends without a stop"),
        _ => {}
    }
    found
}

/// The users that calls, registrations and their messages name.
fn users(analysis: &Analysis) -> BTreeSet<String> {
    let tables = &analysis.store.tables;
    let messages = analysis.store.messages.iter();
    let named = messages.flat_map(|message| [message.from, message.to, message.line]);
    let words = named.flat_map(|id| tables.text(id).split([':', '@', ';', '<', '>']));
    words.map(str::to_owned).collect()
}

fn texts(finding: &Finding) -> Vec<(Place, Cow<'_, str>)> {
    let mut texts = vec![
        (Place::Title, finding.title()),
        (Place::Sentences, finding.explanation()),
        (Place::Sentences, finding.remedy()),
    ];
    for evidence in &finding.seen.evidence {
        texts.push(match evidence {
            Evidence::Seen { shows, .. } => (Place::Part, shows.into()),
            Evidence::Missing { expected, .. } => (Place::Part, expected.into()),
        });
    }
    let refuted = finding.seen.ruled_out.iter();
    texts.extend(refuted.map(|refuted| (Place::Part, refuted.because.as_str().into())));
    texts
}

fn complaints(name: &str, analysis: &Analysis, all: &mut BTreeSet<String>) {
    let calls = analysis.calls.iter().flat_map(|entry| &entry.findings);
    let registered = analysis.registrations.iter().flat_map(|entry| &entry.findings);
    let incidents = analysis.incidents.iter().map(|incident| &incident.finding);
    let users = users(analysis);
    let mut complain = |rule: &str, place: Place, text: &str| {
        for fault in faults(place, text, &users) {
            all.insert(format!("{rule}: {fault}: {text} [{name}]"));
        }
    };
    for finding in calls.chain(registered).chain(incidents) {
        for (place, text) in texts(finding) {
            complain(finding.rule, place, &text);
        }
    }
    for incident in &analysis.incidents {
        complain(incident.finding.rule, Place::Title, &incident.title());
        complain(incident.finding.rule, Place::Sentences, &incident.explanation());
        complain(incident.finding.rule, Place::Part, &incident.scope);
        complain(incident.finding.rule, Place::Part, &incident.distinction);
    }
}

#[test]
fn every_text_of_every_ladder_and_sample_is_sound_english() {
    let mut all = BTreeSet::new();
    for (name, _, analysis) in crate::each_ladder() {
        complaints(&name, &analysis, &mut all);
    }
    for path in crate::files("samples", &["pcap", "pcapng"]) {
        let name = crate::name_of(&path);
        let analysis = analyze(&[path], &Options::default(), &mut |_| {});
        complaints(&name, &analysis.expect("a sample can be read"), &mut all);
    }
    let list: Vec<&str> = all.iter().map(String::as_str).collect();
    assert!(list.is_empty(), "{} faults:\n{}", list.len(), list.join("\n"));
}

#[test]
fn a_text_with_a_fault_is_told() {
    for (text, fault) in [
        ("It sent 1 calls.", "1 with a plural"),
        ("Of 5 calls 0 were up.", "none said as 0"),
        ("It has  two blanks.", "two blanks"),
        ("It lists ().", "an empty pair"),
        ("it begins small.", "begins small"),
        ("It ends", "ends without a stop"),
        ("It took {count} calls.", "an open place"),
    ] {
        let found = faults(Place::Sentences, text, &BTreeSet::new());
        assert_eq!(vec![fault], found, "{text}");
    }
    let sound = "It took 1 call in 1 ms and said `a  b`.";
    assert!(faults(Place::Sentences, sound, &BTreeSet::new()).is_empty());
}
