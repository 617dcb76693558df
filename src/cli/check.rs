//! `sipscan check`: whether captures hold to a policy.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::analysis::{Analysis, Options, analyze};
use crate::check::{Day, Judgement, Policy, check};
use crate::cli::Stop;
use crate::cli::output::Color;
use crate::cli::output::{self, Claims, Destination};
use crate::cli::progress::Bar;
use crate::cli::threads;
use crate::report::verdict::{github, json, junit, markdown, sarif, tap, text};

/// Bytes of a policy; longer files are something else, given by mistake.
const POLICY_BYTES_MAX: u64 = 1 << 20;

/// How `check` runs.
#[derive(Debug, Args)]
#[command(after_help = "\
Without a policy: no call may end in a failure, and no error may be found.
Prints nothing where all holds, else one line for each failed expectation with its frames.

Exit code: 0 all hold, 1 some fail, 2 could not run, or the policy is wrong.
docs/policy.md describes the policy, docs/ci.md has recipes for pipelines.")]
pub(crate) struct CheckArguments {
    /// Captures, folders of them, or - for standard input
    #[arg(required = true, value_name = "CAPTURE")]
    captures: Vec<PathBuf>,

    #[command(flatten)]
    verdict: VerdictArguments,
}

/// What `check` and `compare` have in common.
#[derive(Debug, Args)]
pub(crate) struct VerdictArguments {
    /// Policy in TOML; docs/policy.md describes it
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,

    /// Day that waivers expire against [default: that of the last frame; without a value: the day of the clock, UTC]
    #[arg(long, value_name = "YYYY-MM-DD", num_args = 0..=1, require_equals = true, default_missing_value = "now", value_parser = day)]
    pub(crate) today: Option<Day>,

    /// Writes a report: junit, github, sarif, tap, markdown, json or text, to a file or - (may be repeated)
    #[arg(long = "format", value_name = "KIND=FILE", value_parser = format)]
    formats: Vec<(Kind, PathBuf)>,

    /// Tells every expectation, and all that shows a failure
    #[arg(short, long)]
    verbose: bool,

    /// Shows no progress while reading
    #[arg(long)]
    no_progress: bool,
}

/// Where the reports of a run go.
#[derive(Debug)]
pub(crate) struct Outputs {
    reports: Vec<(Kind, Destination)>,
    /// Whether no report takes the place of the lines for people.
    is_screen_free: bool,
}

/// A form of report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Kind {
    Junit,
    Github,
    Sarif,
    Tap,
    Markdown,
    Json,
    Text,
}

fn format(text: &str) -> Result<(Kind, PathBuf), String> {
    let (kind, path) =
        text.split_once('=').ok_or("is KIND=FILE, such as junit=report.xml, or tap=- for standard output")?;
    let kind = <Kind as clap::ValueEnum>::from_str(kind, false)
        .map_err(|_| format!("\"{kind}\" is none of junit, github, sarif, tap, markdown, json, text"))?;
    if path.is_empty() {
        return Err("names no file; - is standard output".to_owned());
    }
    Ok((kind, PathBuf::from(path)))
}

fn day(text: &str) -> Result<Day, String> {
    if text == "now" {
        return Ok(jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date());
    }
    text.parse().map_err(|_| "is no day; write it as 2026-12-31".to_owned())
}

/// Checks captures and reports.
pub(crate) fn run(arguments: &CheckArguments) -> Result<(), Stop> {
    let shared = &arguments.verdict;
    let outputs = shared.outputs(&arguments.captures)?;
    let policy = shared.policy()?;
    let analysis = shared.analyze(&arguments.captures)?;
    let judgement = check(&analysis, &policy, shared.today);
    shared.report(judgement, &outputs)
}

impl VerdictArguments {
    /// A place of its own for every report; `captures` are read, so none is written over.
    pub(crate) fn outputs(&self, captures: &[PathBuf]) -> Result<Outputs, Stop> {
        let mut claims = Claims::new(captures.iter().map(PathBuf::as_path), self.policy.as_deref())?;
        let claim = |(kind, path): &(Kind, PathBuf)| Ok((*kind, claims.report(path)?));
        let reports = self.formats.iter().map(claim).collect::<Result<_, Stop>>()?;
        Ok(Outputs { reports, is_screen_free: !claims.is_stdout_taken() })
    }

    /// The policy, or the one that holds without any.
    pub(crate) fn policy(&self) -> Result<Policy, Stop> {
        let Some(path) = &self.policy else {
            return Ok(Policy::default());
        };
        let shown = path.display();
        let text = policy_text(path).map_err(|why| Stop::Because(vec![format!("{shown}:{why}")]))?;
        let line = |error: &crate::check::PolicyError| format!("{shown}:{error}");
        Policy::parse(&text).map_err(|errors| Stop::Because(errors.iter().map(line).collect()))
    }

    /// The analysis of captures, with a progress bar.
    pub(crate) fn analyze(&self, captures: &[PathBuf]) -> Result<Analysis, Stop> {
        let options = Options { workers: threads::start(None), keep_going: false, ..Options::default() };
        let mut bar = Bar::new(!self.no_progress);
        let analysis = analyze(captures, &options, &mut |progress| bar.set(progress));
        bar.clear();
        analysis.map_err(|problems| Stop::Because(problems.iter().map(ToString::to_string).collect()))
    }

    /// Writes every report; the lines for people too, unless standard output is taken.
    pub(crate) fn report(&self, mut judgement: Judgement, outputs: &Outputs) -> Result<(), Stop> {
        if let Some(path) = &self.policy {
            judgement.policy = path.display().to_string();
        }
        let mut gone = false;
        for (kind, destination) in &outputs.reports {
            let written = destination.write(|out| match kind {
                Kind::Junit => junit::write(&judgement, out),
                Kind::Github => github::write(&judgement, out),
                Kind::Sarif => sarif::write(&judgement, out),
                Kind::Tap => tap::write(&judgement, out),
                Kind::Markdown => markdown::write(&judgement, out),
                Kind::Json => json::write(&judgement, out),
                Kind::Text => text::write(&judgement, true, out),
            });
            gone |= output::is_reader_gone(written)?;
        }
        if outputs.is_screen_free && !gone {
            let lines = |out: &mut dyn std::io::Write| text::write(&judgement, self.verbose, out);
            output::is_reader_gone(output::to_screen(Color::Auto, lines))?;
        }
        if judgement.holds() { Ok(()) } else { Err(Stop::Failed) }
    }
}

/// The text of a policy, or what is wrong with the file and where, to stand behind its name.
fn policy_text(path: &Path) -> Result<String, String> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(POLICY_BYTES_MAX + 1).read_to_end(&mut bytes))
        .map_err(|error| format!(" cannot be read: {error}"))?;
    if bytes.len() as u64 > POLICY_BYTES_MAX {
        return Err(format!(
            " is longer than {POLICY_BYTES_MAX} bytes, so it is no policy; give the file that docs/policy.md describes"
        ));
    }
    String::from_utf8(bytes).map_err(|error| {
        let before = error.as_bytes().get(..error.utf8_error().valid_up_to());
        let before = String::from_utf8_lossy(before.unwrap_or_default());
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
        format!("{line}:{column}: this is not UTF-8; a policy is a text file in TOML, saved as UTF-8")
    })
}
