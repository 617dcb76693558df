//! Weaknesses: what a capture cannot show, named beside every result.

/// One thing that a capture cannot show, or shows wrongly.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weakness {
    /// What sort of weakness.
    pub kind: WeaknessKind,
    /// Wireshark's number of the frame concerned, or of the last one before it; `None` where it concerns the whole file.
    pub frame: Option<u32>,
    /// One sentence for the reader, with the numbers.
    pub detail: String,
}

/// The sorts of weakness; each has one word in every report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WeaknessKind {
    /// The input ends in the middle of a record or of its compressed data, or in bytes that were never written.
    TruncatedFile,
    /// A record contradicts itself and was skipped.
    DamagedRecord,
    /// Frames were captured shorter than they were on the wire.
    SnaplenCut,
    /// A TCP stream has a hole.
    MissingSegment,
    /// An IP datagram lacks a fragment.
    MissingFragment,
    /// The capturing machine says that it lost packets.
    CaptureDrops,
    /// Capture time runs backwards within one interface.
    TimeStepsBack,
    /// Two captures disagree about the time of the same packet.
    ClockOffset,
    /// A call began before the capture.
    StartsMidCall,
    /// A call was still going on when the capture ended.
    EndsMidCall,
    /// Only one direction of a conversation was captured.
    OneDirection,
    /// Payload is encrypted and no key is known.
    Encrypted,
    /// A protocol that is not decoded.
    Undecoded,
}

impl WeaknessKind {
    /// The word that reports use, such as `truncated-file`.
    pub fn word(self) -> &'static str {
        match self {
            Self::TruncatedFile => "truncated-file",
            Self::DamagedRecord => "damaged-record",
            Self::SnaplenCut => "snaplen-cut",
            Self::MissingSegment => "missing-segment",
            Self::MissingFragment => "missing-fragment",
            Self::CaptureDrops => "capture-drops",
            Self::TimeStepsBack => "time-steps-back",
            Self::ClockOffset => "clock-offset",
            Self::StartsMidCall => "starts-mid-call",
            Self::EndsMidCall => "ends-mid-call",
            Self::OneDirection => "one-direction",
            Self::Encrypted => "encrypted",
            Self::Undecoded => "undecoded",
        }
    }
}
