//! The command line and its help.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::cli::extract::Extract;
use crate::cli::output::Color;
use crate::report::time::Zone;

const EXAMPLES: &str = "\
Examples:
  sipscan trunk.pcap                     What happened, and why calls failed
  sipscan trunk.pcap --call 14           One call in full, with its ladder
  sipscan trunk.pcap --call 8f2c@pbx     The same by Call-ID, or by the part of it that is unique
  sipscan trunk.pcap --metrics           Ratios and delays by destination, source, software, time
  sipscan /var/spool/captures            Every capture in a folder, as one
  sipscan inside.pcap outside.pcap.gz    Two capture points; packets seen at both count once
  tcpdump -w - port 5060 | sipscan -     A pipe, until it ends
  sipscan trunk.pcap --csv calls.csv     One row for each call, for a spreadsheet
  sipscan trunk.pcap --filter 'final_code == 488'      The calls alone that an expression is true for
  sipscan trunk.pcap --json - | jq '.calls[] | select(.outcome==\"rejected\")'
  sipscan extract trunk.pcap --call 14 -o call.pcapng --with-media
  sipscan check --policy policy.toml trunk.pcap        For pipelines: exit code 0, 1 or 2
  sipscan compare baseline.json candidate.pcap         What changed between two runs
  sipscan explain 488                    What a code, cause or rule means, and what to check

Exit code: 0 where captures were analysed, whatever they hold; 2 where they could not be.";

/// Says for every SIP call in a capture how it ended and, where it failed, why.
#[derive(Debug, Parser)]
#[command(
    name = "sipscan",
    version,
    about,
    after_help = EXAMPLES,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    disable_help_subcommand = true,
    override_usage = "sipscan [OPTIONS] CAPTURE...\n       sipscan explain QUERY\n       sipscan extract CAPTURE... --call N -o FILE\n       sipscan check [OPTIONS] CAPTURE...\n       sipscan compare [OPTIONS] BASELINE CANDIDATE\n       sipscan rules"
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) scan: Scan,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// What to do instead of reading captures.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Says what a response code, Warning code, Q.850 cause, method, header, term or rule means
    Explain {
        /// Such as: 488 | "warn 305" | "cause 34" | Retry-After | PDD | sdp-codec-mismatch
        #[arg(required = true, value_name = "QUERY")]
        query: Vec<String>,
    },
    /// Writes the frames of some calls or of an incident to a capture of their own
    Extract(Extract),
    /// Lists every rule that sipscan knows, one line each
    Rules,
    /// Whether captures hold to a policy, for pipelines: exit code 0, 1 or 2
    Check(crate::cli::check::CheckArguments),
    /// What differs between two runs of the same calls
    Compare(crate::cli::compare::CompareArguments),
}

/// How captures are read and shown.
#[derive(Debug, Args)]
pub(crate) struct Scan {
    /// Captures (pcap or pcapng, also gzip, zstd, xz, lz4, bzip2), folders of them, or - for standard input
    #[arg(required = true, value_name = "CAPTURE")]
    pub(crate) captures: Vec<PathBuf>,

    /// Writes the JSON report to FILE; with - to standard output, in place of the screen
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    pub(crate) json: Option<PathBuf>,

    /// Has the JSON report tell for each call where its post-dial delay passed and what each hop changed
    #[arg(long, requires = "json", help_heading = "Reports")]
    pub(crate) details: bool,

    /// Writes one row for each call to FILE; with - to standard output, in place of the screen
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    pub(crate) csv: Option<PathBuf>,

    /// Reports on the calls alone that this expression is true for, such as 'final_code == 488' (docs/policy.md names the fields)
    #[arg(long, value_name = "EXPR", conflicts_with = "call", help_heading = "Reports")]
    pub(crate) filter: Option<String>,

    /// Shows one call in full: its number on the screen, its Call-ID, or a unique part of that
    #[arg(long, value_name = "N|CALL-ID", help_heading = "Screen")]
    pub(crate) call: Option<String>,

    /// Shows the metrics in full: ratios and delays, by destination, source, software and time
    #[arg(long, conflicts_with = "call", help_heading = "Screen")]
    pub(crate) metrics: bool,

    /// Shows every call and incident; with --call every message, repeats too
    #[arg(short, long, help_heading = "Screen")]
    pub(crate) verbose: bool,

    /// Shows clock times of ZONE: UTC, local, or a name such as Europe/Berlin; files always get UTC
    #[arg(long = "tz", value_name = "ZONE", default_value = "UTC", value_parser = zone, help_heading = "Screen")]
    pub(crate) zone: Zone,

    /// Columns of the screen [default: those of the terminal, else 100]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(40..=1000), help_heading = "Screen")]
    pub(crate) width: Option<u16>,

    /// Colours; auto means on a terminal, unless NO_COLOR is set
    #[arg(long, value_enum, value_name = "WHEN", default_value = "auto", help_heading = "Screen")]
    pub(crate) color: Color,

    /// Shows no progress while reading
    #[arg(long, help_heading = "Screen")]
    pub(crate) no_progress: bool,

    /// Reads and explains with N threads, 256 at most [default: one for each core]
    #[arg(long, value_name = "N", help_heading = "Reading")]
    pub(crate) jobs: Option<NonZeroUsize>,

    /// Reads TLS with the secrets in FILE, as SSLKEYLOGFILE of the TLS library writes them; may be given several times
    #[arg(long, value_name = "FILE", help_heading = "Reading")]
    pub(crate) tls_keylog: Vec<PathBuf>,

    /// Goes on without the captures that cannot be read, and says which
    #[arg(long, help_heading = "Reading")]
    pub(crate) keep_going: bool,
}

fn zone(name: &str) -> Result<Zone, String> {
    if name.eq_ignore_ascii_case("utc") {
        return Ok(Zone::default());
    }
    if name.eq_ignore_ascii_case("local") {
        return Ok(Zone(jiff::tz::TimeZone::system()));
    }
    jiff::tz::TimeZone::get(name)
        .map(Zone)
        .map_err(|_| "is no zone known here; use UTC, local, or a name such as Europe/Berlin".into())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_capture_or_a_command_comes_first() {
        let parse = |line: &str| Arguments::try_parse_from(line.split(' '));
        let scan = parse("sipscan a.pcap b.pcap --call 14").expect("captures");
        assert_eq!(2, scan.scan.captures.len());
        let explain = parse("sipscan explain warn 305").expect("a command");
        assert!(matches!(explain.command, Some(Command::Explain { query }) if query.len() == 2));
        assert!(parse("sipscan rules").is_ok());
        assert!(parse("sipscan check --policy p.toml --format junit=- a.pcap").is_ok());
        assert!(parse("sipscan compare a.json b.pcap").is_ok());
        assert!(parse("sipscan compare a.json").is_err());
        assert!(parse("sipscan").is_err());
        assert!(parse("sipscan a.pcap --width 3").is_err());
        assert!(parse("sipscan a.pcap --tz Nowhere/Town").is_err());
        assert!(parse("sipscan a.pcap --tz local").is_ok());
    }
}
