//! Defects: what is wrong in a message, and where, in plain sentences.
//!
//! Source: RFC 3261 sections 7, 8.1.1, 18.3, 20 and 25; RFC 4475.

/// What is wrong with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum DefectKind {
    /// Bytes that are no SIP stand before the start line.
    JunkBeforeStart,
    /// The start line names another version than `SIP/2.0`, or none.
    BadVersion,
    /// The status code is not 100 to 699.
    BadStatus,
    /// The start line has more blanks than one between its words, or at its end.
    StartLineBlanks,
    /// The message ends before the blank line that closes its headers.
    NoBlankLine,
    /// A line ends with LF alone.
    BareLineFeed,
    /// A header line has no colon.
    NoColon,
    /// A header name holds a byte that no token may hold.
    BadHeaderName,
    /// The first header line begins with a blank, as if it continued another.
    FoldAtStart,
    /// There are more header lines than are read.
    TooManyHeaders,
    /// No Via header.
    MissingVia,
    /// No From header.
    MissingFrom,
    /// No To header.
    MissingTo,
    /// No Call-ID header.
    MissingCallId,
    /// No CSeq header.
    MissingCSeq,
    /// A request without Max-Forwards.
    MissingMaxForwards,
    /// An INVITE without Contact.
    MissingContact,
    /// A header that may stand once only stands twice or more.
    Duplicate,
    /// Content-Length is larger than the body.
    BodyTooShort,
    /// Content-Length is smaller than the body.
    BodyTooLong,
    /// Content-Length is no number.
    BadContentLength,
    /// CSeq is no number below 2^31 and method.
    BadCSeq,
    /// CSeq names another method than the request line.
    CSeqMethodMismatch,
    /// Max-Forwards is no number from 0 to 255.
    BadMaxForwards,
    /// The topmost or another Via does not read as protocol, transport and sent-by.
    BadVia,
    /// A Via without branch parameter.
    MissingBranch,
    /// A Via whose branch is only the magic cookie, `z9hG4bK`.
    EmptyBranch,
    /// A Via names no transport that RFC 3261 or an extension knows.
    UnknownTransport,
    /// From without tag.
    MissingFromTag,
    /// Call-ID is empty or holds blanks.
    BadCallId,
    /// A From, To, Contact or the like is neither `<URI>` nor a bare URI.
    BadAddress,
    /// A quoted string is not closed.
    OpenQuote,
    /// The URI holds parameters or headers and lacks `<>`, so that they belong to the header.
    MissingAngleBrackets,
    /// The Request-URI stands in `<>`.
    BracketedRequestUri,
    /// A URI holds blanks.
    BlankInUri,
    /// A URI has no scheme, no host or a port that is no number from 1 to 65535.
    BadUri,
    /// A URI holds bytes that need escaping.
    UnescapedUri,
    /// A URI escape, `%`, is not followed by two hexadecimal digits.
    BadEscape,
    /// The Request-URI's scheme is not sip, sips, tel or urn.
    UnknownScheme,
    /// An IPv6 address stands without `[]`.
    UnbracketedIpv6,
    /// A port is 0 or larger than 65535.
    BadPort,
    /// The Request-URI is longer than 255 bytes.
    LongRequestUri,
    /// Expires or a like header is no number.
    BadNumber,
    /// Date is not in the form of RFC 3261 section 20.17.
    BadDate,
    /// A header lacks a value.
    EmptyHeader,
    /// A body without Content-Type.
    MissingContentType,
    /// Content-Type does not read as type/subtype.
    BadContentType,
    /// A multipart body whose boundary does not occur.
    MissingBoundary,
}

/// A set of defect kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct DefectSet(u64);

impl DefectSet {
    /// Adds `kind`.
    pub fn insert(&mut self, kind: DefectKind) {
        self.0 |= 1 << (kind as u32);
    }

    /// Whether `kind` is in the set.
    pub fn contains(self, kind: DefectKind) -> bool {
        self.0 & (1 << (kind as u32)) != 0
    }

    /// Whether nothing is wrong.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

/// One defect and its place in the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Defect {
    /// What is wrong.
    pub kind: DefectKind,
    /// First byte of the part that is wrong, counted from the first byte of the message.
    pub offset: u32,
    /// Bytes of that part; 0 for what is missing.
    pub length: u32,
}
