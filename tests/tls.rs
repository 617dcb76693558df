//! TLS through the front door: sessions of real programs, with their key logs and without.

use std::path::{Path, PathBuf};

use sipscan::analysis::{Analysis, Options, analyze};
use sipscan::call::Outcome;
use sipscan::capture::{WeaknessKind, read_key_log};
use sipscan::net::Transport;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls").join(name)
}

fn analyzed(capture: &str, keys: Option<&str>) -> Analysis {
    let secrets = keys.map(|name| read_key_log(&fixture(name)).expect("a key log"));
    let options = Options { secrets: secrets.unwrap_or_default(), ..Options::default() };
    analyze(&[fixture(capture)], &options, &mut |_| {}).expect("a capture")
}

fn messages(analysis: &Analysis, transport: Transport) -> u64 {
    let counts = &analysis.fitness.sip_messages;
    counts.get(&transport).copied().unwrap_or(0)
}

#[test]
fn every_cipher_suite_of_the_samples_opens_with_its_key_log() {
    for (name, transport) in [
        ("tls12-gcm", Transport::Tls),
        ("tls12-gcm256", Transport::Tls),
        ("tls12-chacha", Transport::Tls),
        ("tls12-cbc", Transport::Tls),
        ("tls12-cbc-sha", Transport::Tls),
        ("tls12-cbc-mac-first", Transport::Tls),
        ("tls13-aes", Transport::Tls),
        ("tls13-chacha", Transport::Tls),
        ("tls13-keyupdate", Transport::Tls),
        ("tls13-websocket", Transport::Ws),
    ] {
        let (capture, keys) = (format!("{name}.pcap"), format!("{name}.keys"));
        let open = analyzed(&capture, Some(&keys));
        assert_eq!(2, messages(&open, transport), "{name}: OPTIONS and 200");
        assert!(open.fitness.undecoded.is_empty(), "{name}");
        assert_eq!(1, open.other_requests.len(), "{name}");
        let closed = analyzed(&capture, None);
        assert_eq!(0, messages(&closed, transport), "{name} without keys");
        let told = closed.fitness.undecoded.first().expect("a reason");
        assert_eq!("tls-without-keys", told.reason, "{name}");
        assert!(told.frames >= 4, "{name}: {} frames", told.frames);
    }
}

#[test]
fn a_call_over_tls_is_read_like_any_other() {
    for (capture, keys) in [
        ("call-tls12.pcap", Some("call-tls12.keys")),
        ("call-tls13.pcap", Some("call-tls13.keys")),
        ("call-tls13-with-secrets.pcapng", None),
    ] {
        let analysis = analyzed(capture, keys);
        assert_eq!(7, messages(&analysis, Transport::Tls), "{capture}");
        let [entry] = &analysis.calls[..] else {
            panic!("{capture}: {} calls", analysis.calls.len());
        };
        assert_eq!(Outcome::Completed, entry.call.outcome, "{capture}");
    }
}

#[test]
fn without_keys_the_capture_says_which_server_stays_hidden() {
    let analysis = analyzed("call-tls12.pcap", Some("call-tls13.keys"));
    assert!(analysis.calls.is_empty());
    let weaknesses = &analysis.captures.first().expect("one capture").weaknesses;
    let encrypted = weaknesses.iter().find(|weakness| weakness.kind == WeaknessKind::Encrypted).expect("a weakness");
    assert!(encrypted.frame.is_some());
    assert!(encrypted.detail.contains("127.0.0.1:5061"), "{}", encrypted.detail);
}

#[test]
fn keys_of_one_capture_serve_those_that_begin_later() {
    let paths = [fixture("call-tls13-with-secrets.pcapng"), fixture("tls13-aes.pcap")];
    for workers in [1, 3] {
        let options = Options { workers, ..Options::default() };
        let analysis = analyze(&paths, &options, &mut |_| {}).expect("captures");
        assert_eq!(7, messages(&analysis, Transport::Tls));
        assert_eq!(1, analysis.calls.len());
    }
}
