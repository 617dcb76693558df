//! Defects of a session description, each with its line.
//!
//! Source: RFC 8866 sections 5 and 9, RFC 3264 section 5.

use std::fmt;

/// What is wrong in a session description.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SdpDefectKind {
    /// The body is empty.
    Empty,
    /// There is no line of this letter: v, o, s or t.
    MissingLine(char),
    /// No c= line at session level, and none at a medium that is used.
    MissingConnection,
    /// A line stands after lines that must follow it.
    Order,
    /// A line is not a letter, an equals sign and a value.
    NotALine,
    /// v= is not 0.
    BadVersion,
    /// o= has not six fields.
    OriginFields,
    /// A number in o= is none, or too large for 64 bits.
    OriginNumber,
    /// c= is not `IN`, an address type and an address.
    BadConnection,
    /// m= has less than four fields.
    MediaFields,
    /// The port in m= is no number from 0 to 65535.
    BadPort,
    /// A format of an RTP medium is no payload type from 0 to 127.
    BadFormat,
    /// One payload type stands twice in an m= line.
    RepeatedFormat,
    /// An rtpmap names a payload type that the m= line lacks.
    UnlistedMap,
    /// An rtpmap has no number, name or clock rate.
    BadMap,
    /// Two rtpmaps give one payload type different codecs.
    TwoCodecs,
    /// A payload type from 96 to 127 has no rtpmap.
    MissingMap,
    /// A line is not UTF-8.
    NotUtf8,
    /// A crypto line lacks tag, suite or key, or its key has the wrong length for its suite.
    BadCrypto,
    /// SRTP without a key or fingerprint.
    MissingKey,
    /// There are more media, formats or lines than are read.
    TooMuch,
}

/// One defect and its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SdpDefect {
    /// What is wrong.
    pub kind: SdpDefectKind,
    /// The line, from 1; 0 for what is missing in the whole.
    pub line: u32,
    /// The line as sent, at most 80 characters of it, the keys of crypto lines left out.
    pub text: String,
    /// The payload type that the line gives no codec, where that is the defect.
    pub payload: Option<u8>,
}

impl SdpDefect {
    /// What is wrong, and with which line, without quoting it.
    pub fn unquoted(&self) -> Self {
        Self { text: String::new(), ..self.clone() }
    }
}

impl fmt::Display for SdpDefect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            SdpDefectKind::MissingLine(letter) => return write!(f, "there is no {letter}= line"),
            SdpDefectKind::Empty => return f.write_str("the session description is empty"),
            _ => {}
        }
        let what = match self.kind {
            SdpDefectKind::MissingConnection => "no c= line gives this medium an address",
            SdpDefectKind::Order => "stands after lines that must follow it",
            SdpDefectKind::NotALine => "is not a letter, an equals sign and a value",
            SdpDefectKind::BadVersion => "the version is not 0",
            SdpDefectKind::OriginFields => "o= needs six fields",
            SdpDefectKind::OriginNumber => "session id and version must be numbers of at most 64 bits",
            SdpDefectKind::BadConnection => "c= needs IN, an address type and an address",
            SdpDefectKind::MediaFields => "m= needs media, port, profile and formats",
            SdpDefectKind::BadPort => "the port is no number from 0 to 65535",
            SdpDefectKind::BadFormat => "a format is no payload type from 0 to 127",
            SdpDefectKind::RepeatedFormat => "a payload type stands twice",
            SdpDefectKind::UnlistedMap => "the payload type is not in the m= line",
            SdpDefectKind::BadMap => "rtpmap needs payload type, name and clock rate",
            SdpDefectKind::TwoCodecs => "the payload type already means another codec",
            SdpDefectKind::MissingMap => "a dynamic payload type has no rtpmap",
            SdpDefectKind::NotUtf8 => "is not UTF-8",
            SdpDefectKind::BadCrypto => "the crypto line lacks a part, or its key has the wrong length",
            SdpDefectKind::MissingKey => "encrypted media without key or fingerprint",
            SdpDefectKind::TooMuch => "there is more than is read",
            SdpDefectKind::MissingLine(_) | SdpDefectKind::Empty => "",
        };
        write!(f, "line {}", self.line)?;
        if !self.text.is_empty() {
            write!(f, ", `{}`", self.text.escape_debug())?;
        }
        match self.payload {
            Some(payload) => write!(f, ": the dynamic payload type {payload} has no rtpmap"),
            None => write!(f, ": {what}"),
        }
    }
}
