//! Characters, places and words of SIP, before any message is known.

pub mod lexer;
pub(in crate::sip) mod method;
pub(in crate::sip) mod numbers;
pub(in crate::sip) mod places;
pub(in crate::sip) mod start_line;
