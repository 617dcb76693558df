//! Arguments become captures in a fixed order; the rest is listed in one line each.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::build::{End, START, pcap, pcap_header, pcap_record, pcapng};
use super::{read_windows, source};
use sipscan::capture::{Format, Source, find};

fn one_packet_at(second: u32) -> Vec<u8> {
    let mut file = pcap_header(End::Little, 0xa1b2_c3d4, 1);
    file.extend(pcap_record(End::Little, second, 0, b"abc", 3));
    file
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, bytes).expect("a temporary file");
    path
}

#[test]
fn captures_are_ordered_by_their_first_packet_whatever_the_arguments() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let names = ["b.pcap", "a.pcap", "d.pcap", "c.pcap"];
    let mut paths: Vec<PathBuf> = names
        .into_iter()
        .zip([START, START + 1, START, START - 1])
        .map(|(name, second)| write(folder.path(), name, &one_packet_at(second)))
        .collect();
    paths.push(write(folder.path(), "0-empty.pcapng", &pcapng(End::Big, 0)));
    for _ in 0..paths.len() {
        paths.rotate_left(1);
        let found = find(&paths);
        let order: Vec<_> = found.sources.iter().filter_map(|source| source.path.file_name()?.to_str()).collect();
        assert_eq!(["c.pcap", "b.pcap", "d.pcap", "a.pcap", "0-empty.pcapng"], *order);
    }
    let found = find(&paths);
    assert_eq!(Format::PcapNg, found.sources[4].format);
    assert_eq!((None, Some(48)), (found.sources[4].first_at, found.sources[4].bytes));
}

#[test]
fn folders_give_their_captures_and_tell_what_they_leave_out() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    write(folder.path(), "ring.pcap0", &pcap(2));
    write(folder.path(), "notes.txt", b"call at nine\n");
    fs::create_dir(folder.path().join("older")).expect("a temporary folder");
    write(&folder.path().join("older"), "old.pcap", &pcap(2));
    let found = find(&[folder.path().to_path_buf()]);
    assert_eq!((1, 1, 0), (found.sources.len(), found.skipped.len(), found.errors.len()));

    let found = find(&[folder.path().join("older"), folder.path().join("older/old.pcap")]);
    assert_eq!((1, 1, 0), (found.sources.len(), found.repeated.len(), found.errors.len()));
}

#[test]
fn arguments_that_are_no_captures_are_told_each_and_do_not_stop_the_others() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let empty_folder = folder.path().join("empty");
    fs::create_dir(&empty_folder).expect("a temporary folder");
    let good = write(folder.path(), "good.pcap", &pcap(1));
    let empty = write(folder.path(), "empty.pcap", b"");
    let found = find(&[empty_folder, good, folder.path().join("gone.pcap"), empty]);
    assert_eq!(1, found.sources.len());
    let mut details: Vec<_> = found.errors.iter().map(|error| error.problem.to_string()).collect();
    details.sort();
    assert_eq!(
        [
            "is empty; was the capture stopped before a packet came?",
            "no file in this folder is a capture (pcap or pcapng); folders within it are not searched",
            "there is no such file; check the path",
        ],
        *details
    );
}

#[test]
fn what_is_no_capture_is_named() {
    let mut tar = vec![b'a'; 600];
    tar[257..262].copy_from_slice(b"ustar");
    let cases: [(&[u8], &str); 16] = [
        (
            b"snoop\0\0\0\0\0\0\x02",
            "a Sun snoop capture, not like a capture (pcap or pcapng); convert it with: editcap",
        ),
        (b"GMBU\x00\x02", "a Network Monitor capture"),
        (b"TRSNIFF data    \x1a", "a Sniffer capture"),
        (b"iptrace 2.0", "an AIX iptrace capture"),
        (b"+---------+---------------+----------+\r\n", "a K12 text capture"),
        (b"<!DOCTYPE HTML>\n<html>", "an HTML page"),
        (b"PK\x03\x04abc", "a zip archive, not like a capture (pcap or pcapng); unpack it first"),
        (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
        (&tar, "a tar archive"),
        (b"%PDF-1.7", "a PDF document"),
        (b"\x7fELF\x02", "an ELF program"),
        (b"{\"calls\": []}", "JSON"),
        (b"<?xml version=\"1.0\"?>", "XML"),
        (b"0000  45 00 00 1c\n", "a hex dump"),
        ("Gespr\u{e4}ch".as_bytes(), "text"),
        (b"\x01\x02\x03", "unknown binary data"),
    ];
    for (bytes, expected) in cases {
        let error = source(bytes.to_vec()).expect_err("no capture").to_string();
        assert!(error.starts_with(&format!("memory: looks like {expected}")), "{error}");
        assert!(!error.contains('\n'));
    }
}

/// Gives its bytes in pieces of three, as a slow pipe does.
struct Dribble(io::Cursor<Vec<u8>>);

impl Read for Dribble {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let room = buffer.len().min(3);
        self.0.read(&mut buffer[..room])
    }
}

#[test]
fn a_pipe_gives_the_same_frames_as_a_file_and_only_once() {
    let bytes = pcap(500);
    let pipe = Source::from_read(PathBuf::from("-"), Box::new(Dribble(io::Cursor::new(bytes.clone())))).expect("pcap");
    assert_eq!((None, Some(i64::from(START))), (pipe.bytes, pipe.first_at.map(|at| at.nanoseconds() / 1_000_000_000)));
    let (frames, summary) = read_windows(&pipe, 1000);
    assert_eq!(read_windows(&source(bytes.clone()).expect("pcap"), 1000).0, frames);
    assert_eq!(bytes.len() as u64, summary.bytes);
    let error = sipscan::capture::Reader::open(&pipe, 0).expect_err("its bytes are gone");
    assert_eq!("-: can be read only once", error.to_string());
}
