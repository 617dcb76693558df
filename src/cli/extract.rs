//! `sipscan extract`: the frames of some calls or of an incident as a capture of their own.

use std::path::PathBuf;

use clap::Args;

use crate::analysis::{
    Analysis, Options, Pick, Selection, analyze_sources, check_extractable, extract as write_frames,
};
use crate::capture;
use crate::check::Filter;
use crate::cli::Stop;
use crate::cli::filter;
use crate::cli::output::{self, Claims};
use crate::cli::progress::Bar;
use crate::cli::threads;
use crate::diagnose::words::counted;

/// What to extract, and where to.
#[derive(Debug, Args)]
pub(crate) struct Extract {
    /// Captures (pcap or pcapng, also compressed) or folders of them
    #[arg(required = true, value_name = "CAPTURE")]
    captures: Vec<PathBuf>,

    /// Takes this call: its number in the report, its Call-ID, or a unique part of that; may be given several times
    #[arg(long, value_name = "N|CALL-ID", required_unless_present_any = ["incident", "filter"])]
    call: Vec<String>,

    /// Takes every call of this incident of the report, counted from 1; may be given several times
    #[arg(long, value_name = "N")]
    incident: Vec<u32>,

    /// Takes every call that this expression is true for, such as 'final_code == 488' (docs/policy.md names the fields)
    #[arg(long, value_name = "EXPR")]
    filter: Option<String>,

    /// Writes a pcapng to FILE; with - to standard output
    #[arg(short, long, value_name = "FILE")]
    out: PathBuf,

    /// Takes the RTP and RTCP to and from the addresses in the session descriptions too
    #[arg(long)]
    with_media: bool,

    /// Reads TLS with the secrets in FILE; they are not written to the output
    #[arg(long, value_name = "FILE")]
    tls_keylog: Vec<PathBuf>,
}

/// Analyses the captures, then reads them again and writes what was asked for.
pub(crate) fn extract(arguments: &Extract) -> Result<(), Stop> {
    let filter = arguments.filter.as_deref().map(filter::condition);
    let filter = filter.transpose()?;
    let captures = arguments.captures.iter().map(PathBuf::as_path);
    let out = Claims::new(captures, arguments.tls_keylog.iter().map(PathBuf::as_path))?.capture(&arguments.out)?;
    let found = capture::find(&arguments.captures);
    if !found.errors.is_empty() {
        return Err(because(&found.errors));
    }
    check_extractable(&found.sources).map_err(|error| because(&[error]))?;
    let options =
        Options { workers: threads::start(None), secrets: secrets(&arguments.tls_keylog)?, ..Options::default() };
    let mut bar = Bar::new(true);
    let analysis =
        analyze_sources(&found.sources, &options, &mut |at| bar.set(at)).map_err(|error| because(&[error]))?;
    bar.clear();
    let calls = arguments.call.iter().cloned().map(Pick::Call);
    let incidents = arguments.incident.iter().copied().map(Pick::Incident);
    let filtered = filtered(&analysis, filter.as_ref())?;
    let picks: Vec<Pick> = calls.chain(incidents).chain(filtered).collect();
    let selection = Selection::of(&analysis, &picks, arguments.with_media).map_err(|error| because(&[error]))?;
    let mut bar = Bar::new(true);
    let frames = out.write(|out| write_frames(&found.sources, &selection, out, &mut |at| bar.set(at)))?;
    bar.clear();
    output::complain(&format!(
        "{}: {} of {} in {}",
        arguments.out.display(),
        counted(selection.messages as u64, "message"),
        counted(selection.calls as u64, "call"),
        counted(frames, "frame"),
    ));
    Ok(())
}

/// The calls that a filter is true for.
fn filtered(analysis: &Analysis, filter: Option<&Filter>) -> Result<Vec<Pick>, Stop> {
    let Some(filter) = filter else {
        return Ok(Vec::new());
    };
    let taken = (1..).zip(filter::matches(analysis, filter)?);
    let picks: Vec<Pick> =
        taken.filter(|(_, is_taken)| *is_taken).map(|(id, _): (u32, bool)| Pick::Call(id.to_string())).collect();
    if picks.is_empty() {
        return Err(because(&["--filter: no call matches it"]));
    }
    Ok(picks)
}

/// What key logs hold.
pub(crate) fn secrets(paths: &[PathBuf]) -> Result<Vec<u8>, Stop> {
    let mut secrets = Vec::new();
    for path in paths {
        let key_log = capture::read_key_log(path).map_err(|error| because(&[error]))?;
        secrets.extend_from_slice(&key_log);
        secrets.push(b'\n');
    }
    Ok(secrets)
}

fn because(errors: &[impl ToString]) -> Stop {
    Stop::Because(errors.iter().map(ToString::to_string).collect())
}
