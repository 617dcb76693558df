//! `sipscan compare`: what differs between two runs of the same calls.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::check::{RunView, compare};
use crate::cli::Stop;
use crate::cli::check::VerdictArguments;

/// Bytes at the start of a file by which a saved report differs from a capture.
const SNIFF_BYTES: u64 = 64;

/// How `compare` runs.
#[derive(Debug, Args)]
#[command(after_help = "\
Calls are aligned by caller, callee, target and order, not by Call-ID; [compare] in the policy sets tolerances.

Exit code: 0 no difference that matters, 1 some, 2 could not run, or the policy is wrong.")]
pub(crate) struct CompareArguments {
    /// Capture, folder of captures, or JSON report of the run that was right
    baseline: PathBuf,

    /// Capture, folder of captures, or JSON report of the run in question
    candidate: PathBuf,

    #[command(flatten)]
    verdict: VerdictArguments,
}

/// Compares two runs and reports.
pub(crate) fn run(arguments: &CompareArguments) -> Result<(), Stop> {
    let outputs = arguments.verdict.outputs(&[arguments.baseline.clone(), arguments.candidate.clone()])?;
    let policy = arguments.verdict.policy()?;
    let baseline = view(&arguments.baseline, &arguments.verdict)?;
    let candidate = view(&arguments.candidate, &arguments.verdict)?;
    let judgement =
        compare(&baseline, &candidate, &policy, arguments.verdict.today).map_err(|why| Stop::Because(vec![why]))?;
    arguments.verdict.report(judgement, &outputs)
}

fn view(path: &Path, arguments: &VerdictArguments) -> Result<RunView, Stop> {
    if !is_report(path) {
        return Ok(RunView::of(&arguments.analyze(&[path.to_owned()])?));
    }
    let because = |why: String| Stop::Because(vec![format!("{}: {why}", path.display())]);
    let text = std::fs::read_to_string(path).map_err(|error| because(format!("cannot be read: {error}")))?;
    RunView::of_report(&text).map_err(|error| because(error.to_string()))
}

/// Whether a file begins as JSON does; what cannot be read is left to the capture reader to complain of.
fn is_report(path: &Path) -> bool {
    if !path.is_file() {
        return false;
    }
    let mut start = Vec::new();
    let read = File::open(path).and_then(|file| file.take(SNIFF_BYTES).read_to_end(&mut start));
    read.is_ok() && start.trim_ascii_start().starts_with(b"{")
}
