//! Request methods and response status codes.
//!
//! Source: RFC 3261 sections 7.1, 7.2 and 21; IANA "SIP Parameters", methods.

use std::fmt;

/// A request method; case matters (RFC 3261 section 7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Method {
    /// RFC 3261.
    Invite,
    /// RFC 3261.
    Ack,
    /// RFC 3261.
    Bye,
    /// RFC 3261.
    Cancel,
    /// RFC 3261.
    Options,
    /// RFC 3261.
    Register,
    /// RFC 3262.
    Prack,
    /// RFC 3311.
    Update,
    /// RFC 6086.
    Info,
    /// RFC 3515.
    Refer,
    /// RFC 6665.
    Subscribe,
    /// RFC 6665.
    Notify,
    /// RFC 3903.
    Publish,
    /// RFC 3428.
    Message,
    /// A method that no rule knows; its name stays in the message's bytes.
    Other,
}

impl Method {
    /// The method named by `token`; [`Method::Other`] also for known names in the wrong case.
    pub fn from_bytes(token: &[u8]) -> Self {
        match token {
            b"INVITE" => Self::Invite,
            b"ACK" => Self::Ack,
            b"BYE" => Self::Bye,
            b"CANCEL" => Self::Cancel,
            b"OPTIONS" => Self::Options,
            b"REGISTER" => Self::Register,
            b"PRACK" => Self::Prack,
            b"UPDATE" => Self::Update,
            b"INFO" => Self::Info,
            b"REFER" => Self::Refer,
            b"SUBSCRIBE" => Self::Subscribe,
            b"NOTIFY" => Self::Notify,
            b"PUBLISH" => Self::Publish,
            b"MESSAGE" => Self::Message,
            _ => Self::Other,
        }
    }

    /// The method's name; `"OTHER"` for [`Method::Other`].
    pub fn text(self) -> &'static str {
        match self {
            Self::Invite => "INVITE",
            Self::Ack => "ACK",
            Self::Bye => "BYE",
            Self::Cancel => "CANCEL",
            Self::Options => "OPTIONS",
            Self::Register => "REGISTER",
            Self::Prack => "PRACK",
            Self::Update => "UPDATE",
            Self::Info => "INFO",
            Self::Refer => "REFER",
            Self::Subscribe => "SUBSCRIBE",
            Self::Notify => "NOTIFY",
            Self::Publish => "PUBLISH",
            Self::Message => "MESSAGE",
            Self::Other => "OTHER",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// A status code as sent: 100 to 699 where it is valid, any other number kept (65535 where it was larger).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StatusCode(pub u16);

impl StatusCode {
    /// Whether the code is one that RFC 3261 section 7.2 allows.
    pub(in crate::sip) fn is_valid(self) -> bool {
        (100..700).contains(&self.0)
    }

    /// 100 to 199: the request is still being worked on.
    pub fn is_provisional(self) -> bool {
        (100..200).contains(&self.0)
    }

    /// 200 to 299.
    pub fn is_success(self) -> bool {
        (200..300).contains(&self.0)
    }

    /// 300 to 399.
    pub fn is_redirection(self) -> bool {
        (300..400).contains(&self.0)
    }

    /// 200 to 699: ends the transaction.
    pub fn is_final(self) -> bool {
        (200..700).contains(&self.0)
    }

    /// 400 to 699.
    pub fn is_failure(self) -> bool {
        (400..700).contains(&self.0)
    }

    /// First digit: 1 to 6 for valid codes.
    pub fn class(self) -> u16 {
        self.0 / 100
    }
}

impl fmt::Display for StatusCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:03}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_case_sensitive() {
        assert_eq!(Method::Invite, Method::from_bytes(b"INVITE"));
        assert_eq!(Method::Other, Method::from_bytes(b"invite"));
        assert_eq!(Method::Other, Method::from_bytes(b""));
        assert_eq!("SUBSCRIBE", Method::from_bytes(b"SUBSCRIBE").to_string());
    }

    #[test]
    fn a_code_outside_100_to_699_is_kept_and_not_valid() {
        assert!(StatusCode(699).is_final() && StatusCode(100).is_provisional());
        assert!(!StatusCode(700).is_valid() && !StatusCode(99).is_valid());
        assert_eq!("007", StatusCode(7).to_string());
    }
}
