//! Reading the notation.

use std::collections::BTreeMap;
use std::net::SocketAddr;

/// A ladder file.
#[derive(Debug, Default)]
pub struct Ladder {
    /// Endpoints by name.
    pub nodes: BTreeMap<String, SocketAddr>,
    /// In the order of the file.
    pub steps: Vec<Step>,
    /// In the order of the file.
    pub expectations: Vec<(usize, String)>,
    /// How long the capture runs on after the last message, in microseconds.
    pub tail_us: u64,
    /// Bytes that the capture keeps of each packet; 0 for all.
    pub snap: usize,
}

/// One line of traffic.
#[derive(Debug, Clone)]
pub struct Step {
    /// Line in the file.
    pub line: usize,
    /// Since the begin of the ladder, in microseconds.
    pub at_us: u64,
    /// Name of the sender.
    pub from: String,
    /// Name of the receiver.
    pub to: String,
    /// `INVITE`, `180`, `icmp port`, `rst`, ...
    pub what: String,
    /// Key=value settings: `call=2`, `offer=PCMU,PCMA`, `branch=x`.
    pub settings: BTreeMap<String, String>,
    /// Header lines to add.
    pub headers: Vec<String>,
}

/// Reads a ladder; panics with the line where it is wrong, since ladders are tests.
pub fn parse(text: &str) -> Ladder {
    let mut ladder = Ladder::default();
    let mut last_us = 0;
    for (number, raw) in text.lines().enumerate() {
        let line = raw.split_once(" #").map_or(raw, |(line, _)| line).trim_end();
        let trimmed = line.trim_start();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        if let Some(expectation) = trimmed.strip_prefix("expect ") {
            ladder.expectations.push((number + 1, expectation.trim().to_owned()));
        } else if let Some(tail) = trimmed.strip_prefix("tail ") {
            ladder.tail_us = duration_us(tail.trim());
        } else if let Some(snap) = trimmed.strip_prefix("snap ") {
            ladder.snap = snap.trim().parse().expect("snap BYTES");
        } else if line.starts_with([' ', '\t']) {
            // An indented line adds a header to the message above.
            let step =
                ladder.steps.last_mut().unwrap_or_else(|| panic!("line {}: header without a message", number + 1));
            step.headers.push(trimmed.to_owned());
        } else if trimmed.starts_with('+') || trimmed.starts_with('@') {
            let step = step(trimmed, number + 1, last_us);
            last_us = step.at_us;
            ladder.steps.push(step);
        } else {
            declare(&mut ladder, trimmed, number + 1);
        }
    }
    ladder
}

fn declare(ladder: &mut Ladder, line: &str, number: usize) {
    let tokens: Vec<&str> = line.split_whitespace().collect();
    for words in tokens.chunks(3) {
        let [name, "=", address] = words else { panic!("line {number}: expected `name = address:port`, got `{line}`") };
        let address = address.parse().unwrap_or_else(|_| panic!("line {number}: `{address}` is no address:port"));
        ladder.nodes.insert((*name).to_owned(), address);
    }
}

/// `+41ms` counts from the begin of the ladder, `@500ms` from the line before.
fn step(line: &str, number: usize, last_us: u64) -> Step {
    let mut words = line.split_whitespace();
    let time = words.next().unwrap_or_default();
    let at_us = match time.split_at(1) {
        ("@", wait) => last_us + duration_us(wait),
        (_, since) => duration_us(since),
    };
    let from = words.next().unwrap_or_default().to_owned();
    let arrow = words.next();
    assert_eq!(Some("->"), arrow, "line {number}: expected `->`");
    let to = words.next().unwrap_or_else(|| panic!("line {number}: no receiver")).to_owned();
    let what = words.next().unwrap_or_else(|| panic!("line {number}: no message")).to_owned();
    let mut step = Step { line: number, at_us, from, to, what, settings: BTreeMap::new(), headers: Vec::new() };
    let rest: Vec<&str> = words.collect();
    let mut place = 0;
    while let Some(word) = rest.get(place) {
        if word.ends_with(':') && word.len() > 1 {
            step.headers.push(rest[place..].join(" "));
            break;
        }
        let (key, value) =
            word.split_once('=').unwrap_or_else(|| panic!("line {number}: `{word}` is neither key=value nor a header"));
        step.settings.insert(key.to_owned(), value.to_owned());
        place += 1;
    }
    step
}

/// Reads `41ms`, `1.5s`, `2m`, `1h`, `300us`.
pub fn duration_us(text: &str) -> u64 {
    let split = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or_else(|| panic!("`{text}` has no unit"));
    let (number, unit) = text.split_at(split);
    let number: f64 = number.parse().unwrap_or_else(|_| panic!("`{text}` is no duration"));
    let factor = match unit {
        "us" => 1.0,
        "ms" => 1e3,
        "s" => 1e6,
        "m" => 6e7,
        "h" => 3.6e9,
        _ => panic!("`{unit}` is no unit of time"),
    };
    (number * factor).round() as u64
}
