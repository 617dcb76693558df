//! A session description while it is read: what it holds so far, and the level that the next line adds to.

use crate::sip::sdp::defect::{SdpDefect, SdpDefectKind};
use crate::sip::sdp::description::Sdp;
use crate::sip::sdp::media::Common;

/// Defects that are kept; more add nothing.
pub(super) const DEFECTS_MAX: usize = 32;
/// Characters of a defective line that are kept.
const QUOTE_CHARACTERS_MAX: usize = 80;

/// What was read so far.
#[derive(Default)]
pub(super) struct PartialSdp {
    pub(super) sdp: Sdp,
}

impl PartialSdp {
    /// Notes a defect of `line`.
    pub(super) fn blame(&mut self, kind: SdpDefectKind, line: u32, text: &str) {
        if self.sdp.defects.len() < DEFECTS_MAX {
            let shown = text.split_once("inline:").map_or(text, |(before, _)| before);
            let text = shown.chars().take(QUOTE_CHARACTERS_MAX).collect();
            self.sdp.defects.push(SdpDefect { kind, line, text, payload: None });
        }
    }

    /// Where attributes of the level at hand go.
    pub(super) fn common(&mut self) -> &mut Common {
        match self.sdp.medias.last_mut() {
            Some(media) => &mut media.common,
            None => &mut self.sdp.common,
        }
    }
}
