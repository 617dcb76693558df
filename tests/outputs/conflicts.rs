//! What is read is never written over, whichever command reads it and however its path is spelled.

use std::fs;
use std::os::unix::fs::symlink;

use crate::folder::{Folder, refused};

/// Every command that writes files, with the inputs that it reads besides captures; OUT stands for the output.
const COMMANDS: [(&str, &[&str]); 12] = [
    ("trace --tls-keylog keys --json OUT", &["trace", "keys"]),
    ("trace --tls-keylog keys --csv OUT", &["trace", "keys"]),
    ("other trace --json new --csv OUT", &["trace", "other"]),
    ("extract trace --tls-keylog keys --call 1 -o OUT", &["trace", "keys"]),
    ("check trace --policy policy --format junit=OUT", &["trace", "policy"]),
    ("check trace --policy policy --format github=OUT", &["trace", "policy"]),
    ("check trace --policy policy --format sarif=OUT", &["trace", "policy"]),
    ("check trace --policy policy --format tap=OUT", &["trace", "policy"]),
    ("check trace --policy policy --format markdown=OUT", &["trace", "policy"]),
    ("check trace --policy policy --format json=new --format text=OUT", &["trace", "policy"]),
    ("compare saved trace --policy policy --format json=OUT", &["trace", "saved", "policy"]),
    ("compare trace other --policy policy --format junit=new --format tap=OUT", &["trace", "other", "policy"]),
];

/// Runs `command` with `out` in the place of OUT.
fn refuses(folder: &Folder, command: &str, out: &str, said: &str) {
    let command = command.replace("OUT", out);
    folder.refuses(&command.split(' ').collect::<Vec<_>>(), said);
}

#[test]
fn no_command_writes_over_what_it_reads() {
    let folder = Folder::new();
    for (command, inputs) in COMMANDS {
        for input in inputs {
            refuses(&folder, command, input, &format!("sipscan: {input}: is read from, so nothing is written to it"));
        }
    }
}

#[test]
fn another_spelling_and_links_of_both_kinds_are_seen_through() {
    let folder = Folder::new();
    for (command, inputs) in COMMANDS {
        for input in inputs {
            let said = format!("is the same file as {input}, which is read from");
            let (hard, soft, twice) = (format!("{input}-hard"), format!("{input}-soft"), format!("{input}-twice"));
            fs::hard_link(folder.path(input), folder.path(&hard)).expect("a link");
            symlink(input, folder.path(&soft)).expect("a link");
            symlink(folder.path(&soft), folder.path(&twice)).expect("a link");
            let absolute = folder.path(input).display().to_string();
            let spelled = [format!("ring/../{input}"), format!("/proc/self/cwd/{input}"), absolute];
            for out in [&hard, &soft, &twice].into_iter().chain(&spelled) {
                refuses(&folder, command, out, &said);
            }
            for link in [hard, soft, twice] {
                fs::remove_file(folder.path(&link)).expect("own link");
            }
        }
    }
}

#[test]
fn captures_in_a_folder_are_inputs_too() {
    let folder = Folder::new();
    fs::hard_link(folder.path("ring/b"), folder.path("b-hard")).expect("a link");
    symlink("ring/a", folder.path("a-soft")).expect("a link");
    for command in [
        "ring --json OUT",
        "trace ring --csv OUT",
        "extract ring --call 1 -o OUT",
        "check ring --format tap=OUT",
        "compare ring trace --format json=OUT",
        "compare trace ring/ --format json=OUT",
    ] {
        for out in ["ring/a", "b-hard", "a-soft", "./ring//b"] {
            refuses(&folder, command, out, "read from, so nothing is written to it");
        }
    }
}

