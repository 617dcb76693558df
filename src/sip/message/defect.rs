//! Defects: what is wrong in a message, and where, in plain sentences.
//!
//! Source: RFC 3261 sections 7, 8.1.1, 18.3, 20 and 25; RFC 4475.

use std::fmt;

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
    /// The topmost Via has no branch parameter, and it is not an RFC 2543 element's among others.
    MissingBranch,
    /// A Via whose branch is only the magic cookie, `z9hG4bK`.
    EmptyBranch,
    /// From without tag.
    MissingFromTag,
    /// Call-ID is empty or holds blanks.
    BadCallId,
    /// A From, To, Contact or the like is neither `<URI>` nor a bare URI.
    BadAddress,
    /// Two semicolons, or one at the end, enclose no parameter.
    EmptyParameter,
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

/// Characters of a defective part that a sentence quotes.
const QUOTE_CHARACTERS_MAX: usize = 120;

impl Defect {
    /// The part of the message that is wrong; `message` is the bytes that were inspected. Empty for what is missing.
    pub fn part<'a>(&self, message: &'a [u8]) -> &'a [u8] {
        let start = self.offset as usize;
        message.get(start..start + self.length as usize).unwrap_or_default()
    }

    /// Says what is wrong, and quotes the part with control characters escaped.
    pub fn sentence<'a>(&self, message: &'a [u8]) -> Sentence<'a> {
        Sentence { kind: self.kind, part: self.part(message) }
    }
}

/// A defect in words; prints as `CSeq names another method than the request line: "5 OPTIONS"`.
#[derive(Debug, Clone, Copy)]
pub struct Sentence<'a> {
    kind: DefectKind,
    part: &'a [u8],
}

impl fmt::Display for Sentence<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.words())?;
        if self.part.is_empty() {
            return Ok(());
        }
        let text = String::from_utf8_lossy(self.part);
        let shown: String = text.chars().take(QUOTE_CHARACTERS_MAX).flat_map(char::escape_debug).collect();
        let more = if text.chars().nth(QUOTE_CHARACTERS_MAX).is_some() { "..." } else { "" };
        write!(f, ": \"{shown}{more}\"")
    }
}

impl DefectKind {
    /// What is wrong, without the part.
    pub fn words(self) -> &'static str {
        match self {
            Self::JunkBeforeStart => "bytes that are no SIP stand before the start line",
            Self::BadVersion => "the version is not SIP/2.0",
            Self::BadStatus => "the status code is not from 100 to 699",
            Self::StartLineBlanks => "the start line has more blanks than one between its words",
            Self::NoBlankLine => "the message ends inside its headers",
            Self::BareLineFeed => "a line ends with LF alone",
            Self::NoColon => "a header line has no colon",
            Self::BadHeaderName => "a header name holds a character that it may not hold",
            Self::FoldAtStart => "the first header line begins with a blank",
            Self::TooManyHeaders => "there are more than 1024 header lines",
            Self::MissingVia => "Via is missing",
            Self::MissingFrom => "From is missing",
            Self::MissingTo => "To is missing",
            Self::MissingCallId => "Call-ID is missing",
            Self::MissingCSeq => "CSeq is missing",
            Self::MissingMaxForwards => "Max-Forwards is missing",
            Self::MissingContact => "Contact is missing",
            Self::Duplicate => "a header that may stand once only stands again",
            Self::BodyTooShort => "Content-Length is larger than the body",
            Self::BodyTooLong => "Content-Length is smaller than the body",
            Self::BadContentLength => "Content-Length is no number",
            Self::BadCSeq => "CSeq is no number below 2^31 and a method",
            Self::CSeqMethodMismatch => "CSeq names another method than the request line",
            Self::BadMaxForwards => "Max-Forwards is no number from 0 to 255",
            Self::BadVia => "Via lacks protocol, transport or sender",
            Self::MissingBranch => "Via has no branch",
            Self::EmptyBranch => "the branch is only the magic cookie",
            Self::MissingFromTag => "From has no tag",
            Self::BadCallId => "Call-ID is empty or holds blanks",
            Self::BadAddress => "this is neither <URI> nor a bare URI",
            Self::EmptyParameter => "a semicolon has no parameter behind it",
            Self::OpenQuote => "a quoted string is not closed",
            Self::MissingAngleBrackets => "without <> the parameters belong to the header, not to the URI",
            Self::BracketedRequestUri => "the Request-URI stands in <>",
            Self::BlankInUri => "a URI holds blanks",
            Self::BadUri => "a URI has no scheme, no host, or parts that are not allowed here",
            Self::UnescapedUri => "a URI holds characters that need escaping",
            Self::BadEscape => "a percent sign is not followed by two hexadecimal digits",
            Self::UnknownScheme => "the Request-URI's scheme is none that SIP routes",
            Self::UnbracketedIpv6 => "an IPv6 address stands without []",
            Self::BadPort => "a port is not from 1 to 65535",
            Self::LongRequestUri => "the Request-URI is longer than 255 bytes",
            Self::BadNumber => "a number is none or too large",
            Self::BadDate => "Date is not in the form of RFC 3261",
            Self::MissingContentType => "Content-Type is missing although there is a body",
            Self::BadContentType => "Content-Type is not type/subtype",
            Self::MissingBoundary => "the boundary does not occur in the body",
        }
    }
}
