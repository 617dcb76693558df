//! A report is there as a whole or not at all: the old one stays until the new one is complete, with owner and permissions.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::folder::{Folder, refused};

#[test]
fn a_run_that_fails_leaves_the_old_report() {
    let folder = Folder::new();
    folder.write("report", "old\n");
    for (arguments, said) in [
        ("trace no-such --json report", "no-such"),
        ("trace --call 99 --json report", "no such call"),
        ("trace --csv report --json none/report", "there is no such folder"),
        ("trace --csv report --json ring", "it is a folder"),
        ("trace --csv report --json new/", "it is a folder"),
        ("trace --filter x --json report", "--filter"),
        ("trace --tls-keylog no-such --json report", "no-such"),
        ("extract trace --call 99 -o report", "99"),
        ("extract no-such --call 1 -o report", "no-such"),
        ("check no-such --format tap=report", "no-such"),
        ("check trace --policy no-such --format tap=report", "no-such"),
        ("compare saved no-such --format tap=report", "no-such"),
    ] {
        folder.refuses(&arguments.split(' ').collect::<Vec<_>>(), said);
        assert!(!folder.has_draft());
    }
}

#[test]
fn a_disk_without_room_leaves_the_old_report() {
    let folder = Folder::new();
    for (command, out) in [
        ("trace --json OUT", "report"),
        ("trace --json OUT", "new"),
        ("extract trace --call 1 --call 2 --call 3 -o OUT", "report"),
        ("check trace --format sarif=OUT", "report"),
    ] {
        folder.write("report", "old\n");
        let before = folder.contents();
        // One block of a file: shells count in 512 or 1024 bytes.
        let script = format!("ulimit -f 1; exec \"$0\" {}", command.replace("OUT", out));
        let output = folder.shell(&script).output().expect("a shell");
        refused(&output, "cannot be written", &script);
        assert!(before == folder.contents(), "{script}");
    }
}

#[test]
fn a_new_report_gets_the_permissions_of_any_new_file() {
    let folder = Folder::new();
    for (umask, mode) in [("022", 0o644), ("077", 0o600), ("002", 0o664)] {
        let script = format!("umask {umask}; exec \"$0\" trace --json new > screen");
        assert!(folder.shell(&script).status().expect("a shell").success());
        assert_eq!(mode, folder.mode("new"), "umask {umask}");
        fs::remove_file(folder.path("new")).expect("the report");
    }
}

#[test]
fn a_report_keeps_the_owner_and_permissions_of_the_one_before() {
    let folder = Folder::new();
    folder.write("report", "old\n");
    // Only root may give a file away.
    let is_given = std::os::unix::fs::chown(folder.path("report"), Some(12_345), Some(54_321)).is_ok();
    let owner = |name: &str| fs::metadata(folder.path(name)).map(|file| (file.uid(), file.gid())).expect("a file");
    for mode in [0o640, 0o600, 0o666, 0o444] {
        folder.set_mode("report", mode);
        let before = owner("report");
        let output = folder.run(&["trace", "--json", "report"]);
        if output.status.success() {
            assert!(folder.read("report").contains("sipscan-report/1"));
        } else {
            assert_eq!(0o444, mode, "what is protected from writing is not replaced");
        }
        assert_eq!((mode, before), (folder.mode("report"), owner("report")));
    }
    assert!(!is_given || owner("report") == (12_345, 54_321));
}

#[test]
fn links_stay_and_what_they_name_is_replaced() {
    let folder = Folder::new();
    folder.write("ring/report", "old\n");
    symlink("ring/report", folder.path("soft")).expect("a link");
    symlink("ring/new", folder.path("ahead")).expect("a link");
    let output = folder.run(&["trace", "--json", "soft", "--csv", "ahead"]);
    assert_eq!(Some(0), output.status.code(), "{}", String::from_utf8_lossy(&output.stderr));
    for link in ["soft", "ahead"] {
        assert!(fs::symlink_metadata(folder.path(link)).expect("a link").is_symlink(), "{link}");
    }
    assert!(folder.read("ring/report").contains("sipscan-report/1"));
    assert!(folder.read("ring/new").starts_with("id,"));
    symlink("circle", folder.path("circle")).expect("a link");
    folder.refuses(&["trace", "--json", "circle"], "too many symbolic links");
}

#[test]
fn a_file_in_a_folder_that_takes_no_new_ones_is_written_all_the_same() {
    let folder = Folder::new();
    fs::create_dir(folder.path("closed")).expect("a folder");
    folder.write("closed/report", "old and longer than nothing\n");
    folder.set_mode("closed", 0o555);
    let output = folder.run(&["trace", "--json", "closed/report"]);
    folder.set_mode("closed", 0o755);
    assert_eq!(Some(0), output.status.code(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(folder.read("saved"), folder.read("closed/report"));
}

/// An extraction that takes a moment: of many copies of a capture.
fn long_extraction(folder: &Folder, prefix: &str) -> Child {
    let capture = fs::read(folder.path("ring/b")).expect("a capture");
    for number in 0..400 {
        fs::write(folder.path(&format!("ring/{number}")), &capture).expect("a copy");
    }
    let script = format!("{prefix} exec \"$0\" extract ring --call 1 -o report");
    folder.shell(&script).stderr(Stdio::null()).spawn().expect("a shell")
}

/// Sends `signal` as soon as the draft is there.
fn send(folder: &Folder, child: &mut Child, signal: &str) {
    let since = Instant::now();
    while since.elapsed() < Duration::from_secs(60) && child.try_wait().expect("a child").is_none() {
        if folder.has_draft() {
            let kill = Command::new("kill").args([signal, &child.id().to_string()]).status();
            assert!(kill.is_ok());
            return;
        }
    }
}

#[test]
fn a_signal_takes_the_draft_with_it_and_leaves_the_old_report() {
    let folder = Folder::new();
    assert!(long_extraction(&folder, "").wait().expect("it ends").success());
    let whole = fs::read(folder.path("report")).expect("a report");
    for signal in ["-TERM", "-INT", "-HUP"] {
        folder.write("report", "old\n");
        let mut child = long_extraction(&folder, "");
        send(&folder, &mut child, signal);
        let status = child.wait().expect("it ends");
        assert!(!folder.has_draft(), "{signal}");
        // The signal may come when the new report is in its place already, or when the program is gone.
        let report = fs::read(folder.path("report")).expect("a report");
        assert!(report == whole || (report == b"old\n" && !status.success()), "{signal}: {status}");
    }
}

#[test]
fn a_signal_that_is_ignored_stays_ignored() {
    let folder = Folder::new();
    let mut child = long_extraction(&folder, "trap '' TERM HUP;");
    send(&folder, &mut child, "-TERM");
    assert!(child.wait().expect("it ends").success());
    assert!(folder.path("report").exists());
}
