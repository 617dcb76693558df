//! Tests of what a signature is held against.

use super::*;

#[test]
fn a_date_header_is_a_moment() {
    assert_eq!(Some(0), unix_seconds("Thu, 01 Jan 1970 00:00:00 GMT"));
    assert_eq!(Some(1_289_690_940), unix_seconds("Sat, 13 Nov 2010 23:29:00 GMT"));
    assert_eq!(Some(1_709_164_800), unix_seconds("Thu, 29 Feb 2024 00:00:00 GMT"));
    assert_eq!(None, unix_seconds("now"));
    assert_eq!(None, unix_seconds("Thu, 01 Foo 1970 00:00:00 GMT"));
}

#[test]
fn one_number_may_be_written_in_several_ways() {
    assert!(may_be_same(&digits("sip:+12155550112@a"), &digits("12155550112")));
    assert!(may_be_same(&digits("tel:2155550112"), &digits("12155550112")));
    assert!(may_be_same(&digits("sip:02155550112@a"), &digits("+492155550112")));
    assert!(!may_be_same(&digits("sip:+12155550112@a"), &digits("12155550113")));
    assert_eq!("", digits("sip:alice@a"));
}
