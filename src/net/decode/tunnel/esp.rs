//! ESP without encryption, as IMS phones use it: read where the bytes prove it, left alone where they do not.
//!
//! Sources: RFC 4303, RFC 2410 (NULL encryption), RFC 3948 (in UDP), 3GPP TS 33.203 (IMS).

use memchr::memmem;

use crate::net::decode::carried::Carried;
use crate::net::decode::descent::Descent;
use crate::net::decode::field::{u8_at, u16_at};
use crate::net::decode::next::Next;
use crate::net::skip::{Layer, Skip};

/// SPI and sequence number.
const HEADER_BYTES: usize = 8;
/// Lengths of the integrity check value: HMAC-MD5 and SHA-1 of IMS first, then SHA-256, none, SHA-384 and SHA-512.
const CHECK_VALUE_BYTES: [usize; 5] = [12, 16, 0, 24, 32];
/// Bytes of a message in which its first line is looked for.
const FIRST_LINE_BYTES: usize = 512;

/// Reads ESP behind an IP header.
///
/// # Errors
/// [`Skip::OtherProtocol`] where it is encrypted, as far as can be seen.
pub(in crate::net::decode) fn esp<'a>(descent: &mut Descent<'_, 'a>, carried: &Carried<'a>) -> Result<Next<'a>, Skip> {
    follow(descent, carried).unwrap_or(Err(Skip::OtherProtocol(Layer::Ip, 50)))
}

/// Reads ESP within UDP; `None` where it is a key exchange, a keepalive or encrypted, and nothing was changed.
pub(in crate::net::decode) fn esp_in_udp<'a>(
    descent: &mut Descent<'_, 'a>,
    datagram: &Carried<'a>,
) -> Option<Result<Next<'a>, Skip>> {
    // Four zero bytes mark a key exchange: an SPI is never zero.
    let header = datagram.bytes.get(..HEADER_BYTES)?;
    // Eight letters in place of SPI and sequence number are text, such as SIP on this port.
    let is_text = header.iter().all(|&byte| byte == b' ' || byte.is_ascii_graphic());
    if header.starts_with(&[0; 4]) || is_text {
        return None;
    }
    follow(descent, datagram)
}

/// Reads what ESP carries in the clear; `None` where it does not read as such.
fn follow<'a>(descent: &mut Descent<'_, 'a>, carried: &Carried<'a>) -> Option<Result<Next<'a>, Skip>> {
    let bytes = carried.bytes.get(HEADER_BYTES..)?;
    let (protocol, inner) =
        CHECK_VALUE_BYTES.iter().find_map(|&length| before_trailer(bytes, length)).or_else(|| by_first_line(bytes))?;
    Some(descent.enter().map(|()| Next::Carried(carried.with(protocol, inner))))
}

/// Protocol and payload before a trailer of padding, its length, the protocol and a check value, if all of it fits together.
fn before_trailer(bytes: &[u8], check_value_length: usize) -> Option<(u8, &[u8])> {
    let end = bytes.len().checked_sub(check_value_length + 2)?;
    let padding_length = usize::from(u8_at(bytes, end)?);
    let protocol = u8_at(bytes, end + 1)?;
    let (inner, padding) = bytes.get(..end)?.split_at_checked(end.checked_sub(padding_length)?)?;
    // Padding counts from 1 (RFC 4303 section 2.4).
    let counts = padding.iter().zip(1_u8..=u8::MAX).all(|(&byte, number)| byte == number);
    let fits = match protocol {
        4 => u8_at(inner, 0)? >> 4 == 4 && usize::from(u16_at(inner, 2)?) == inner.len(),
        41 => u8_at(inner, 0)? >> 4 == 6 && usize::from(u16_at(inner, 4)?) + 40 == inner.len(),
        6 => reads_as_tcp(inner),
        17 => usize::from(u16_at(inner, 4)?) == inner.len(),
        _ => false,
    };
    (counts && fits).then_some((protocol, inner))
}

