//! The runs of the program: analyse captures and report, explain, list the rules.

use std::mem::ManuallyDrop;
use std::path::PathBuf;

use crate::analysis::{Analysis, Options, analyze};
use crate::cli::Stop;
use crate::cli::arguments::Scan;
use crate::cli::extract::secrets;
use crate::cli::filter;
use crate::cli::output::{self, Claims};
use crate::cli::progress::Bar;
use crate::cli::threads;
use crate::diagnose;
use crate::reference;

use crate::report::terminal::{
    ScreenStyle, explanation_text, find_call, suggestions_text, write_call, write_metrics, write_overview,
};
use crate::report::{csv, json};

/// Analyses captures and writes every report that was asked for.
pub(crate) fn scan(scan: &Scan) -> Result<(), Stop> {
    let key_logs = scan.tls_keylog.iter().map(PathBuf::as_path);
    let mut claims = Claims::new(scan.captures.iter().map(PathBuf::as_path), key_logs)?;
    let mut claim = |path: &Option<PathBuf>| path.as_deref().map(|path| claims.report(path)).transpose();
    let (json, csv) = (claim(&scan.json)?, claim(&scan.csv)?);
    let filter = scan.filter.as_deref().map(filter::condition).transpose()?;
    // The program ends behind the reports; giving back millions of small pieces before would only take time.
    let mut analysis = ManuallyDrop::new(read(scan)?);
    if let Some(filter) = &filter {
        let matching = filter::matches(&analysis, filter)?;
        analysis.narrow(filter.source(), matching);
    }
    // Looked for before anything is written; who gets no screen gets no call on it.
    let wanted = scan.call.as_ref().filter(|_| !claims.is_stdout_taken());
    let find =
        |wanted: &String| find_call(&analysis, wanted).map_err(|none| because(&format!("--call {wanted}: {none}")));
    let call = wanted.map(find).transpose()?;
    if let Some(json) = json {
        output::is_reader_gone(json.write(|mut out| json::write(&analysis, scan.details, &mut out)))?;
    }
    if let Some(csv) = csv {
        output::is_reader_gone(csv.write(|mut out| csv::write(&analysis, &mut out)))?;
    }
    if claims.is_stdout_taken() {
        // Without a screen nothing else says how many calls the rows are of.
        if let Some(narrowing) = &analysis.narrowing {
            output::complain(&narrowing.sentence());
        }
        return Ok(());
    }
    let view = ScreenStyle {
        zone: scan.zone.clone(),
        width: scan.width.map_or_else(output::width, usize::from),
        is_whole: scan.verbose,
    };
    output::to_screen(scan.color, |out| match call {
        Some(id) => write_call(&analysis, id, &view, out),
        None if scan.metrics => write_metrics(&analysis, &view, out),
        None => write_overview(&analysis, &view, out),
    })
}

fn read(scan: &Scan) -> Result<Analysis, Stop> {
    let options = Options {
        workers: threads::start(scan.jobs),
        keep_going: scan.keep_going,
        secrets: secrets(&scan.tls_keylog)?,
    };
    let mut bar = Bar::new(!scan.no_progress);
    let analysis = analyze(&scan.captures, &options, &mut |progress| bar.set(progress));
    bar.clear();
    analysis.map_err(|problems| Stop::Because(problems.iter().map(ToString::to_string).collect()))
}

/// One line for the user.
fn because(line: &str) -> Stop {
    Stop::Because(vec![line.to_owned()])
}

/// Explains a code, cause, method, header, term or rule.
pub(crate) fn explain(query: &str, scan: &Scan) -> Result<(), Stop> {
    let width = output::reading_width();
    let Some(explanation) = reference::explain(query) else {
        let near = suggestions_text(query, &reference::suggestions(query), usize::MAX);
        return Err(Stop::Because(near.lines().map(str::to_owned).collect()));
    };
    output::to_screen(scan.color, |out| out.write_all(explanation_text(&explanation, width).as_bytes()))
}

/// Lists the rules.
pub(crate) fn rules(scan: &Scan) -> Result<(), Stop> {
    output::to_screen(scan.color, |out| {
        for id in diagnose::rule_ids() {
            let summary = reference::rule_summary(id).unwrap_or_default();
            writeln!(out, "{id:28} {summary}")?;
        }
        Ok(())
    })
}