#[test]
fn the_report_of_an_earlier_run_may_lie_in_the_folder() {
    let folder = Folder::new();
    for _ in 0..2 {
        let output = folder.run(&["ring", "--json", "ring/report.json", "--csv", "ring/calls.csv"]);
        assert_eq!(Some(0), output.status.code(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let output = folder.run(&["extract", "ring", "--call", "1", "-o", "ring/call.pcapng"]);
    assert_eq!(Some(0), output.status.code(), "{}", String::from_utf8_lossy(&output.stderr));
    // From now on it is one of the captures.
    folder.refuses(&["extract", "ring", "--call", "1", "-o", "ring/call.pcapng"], "is read from");
}

#[test]
fn what_could_not_be_read_is_an_input_all_the_same() {
    let folder = Folder::new();
    folder.write("notes", "no capture\n");
    folder.refuses(&["trace", "notes", "--keep-going", "--json", "notes"], "notes: is read from");
    fs::write(folder.path("ring/broken"), [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xff, 0xff, 0xff]).expect("a file");
    folder.refuses(&["ring", "--json", "ring/broken"], "ring/broken: is read from");
}

#[test]
fn a_capture_that_is_not_read_is_no_place_for_a_report_either() {
    let folder = Folder::new();
    folder.refuses(&["--json", "other", "trace"], "other: is a capture, so no report is written to it");
    folder.refuses(&["check", "trace", "--format", "tap=other"], "other: is a capture");
    folder.refuses(&["--json", "new.pcap", "trace"], "new.pcap: is named like a capture");
    let output = folder.run(&["extract", "trace", "--call", "1", "-o", "other"]);
    assert_eq!(Some(0), output.status.code(), "an extraction may replace an earlier one");
}

#[test]
fn standard_input_is_an_input() {
    let folder = Folder::new();
    let before = folder.contents();
    for script in [
        "\"$0\" - --json trace < trace",
        "\"$0\" /dev/stdin --json trace < trace",
        "\"$0\" /dev/fd/3 --csv trace 3< trace",
        "\"$0\" check - --format tap=trace < trace",
        "\"$0\" compare saved - --format tap=trace < trace",
        "\"$0\" trace --json /dev/fd/3 3>> trace",
        "\"$0\" trace >> trace",
        "\"$0\" check trace --format json=- >> trace",
        "\"$0\" extract trace --call 1 -o - >> trace",
    ] {
        refused(&folder.shell(script).output().expect("a shell"), "read from", script);
        assert!(before == folder.contents(), "{script}: a file has changed");
    }
}

#[test]
fn two_outputs_never_share_a_file() {
    let folder = Folder::new();
    folder.write("there", "old\n");
    fs::hard_link(folder.path("there"), folder.path("hard")).expect("a link");
    symlink("there", folder.path("soft")).expect("a link");
    symlink("new", folder.path("ahead")).expect("a link");
    for (one, other) in [
        ("new", "new"),
        ("new", "./new"),
        ("new", "ring/../new"),
        ("new", "ahead"),
        ("ahead", "ring/.././new"),
        ("there", "there"),
        ("there", "hard"),
        ("soft", "hard"),
        ("there", "/proc/self/cwd/there"),
    ] {
        let said = "two reports cannot share a file; give each its own";
        folder.refuses(&["trace", "--json", one, "--csv", other], said);
        let (one, other) = (format!("junit={one}"), format!("tap={other}"));
        folder.refuses(&["check", "trace", "--format", &one, "--format", &other], said);
        folder.refuses(&["compare", "saved", "trace", "--format", &one, "--format", &other], said);
    }
    assert!(!folder.path("new").exists());
}

#[test]
fn the_screen_shares_no_file_with_a_report() {
    let folder = Folder::new();
    let said = "standard output goes there too";
    for script in ["\"$0\" trace --json report > report", "\"$0\" check trace --format tap=./report >> report"] {
        refused(&folder.shell(script).output().expect("a shell"), said, script);
        assert_eq!("", folder.read("report"));
    }
    let said = "two reports cannot share standard output";
    folder.refuses(&["trace", "--json", "-", "--csv", "-"], said);
    folder.refuses(&["trace", "--json", "-", "--csv", "/dev/stdout"], said);
    folder.refuses(&["check", "trace", "--format", "tap=/dev/fd/1", "--format", "json=-"], said);
}
