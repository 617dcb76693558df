//! What was not read, each kind under one short name, so that nobody wonders where frames went.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::analysis::result::Undecoded;
use crate::net::{Layer, Network, Skip};

/// Frames by the reason for which they were not read, most first.
pub(super) fn undecoded<'a>(
    skips: &BTreeMap<Skip, u64>,
    networks: impl Iterator<Item = &'a Network>,
) -> Vec<Undecoded> {
    let mut frames: BTreeMap<Cow<'static, str>, u64> = BTreeMap::new();
    for (skip, count) in skips {
        *frames.entry(reason(*skip)).or_default() += count;
    }
    for network in networks {
        let (tls, streams) = (network.tls_counters(), network.stream_counters());
        let (sctp, websocket) = (network.sctp_counters(), network.websocket_counters());
        let fragments = network.fragment_counters();
        let counted = [
            ("tls-without-keys", tls.unread_segments),
            ("tls-other", tls.other_segments),
            ("tcp-other", streams.other_segments),
            ("websocket-compressed", websocket.compressed),
            ("websocket-too-long", websocket.too_long),
            ("sctp-other", sctp.other_messages),
            ("sctp-malformed", sctp.malformed),
            ("ip-fragments-malformed", fragments.malformed + fragments.conflicting),
        ];
        for (reason, count) in counted {
            *frames.entry(reason.into()).or_default() += count;
        }
    }
    let mut undecoded: Vec<Undecoded> = frames
        .into_iter()
        .filter(|(_, frames)| *frames > 0)
        .map(|(reason, frames)| Undecoded { reason: reason.into_owned(), frames })
        .collect();
    // Reasons stand in the order of the alphabet already.
    undecoded.sort_by_key(|undecoded| std::cmp::Reverse(undecoded.frames));
    undecoded
}

/// What let go of in order to stay within a limit, one sentence each.
pub(super) fn let_go<'a>(networks: impl Iterator<Item = &'a Network>) -> Vec<String> {
    let (mut streams, mut fragments, mut associations) = (0, 0, 0);
    for network in networks {
        let sctp = network.sctp_counters();
        streams += network.stream_counters().evicted;
        fragments += network.fragment_counters().evicted;
        associations += sctp.evicted + sctp.dropped_pieces;
    }
    let dropped = [
        (streams, "TCP connections were left behind early, because more were open at a time than are followed"),
        (fragments, "fragmented datagrams were given up early, because more waited at a time than are held"),
        (associations, "pieces of SCTP messages were given up early, because more waited at a time than are held"),
    ];
    dropped.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect()
}

/// The name of a reason: a known word, or a sentence where the case is rare.
fn reason(skip: Skip) -> Cow<'static, str> {
    let word = match skip {
        Skip::TooDeep => "tunnels-too-deep",
        Skip::Bystander(name) => name,
        Skip::OtherProtocol(layer, number) => match (layer, number) {
            (Layer::Ip, 50) => "esp-encrypted",
            (Layer::CompressedHep, _) => "hep-compressed",
            (Layer::Hep, _) => "hep-other",
            (Layer::ExportedPdu, _) => "exported-pdu-other",
            (Layer::EncryptedWireless, _) => "wlan-encrypted",
            (Layer::WirelessFragment, _) => "wlan-fragment",
            (Layer::Wireless, _) => "wlan-management",
            (Layer::EncryptedMacsec, _) => "macsec-encrypted",
            (Layer::PppMultilinkFragment, _) => "ppp-multilink-fragment",
            (Layer::Ppp, 0x00fb | 0x00fd) => "ppp-compressed",
            (Layer::Ppp, 0x8000..) | (Layer::Pppoe, _) | (Layer::Ethernet, 0x8863) => "ppp-control",
            (Layer::PptpAcknowledgement, _) => "ppp-control",
            (Layer::Ethernet, 0x0806 | 0x8035) => "arp",
            // What bridges and switches say among themselves: CDP, LLDP, LACP, 802.1X, loop tests, vendors' own.
            (Layer::Llc | Layer::Snap, _)
            | (Layer::Ethernet, 0x2000 | 0x9000 | 0x8809 | 0x88cc | 0x888e | 0x8899 | 0x88b5..=0x88b7) => {
                "switch-control"
            }
            (Layer::Icmp | Layer::Icmpv6, _) => "icmp-other",
            // IGMP, EIGRP, OSPF, PIM, VRRP.
            (Layer::Ip, 2 | 88 | 89 | 103 | 112) => "ip-routing",
            _ => return skip.to_string().into(),
        },
        Skip::CutShort(_) | Skip::UnknownLinkType(_) | Skip::Malformed(_) => {
            return skip.to_string().into();
        }
    };
    word.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_traffic_shares_a_name_and_the_rest_has_its_own() {
        let skips = BTreeMap::from([
            (Skip::OtherProtocol(Layer::Ethernet, 0x0806), 4),
            (Skip::OtherProtocol(Layer::Llc, 0x42), 2),
            (Skip::OtherProtocol(Layer::Snap, 0x10b), 1),
            (Skip::OtherProtocol(Layer::Icmpv6, 135), 5),
            (Skip::OtherProtocol(Layer::Ip, 50), 1),
            (Skip::OtherProtocol(Layer::Ip, 253), 1),
            (Skip::UnknownLinkType(147), 9),
            (Skip::Bystander("dns"), 1),
        ]);
        let found: Vec<(String, u64)> = undecoded(&skips, std::iter::empty())
            .into_iter()
            .map(|undecoded| (undecoded.reason, undecoded.frames))
            .collect();
        let expected = [
            ("link type 147 is not read", 9),
            ("icmp-other", 5),
            ("arp", 4),
            ("switch-control", 3),
            ("IP carries protocol 253", 1),
            ("dns", 1),
            ("esp-encrypted", 1),
        ];
        assert_eq!(expected.map(|(word, n)| (word.to_owned(), n)), found[..]);
    }
}
