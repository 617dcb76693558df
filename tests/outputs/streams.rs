//! Pipes, devices and what the shell opened take bytes as they come.

use std::fs;
use std::os::unix::fs::FileTypeExt;

use crate::folder::Folder;

#[test]
fn a_pipe_is_written_and_stays_a_pipe() {
    let folder = Folder::new();
    for command in [
        "trace --json pipe",
        "trace --csv pipe",
        "check trace --format tap=pipe",
        "compare saved trace --format tap=pipe",
        "extract trace --call 1 -o pipe",
    ] {
        let script = format!("mkfifo pipe; cat pipe > read & \"$0\" {command} > screen; wait");
        assert!(folder.shell(&script).status().expect("a shell").success(), "{command}");
        assert!(fs::metadata(folder.path("pipe")).expect("a pipe").file_type().is_fifo(), "{command}");
        assert!(fs::metadata(folder.path("read")).expect("a file").len() > 50, "{command}");
        fs::remove_file(folder.path("pipe")).expect("the pipe");
    }
}

#[test]
fn devices_are_written_and_may_be_shared() {
    let folder = Folder::new();
    let output = folder.run(&["trace", "--json", "/dev/null", "--csv", "/dev/null"]);
    assert_eq!(Some(0), output.status.code(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(fs::metadata("/dev/null").expect("a device").file_type().is_char_device());
    let formats = ["check", "other", "--format", "tap=/dev/null", "--format", "json=/dev/null"];
    assert_ne!(Some(2), folder.run(&formats).status.code());
    assert_eq!(Some(0), folder.run(&["extract", "other", "--call", "1", "-o", "/dev/null"]).status.code());
}

#[test]
fn every_name_of_standard_output_is_the_dash() {
    let folder = Folder::new();
    let dash = folder.run(&["trace", "--json", "-"]).stdout;
    assert!(!dash.is_empty());
    std::os::unix::fs::symlink("/dev/stdout", folder.path("link")).expect("a link");
    for name in ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "//dev/./stdout", "link"] {
        assert!(dash == folder.run(&["trace", "--json", name]).stdout, "{name}");
        // A file behind it is continued, not begun anew.
        let script = format!("(echo before; \"$0\" trace --csv {name}; echo behind) > all");
        assert!(folder.shell(&script).status().expect("a shell").success());
        let all = folder.read("all");
        assert!(all.starts_with("before\nid,") && all.ends_with("\nbehind\n"), "{name}: {all}");
    }
}

#[test]
fn what_the_shell_opened_is_continued() {
    let folder = Folder::new();
    folder.write("log", "before\n");
    for script in ["\"$0\" trace --csv /dev/fd/3 3>> log > screen", "\"$0\" trace --csv /dev/stderr 2>> log > screen"] {
        assert!(folder.shell(script).status().expect("a shell").success(), "{script}");
    }
    let log = folder.read("log");
    assert!(log.starts_with("before\nid,"), "{log}");
    assert_eq!(2, log.matches("id,call_ids").count(), "{log}");
}

#[test]
fn a_reader_who_goes_away_takes_no_other_report_along() {
    let folder = Folder::new();
    let script = "\"$0\" trace --json - --csv calls | true; test -s calls";
    assert!(folder.shell(script).status().expect("a shell").success());
}
