//! CSeq, RAck and RSeq: which request a message belongs to.
//!
//! Sources: RFC 3261 section 20.16, RFC 3262 section 7.

use crate::sip::lexer::{number, word};
use crate::sip::syntax::method::Method;

/// A CSeq value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CSeq<'a> {
    /// The sequence number; `None` where it is no number below 2^32.
    pub number: Option<u32>,
    /// The method; [`Method::Other`] where `token` is none of the known ones.
    pub method: Method,
    /// The method as sent; empty where it is missing.
    pub token: &'a [u8],
}

impl<'a> CSeq<'a> {
    /// Reads `1 INVITE`.
    pub fn parse(text: &'a [u8]) -> Self {
        let (digits, rest) = word(text);
        let token = word(rest).0;
        Self { number: sequence_number(digits), method: Method::from_bytes(token), token }
    }
}

/// A RAck value: which reliable provisional response a PRACK acknowledges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RAck<'a> {
    /// The RSeq of that response; `None` where it is no number below 2^32.
    pub rseq: Option<u32>,
    /// The CSeq of that response.
    pub cseq: CSeq<'a>,
}

impl<'a> RAck<'a> {
    /// Reads `776656 1 INVITE`.
    pub fn parse(text: &'a [u8]) -> Self {
        let (digits, rest) = word(text);
        Self { rseq: sequence_number(digits), cseq: CSeq::parse(rest) }
    }
}

fn sequence_number(digits: &[u8]) -> Option<u32> {
    number(digits).and_then(|value| u32::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cseq_and_rack_are_read_with_any_blanks() {
        let cseq = CSeq::parse(b"0009\r\n  INVITE");
        assert_eq!((Some(9), Method::Invite), (cseq.number, cseq.method));
        let rack = RAck::parse(b" 776656\t1  INVITE ");
        assert_eq!((Some(776656), Some(1), Method::Invite), (rack.rseq, rack.cseq.number, rack.cseq.method));
    }

    #[test]
    fn a_cseq_that_is_no_number_keeps_its_method() {
        let cseq = CSeq::parse(b"36893488147419103232 REGISTER");
        assert_eq!((None, Method::Register), (cseq.number, cseq.method));
        assert_eq!((None, &b""[..]), (CSeq::parse(b"").number, CSeq::parse(b"1").token));
    }
}
