//! Tests of how senders are judged.

use super::*;

#[test]
fn tools_are_known_by_name_and_phones_are_not() {
    assert_eq!(Some(Mark::Tool), mark_of("friendly-scanner"));
    assert_eq!(Some(Mark::Tool), mark_of("SIPVicious 0.3"));
    assert_eq!(Some(Mark::Doubtful), mark_of("sipcli/v1.8"));
    for phone in ["", "Yealink SIP-T46S", "Asterisk PBX 18.2", "sipp"] {
        assert_eq!(None, mark_of(phone), "{phone}");
    }
}
