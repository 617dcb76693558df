//! Attributes: what the a= lines add to a session description.
//!
//! Sources: RFC 8866 section 6, RFC 4568 section 9.1, RFC 8122 section 5, RFC 8839 section 5, RFC 3605, RFC 5761,
//! RFC 9143, RFC 3312 section 4, ITU-T T.38 annex D.

use crate::sip::sdp::codec::Codec;
use crate::sip::sdp::defect::SdpDefectKind;
use crate::sip::sdp::media::{Crypto, Direction, Media, Setup};
use crate::sip::sdp::partial::PartialSdp;

/// Crypto, precondition, fax and group lines of one medium that are kept.
const REPEATS_MAX: usize = 32;

/// Reads one a= line into the level at hand; attributes that no rule reads are left alone.
pub(super) fn read(partial: &mut PartialSdp, attribute: &str, number: u32, text: &str) {
    let (name, value) = match attribute.split_once(':') {
        Some((name, value)) => (name.trim(), value.trim()),
        None => (attribute.trim(), ""),
    };
    match name {
        "sendrecv" => partial.common().direction = Some(Direction::SendRecv),
        "sendonly" => partial.common().direction = Some(Direction::SendOnly),
        "recvonly" => partial.common().direction = Some(Direction::RecvOnly),
        "inactive" => partial.common().direction = Some(Direction::Inactive),
        "ptime" => partial.common().ptime = milliseconds(value),
        "maxptime" => partial.common().maxptime = milliseconds(value),
        "setup" => partial.common().setup = read_setup(value),
        "fingerprint" => {
            let hash = value.split_whitespace().next().map(str::to_ascii_lowercase);
            partial.common().fingerprint_hash = hash;
        }
        "crypto" => read_crypto(partial, value, number, text),
        "ice-ufrag" | "ice-pwd" => partial.common().ice.has_credentials = true,
        "ice-lite" => partial.sdp.is_ice_lite = true,
        "candidate" => read_candidate(partial, value),
        "group" if partial.sdp.groups.len() < REPEATS_MAX => partial.sdp.groups.push(value.to_owned()),
        "rtpmap" => read_map(partial, value, number, text),
        _ => {
            if let Some(media) = partial.sdp.medias.last_mut() {
                read_media_attribute(media, name, value);
            }
        }
    }
}

fn milliseconds(value: &str) -> Option<u32> {
    // Some phones write 20.0.
    value.split('.').next()?.parse().ok()
}

fn read_setup(value: &str) -> Option<Setup> {
    match value {
        "active" => Some(Setup::Active),
        "passive" => Some(Setup::Passive),
        "actpass" => Some(Setup::ActPass),
        "holdconn" => Some(Setup::HoldConn),
        _ => None,
    }
}

fn read_media_attribute(media: &mut Media, name: &str, value: &str) {
    match name {
        "fmtp" => {
            let (format, parameters) = value.split_once(char::is_whitespace).unwrap_or((value, ""));
            if let Some(codec) = media.codecs.iter_mut().find(|codec| codec.format == format) {
                codec.fmtp = Some(parameters.trim().to_owned());
            }
        }
        "rtcp" => media.rtcp_port = value.split_whitespace().next().and_then(|port| port.parse().ok()),
        "rtcp-mux" => media.is_rtcp_mux = true,
        "bundle-only" => media.is_bundle_only = true,
        "mid" => media.mid = Some(value.to_owned()),
        "curr" | "des" | "conf" if media.preconditions.len() < REPEATS_MAX => {
            media.preconditions.push(format!("{name}:{value}"));
        }
        _ if name.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("T38")) && media.fax.len() < REPEATS_MAX => {
            media.fax.push(if value.is_empty() { name.to_owned() } else { format!("{name}:{value}") });
        }
        _ => {}
    }
}

fn read_map(partial: &mut PartialSdp, value: &str, number: u32, text: &str) {
    let (format, encoding) = value.split_once(char::is_whitespace).unwrap_or((value, ""));
    let mut mapped = Codec::from_format(format);
    mapped.map(encoding);
    let is_rtp = partial.sdp.medias.last().is_some_and(|media| media.profile.is_rtp());
    if is_rtp && (mapped.payload.is_none() || mapped.name.is_empty() || mapped.clock_hz == 0) {
        partial.blame(SdpDefectKind::BadMap, number, text);
    }
    let Some(media) = partial.sdp.medias.last_mut() else {
        return;
    };
    let Some(codec) = media.codecs.iter_mut().find(|codec| codec.format == format) else {
        return partial.blame(SdpDefectKind::UnlistedMap, number, text);
    };
    if codec.is_mapped && !codec.is_same_as(&mapped) {
        return partial.blame(SdpDefectKind::TwoCodecs, number, text);
    }
    codec.map(encoding);
}

fn read_crypto(partial: &mut PartialSdp, value: &str, number: u32, text: &str) {
    let mut fields = value.split_whitespace();
    let (tag, suite, key) = (fields.next(), fields.next(), fields.next());
    let tag = tag.and_then(|tag| tag.parse().ok());
    let (Some(tag), Some(suite), Some(key)) = (tag, suite, key.and_then(|key| key.strip_prefix("inline:"))) else {
        return partial.blame(SdpDefectKind::BadCrypto, number, text);
    };
    let digits = key.split(['|', ';']).next().unwrap_or_default().trim_end_matches('=').len();
    let crypto = Crypto { tag, suite: suite.to_owned(), key_octets: digits * 3 / 4 };
    if crypto.expected_octets().is_some_and(|expected| expected != crypto.key_octets) {
        partial.blame(SdpDefectKind::BadCrypto, number, text);
    }
    let list = &mut partial.common().crypto;
    if list.len() < REPEATS_MAX {
        list.push(crypto);
    }
}

fn read_candidate(partial: &mut PartialSdp, value: &str) {
    let ice = &mut partial.common().ice;
    ice.candidates = ice.candidates.saturating_add(1);
    if let Some(address) = value.split_whitespace().nth(4) {
        ice.has_v6 |= address.contains(':');
        ice.has_v4 |= address.parse::<std::net::Ipv4Addr>().is_ok();
    }
}
