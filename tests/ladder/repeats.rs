//! Which messages of a capture are marked as sent before.

use sipscan::call::MessageKind;

const NODES: &str = "alice = 10.0.0.1:5060   proxy = 10.0.0.2:5060   bob = 10.0.0.3:5060\n";

/// The methods and codes of the messages of one call that nobody had sent before.
fn first_sends(steps: &str) -> String {
    let ladder = super::parse::parse(&format!("{NODES}{steps}tail 60s\n"));
    let analysis = super::analyze(&ladder);
    let first = analysis.store.messages.iter().filter(|message| !message.flags.is_retransmission());
    let words = first.map(|message| match message.kind {
        MessageKind::Request(method) => method.text().to_owned(),
        MessageKind::Response(status) => status.0.to_string(),
    });
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn repeats_of_requests_and_of_answers_are_marked() {
    let steps = "+0ms alice -> bob INVITE offer=PCMU at=0ms,500ms,1.5s
+1.6s bob -> alice 180 at=0ms,60ms
+2s bob -> alice 200 answer=PCMU at=0ms,500ms
+2.6s alice -> bob ACK at=0ms,200ms
+9s alice -> bob BYE at=0ms,500ms
+9.6s bob -> alice 200 method=BYE
";
    assert_eq!("INVITE 180 200 ACK BYE 200", first_sends(steps));
}

#[test]
fn an_ack_with_a_branch_of_its_own_for_each_repeat_of_the_answer_is_a_repeat() {
    let steps = "+0ms alice -> bob INVITE offer=PCMU
+1s bob -> alice 200 answer=PCMU
+1.1s alice -> bob ACK branch=z9hG4bKone
+1.5s alice -> bob ACK branch=z9hG4bKtwo
+2s alice -> bob INVITE offer=PCMU dialog=1 cseq=7
+2.1s bob -> alice 200 answer=PCMU
+2.2s alice -> bob ACK cseq=7
";
    assert_eq!("INVITE 200 ACK INVITE 200 ACK", first_sends(steps));
}

#[test]
fn an_answer_that_a_proxy_passes_on_under_the_via_of_the_next_hop_is_no_repeat() {
    let steps = "+0ms alice -> proxy INVITE offer=PCMU
+1ms proxy -> bob INVITE offer=PCMU relay=alice
+20ms bob -> proxy 603
+21ms proxy -> alice 603 for=proxy/bob
";
    assert_eq!("INVITE INVITE 603 603", first_sends(steps));
}

#[test]
fn the_acks_of_a_refusal_that_went_round_in_a_circle_are_no_repeats() {
    let steps = "+0ms alice -> proxy INVITE offer=PCMU at=0ms,500ms
+1ms proxy -> bob INVITE offer=PCMU relay=alice branch=z9hG4bKfirst
+2ms bob -> proxy INVITE offer=PCMU relay=proxy
+3ms proxy -> bob INVITE offer=PCMU relay=bob branch=z9hG4bKsecond
+4ms bob -> proxy 483
+5ms proxy -> bob ACK branch=z9hG4bKsecond
+6ms proxy -> bob ACK branch=z9hG4bKfirst
";
    assert_eq!("INVITE INVITE INVITE INVITE 483 ACK ACK", first_sends(steps));
}
