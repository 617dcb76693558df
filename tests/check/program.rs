//! The program as tests run it.

use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

/// How a run ended.
pub struct Ended {
    /// Exit code.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// Runs the program in the root of the project.
pub fn run(arguments: &[&str]) -> Ended {
    let output = Command::new(env!("CARGO_BIN_EXE_sipscan"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("the program is built");
    Ended {
        code: output.status.code().expect("no signal ends it"),
        stdout: String::from_utf8(output.stdout).expect("UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("UTF-8"),
    }
}

/// Runs `sipscan compare`.
pub fn compare(baseline: &str, candidate: &str, options: &[&str]) -> Ended {
    let mut arguments = vec!["compare", baseline, candidate];
    arguments.extend(options);
    run(&arguments)
}

/// A recording of the lab.
pub fn fixture(name: &str) -> String {
    format!("tests/fixtures/lab/{name}.pcap.gz")
}

/// A sample capture.
pub fn sample(name: &str) -> String {
    format!("samples/{name}")
}

/// Reports that were saved so far: tests run side by side, so each gets a file of its own.
static SAVED: AtomicU32 = AtomicU32::new(0);

/// The JSON report of a recording of the lab, in a file of the build folder.
pub fn saved(name: &str) -> String {
    let number = SAVED.fetch_add(1, Ordering::Relaxed);
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{number}.json"));
    let path = path.display().to_string();
    assert_eq!(0, run(&[&fixture(name), "--json", &path]).code);
    path
}

/// Checks a capture by a policy in memory.
pub fn check(policy: &str, capture: &str, options: &[&str]) -> Ended {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("policy.toml");
    std::fs::write(&path, policy).expect("a file");
    let path = path.display().to_string();
    let mut arguments = vec!["check", "--policy", &path, capture];
    arguments.extend(options);
    let mut ended = run(&arguments);
    ended.stderr = ended.stderr.replace(&path, "policy.toml");
    ended
}
