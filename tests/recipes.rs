//! The commands of docs/ci.md, run as they stand there on the recordings of the lab.

use std::path::Path;
use std::process::{Command, Output};

/// A fenced block: its language, and its lines.
type Block = (String, Vec<String>);

fn page() -> String {
    let path = format!("{}/docs/ci.md", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).expect("docs/ci.md is there")
}

fn blocks(page: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut is_open = false;
    for line in page.lines() {
        match line.strip_prefix("```") {
            Some(language) if !is_open => {
                blocks.push((language.to_owned(), Vec::new()));
                is_open = true;
            }
            Some(_) => is_open = false,
            None if is_open => {
                if let Some((_, lines)) = blocks.last_mut() {
                    lines.push(line.to_owned());
                }
            }
            None => {}
        }
    }
    blocks
}

/// The command lines of a block that run sipscan, as a shell sees them.
fn commands(lines: &[String]) -> Vec<String> {
    let mut commands: Vec<String> = Vec::new();
    let mut is_going_on = false;
    for line in lines {
        let trimmed = line.trim();
        let begins = trimmed.find("sipscan ").filter(|place| {
            let before = trimmed.get(..*place).unwrap_or_default();
            ["", "- ", "$ ", "steps { sh '"].contains(&before)
        });
        if let Some(place) = begins {
            let command = trimmed.get(place..).unwrap_or_default();
            commands.push(command.trim_end_matches("' }").to_owned());
            is_going_on = true;
        } else if is_going_on && trimmed.starts_with("--") {
            let last = commands.last_mut().expect("one is going on");
            last.push(' ');
            last.push_str(trimmed);
        } else {
            is_going_on = false;
        }
    }
    commands
}

/// A folder with the files that the recipes name.
fn workplace() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (from, to) in [
        ("tests/fixtures/lab/again.pcap.gz", "calls.pcap"),
        ("tests/fixtures/lab/baseline.pcap.gz", "baseline.pcap"),
        ("tests/fixtures/lab/candidate.pcap.gz", "candidate.pcap"),
        ("tests/lab/policy.toml", "policy.toml"),
    ] {
        std::fs::copy(root.join(from), folder.path().join(to)).expect("a copy");
    }
    let baseline = shell(folder.path(), "sipscan baseline.pcap --json baseline.json");
    assert_eq!(Some(0), baseline.status.code());
    folder
}

/// Runs a command line of a recipe where sipscan is the one that was built.
fn shell(folder: &Path, line: &str) -> Output {
    let program = Path::new(env!("CARGO_BIN_EXE_sipscan"));
    let own = program.parent().expect("it lies in a folder").display();
    let path = std::env::var("PATH").unwrap_or_default();
    Command::new("sh")
        .args(["-euc", line])
        .current_dir(folder)
        .env("PATH", format!("{own}:{path}"))
        .env("GITHUB_STEP_SUMMARY", "summary.md")
        .output()
        .expect("there is a shell")
}

#[test]
fn every_command_of_the_recipes_runs_on_the_lab_and_ends_as_it_should() {
    let folder = workplace();
    let mut count = 0;
    for (_, lines) in blocks(&page()) {
        for command in commands(&lines) {
            let output = shell(folder.path(), &command);
            let wanted = i32::from(command.contains("candidate.pcap"));
            assert_eq!(
                Some(wanted),
                output.status.code(),
                "{command}: {}{}",
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            );
            count += 1;
        }
    }
    assert!(count >= 9, "{count} commands were found");
    for report in ["check.xml", "compare.xml", "compare.md", "sipscan.sarif", "summary.md"] {
        let written = std::fs::metadata(folder.path().join(report));
        assert!(written.is_ok_and(|written| written.len() > 100), "{report}");
    }
}

#[test]
fn what_the_page_shows_of_the_lab_is_what_the_program_prints() {
    let folder = workplace();
    let page = blocks(&page());
    let (_, lines) = page.first().expect("the first block shows a check");
    let shown: Vec<&String> = lines.iter().filter(|line| line.starts_with("FAIL ")).collect();
    let command = commands(lines).remove(0);
    let output = shell(folder.path(), &command);
    let printed = String::from_utf8(output.stdout).expect("UTF-8");
    assert_eq!(printed.lines().collect::<Vec<_>>(), shown);
}

#[test]
fn the_make_recipe_makes_its_targets() {
    if Command::new("make").arg("--version").output().is_err() {
        return;
    }
    let folder = workplace();
    let page = blocks(&page());
    let recipe = page.iter().find(|(language, _)| language == "make");
    let (_, lines) = recipe.expect("a recipe for make");
    std::fs::write(folder.path().join("Makefile"), lines.join("\n") + "\n").expect("a file");
    // The calls were recorded before.
    let recorded = folder.path().join("recorded");
    std::fs::rename(folder.path().join("calls.pcap"), recorded).expect("moved");
    let script = "#!/bin/sh\ncp recorded calls.pcap\n";
    std::fs::write(folder.path().join("calls.sh"), script).expect("a file");
    let made = shell(folder.path(), "chmod +x calls.sh");
    assert_eq!(Some(0), made.status.code());
    let check = shell(folder.path(), "make -s check");
    let told = String::from_utf8_lossy(&check.stderr);
    assert_eq!(Some(0), check.status.code(), "{told}");
    assert!(check.stdout.is_empty(), "all holds, so nothing is said");
    let again = shell(folder.path(), "rm baseline.json; make -s baseline && make -s check");
    assert_eq!(Some(0), again.status.code());
    assert!(folder.path().join("baseline.json").exists());
}
