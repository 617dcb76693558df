//! A session description: the owned, compact form that rules read.
//!
//! Source: RFC 8866 section 5.

use crate::sip::sdp::defect::SdpDefect;
use crate::sip::sdp::media::{Common, Connection, Media, MediaKind};

/// An o= line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Origin {
    /// User name, `-` where there is none.
    pub username: String,
    /// Session id as sent.
    pub session_id: String,
    /// Version, which each change raises by one; `None` where it is no number.
    pub version: Option<u64>,
    /// Address or host name.
    pub address: String,
}

/// A session description.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sdp {
    /// The o= line; `None` where there is none.
    pub origin: Option<Origin>,
    /// The s= line.
    pub session_name: String,
    /// The session's c= line.
    pub connection: Option<Connection>,
    /// What stands at session level.
    pub common: Common,
    /// Whether the session is an ICE lite one.
    pub is_ice_lite: bool,
    /// Groups as sent: `BUNDLE 0 1`.
    pub groups: Vec<String>,
    /// The m= lines in order.
    pub medias: Vec<Media>,
    /// What is wrong, in order of lines; at most 32.
    pub defects: Vec<SdpDefect>,
}

impl Sdp {
    /// The first medium of this kind that is not refused, or else the first of this kind.
    pub fn media(&self, kind: MediaKind) -> Option<&Media> {
        let of_kind = || self.medias.iter().filter(|media| media.kind == kind);
        of_kind().find(|media| !media.is_refused()).or_else(|| of_kind().next())
    }
}
