//! Names of SIP header fields, compared without regard to case, compact forms included.
//!
//! Source: RFC 3261 sections 7.3.1, 7.3.3 and 20; IANA "SIP Parameters", header fields.

macro_rules! header_names {
    ($($variant:ident $text:literal $compact:literal,)*) => {
        /// A SIP header field as the rules know it.
        ///
        /// Each variant is the header of the same spelling; the list of names and compact forms is IANA's, with the
        /// vendor headers that link call legs.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum HeaderName {
            $(
                #[doc = concat!("`", $text, "`")]
                $variant,
            )*
            /// A header that no rule reads; its name stays in the message's bytes.
            Other,
            /// A line without a colon.
            Malformed,
        }

        /// Every known name: variant, canonical spelling, compact letter (0 where there is none).
        const KNOWN: &[(HeaderName, &str, u8)] = &[$((HeaderName::$variant, $text, $compact),)*];
    };
}

header_names! {
    Via "Via" b'v',
    From "From" b'f',
    To "To" b't',
    CallId "Call-ID" b'i',
    CSeq "CSeq" 0,
    Contact "Contact" b'm',
    MaxForwards "Max-Forwards" 0,
    Route "Route" 0,
    RecordRoute "Record-Route" 0,
    ContentType "Content-Type" b'c',
    ContentLength "Content-Length" b'l',
    ContentEncoding "Content-Encoding" b'e',
    ContentDisposition "Content-Disposition" 0,
    ContentLanguage "Content-Language" 0,
    ContentId "Content-ID" 0,
    UserAgent "User-Agent" 0,
    Server "Server" 0,
    Reason "Reason" 0,
    Warning "Warning" 0,
    RetryAfter "Retry-After" 0,
    Require "Require" 0,
    ProxyRequire "Proxy-Require" 0,
    Supported "Supported" b'k',
    Unsupported "Unsupported" 0,
    Allow "Allow" 0,
    AllowEvents "Allow-Events" b'u',
    Accept "Accept" 0,
    AcceptEncoding "Accept-Encoding" 0,
    AcceptLanguage "Accept-Language" 0,
    AcceptContact "Accept-Contact" b'a',
    RejectContact "Reject-Contact" b'j',
    RequestDisposition "Request-Disposition" b'd',
    Expires "Expires" 0,
    MinExpires "Min-Expires" 0,
    SessionExpires "Session-Expires" b'x',
    MinSe "Min-SE" 0,
    RSeq "RSeq" 0,
    RAck "RAck" 0,
    Authorization "Authorization" 0,
    ProxyAuthorization "Proxy-Authorization" 0,
    WwwAuthenticate "WWW-Authenticate" 0,
    ProxyAuthenticate "Proxy-Authenticate" 0,
    AuthenticationInfo "Authentication-Info" 0,
    PAssertedIdentity "P-Asserted-Identity" 0,
    PPreferredIdentity "P-Preferred-Identity" 0,
    RemotePartyId "Remote-Party-ID" 0,
    Privacy "Privacy" 0,
    Identity "Identity" b'y',
    IdentityInfo "Identity-Info" b'n',
    Date "Date" 0,
    Diversion "Diversion" 0,
    HistoryInfo "History-Info" 0,
    ReferTo "Refer-To" b'r',
    ReferredBy "Referred-By" b'b',
    ReferSub "Refer-Sub" 0,
    Replaces "Replaces" 0,
    Join "Join" 0,
    Event "Event" b'o',
    SubscriptionState "Subscription-State" 0,
    SessionId "Session-ID" 0,
    PChargingVector "P-Charging-Vector" 0,
    XCallId "X-Call-ID" 0,
    XCallIdPlain "X-CallID" 0,
    XCid "X-CID" 0,
    XOriginalCallId "X-Original-Call-ID" 0,
    CallInfo "Call-Info" 0,
    AlertInfo "Alert-Info" 0,
    ErrorInfo "Error-Info" 0,
    SecurityClient "Security-Client" 0,
    SecurityServer "Security-Server" 0,
    SecurityVerify "Security-Verify" 0,
    ResourcePriority "Resource-Priority" 0,
    AcceptResourcePriority "Accept-Resource-Priority" 0,
    RecvInfo "Recv-Info" 0,
    InfoPackage "Info-Package" 0,
    PEarlyMedia "P-Early-Media" 0,
    PAccessNetworkInfo "P-Access-Network-Info" 0,
    Path "Path" 0,
    ServiceRoute "Service-Route" 0,
    SipETag "SIP-ETag" 0,
    SipIfMatch "SIP-If-Match" 0,
    Timestamp "Timestamp" 0,
    Organization "Organization" 0,
    Subject "Subject" b's',
    Priority "Priority" 0,
    InReplyTo "In-Reply-To" 0,
    MimeVersion "MIME-Version" 0,
    Geolocation "Geolocation" 0,
    TargetDialog "Target-Dialog" 0,
    AnswerMode "Answer-Mode" 0,
    XAsteriskHangupCause "X-Asterisk-HangupCause" 0,
    XAsteriskHangupCauseCode "X-Asterisk-HangupCauseCode" 0,
}

