//! What the refusal of a session came to: weighed once for a call, and read by each rule about media.

use crate::diagnose::finding::Observation;

/// What is to be said of a refusal of media, and which rule says it.
pub struct MediaRefusal {
    /// The dimension of the offer that explains it best; `None` where none is known to.
    pub explained_by: Option<Dimension>,
    /// What is to be said.
    pub seen: Observation,
}

/// One dimension of an offer in which it can be refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dimension {
    /// SRTP keys.
    Keys,
    /// RTP/AVP, RTP/SAVP and their like.
    Profile,
    /// IPv4 or IPv6.
    Family,
    /// Whether there is an offer at all.
    Presence,
    /// Syntax.
    Syntax,
    /// T.38 fax.
    Fax,
    /// Which kinds of media lines.
    Streams,
    /// The set of codecs.
    Codecs,
    /// Parameters of codecs and packets.
    Parameters,
    /// Type of the body.
    Body,
}

impl Dimension {
    /// The rule that speaks of it.
    pub fn rule(self) -> &'static str {
        self.names().0
    }

    /// How a reader knows it.
    pub fn word(self) -> &'static str {
        self.names().1
    }

    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Keys => ("sdp-crypto", "the SRTP keys"),
            Self::Profile => ("sdp-profile-mismatch", "the profile"),
            Self::Family => ("sdp-address-family", "the address family"),
            Self::Presence => ("sdp-no-offer", "the missing offer"),
            Self::Syntax => ("sdp-malformed", "the syntax"),
            Self::Fax => ("sdp-t38-refused", "T.38"),
            Self::Streams => ("sdp-stream-refused", "the number of m-lines"),
            Self::Codecs => ("sdp-codec-mismatch", "the codecs"),
            Self::Parameters => ("sdp-codec-params", "packet time and codec parameters"),
            Self::Body => ("sdp-body-type", "the body type"),
        }
    }
}
