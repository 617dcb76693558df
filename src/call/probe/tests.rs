//! Tests of how senders are told apart.

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

#[test]
fn the_user_of_a_uri_is_what_was_asked_for() {
    assert_eq!("100", user_of("sip:100@10.0.0.1:5060"));
    assert_eq!("+4930", user_of("tel:+4930;x=y"));
    assert_eq!("10.0.0.1", user_of("sip:10.0.0.1:5060"));
    assert_eq!("", user_of(""));
}
