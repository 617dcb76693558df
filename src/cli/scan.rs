//! The runs of the program: analyse captures and report, explain, list the rules.

use std::mem::ManuallyDrop;

use crate::analysis::{Analysis, Options, analyze};
use crate::cli::Stop;
use crate::cli::arguments::Scan;
use crate::cli::extract::secrets;
use crate::cli::filter;
use crate::cli::output;
use crate::cli::progress::Bar;
use crate::cli::threads;
use crate::reference;

use crate::report::terminal::{
    ScreenStyle, explanation_text, find_call, suggestions_text, write_call, write_metrics, write_overview,
};
use crate::report::{csv, json};

/// Analyses captures and writes every report that was asked for.
pub(crate) fn scan(scan: &Scan) -> Result<(), Stop> {
    let is_stdout = |path: &Option<std::path::PathBuf>| path.as_ref().is_some_and(|path| path.as_os_str() == "-");
    if is_stdout(&scan.json) && is_stdout(&scan.csv) {
        return Err(because("--json - and --csv - cannot share standard output; give one of them a file"));
    }
    let filter = scan.filter.as_deref().map(filter::condition).transpose()?;
    // The program ends behind the reports; giving back millions of small pieces before would only take time.
    let mut analysis = ManuallyDrop::new(read(scan)?);
    if let Some(filter) = &filter {
        let matching = filter::matches(&analysis, filter)?;
        analysis.narrow(filter.source(), matching);
    }
    if let Some(path) = &scan.json {
        output::to_file(path, |mut out| json::write(&analysis, scan.details, &mut out))?;
    }
    if let Some(path) = &scan.csv {
        output::to_file(path, |mut out| csv::write(&analysis, &mut out))?;
    }
    if is_stdout(&scan.json) || is_stdout(&scan.csv) {
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
    match &scan.call {
        None if scan.metrics => output::to_screen(scan.color, |out| write_metrics(&analysis, &view, out)),
        None => output::to_screen(scan.color, |out| write_overview(&analysis, &view, out)),
        Some(wanted) => {
            let id = find_call(&analysis, wanted).map_err(|none| because(&format!("--call {wanted}: {none}")))?;
            output::to_screen(scan.color, |out| write_call(&analysis, id, &view, out))
        }
    }
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
        for id in reference::rule_ids() {
            let summary = reference::rule_summary(id).unwrap_or_default();
            writeln!(out, "{id:28} {summary}")?;
        }
        Ok(())
    })
}
