//! Headers that a wireless card puts before an 802.11 frame: radiotap, Prism and AVS.
//!
//! Sources: <https://www.radiotap.org>, the pages of LINKTYPE_IEEE802_11_PRISM and LINKTYPE_IEEE802_11_AVS.

use crate::net::decode::field::{u8_at, u16_le_at, u32_at, u32_le_at};
use crate::net::decode::next::{Next, Padding};
use crate::net::skip::Skip;

/// Words of presence bits in one radiotap header; more than the standard has use for.
const PRESENCE_WORDS_MAX: usize = 16;
/// Radiotap flag: the header of the frame is padded to 4 bytes.
const FLAG_PADDED: u8 = 0x20;

/// Reads a radiotap header and the 802.11 frame behind it.
///
/// # Errors
/// Where it carries nothing that is read further.
pub(in crate::net::decode) fn radiotap(bytes: &[u8]) -> Result<Next<'_>, Skip> {
    let cut = Skip::CutShort("radiotap header");
    let length = usize::from(u16_le_at(bytes, 2).ok_or(cut)?);
    if length < 8 {
        return Err(Skip::Malformed("radiotap header"));
    }
    let is_padded = radiotap_flags(bytes).is_some_and(|flags| flags & FLAG_PADDED != 0);
    let padding = if is_padded { Padding::ToFourBytes } else { Padding::None };
    Ok(Next::Wireless(bytes.get(length..).ok_or(cut)?, padding))
}

/// The flags field, where the header has one.
fn radiotap_flags(bytes: &[u8]) -> Option<u8> {
    let first = u32_le_at(bytes, 4)?;
    let mut at = 8;
    let mut present = first;
    for _ in 0..PRESENCE_WORDS_MAX {
        if present & 0x8000_0000 == 0 {
            break;
        }
        present = u32_le_at(bytes, at)?;
        at += 4;
    }
    if first & 1 != 0 {
        // The time of the card's clock, aligned to 8 bytes.
        at = at.next_multiple_of(8) + 8;
    }
    if first & 2 != 0 { u8_at(bytes, at) } else { None }
}

/// Reads a Prism header, or the AVS header that some drivers write under the same link type.
///
/// # Errors
/// Where it carries nothing that is read further.
pub(in crate::net::decode) fn prism(bytes: &[u8]) -> Result<Next<'_>, Skip> {
    let cut = Skip::CutShort("Prism header");
    if u32_at(bytes, 0).ok_or(cut)? >> 12 == 0x80211 {
        return avs(bytes);
    }
    let (little, big) = (u32_le_at(bytes, 4).ok_or(cut)?, u32_at(bytes, 4).ok_or(cut)?);
    behind(bytes, little.min(big), "Prism header")
}

/// Reads an AVS header and the 802.11 frame behind it.
///
/// # Errors
/// Where it carries nothing that is read further.
pub(in crate::net::decode) fn avs(bytes: &[u8]) -> Result<Next<'_>, Skip> {
    let length = u32_at(bytes, 4).ok_or(Skip::CutShort("AVS header"))?;
    behind(bytes, length, "AVS header")
}

/// The 802.11 frame behind a header of `length` bytes.
fn behind<'a>(bytes: &'a [u8], length: u32, layer: &'static str) -> Result<Next<'a>, Skip> {
    let rest = usize::try_from(length).ok().and_then(|length| bytes.get(length..));
    Ok(Next::Wireless(rest.ok_or(Skip::CutShort(layer))?, Padding::None))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::decode::bytes_for_tests::{SIP, decoded, hostile_at_every_length, wireless_frame};

    /// Whether the frame behind `header` yields the SIP message; no cut of it may panic.
    fn carries_sip(link_type: u16, header: &[u8], frame: &[u8]) -> bool {
        let bytes = [header, frame].concat();
        hostile_at_every_length(link_type, &bytes);
        decoded(link_type, &bytes).datagrams() == [SIP]
    }

    #[test]
    fn a_frame_behind_radiotap_is_read() {
        assert!(carries_sip(127, &[0, 0, 8, 0, 0, 0, 0, 0], &wireless_frame(0x08, 0x01, &[])));
    }

    #[test]
    fn radiotap_tells_that_the_header_is_padded() {
        let mut header = vec![0, 0, 25, 0, 3, 0, 0, 0];
        header.extend_from_slice(&[0; 8]);
        header.push(FLAG_PADDED);
        header.extend_from_slice(&[0; 8]);
        // A quality of service field makes 26 bytes, then 2 of padding.
        assert!(carries_sip(127, &header, &wireless_frame(0x88, 0x01, &[0, 0, 0, 0])));
    }

    #[test]
    fn frames_behind_prism_and_avs_are_read() {
        let mut prism = vec![0x44, 0, 0, 0, 144, 0, 0, 0];
        prism.resize(144, 0);
        assert!(carries_sip(119, &prism, &wireless_frame(0x08, 0x02, &[])));
        let mut avs = vec![0x80, 0x21, 0x10, 0x01, 0, 0, 0, 64];
        avs.resize(64, 0);
        assert!(carries_sip(163, &avs, &wireless_frame(0x08, 0x02, &[])));
        assert!(carries_sip(119, &avs, &wireless_frame(0x08, 0x02, &[])));
    }
}
