//! 802.11 data frames that are not encrypted, single or aggregated.
//!
//! Source: IEEE 802.11-2020 sections 9.2.4 and 9.3.2.

use crate::net::decode::descent::Descent;
use crate::net::decode::field::{u8_at, u16_at, u16_le_at};
use crate::net::decode::next::{Next, Padding};
use crate::net::skip::{Layer, Skip};

/// Frames in one aggregate: 11454 bytes hold no more that carry SIP or RTP.
const AGGREGATED_MAX: usize = 256;

/// Reads an 802.11 frame.
///
/// # Errors
/// Where it is no data frame, is encrypted or a fragment, or carries nothing that is read further.
pub(in crate::net::decode) fn frame<'a>(
    descent: &mut Descent<'_, 'a>,
    bytes: &'a [u8],
    padding: Padding,
) -> Result<Next<'a>, Skip> {
    let cut = Skip::CutShort("802.11 header");
    let control = u16_at(bytes, 0).ok_or(cut)?;
    let (kind, subtype) = (control >> 8 & 0x0c, control >> 12);
    if kind != 0x08 || subtype & 0x04 != 0 {
        return Err(Skip::OtherProtocol(Layer::Wireless, u32::from(control >> 8)));
    }
    if control & 0x0040 != 0 {
        return Err(Skip::OtherProtocol(Layer::EncryptedWireless, u32::from(control)));
    }
    let fragment = u16_le_at(bytes, 22).ok_or(cut)? & 0x000f;
    if control & 0x0004 != 0 || fragment != 0 {
        return Err(Skip::OtherProtocol(Layer::WirelessFragment, u32::from(fragment)));
    }
    descent.mark_bytes(bytes.get(4..22).ok_or(cut)?);
    descent.mark(u64::from(control & 0x0003));
    let mut length = if control & 0x0003 == 0x0003 { 30 } else { 24 };
    let mut is_aggregate = false;
    if subtype & 0x08 != 0 {
        is_aggregate = u8_at(bytes, length).ok_or(cut)? & 0x80 != 0;
        length += if control & 0x0080 != 0 { 6 } else { 2 };
    }
    if padding == Padding::ToFourBytes {
        length = usize::next_multiple_of(length, 4);
    }
    let body = bytes.get(length..).ok_or(cut)?;
    Ok(if is_aggregate { Next::WirelessAggregate(body) } else { Next::Llc(body) })
}

/// Reads each frame of an aggregate: two addresses, a length, LLC, and padding to 4 bytes before the next.
///
/// # Errors
/// Where `follow` can read none of them.
pub(in crate::net::decode) fn aggregate<'a>(
    descent: &mut Descent<'_, 'a>,
    bytes: &'a [u8],
    follow: impl Fn(&mut Descent<'_, 'a>, Next<'a>) -> Result<(), Skip>,
) -> Result<(), Skip> {
    let mut rest = bytes;
    let mut result = Err(Skip::CutShort("802.11 aggregate"));
    for _ in 0..AGGREGATED_MAX {
        let Some((header, behind)) = rest.split_first_chunk::<14>() else {
            break;
        };
        let length = usize::from(u16::from_be_bytes([header[12], header[13]]));
        let body = behind.get(..length).unwrap_or(behind);
        let step = descent.aside(|descent| {
            descent.mark_bytes(&header[..12]);
            follow(descent, Next::Llc(body))
        });
        // One frame that could be read is worth more than the reason why another could not.
        result = if result.is_ok() { result } else { step };
        rest = rest.get((14 + length).next_multiple_of(4)..).unwrap_or_default();
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::decode::bytes_for_tests::{
        SIP, decoded, hostile_at_every_length, udp4, wireless_frame, wireless_header,
    };

    #[test]
    fn data_frames_in_every_direction_are_read() {
        for (control, flags, extra) in
            [(0x08, 0, 0), (0x08, 1, 0), (0x08, 2, 0), (0x08, 3, 6), (0x88, 1, 2), (0x88, 3, 8), (0x88, 0x81, 6)]
        {
            let frame = wireless_frame(control, flags, &vec![0; extra]);
            assert_eq!([SIP], decoded(105, &frame).datagrams()[..], "{control:x} {flags:x}");
            hostile_at_every_length(105, &frame);
        }
    }

    #[test]
    fn every_frame_of_an_aggregate_is_read() {
        let mut frame = wireless_header(0x88, 1);
        frame.extend_from_slice(&[0x80, 0]);
        for _ in 0..3 {
            let body = [&[0xaa, 0xaa, 3, 0, 0, 0, 8, 0], &udp4(SIP)[..]].concat();
            frame.extend_from_slice(&[2; 12]);
            frame.extend_from_slice(&u16::try_from(body.len()).expect("short").to_be_bytes());
            frame.extend_from_slice(&body);
            let padding = (4 - (14 + body.len()) % 4) % 4;
            frame.extend(std::iter::repeat_n(0, padding));
        }
        assert_eq!([SIP; 3], decoded(105, &frame).datagrams()[..]);
        hostile_at_every_length(105, &frame);
    }

    #[test]
    fn encrypted_frames_fragments_and_beacons_are_skipped_by_name() {
        let skip = |control, flags| decoded(105, &wireless_frame(control, flags, &[])).skip;
        assert_eq!(Some(Skip::OtherProtocol(Layer::EncryptedWireless, 0x0841)), skip(0x08, 0x41));
        assert_eq!(Some(Skip::OtherProtocol(Layer::WirelessFragment, 0)), skip(0x08, 0x04));
        assert_eq!(Some(Skip::OtherProtocol(Layer::Wireless, 0x80)), skip(0x80, 0));
        assert_eq!(Some(Skip::OtherProtocol(Layer::Wireless, 0x48)), skip(0x48, 0));
    }
}
