//! What the messages of a capture show of those that it lacks.

use sipscan::call::MessageRange;
use sipscan::call::survey::missing_messages::missed_in;

const NODES: &str = "alice = 10.0.0.1:5060   bob = 10.0.0.3:5060   proxy = 10.0.0.2:5060\n";

/// How many messages the capture of some steps must lack.
fn missed(steps: &str) -> u32 {
    let ladder = super::parse::parse(&format!("{NODES}{steps}tail 60s\n"));
    let analysis = super::analyze(&ladder);
    let start = analysis.captures[0].first_at.expect("it has frames");
    let store = &analysis.store;
    // Few messages lie together.
    let all = MessageRange { start: 0, end: store.messages.len() as u32 };
    missed_in(store.messages_of(all), &store.tables, start)
}

/// A call from dialling to hanging up.
const CALL: &str = "+0ms alice -> bob INVITE offer=PCMU
+100ms bob -> alice 180
+2s bob -> alice 200 answer=PCMU
+2.01s alice -> bob ACK
+9s alice -> bob BYE
+9.02s bob -> alice 200 method=BYE
";

#[test]
fn a_whole_call_lacks_nothing() {
    assert_eq!(0, missed(CALL));
}

#[test]
fn repeats_on_the_timer_and_a_challenge_answered_lack_nothing() {
    assert_eq!(0, missed("+0ms alice -> bob INVITE offer=PCMU at=0ms,500ms,1.5s,3.5s,7.5s,15.5s,31.5s\n"));
    assert_eq!(0, missed("+0ms alice -> bob REGISTER at=0ms,500ms,1.5s,3.5s,7.5s,11.5s,15.5s,19.5s\n"));
    let challenged = "+0ms alice -> bob INVITE offer=PCMU
+20ms bob -> alice 407 Proxy-Authenticate: Digest realm=\"home\", nonce=\"n1\"
+21ms alice -> bob ACK failure=1
+40ms alice -> bob INVITE offer=PCMU Proxy-Authorization: Digest username=\"a\", realm=\"home\", nonce=\"n1\", uri=\"sip:b@c\", response=\"00\"
+60ms bob -> alice 486
+61ms alice -> bob ACK failure=1
";
    assert_eq!(0, missed(challenged));
}

#[test]
fn the_second_half_of_a_call_alone_lacks_nothing_that_was_captured() {
    let ringing_at_the_begin = "+0ms alice -> bob INVITE offer=PCMU unseen=1
+1s bob -> alice 200 answer=PCMU
+1.01s alice -> bob ACK
";
    assert_eq!(0, missed(ringing_at_the_begin));
}

#[test]
fn an_answer_without_its_request_shows_that_the_request_is_missing() {
    let lacking = CALL.replace("alice -> bob BYE", "alice -> bob BYE unseen=1");
    assert_eq!(1, missed(&lacking));
}

#[test]
fn an_ack_without_an_answer_shows_that_the_answer_is_missing() {
    let refused = "+0ms alice -> bob INVITE offer=PCMU
+20ms bob -> alice 486 unseen=1
+21ms alice -> bob ACK failure=1
";
    assert!(missed(refused) > 0);
}

#[test]
fn a_tag_that_nobody_told_shows_that_an_answer_is_missing() {
    let answered = "+0ms alice -> bob INVITE offer=PCMU
+2s bob -> alice 200 answer=PCMU unseen=1
+9s alice -> bob BYE
+9.02s bob -> alice 200 method=BYE
";
    assert!(missed(answered) > 0);
}

#[test]
fn a_repeat_that_is_overdue_is_missing() {
    assert!(missed("+0ms alice -> bob INVITE offer=PCMU at=0ms,500ms,3.5s,7.5s,15.5s,31.5s\n") > 0);
}
