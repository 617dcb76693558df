//! MPLS label stacks: what they carry only the label says, so it is guessed from the bytes.
//!
//! Sources: RFC 3032, RFC 4385 (control word), RFC 4928 (why the first nibble tells).

use crate::net::decode::descent::Descent;
use crate::net::decode::ip::is_plausible_ip;
use crate::net::decode::link::ethernet::is_plausible_ethernet;
use crate::net::decode::next::Next;
use crate::net::skip::{Layer, Skip};

/// Labels on one packet; service providers stack three or four.
const LABELS_MAX: usize = 16;

/// Reads a label stack and what follows it: IP, or Ethernet with or without a control word.
///
/// # Errors
/// Where what follows reads as none of them.
pub(in crate::net::decode) fn mpls<'a>(descent: &mut Descent<'_, 'a>, bytes: &'a [u8]) -> Result<Next<'a>, Skip> {
    let mut bytes = bytes;
    for _ in 0..LABELS_MAX {
        let Some((&[a, b, c, _], rest)) = bytes.split_first_chunk::<4>() else {
            return Err(Skip::CutShort("MPLS label stack"));
        };
        descent.mark(u64::from(u32::from_be_bytes([0, a, b, c])));
        bytes = rest;
        if c & 1 != 0 {
            return behind_labels(bytes);
        }
    }
    Err(Skip::TooDeep)
}

/// Reads what the last label stands before.
fn behind_labels(bytes: &[u8]) -> Result<Next<'_>, Skip> {
    let nibble = bytes.first().ok_or(Skip::CutShort("MPLS payload"))? >> 4;
    if is_plausible_ip(bytes) && (nibble == 4 || !is_plausible_ethernet(bytes)) {
        return Ok(Next::Ip(bytes));
    }
    let behind_control_word = bytes.get(4..).unwrap_or_default();
    if nibble == 0 && is_plausible_ethernet(behind_control_word) {
        return Ok(Next::Ethernet(behind_control_word));
    }
    if is_plausible_ethernet(bytes) {
        return Ok(Next::Ethernet(bytes));
    }
    Err(Skip::OtherProtocol(Layer::Mpls, u32::from(nibble)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::decode::bytes_for_tests::{SIP, decoded, ethernet_frame, hostile_at_every_length, udp4, udp6};

    /// A frame of `labels` MPLS labels around `inner`.
    fn labelled(labels: usize, inner: &[u8]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for label in 0..labels {
            bytes.extend_from_slice(&[0, 1, u8::from(label + 1 == labels) | 0x40, 64]);
        }
        bytes.extend_from_slice(inner);
        bytes
    }

    #[test]
    fn ip_of_either_version_stands_behind_labels() {
        for inner in [udp4(SIP), udp6(SIP)] {
            for labels in [1, 3, 16] {
                assert_eq!([SIP], decoded(219, &labelled(labels, &inner)).datagrams()[..]);
            }
            let frame = ethernet_frame(0x8847, &labelled(2, &inner));
            assert_eq!([SIP], decoded(1, &frame).datagrams()[..]);
            hostile_at_every_length(1, &frame);
        }
    }

    #[test]
    fn a_pseudowire_carries_ethernet_with_or_without_control_word() {
        let frame = ethernet_frame(0x0800, &udp4(SIP));
        assert_eq!([SIP], decoded(219, &labelled(2, &frame)).datagrams()[..]);
        let with_control_word = [&[0, 0, 0, 1], &frame[..]].concat();
        assert_eq!([SIP], decoded(219, &labelled(2, &with_control_word)).datagrams()[..]);
    }

    #[test]
    fn what_reads_as_nothing_known_is_named() {
        let skip = decoded(219, &labelled(1, &[0x10; 40])).skip;
        assert_eq!(Some(Skip::OtherProtocol(Layer::Mpls, 1)), skip);
    }

    #[test]
    fn labels_without_end_are_too_deep() {
        assert_eq!(Some(Skip::TooDeep), decoded(219, &[0, 1, 0x40, 64].repeat(40)).skip);
    }
}
