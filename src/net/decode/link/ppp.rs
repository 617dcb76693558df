//! PPP in its framings, PPPoE sessions and Cisco HDLC.
//!
//! Sources: RFC 1661, RFC 1662, RFC 1990 (multilink), RFC 2516; Cisco HDLC as LINKTYPE_C_HDLC describes it.

use crate::net::decode::descent::Descent;
use crate::net::decode::ip::is_plausible_ip;
use crate::net::decode::next::Next;
use crate::net::skip::{Layer, Skip};

/// Why a PPP header could not be read to its end.
const CUT: Skip = Skip::CutShort("PPP header");

/// Reads a PPP frame, with or without address and control field, its protocol number in one byte or two.
///
/// # Errors
/// Where it carries nothing that is read further.
pub(in crate::net::decode) fn ppp<'a>(descent: &mut Descent<'_, 'a>, bytes: &'a [u8]) -> Result<Next<'a>, Skip> {
    descent.enter()?;
    let bytes = bytes.strip_prefix(&[0xff, 0x03]).unwrap_or(bytes);
    let (protocol, rest) = protocol(bytes).ok_or(CUT)?;
    match protocol {
        0x0021 | 0x0057 => Ok(Next::Ip(rest)),
        0x0281 | 0x0283 => Ok(Next::Mpls(rest)),
        0x003d => multilink(rest),
        other => Err(Skip::OtherProtocol(Layer::Ppp, u32::from(other))),
    }
}

/// Whether `bytes` begin like a PPP frame that carries IP or sets up a link; for tunnels that carry nothing else.
pub(in crate::net::decode) fn is_plausible_ppp(bytes: &[u8]) -> bool {
    let has_address = bytes.starts_with(&[0xff, 0x03]);
    let bytes = if has_address { bytes.get(2..).unwrap_or_default() } else { bytes };
    match protocol(bytes) {
        Some((0x0021 | 0x0057, rest)) => is_plausible_ip(rest),
        Some((0x003d | 0x0281 | 0x0283 | 0x8021 | 0x8057 | 0xc021 | 0xc023 | 0xc223 | 0x80fd, _)) => true,
        Some(_) => has_address,
        None => false,
    }
}

/// The protocol number and what follows it; an odd first byte is the whole number (RFC 1661 section 2).
fn protocol(bytes: &[u8]) -> Option<(u16, &[u8])> {
    let (&first, rest) = bytes.split_first()?;
    if first & 1 != 0 {
        return Some((u16::from(first), rest));
    }
    let (&second, rest) = rest.split_first()?;
    Some((u16::from_be_bytes([first, second]), rest))
}

/// A multilink header; only what it did not fragment can be read.
fn multilink(bytes: &[u8]) -> Result<Next<'_>, Skip> {
    let Some((&[flags, _, _, _], rest)) = bytes.split_first_chunk::<4>() else {
        return Err(Skip::CutShort("PPP multilink header"));
    };
    if flags & 0xc0 != 0xc0 {
        return Err(Skip::OtherProtocol(Layer::PppMultilinkFragment, u32::from(flags)));
    }
    Ok(Next::Ppp(rest))
}

/// Reads PPP in HDLC-like framing, or Cisco HDLC where the address says so.
///
/// # Errors
/// Where it carries nothing that is read further.
pub(in crate::net::decode) fn ppp_hdlc<'a>(descent: &mut Descent<'_, 'a>, bytes: &'a [u8]) -> Result<Next<'a>, Skip> {
    match bytes.first() {
        Some(0x0f | 0x8f) => cisco_hdlc(descent, bytes),
        _ => Ok(Next::Ppp(bytes)),
    }
}

/// Reads Cisco HDLC: address, control, EtherType.
///
/// # Errors
/// Where it carries nothing that is read further.
pub(in crate::net::decode) fn cisco_hdlc<'a>(descent: &mut Descent<'_, 'a>, bytes: &'a [u8]) -> Result<Next<'a>, Skip> {
    let Some((&[address, _, type0, type1], rest)) = bytes.split_first_chunk::<4>() else {
        return Err(Skip::CutShort("Cisco HDLC header"));
    };
    descent.mark(u64::from(address));
    Ok(Next::EtherType(u16::from_be_bytes([type0, type1]), rest))
}

/// Reads a PPPoE session header and the PPP frame behind it.
///
/// # Errors
/// Where it is no session data or carries nothing that is read further.
pub(in crate::net::decode) fn pppoe_session<'a>(
    descent: &mut Descent<'_, 'a>,
    bytes: &'a [u8],
) -> Result<Next<'a>, Skip> {
    let Some((&[_, code, session0, session1, length0, length1], rest)) = bytes.split_first_chunk::<6>() else {
        return Err(Skip::CutShort("PPPoE header"));
    };
    if code != 0 {
        return Err(Skip::OtherProtocol(Layer::Pppoe, u32::from(code)));
    }
    descent.mark(u64::from(u16::from_be_bytes([session0, session1])));
    let length = usize::from(u16::from_be_bytes([length0, length1]));
    Ok(Next::Ppp(if length == 0 { rest } else { rest.get(..length).unwrap_or(rest) }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::decode::bytes_for_tests::{SIP, decoded, ethernet_frame, hostile_at_every_length, udp4, udp6};

    /// Whether `link_type` with this header before IPv4 yields the SIP message; no cut of it may panic.
    fn carries_sip(link_type: u16, header: &[u8]) -> bool {
        let frame = [header, &udp4(SIP)].concat();
        hostile_at_every_length(link_type, &frame);
        decoded(link_type, &frame).datagrams() == [SIP]
    }

    #[test]
    fn ppp_is_read_in_its_long_and_short_forms() {
        assert!(carries_sip(9, &[0xff, 0x03, 0x00, 0x21]));
        assert!(carries_sip(9, &[0x00, 0x21]));
        assert!(carries_sip(9, &[0x21]));
        assert!(carries_sip(50, &[0xff, 0x03, 0x21]));
        assert!(carries_sip(9, &[0x00, 0x3d, 0xc0, 0, 0, 1, 0x21]));
    }

    #[test]
    fn cisco_hdlc_is_read() {
        assert!(carries_sip(104, &[0x0f, 0x00, 0x08, 0x00]));
        assert!(carries_sip(50, &[0x0f, 0x00, 0x08, 0x00]));
    }

    #[test]
    fn a_pppoe_session_carries_ip() {
        let length = u16::try_from(udp4(SIP).len() + 2).expect("short").to_be_bytes();
        let header = [0x11, 0x00, 0, 5, length[0], length[1], 0x00, 0x21];
        assert!(carries_sip(51, &header));
        let ppp = [&[0x11, 0x00, 0, 5, 0, 0, 0x00, 0x57], &udp6(SIP)[..]].concat();
        assert_eq!([SIP], decoded(1, &ethernet_frame(0x8864, &ppp)).datagrams()[..]);
    }

    #[test]
    fn link_control_is_skipped_by_name() {
        assert_eq!(Some(Skip::OtherProtocol(Layer::Ppp, 0xc021)), decoded(9, &[0xc0, 0x21, 1, 1, 0, 4]).skip);
    }

    #[test]
    fn a_multilink_fragment_is_skipped_by_name() {
        let skip = decoded(9, &[0x00, 0x3d, 0x80, 0, 0, 1, 0x21, 0x45]).skip;
        assert_eq!(Some(Skip::OtherProtocol(Layer::PppMultilinkFragment, 0x80)), skip);
    }
}
