//! Media descriptions: what one m= line and the lines below it offer.
//!
//! Sources: RFC 8866 sections 5.7, 5.8, 5.14 and 6.7; RFC 4568 (crypto), RFC 8122 (fingerprint), RFC 8839 (ICE),
//! RFC 3312 (preconditions), RFC 5888 (mid), RFC 5761 (rtcp-mux).

use std::net::IpAddr;

use crate::sip::sdp::codec::Codec;

/// What kind of media an m= line is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum MediaKind {
    /// Voice.
    Audio,
    /// Moving picture.
    Video,
    /// Fax (T.38) or pictures.
    Image,
    /// Data channels, floor control.
    Application,
    /// MSRP.
    Message,
    /// Real-time text.
    Text,
    /// Any other.
    Other,
}

impl MediaKind {
    pub(super) fn parse(text: &str) -> Self {
        match text.to_ascii_lowercase().as_str() {
            "audio" => Self::Audio,
            "video" => Self::Video,
            "image" => Self::Image,
            "application" => Self::Application,
            "message" => Self::Message,
            "text" => Self::Text,
            _ => Self::Other,
        }
    }

    /// The word in an m= line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Audio => "audio",
            Self::Video => "video",
            Self::Image => "image",
            Self::Application => "application",
            Self::Message => "message",
            Self::Text => "text",
            Self::Other => "other",
        }
    }
}

/// The transport profile of an m= line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Profile {
    /// `RTP/AVP`: plain.
    RtpAvp,
    /// `RTP/AVPF`: plain, with feedback.
    RtpAvpf,
    /// `RTP/SAVP`: SRTP.
    RtpSavp,
    /// `RTP/SAVPF`: SRTP with feedback.
    RtpSavpf,
    /// `UDP/TLS/RTP/SAVP`: DTLS-SRTP.
    DtlsSavp,
    /// `UDP/TLS/RTP/SAVPF`: DTLS-SRTP with feedback, WebRTC.
    DtlsSavpf,
    /// `udptl`: T.38 fax.
    Udptl,
    /// Anything over TCP that is not RTP.
    Tcp,
    /// Data channels: `UDP/DTLS/SCTP` and its like.
    Sctp,
    /// Any other.
    Other,
}

impl Profile {
    pub(super) fn parse(text: &str) -> Self {
        match text.to_ascii_uppercase().as_str() {
            "RTP/AVP" => Self::RtpAvp,
            "RTP/AVPF" => Self::RtpAvpf,
            "RTP/SAVP" => Self::RtpSavp,
            "RTP/SAVPF" => Self::RtpSavpf,
            "UDP/TLS/RTP/SAVP" => Self::DtlsSavp,
            "UDP/TLS/RTP/SAVPF" => Self::DtlsSavpf,
            "UDPTL" => Self::Udptl,
            upper if upper.contains("SCTP") => Self::Sctp,
            upper if upper.starts_with("TCP") && !upper.contains("RTP") => Self::Tcp,
            _ => Self::Other,
        }
    }

    /// Whether formats are RTP payload types.
    pub fn is_rtp(self) -> bool {
        self.is_secure() || matches!(self, Self::RtpAvp | Self::RtpAvpf)
    }

    /// Whether the media is encrypted.
    pub fn is_secure(self) -> bool {
        matches!(self, Self::RtpSavp | Self::RtpSavpf | Self::DtlsSavp | Self::DtlsSavpf)
    }
}

/// Who may send (RFC 3264 section 5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Direction {
    /// Both; the default.
    #[default]
    SendRecv,
    /// The describer only.
    SendOnly,
    /// The other side only.
    RecvOnly,
    /// Nobody.
    Inactive,
}

/// A c= line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// The address or host name as sent, without TTL.
    pub host: String,
    /// The address; `None` for a name.
    pub address: Option<IpAddr>,
    /// Whether the line says IP6.
    pub is_v6: bool,
}

impl Connection {
    /// Whether the address means "do not send": 0.0.0.0 or `::` (RFC 3264 section 8.4).
    pub fn is_hold(&self) -> bool {
        self.address.is_some_and(|address| address.is_unspecified())
    }
}

/// One crypto attribute; the key itself is never kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crypto {
    /// Its tag.
    pub tag: u32,
    /// Its suite: `AES_CM_128_HMAC_SHA1_80`.
    pub suite: String,
    /// Octets of key and salt together, as the base64 text's length tells.
    pub key_octets: usize,
}