/// Slots of the look-up table: a power of two, about five times the names, so that most names are found at once.
const SLOTS: usize = 512;

/// Marks a slot without a name.
const EMPTY: u8 = u8::MAX;

/// Open-addressed table from the hash of a lower-case name to its index in [`KNOWN`].
static TABLE: [u8; SLOTS] = build_table();

/// Compact letters, by letter, as indices into [`KNOWN`].
static COMPACT: [u8; 26] = build_compact();

const fn build_table() -> [u8; SLOTS] {
    let mut table = [EMPTY; SLOTS];
    let mut index = 0;
    while index < KNOWN.len() {
        let mut slot = slot_of(KNOWN[index].1.as_bytes());
        while table[slot] != EMPTY {
            slot = (slot + 1) % SLOTS;
        }
        table[slot] = index as u8;
        index += 1;
    }
    table
}

const fn build_compact() -> [u8; 26] {
    let mut letters = [EMPTY; 26];
    let mut index = 0;
    while index < KNOWN.len() {
        let letter = KNOWN[index].2;
        if letter != 0 {
            letters[(letter - b'a') as usize] = index as u8;
        }
        index += 1;
    }
    letters
}

/// Mixes length, first, middle and last letter; bit 5 is set so that case does not matter.
const fn slot_of(name: &[u8]) -> usize {
    let length = name.len();
    if length == 0 {
        return 0;
    }
    let first = (name[0] | 0x20) as usize;
    let middle = (name[length / 2] | 0x20) as usize;
    let last = (name[length - 1] | 0x20) as usize;
    (first.wrapping_mul(31) ^ middle.wrapping_mul(173) ^ last.wrapping_mul(59) ^ length.wrapping_mul(7)) % SLOTS
}

impl HeaderName {
    /// The headers that distinguish messages and that every one has, request or response (RFC 3261 sections 8.1.1 and 8.2.6.2).
    pub const IN_EVERY_MESSAGE: [Self; 5] = [Self::Via, Self::From, Self::To, Self::CallId, Self::CSeq];

    /// The name as sent, without colon and blanks around it; [`HeaderName::Other`] where no rule reads that header.
    pub fn from_bytes(name: &[u8]) -> Self {
        if let &[letter] = name {
            return Self::from_compact(letter);
        }
        let mut slot = slot_of(name);
        while let Some((variant, text, _)) = KNOWN.get(usize::from(TABLE[slot])) {
            if text.as_bytes() == name || text.as_bytes().eq_ignore_ascii_case(name) {
                return *variant;
            }
            slot = (slot + 1) % SLOTS;
        }
        Self::Other
    }

    fn from_compact(letter: u8) -> Self {
        let place = usize::from(letter.to_ascii_lowercase().wrapping_sub(b'a'));
        let index = COMPACT.get(place).copied().unwrap_or(EMPTY);
        KNOWN.get(usize::from(index)).map_or(Self::Other, |known| known.0)
    }

    /// The usual long spelling; `"header"` for [`HeaderName::Other`], `"line"` for [`HeaderName::Malformed`].
    pub fn text(self) -> &'static str {
        match self {
            Self::Other => "header",
            Self::Malformed => "line",
            known => KNOWN.get(known as usize).map_or("header", |entry| entry.1),
        }
    }

    /// This name's bit in a set of names; names that no rule reads share the last two bits.
    pub(crate) fn bit(self) -> u128 {
        1 << (self as u32)
    }

    /// Whether a message may hold this header once only (RFC 3261 section 7.3.1 and table 2).
    pub fn is_single(self) -> bool {
        matches!(
            self,
            Self::From
                | Self::To
                | Self::CallId
                | Self::CSeq
                | Self::MaxForwards
                | Self::ContentType
                | Self::ContentLength
                | Self::ContentDisposition
                | Self::Expires
                | Self::MinExpires
                | Self::SessionExpires
                | Self::MinSe
                | Self::RSeq
                | Self::RAck
                | Self::Date
                | Self::Event
                | Self::SubscriptionState
                | Self::ReferTo
                | Self::Replaces
                | Self::RetryAfter
                | Self::Timestamp
                | Self::Subject
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_found_in_any_case() {
        assert!(KNOWN.len() <= 126, "every name needs a bit of its own");
        for &(variant, text, compact) in KNOWN {
            assert_eq!(variant, HeaderName::from_bytes(text.as_bytes()));
            assert_eq!(variant, HeaderName::from_bytes(text.to_lowercase().as_bytes()));
            assert_eq!(variant, HeaderName::from_bytes(text.to_uppercase().as_bytes()));
            assert_eq!(text, variant.text());
            if compact != 0 {
                assert_eq!(variant, HeaderName::from_bytes(&[compact]));
                assert_eq!(variant, HeaderName::from_bytes(&[compact.to_ascii_uppercase()]));
            }
        }
    }

    #[test]
    fn unknown_names_stay_other() {
        for name in ["", "z", "1", "X-Unknown", "Vi", "Viaa", "From ", "\u{e9}"] {
            assert_eq!(HeaderName::Other, HeaderName::from_bytes(name.as_bytes()), "{name}");
        }
    }
}
