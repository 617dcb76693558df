//! A folder of a test: a capture, a key log, a policy and saved reports in it, and the program run there.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A folder with inputs; a capture is named `trace`, so that its name protects it from nothing.
pub struct Folder(tempfile::TempDir);

/// Files of the folder, by name.
pub type Contents = Vec<(String, Vec<u8>)>;

impl Folder {
    /// `trace`, `other` (captures), `keys` (a key log), `policy`, `saved` (a JSON report) and `ring/a`, `ring/b` (captures).
    pub fn new() -> Self {
        let folder = Self(tempfile::tempdir().expect("a folder"));
        let sample = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(name);
        fs::create_dir(folder.path("ring")).expect("a folder");
        for (name, of) in [
            ("trace", "488-codec-mismatch.pcap"),
            ("other", "busy.pcap"),
            ("ring/a", "busy.pcap"),
            ("ring/b", "tcp-calls.pcap"),
        ] {
            fs::copy(sample(of), folder.path(name)).expect("a copy");
        }
        fs::write(folder.path("keys"), "# no session yet\n").expect("a file");
        fs::write(folder.path("policy"), "").expect("a file");
        assert_eq!(Some(0), folder.run(&["trace", "--json", "saved"]).status.code());
        folder
    }

    /// The path of a file in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs the program in the folder.
    pub fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sipscan"));
        command.args(arguments).current_dir(self.0.path()).stdin(Stdio::null()).output().expect("the program runs")
    }

    /// A command for the shell in the folder; `$0` is the program.
    pub fn shell(&self, script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script, env!("CARGO_BIN_EXE_sipscan")]).current_dir(self.0.path()).stdin(Stdio::null());
        command
    }

    /// Writes a file.
    pub fn write(&self, name: &str, content: &str) {
        fs::write(self.path(name), content).expect("a file");
    }

    /// Reads a file of text.
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect("a file")
    }

    /// The permissions of a file.
    pub fn mode(&self, name: &str) -> u32 {
        fs::metadata(self.path(name)).expect("a file").permissions().mode() & 0o7777
    }

    /// Sets the permissions of a file or folder.
    pub fn set_mode(&self, name: &str, mode: u32) {
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(mode)).expect("own file");
    }

    /// Every plain file, also in `ring`.
    pub fn contents(&self) -> Contents {
        let mut contents = Contents::new();
        for folder in [self.0.path().to_owned(), self.path("ring")] {
            for entry in fs::read_dir(folder).expect("a folder").flatten() {
                if entry.file_type().expect("a type").is_file() {
                    let name = entry.path().strip_prefix(self.0.path()).expect("within").display().to_string();
                    contents.push((name, fs::read(entry.path()).expect("a file")));
                }
            }
        }
        contents.sort();
        contents
    }

    /// Whether a draft lies around.
    pub fn has_draft(&self) -> bool {
        let mut names = fs::read_dir(self.0.path()).expect("a folder").flatten().map(|entry| entry.file_name());
        names.any(|name| Path::new(&name).extension() == Some(OsStr::new("tmp")))
    }

    /// The run must refuse in one line that holds `said`, with exit code 2, and leave every file as it was.
    pub fn refuses(&self, arguments: &[&str], said: &str) {
        let before = self.contents();
        let output = self.run(arguments);
        refused(&output, said, &format!("{arguments:?}"));
        assert!(before == self.contents(), "{arguments:?}: a file has changed");
    }
}

/// Asserts one line on standard error, nothing on standard output, and exit code 2.
pub fn refused(output: &Output, said: &str, run: &str) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(Some(2), output.status.code(), "{run}: {stderr}");
    assert_eq!(1, stderr.lines().count(), "{run}: {stderr}");
    assert!(stderr.contains(said), "{run}: {stderr}");
    assert!(output.stdout.is_empty(), "{run}: {}", String::from_utf8_lossy(&output.stdout));
}