impl Crypto {
    /// Octets of key and salt that the suite needs; `None` for a suite unknown here.
    pub fn expected_octets(&self) -> Option<usize> {
        match self.suite.to_ascii_uppercase().as_str() {
            "AES_CM_128_HMAC_SHA1_80" | "AES_CM_128_HMAC_SHA1_32" | "F8_128_HMAC_SHA1_80" => Some(30),
            "AES_192_CM_HMAC_SHA1_80" | "AES_192_CM_HMAC_SHA1_32" => Some(38),
            "AES_256_CM_HMAC_SHA1_80"
            | "AES_256_CM_HMAC_SHA1_32"
            | "AES_CM_256_HMAC_SHA1_80"
            | "AES_CM_256_HMAC_SHA1_32" => Some(46),
            "AEAD_AES_128_GCM" | "AEAD_AES_128_GCM_8" => Some(28),
            "AEAD_AES_256_GCM" | "AEAD_AES_256_GCM_8" => Some(44),
            _ => None,
        }
    }
}

/// DTLS role (RFC 4145, RFC 5763).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Setup {
    /// Opens the connection.
    Active,
    /// Waits for it.
    Passive,
    /// Either.
    ActPass,
    /// Not now.
    HoldConn,
}

/// What is said of ICE.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ice {
    /// Whether ufrag or pwd is there.
    pub has_credentials: bool,
    /// Candidates listed.
    pub candidates: u16,
    /// Whether one of them is IPv4.
    pub has_v4: bool,
    /// Whether one of them is IPv6.
    pub has_v6: bool,
}

/// Attributes that stand at session level for all media, or at one medium for itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Common {
    /// Who may send; `None` where unsaid.
    pub direction: Option<Direction>,
    /// The hash function of the certificate fingerprint: `sha-256`.
    pub fingerprint_hash: Option<String>,
    /// DTLS role.
    pub setup: Option<Setup>,
    /// ICE.
    pub ice: Ice,
    /// SDES keys on offer.
    pub crypto: Vec<Crypto>,
    /// b= lines as sent: `AS:64`.
    pub bandwidth: Vec<String>,
    /// Milliseconds of media wanted per packet.
    pub ptime: Option<u32>,
    /// Milliseconds of media at most per packet.
    pub maxptime: Option<u32>,
}

/// One m= line and what stands below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Media {
    /// What kind of media.
    pub kind: MediaKind,
    /// The port, 0 to 65535; `None` where the line has no such number. 0 refuses or withdraws the line.
    pub port: Option<u16>,
    /// Number of ports; 1 where unsaid.
    pub port_count: u32,
    /// The transport profile.
    pub profile: Profile,
    /// The profile as sent.
    pub profile_text: String,
    /// The formats in order of preference.
    pub codecs: Vec<Codec>,
    /// Its own c= line, or the session's; `None` where neither is there.
    pub connection: Option<Connection>,
    /// What may also stand at session level; filled up from there.
    pub common: Common,
    /// Port of RTCP where given.
    pub rtcp_port: Option<u16>,
    /// Whether RTCP shares the RTP port.
    pub is_rtcp_mux: bool,
    /// Whether the line is to live in another one's bundle only, so that port 0 does not refuse it.
    pub is_bundle_only: bool,
    /// Identification for groups.
    pub mid: Option<String>,
    /// curr, des and conf attributes as sent: `curr:qos local none`.
    pub preconditions: Vec<String>,
    /// T.38 attributes as sent: `T38FaxVersion:0`.
    pub fax: Vec<String>,
    /// Line number in the body, from 1.
    pub line: u32,
}

impl Media {
    /// Who may send; both where unsaid.
    pub fn direction(&self) -> Direction {
        self.common.direction.unwrap_or_default()
    }

    /// Whether the line is refused or withdrawn.
    pub fn is_refused(&self) -> bool {
        self.port == Some(0) && !self.is_bundle_only
    }

    /// The codecs that carry voice or picture.
    pub fn real_codecs(&self) -> impl Iterator<Item = &Codec> {
        self.codecs.iter().filter(|codec| codec.is_real())
    }

    /// Whether the medium is put on hold by its direction or its address.
    pub fn is_held(&self) -> bool {
        matches!(self.direction(), Direction::SendOnly | Direction::Inactive)
            || self.connection.as_ref().is_some_and(Connection::is_hold)
    }
}
