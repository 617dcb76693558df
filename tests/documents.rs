//! What documents show is what the program prints, and what their tables list is what it knows.
//!
//! `UPDATE_DOCUMENTS=1 cargo test --test documents` writes it into the documents; read the difference before keeping it.

use std::path::{Path, PathBuf};
use std::process::Command;

use sipscan::analysis::{Analysis, CallField, FieldKind, Options, analyze};
use sipscan::call::Outcome;
use sipscan::diagnose::Severity;
use sipscan::diagnose::words::counted;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Compares a document with what it should be, or makes it so where that is asked for.
fn hold(path: &str, wanted: &str) {
    let text = read(path);
    if text == wanted {
        return;
    }
    if std::env::var_os("UPDATE_DOCUMENTS").is_some() {
        std::fs::write(root().join(path), wanted).expect("the document can be written");
        return;
    }
    let mut lines = text.lines().zip(wanted.lines()).enumerate();
    let first = lines.find(|(_, (is, should))| is != should);
    let (line, (is, should)) = first.expect("one is longer than the other");
    panic!("{path}:{}: is\n{is}\nand should be\n{should}\nUPDATE_DOCUMENTS=1 writes all of it", line + 1);
}

/// Runs a command line as a shell in the root of the repository does; gives what it prints.
fn printed(command: &str) -> String {
    let arguments: Vec<&str> = command.split_whitespace().skip(1).collect();
    let output = Command::new(env!("CARGO_BIN_EXE_sipscan"))
        .args(&arguments)
        .args(["--color", "never", "--width", "100"])
        .current_dir(root())
        .output()
        .expect("the program runs");
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn the_readme_shows_what_the_program_prints() {
    let text = read("README.md");
    let mut wanted = String::new();
    let mut screens = 0;
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        wanted.push_str(line);
        wanted.push('\n');
        if let Some(command) = line.strip_prefix("$ ").filter(|command| command.starts_with("sipscan ")) {
            wanted.push_str(&printed(command));
            wanted.push_str("```\n");
            lines.find(|line| *line == "```").expect("a screen ends");
            screens += 1;
        }
    }
    assert!(screens > 0, "README.md has no screen");
    hold("README.md", &wanted);
}

/// A document whose table below `head` has these rows.
fn with_table(path: &str, head: &str, rows: impl Iterator<Item = String>) -> String {
    let text = read(path);
    let (before, rest) = text.split_once(head).unwrap_or_else(|| panic!("{path} has no table {head}"));
    let line = rest.trim_start_matches('\n').lines().next().unwrap_or_default();
    let after: String =
        rest.trim_start_matches('\n').split_inclusive('\n').skip_while(|line| line.starts_with('|')).collect();
    assert!(line.starts_with("|---"), "{path}: the table begins with {line}");
    let rows: String = rows.map(|row| row + "\n").collect();
    format!("{before}{head}\n{line}\n{rows}{after}")
}

#[test]
fn the_columns_of_the_csv_report_are_documented_in_their_order() {
    let rows = CallField::of_csv().map(|field| format!("| `{}` | {} |", field.name(), field.meaning()));
    hold("docs/csv.md", &with_table("docs/csv.md", "| column | content |", rows));
}

/// What an expression gets of a kind of field, and what where nothing is known.
fn type_of(kind: FieldKind) -> (&'static str, &'static str) {
    match kind {
        FieldKind::Count | FieldKind::Code => ("whole number", "0"),
        FieldKind::Milliseconds => ("number", "-1.0"),
        FieldKind::Text => ("text", "`\"\"`"),
        FieldKind::Texts => ("list of texts", "`[]`"),
        FieldKind::Flag => ("true or false", "false"),
        FieldKind::Moment => unreachable!("no expression asks for a moment"),
    }
}

#[test]
fn the_names_of_expressions_are_documented_in_their_order() {
    let rows = CallField::of_filter().map(|field| {
        let (kind, unknown) = type_of(field.kind());
        format!("| `{}` | {kind} | {unknown} | {} |", field.name(), field.meaning())
    });
    hold("docs/policy.md", &with_table("docs/policy.md", "| name | type | where unknown | meaning |", rows));
    let page = read("docs/policy.md");
    for name in CallField::former_names() {
        assert!(page.contains(&format!("`{name}`")), "docs/policy.md does not say what {name} means");
    }
}