/// Whether `bytes` have the header of a TCP segment without urgent data, which SIP never uses.
fn reads_as_tcp(bytes: &[u8]) -> bool {
    let Some(&[offset, flags, _, _, _, _, urgent0, urgent1]) = bytes.get(12..).and_then(<[u8]>::first_chunk::<8>)
    else {
        return false;
    };
    let header_length = usize::from(offset >> 4) * 4;
    let is_header = header_length >= 20 && header_length <= bytes.len();
    is_header && offset & 0x0f == 0 && flags & 0x20 == 0 && urgent0 == 0 && urgent1 == 0
}

/// Protocol and payload where a SIP message's first line stands behind a UDP or TCP header; for frames that lost the trailer.
fn by_first_line(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let says_sip = |from: usize| {
        let text = bytes.get(from..).filter(|text| text.first().is_some_and(u8::is_ascii_uppercase))?;
        let line = text.get(..FIRST_LINE_BYTES).unwrap_or(text);
        let end = memchr::memchr(b'\n', line).unwrap_or(line.len());
        memmem::find(line.get(..end)?, b"SIP/2.0")
    };
    if u16_at(bytes, 4)? > 8 && says_sip(8).is_some() {
        return Some((17, bytes));
    }
    let header_length = usize::from(u8_at(bytes, 12)? >> 4) * 4;
    (reads_as_tcp(bytes) && says_sip(header_length).is_some()).then_some((6, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::decode::bytes_for_tests::{SIP, decoded, decoded_cut, hostile_at_every_length, ip4, udp, udp4};

    /// A raw IP packet of ESP around `inner`, padded to 4 bytes.
    fn esp_packet(protocol: u8, inner: &[u8], check_value_length: usize) -> Vec<u8> {
        let mut bytes = vec![0, 0, 0x30, 0x39, 0, 0, 0, 1];
        bytes.extend_from_slice(inner);
        let padding = (4 - (inner.len() + 2) % 4) % 4;
        bytes.extend(1..=padding as u8);
        bytes.extend_from_slice(&[padding as u8, protocol]);
        bytes.extend(std::iter::repeat_n(0xa5, check_value_length));
        bytes
    }

    #[test]
    fn a_request_within_esp_in_the_clear_is_read() {
        for length in CHECK_VALUE_BYTES {
            let packet = ip4(50, &esp_packet(17, &udp(5062, 5063, SIP), length));
            assert_eq!([SIP], decoded(101, &packet).datagrams()[..], "check value of {length} bytes");
            hostile_at_every_length(101, &packet);
        }
    }

    #[test]
    fn tunnel_mode_is_read() {
        assert_eq!([SIP], decoded(101, &ip4(50, &esp_packet(4, &udp4(SIP), 12))).datagrams()[..]);
    }

    #[test]
    fn esp_within_udp_is_read_and_key_exchange_stays_a_datagram() {
        let esp = esp_packet(17, &udp(5062, 5063, SIP), 12);
        assert_eq!([SIP], decoded(101, &ip4(17, &udp(4500, 4500, &esp))).datagrams()[..]);
        let key_exchange = [&[0; 4], &esp[..]].concat();
        let packet = ip4(17, &udp(4500, 4500, &key_exchange));
        let decoded = decoded(101, &packet);
        assert_eq!([&key_exchange[..]], decoded.datagrams()[..]);
    }

    #[test]
    fn encrypted_esp_is_skipped_by_name() {
        let noise: Vec<u8> = (0..200_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        assert_eq!(Some(Skip::OtherProtocol(Layer::Ip, 50)), decoded(101, &ip4(50, &noise)).skip);
    }

    #[test]
    fn a_request_that_lost_its_trailer_is_read_and_marked_cut() {
        let packet = ip4(50, &esp_packet(17, &udp(5062, 5063, SIP), 12));
        let decoded = decoded_cut(101, &packet, packet.len() - 30);
        assert_eq!(1, decoded.packets.len());
        assert!(decoded.packets[0].is_cut);
        assert!(SIP.starts_with(decoded.datagrams()[0]));
    }
}
