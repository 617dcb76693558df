//! TLS connections in captures: what is said of handshakes that fail and of content that cannot be read.

use std::path::Path;

use sipscan::analysis::{Analysis, Options, analyze};

fn analysis(name: &str) -> Analysis {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls").join(name);
    analyze(&[path], &Options::default(), &mut |_| {}).expect("the fixture can be read")
}

fn said(analysis: &Analysis, rule: &str) -> Option<String> {
    let mut incidents = analysis.incidents.iter();
    incidents.find(|incident| incident.finding.rule == rule).map(|incident| incident.explanation().into_owned())
}

#[test]
fn net_tls_names_the_alert_and_who_sent_it() {
    let explanation = said(&analysis("no-cipher.pcap"), "net-tls").expect("the handshake failed");
    assert!(explanation.contains("handshake_failure"), "{explanation}");
    let explanation = said(&analysis("unknown-ca.pcap"), "net-tls").expect("the handshake failed");
    assert!(explanation.contains("unknown_ca"), "{explanation}");
    assert!(explanation.contains("issued by"), "{explanation}");
}

#[test]
fn net_tls_is_silent_where_the_handshake_succeeds() {
    for name in ["tls12-gcm.pcap", "tls13-aes.pcap"] {
        assert_eq!(None, said(&analysis(name), "net-tls"), "{name}");
    }
}

#[test]
fn cap_encrypted_tells_of_signalling_without_keys() {
    for name in ["tls12-gcm.pcap", "tls13-aes.pcap"] {
        let explanation = said(&analysis(name), "cap-encrypted").expect("no keys were given");
        assert!(explanation.contains("cannot be read"), "{explanation}");
    }
}
