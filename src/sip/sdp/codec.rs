//! Codecs as an m= line offers them, and how two of them compare.
//!
//! Sources: RFC 8866 section 6.6 (rtpmap), RFC 3551 table 4 and 5 (static payload types), RFC 3264 section 6.1.

/// Payload types that only an rtpmap gives a meaning (RFC 3551 section 6).
const DYNAMIC_PAYLOADS: std::ops::RangeInclusive<u8> = 96..=127;

/// Static payload types: number, name, clock rate in hertz, channels.
const STATIC_CODECS: &[(u8, &str, u32, u8)] = &[
    (0, "PCMU", 8000, 1),
    (3, "GSM", 8000, 1),
    (4, "G723", 8000, 1),
    (5, "DVI4", 8000, 1),
    (6, "DVI4", 16000, 1),
    (7, "LPC", 8000, 1),
    (8, "PCMA", 8000, 1),
    (9, "G722", 8000, 1),
    (10, "L16", 44100, 2),
    (11, "L16", 44100, 1),
    (12, "QCELP", 8000, 1),
    (13, "CN", 8000, 1),
    (14, "MPA", 90000, 1),
    (15, "G728", 8000, 1),
    (16, "DVI4", 11025, 1),
    (17, "DVI4", 22050, 1),
    (18, "G729", 8000, 1),
    (25, "CELB", 90000, 1),
    (26, "JPEG", 90000, 1),
    (28, "NV", 90000, 1),
    (31, "H261", 90000, 1),
    (32, "MPV", 90000, 1),
    (33, "MP2T", 90000, 1),
    (34, "H263", 90000, 1),
];

/// Names that carry no voice or picture of their own.
const HELPERS: &[&str] =
    &["TELEPHONE-EVENT", "TONE", "CN", "RED", "RTX", "ULPFEC", "FLEXFEC", "FLEXFEC-03", "PARITYFEC", "TELEPHONE EVENT"];

/// One format of an m= line with what rtpmap and fmtp say about it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Codec {
    /// The format as the m= line names it: `0`, `101`, `t38`.
    pub format: String,
    /// The payload type, 0 to 127; `None` for formats that are no such number.
    pub payload: Option<u8>,
    /// Encoding name in upper case; empty where neither an rtpmap nor RFC 3551 names it.
    pub name: String,
    /// RTP clock rate in hertz; 0 where unknown.
    pub clock_hz: u32,
    /// Audio channels; 1 where unsaid.
    pub channels: u8,
    /// Format parameters as sent.
    pub fmtp: Option<String>,
    /// Whether an rtpmap names the codec, rather than RFC 3551.
    pub is_mapped: bool,
}

impl Codec {
    /// The codec that `format` means before any rtpmap is read.
    pub(super) fn from_format(format: &str) -> Self {
        let payload = format.parse().ok().filter(|&payload| payload < 128);
        let mut codec = Self { format: format.to_owned(), payload, channels: 1, ..Self::default() };
        if let Some((name, clock_hz, channels)) = payload.and_then(static_codec) {
            codec.name = name.to_owned();
            codec.clock_hz = clock_hz;
            codec.channels = channels;
        }
        codec
    }

    /// Takes over `PCMU/8000/1`.
    pub(super) fn map(&mut self, encoding: &str) {
        let mut parts = encoding.trim().split('/');
        self.name = parts.next().unwrap_or_default().trim().to_ascii_uppercase();
        self.clock_hz = parts.next().and_then(|part| part.trim().parse().ok()).unwrap_or(0);
        self.channels = parts.next().and_then(|part| part.trim().parse().ok()).unwrap_or(1);
        self.is_mapped = true;
    }

    /// Whether only an rtpmap can give this payload type a meaning.
    pub(in crate::sip) fn is_dynamic(&self) -> bool {
        self.payload.is_some_and(|payload| DYNAMIC_PAYLOADS.contains(&payload))
    }

    /// Whether this codec carries voice or picture, rather than key presses, comfort noise or repair data.
    pub fn is_real(&self) -> bool {
        !self.name.is_empty() && !HELPERS.contains(&self.name.as_str())
    }

    /// The name by which codecs compare: `G729` for all its annexes and spellings.
    pub fn common_name(&self) -> &str {
        match self.name.as_str() {
            "G.729" | "G729A" | "G.729A" | "G729B" | "G.729B" | "G729AB" | "G.729AB" | "G729-A" | "G729/A" => "G729",
            "G.711U" | "G711U" | "ULAW" => "PCMU",
            "G.711A" | "G711A" | "ALAW" => "PCMA",
            "G.722" => "G722",
            "G7231" | "G723.1" | "G.723.1" | "G.723" => "G723",
            name => name,
        }
    }

    /// Whether both mean the same encoding, clock rate and channels, whatever their payload types.
    pub(in crate::sip) fn is_same_as(&self, other: &Self) -> bool {
        self.common_name() == other.common_name() && self.clock_hz == other.clock_hz && self.channels == other.channels
    }

    /// The key for a reader and for tables: `OPUS/48000/2`, `PCMU/8000`.
    pub fn key(&self) -> String {
        match (self.clock_hz, self.channels) {
            (0, _) => self.common_name().to_owned(),
            (clock, 0 | 1) => format!("{}/{clock}", self.common_name()),
            (clock, channels) => format!("{}/{clock}/{channels}", self.common_name()),
        }
    }

    /// The value of one format parameter, but for the bare `0-16` of `telephone-event`; names in any case.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.fmtp.as_deref()?.split(';').find_map(|pair| {
            let (key, value) = pair.split_once('=')?;
            key.trim().eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// Name, clock rate and channels of a static payload type.
pub(in crate::sip) fn static_codec(payload: u8) -> Option<(&'static str, u32, u8)> {
    STATIC_CODECS
        .iter()
        .find(|codec| codec.0 == payload)
        .map(|&(_, name, clock_hz, channels)| (name, clock_hz, channels))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codec(encoding: &str) -> Codec {
        let mut codec = Codec::from_format("96");
        codec.map(encoding);
        codec
    }

    #[test]
    fn static_payload_types_need_no_rtpmap() {
        let codec = Codec::from_format("18");
        assert_eq!(("G729", 8000, 1), (codec.name.as_str(), codec.clock_hz, codec.channels));
        assert_eq!("", Codec::from_format("97").name);
        assert_eq!(None, Codec::from_format("128").payload);
        assert_eq!(None, Codec::from_format("t38").payload);
    }

    #[test]
    fn codecs_compare_by_name_clock_and_channels() {
        assert!(codec("g729a/8000").is_same_as(&Codec::from_format("18")));
        assert!(codec("PCMU/8000/1").is_same_as(&Codec::from_format("0")));
        assert!(!codec("L16/44100/2").is_same_as(&Codec::from_format("11")));
        assert_eq!("OPUS/48000/2", codec("opus/48000/2").key());
    }

    #[test]
    fn key_presses_are_no_codec_to_talk_with() {
        assert!(!codec("telephone-event/8000").is_real());
        assert!(Codec::from_format("18").is_real());
    }

    #[test]
    fn format_parameters_are_found_in_any_case() {
        let mut codec = codec("AMR/8000");
        codec.fmtp = Some("mode-set=0,2; Octet-Align = 1".to_owned());
        assert_eq!(Some("1"), codec.parameter("octet-align"));
        assert_eq!(None, codec.parameter("x"));
    }
}