#[test]
fn the_json_report_documents_every_field_of_a_call_that_it_has() {
    let page = read("docs/json.md");
    for field in CallField::of_csv().chain(CallField::of_filter()) {
        let name = field.name();
        let is_nested =
            name.starts_with("origin_") || matches!(field, CallField::Group | CallField::Answered | CallField::Frames);
        let inner = name.trim_start_matches("origin_");
        assert!(page.contains(&format!("`{name}`")) || is_nested && page.contains(inner), "docs/json.md lacks {name}");
    }
}

#[test]
fn mistakes_in_a_policy_read_as_documented() {
    let policy = "# a policy with three mistakes\n[metrics]\nmin_asr = 95\nmin_asr_percent = 100.5\n\n[[expect]]\n\
                  name = \"gateway 1\"\nmin_calls = 1\ncalls = \"id==1 && outcom == 'busy'\"\n";
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("policy.toml"), policy).expect("a file");
    let sample = root().join("samples/busy.pcap");
    let output = Command::new(env!("CARGO_BIN_EXE_sipscan"))
        .args([Path::new("check"), Path::new("--policy"), Path::new("policy.toml"), &sample])
        .current_dir(folder.path())
        .output()
        .expect("the program runs");
    assert_eq!(Some(2), output.status.code());
    let said = String::from_utf8(output.stderr).expect("UTF-8").replace("sipscan: ", "");
    assert!(read("docs/policy.md").contains(&format!("```\n{said}```\n")), "docs/policy.md does not show\n{said}");
}

#[test]
fn the_table_of_samples_has_their_numbers_of_calls() {
    let page = read("samples/README.md");
    let mut named = 0;
    for row in page.lines().filter_map(|line| line.strip_prefix("| ")) {
        let cells: Vec<&str> = row.trim_end_matches(" |").split(" | ").collect();
        let [file, _, calls] = cells.as_slice() else { continue };
        let path = root().join("samples").join(file);
        if !path.is_file() {
            continue;
        }
        let analysis = analyze(&[path], &Options::default(), &mut |_| {}).expect("a sample reads");
        assert_eq!(calls.parse(), Ok(analysis.calls.len()), "{file}");
        named += 1;
    }
    let entries = std::fs::read_dir(root().join("samples")).expect("the samples").filter_map(Result::ok);
    let captures = entries.filter(|entry| entry.path().extension().is_some_and(|ending| ending != "md"));
    assert_eq!(captures.count(), named, "every sample is in the table");
}

/// What is said of a sample in one line: how its calls ended, what was found, how registrations went.
fn said(analysis: &Analysis) -> String {
    let calls = analysis.calls.len();
    let outcomes: Vec<String> = Outcome::ALL
        .iter()
        .filter_map(|outcome| Some(format!("{} {}", analysis.metrics.outcomes.get(outcome)?, outcome.word())))
        .collect();
    let mut said = format!("{}: {}.", counted(calls as u64, "call"), outcomes.join(", "));
    let of_incidents = analysis.incidents.iter().map(|incident| &incident.finding);
    let of_calls = analysis.calls.iter().flat_map(|entry| &entry.findings);
    let mut found: Vec<String> = Vec::new();
    for finding in of_incidents.chain(of_calls.filter(|finding| finding.severity == Severity::Info)) {
        let how = match finding.severity {
            Severity::Info => String::new(),
            severity => format!("{}, {}: ", severity.word(), finding.seen.confidence.word()),
        };
        let line = format!(" {how}{} (`{}`).", finding.title(), finding.rule);
        if !found.contains(&line) {
            found.push(line);
        }
    }
    said.push_str(&found.concat());
    let registrations: Vec<String> = analysis
        .registrations
        .iter()
        .map(|entry| {
            let registration = &entry.registration;
            format!("{} {}", analysis.store.tables.text(registration.aor), registration.outcome.word())
        })
        .collect();
    if !registrations.is_empty() {
        said.push_str(&format!(" Registrations: {}.", registrations.join(", ")));
    }
    said
}

#[test]
fn what_sipscan_says_of_each_sample_stands_below_its_story() {
    const SAID: &str = "**sipscan says:** ";
    let text = read("samples/README.md");
    let mut sample = "";
    let lines = text.lines().map(|line| {
        sample = line.strip_prefix("### ").unwrap_or(sample);
        if !line.starts_with(SAID) {
            return line.to_owned();
        }
        let path = root().join("samples").join(sample);
        let analysis = analyze(&[path], &Options::default(), &mut |_| {}).expect("a sample reads");
        format!("{SAID}{}", said(&analysis))
    });
    let wanted: String = lines.map(|line| line + "\n").collect();
    hold("samples/README.md", &wanted);
}
