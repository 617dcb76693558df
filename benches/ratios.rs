//! Times sipscan against peers on captures that the caller names, as ratios of whole processes run in turn.
//!
//! `cargo bench --bench ratios -- CAPTURE...` runs sipscan and each peer that is installed five times each, in turn, and prints the median
//! time of each and how many times faster sipscan is. Times of one machine mean nothing elsewhere; ratios travel better.

use std::fs::File;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Runs of each command.
const ROUNDS: usize = 5;

fn main() {
    let captures: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    if captures.is_empty() {
        println!("name captures: cargo bench --bench ratios -- CAPTURE...");
        return;
    }
    for capture in &captures {
        println!("{capture}");
        let sipscan = vec![env!("CARGO_BIN_EXE_sipscan"), capture, "--json", "-"];
        let peers = [
            ("tshark -q -z sip,stat", vec!["tshark", "-q", "-z", "sip,stat", "-r", capture]),
            ("capinfos -c", vec!["capinfos", "-c", capture]),
            ("sipgrep -C -G -I", vec!["sipgrep", "-C", "-G", "-I", capture]),
        ];
        for (name, peer) in peers {
            compare(capture, &sipscan, name, &peer);
        }
    }
}

fn compare(capture: &str, sipscan: &[&str], name: &str, peer: &[&str]) {
    let rounds: Option<Vec<(Duration, Duration)>> =
        (0..ROUNDS).map(|_| Some((run(capture, sipscan)?, run(capture, peer)?))).collect();
    let Some(rounds) = rounds else {
        println!("  {name}: not installed");
        return;
    };
    let own = median(rounds.iter().map(|round| round.0).collect());
    let other = median(rounds.iter().map(|round| round.1).collect());
    let ratio = other.as_secs_f64() / own.as_secs_f64();
    println!("  sipscan {own:.2?}, {name} {other:.2?}: sipscan is {ratio:.1} times faster");
}

/// How long a command takes whose output is read by nobody; `None` where it cannot be started.
fn run(capture: &str, command: &[&str]) -> Option<Duration> {
    let (program, arguments) = command.split_first()?;
    // What a slow command before it left unread for long, the system may have dropped: each is to find the capture in memory.
    let _ = std::io::copy(&mut File::open(capture).ok()?, &mut std::io::sink());
    let begun = Instant::now();
    Command::new(program).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status().ok()?;
    Some(begun.elapsed())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}
