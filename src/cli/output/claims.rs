//! Which files a run writes: each has a place of its own, and none of them is read in the same run.

use std::cell::OnceCell;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::capture::{self, OpenProblem};
use crate::cli::output::stop::Stop;

use super::destination::Destination;
use super::identity::Identity;
use super::place::Place;

/// Endings of captures and of what they are packed in: a report never goes into such a file, since the user most likely
/// forgot the name of the report.
const CAPTURE_ENDINGS: [&str; 10] = ["pcap", "pcapng", "cap", "dmp", "ntar", "gz", "zst", "xz", "lz4", "bz2"];

/// The outputs of a run, claimed one after the other before anything is read or written.
#[derive(Debug)]
pub(crate) struct Claims<'a> {
    captures: Vec<&'a Path>,
    others: Vec<&'a Path>,
    inputs: OnceCell<Vec<Input>>,
    stdout: Option<Identity>,
    is_stdout_taken: bool,
    taken: Vec<(PathBuf, Target)>,
}

/// A file that the run reads.
#[derive(Debug)]
struct Input {
    path: PathBuf,
    identity: Identity,
    /// Found in a folder, so that it is read only if it is a capture.
    is_member: bool,
}

/// What tells an output from others.
#[derive(Debug, PartialEq, Eq)]
enum Target {
    There(Identity),
    /// A path without links, where nothing is yet.
    New(PathBuf),
}

impl<'a> Claims<'a> {
    /// For a run that reads `captures` (files, folders of them, or `-`), and `others` such as key logs and policies.
    ///
    /// # Errors
    /// Where standard output goes into one of them.
    pub(crate) fn new(
        captures: impl IntoIterator<Item = &'a Path>,
        others: impl IntoIterator<Item = &'a Path>,
    ) -> Result<Self, Stop> {
        let claims = Self {
            captures: captures.into_iter().collect(),
            others: others.into_iter().collect(),
            inputs: OnceCell::new(),
            stdout: Identity::of_stream(&io::stdout()),
            is_stdout_taken: false,
            taken: Vec::new(),
        };
        match claims.stdout.as_ref().and_then(|stdout| claims.read_as(stdout)) {
            Some(input) => Err(because(format!(
                "standard output: goes to {}, which is read from; send it to another file",
                input.path.display()
            ))),
            None => Ok(claims),
        }
    }

    /// Whether a report takes the place of the screen.
    pub(crate) fn is_stdout_taken(&self) -> bool {
        self.is_stdout_taken
    }

    /// A place for a report.
    ///
    /// # Errors
    /// Where the path is read from, taken, cannot be written, or most likely names a capture.
    pub(crate) fn report(&mut self, path: &Path) -> Result<Destination, Stop> {
        let destination = self.claim(path)?;
        if destination.is_stdout() {
            return Ok(destination);
        }
        let refused = |what: &str| {
            let line = format!(
                "{}: is {what}, so no report is written to it; name the report first: --json report.json",
                path.display()
            );
            Err(because(line))
        };
        let ending = path.extension().and_then(|ending| ending.to_str());
        if ending.is_some_and(|ending| CAPTURE_ENDINGS.iter().any(|known| known.eq_ignore_ascii_case(ending))) {
            return refused("named like a capture");
        }
        if path.is_file() && !capture::find(&[path.to_path_buf()]).sources.is_empty() {
            return refused("a capture");
        }
        Ok(destination)
    }

    /// A place for a capture, which may replace another one.
    ///
    /// # Errors
    /// Where the path is read from, taken, or cannot be written.
    pub(crate) fn capture(&mut self, path: &Path) -> Result<Destination, Stop> {
        self.claim(path)
    }

    fn claim(&mut self, path: &Path) -> Result<Destination, Stop> {
        let shown = path.display();
        let place = Place::of(path).map_err(|error| because(format!("{shown}: cannot be written: {error}")))?;
        let target = match &place {
            Place::Stdout if self.is_stdout_taken => {
                return Err(because("two reports cannot share standard output; give one of them a file".to_owned()));
            }
            Place::Stdout => {
                self.is_stdout_taken = true;
                None
            }
            Place::Stream(path) | Place::File { path, old: Some(_) } => Identity::of_path(path).map(Target::There),
            Place::File { path, old: None } => Some(Target::New(path.clone())),
        };
        if let Some(target) = target {
            self.refuse_input(path, &target)?;
            self.refuse_taken(path, &target)?;
            self.taken.push((path.to_path_buf(), target));
        }
        Ok(Destination::new(path, place))
    }

    fn refuse_input(&self, path: &Path, target: &Target) -> Result<(), Stop> {
        let Target::There(identity) = target else {
            return Ok(());
        };
        let Some(input) = self.read_as(identity) else {
            return Ok(());
        };
        let same = match input.path == path {
            true => String::new(),
            false => format!("the same file as {}, which is ", input.path.display()),
        };
        let shown = path.display();
        Err(because(format!("{shown}: is {same}read from, so nothing is written to it; give another file")))
    }

    fn refuse_taken(&self, path: &Path, target: &Target) -> Result<(), Stop> {
        let shown = path.display();
        if matches!(target, Target::There(identity) if self.stdout.as_ref() == Some(identity)) {
            return Err(because(format!("{shown}: standard output goes there too; give the report another file")));
        }
        let Some((other, _)) = self.taken.iter().find(|(_, taken)| taken == target) else {
            return Ok(());
        };
        let same = match other == path {
            true => String::new(),
            false => format!("is the same file as {}; ", other.display()),
        };
        Err(because(format!("{shown}: {same}two reports cannot share a file; give each its own")))
    }

    /// The input that is this file, if any.
    fn read_as(&self, identity: &Identity) -> Option<&Input> {
        let inputs = self.inputs.get_or_init(|| inputs(&self.captures, &self.others));
        inputs.iter().find(|input| input.identity == *identity && !(input.is_member && is_passed_over(&input.path)))
    }
}

fn inputs(captures: &[&Path], others: &[&Path]) -> Vec<Input> {
    let mut inputs = Vec::new();
    let mut push = |path: &Path, identity: Option<Identity>, is_member| {
        inputs.extend(identity.map(|identity| Input { path: path.to_path_buf(), identity, is_member }));
    };
    for path in captures {
        if path.as_os_str() == "-" {
            push(Path::new("standard input"), Identity::of_stream(&io::stdin()), false);
        } else if let Ok(members) = fs::read_dir(path) {
            for member in members.flatten().map(|member| member.path()).filter(|member| member.is_file()) {
                push(&member, Identity::of_path(&member), true);
            }
        } else {
            push(path, Identity::of_path(path), false);
        }
    }
    for path in others {
        push(path, Identity::of_path(path), false);
    }
    inputs
}

/// Whether a file in a folder of captures is plainly none, such as the report of an earlier run: it may be written anew.
fn is_passed_over(path: &Path) -> bool {
    let found = capture::find(&[path.to_path_buf()]);
    let mut problems = found.errors.iter().map(|error| &error.problem);
    problems.any(|problem| matches!(problem, OpenProblem::NotACapture(_) | OpenProblem::Empty))
}

fn because(line: String) -> Stop {
    Stop::Because(vec![line])
}
