//! The program: reads the command line, runs the analysis, writes the reports. Only this floor prints, waits and exits.

mod arguments;
mod check;
mod compare;
mod extract;
mod filter;
mod output;
mod progress;
mod scan;
mod threads;

use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Command};
pub(crate) use output::Stop;

/// Exit code for "could not": the command line was wrong, or nothing could be read or written.
const COULD_NOT: u8 = 2;

/// Exit code for "does not hold".
const FAILED: u8 = 1;

/// Runs the program with the arguments of the process.
pub fn run() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are no errors; a reader who went away is none either.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { COULD_NOT } else { 0 });
        }
    };
    let done = match &arguments.command {
        Some(Command::Explain { query }) => scan::explain(&query.join(" "), &arguments.scan),
        Some(Command::Extract(arguments)) => extract::extract(arguments),
        Some(Command::Rules) => scan::rules(&arguments.scan),
        Some(Command::Check(arguments)) => check::run(arguments),
        Some(Command::Compare(arguments)) => compare::run(arguments),
        None => scan::scan(&arguments.scan),
    };
    match done {
        Ok(()) | Err(Stop::ReaderGone) => ExitCode::SUCCESS,
        Err(Stop::Failed) => ExitCode::from(FAILED),
        Err(Stop::Because(lines)) => {
            for line in lines {
                output::complain(&line);
            }
            ExitCode::from(COULD_NOT)
        }
    }
}
