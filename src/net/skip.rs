//! Skips: why a frame gave no packet, by name.

use std::fmt;

/// Why a frame gave no packet: counted in every report, never fatal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Skip {
    /// The frame ends inside the named layer.
    CutShort(&'static str),
    /// The named layer is whole and carries a protocol number that sipscan leaves alone.
    OtherProtocol(Layer, u32),
    /// More tunnels inside one another than are followed.
    TooDeep,
    /// A link type that sipscan does not read.
    UnknownLinkType(u16),
    /// The named layer contradicts itself.
    Malformed(&'static str),
    /// A whole datagram of the named kind, which carries neither SIP nor media.
    Bystander(&'static str),
}

impl fmt::Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CutShort(layer) => write!(f, "frame ends inside its {layer}"),
            Self::OtherProtocol(layer, number) => write!(f, "{} carries protocol {number}", layer.word()),
            Self::TooDeep => write!(f, "tunnels nested too deeply"),
            Self::UnknownLinkType(number) => write!(f, "link type {number} is not read"),
            Self::Malformed(layer) => write!(f, "{layer} contradicts itself"),
            Self::Bystander(name) => f.write_str(name),
        }
    }
}

/// What carries a protocol that sipscan leaves alone, and what its number is taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Layer {
    /// An EtherType.
    Ethernet,
    /// A MACsec tag around encrypted bytes.
    EncryptedMacsec,
    /// A service access point of IEEE 802.2.
    Llc,
    /// A protocol number behind SNAP.
    Snap,
    /// The protocol field of a Linux cooked header.
    LinuxCooked,
    /// The address family of a BSD loopback header.
    Loopback,
    /// The version of a netfilter log message.
    NflogVersion,
    /// The record type of a PKTAP header.
    Pktap,
    /// The port type of an exported PDU.
    ExportedPdu,
    /// Type and subtype of an 802.11 frame.
    Wireless,
    /// Frame control of an encrypted 802.11 frame.
    EncryptedWireless,
    /// The fragment number of an 802.11 frame.
    WirelessFragment,
    /// The first four bits behind MPLS labels.
    Mpls,
    /// A PPP protocol number.
    Ppp,
    /// The flags of a PPP multilink fragment.
    PppMultilinkFragment,
    /// The code of a PPPoE packet.
    Pppoe,
    /// The protocol field of a GRE header.
    Gre,
    /// The version of a GRE header.
    GreVersion,
    /// The protocol field of a GRE header with a source route.
    GreSourceRoute,
    /// An acknowledgement of PPTP, which carries nothing.
    PptpAcknowledgement,
    /// The protocol that a capture agent forwards.
    Hep,
    /// A payload that a capture agent compressed.
    CompressedHep,
    /// An IP protocol number.
    Ip,
    /// The type of an ICMP message that reports no error.
    Icmp,
    /// The same of ICMPv6.
    Icmpv6,
}

impl Layer {
    fn word(self) -> &'static str {
        match self {
            Self::Ethernet => "Ethernet",
            Self::EncryptedMacsec => "encrypted MACsec",
            Self::Llc => "LLC",
            Self::Snap => "SNAP",
            Self::LinuxCooked => "Linux cooked header",
            Self::Loopback => "loopback",
            Self::NflogVersion => "NFLOG version",
            Self::Pktap => "PKTAP",
            Self::ExportedPdu => "exported PDU",
            Self::Wireless => "802.11",
            Self::EncryptedWireless => "encrypted 802.11",
            Self::WirelessFragment => "802.11 fragment",
            Self::Mpls => "MPLS",
            Self::Ppp => "PPP",
            Self::PppMultilinkFragment => "PPP multilink fragment",
            Self::Pppoe => "PPPoE",
            Self::Gre => "GRE",
            Self::GreVersion => "GRE version",
            Self::GreSourceRoute => "GRE with source route",
            Self::PptpAcknowledgement => "PPTP acknowledgement",
            Self::Hep => "HEP",
            Self::CompressedHep => "compressed HEP",
            Self::Ip => "IP",
            Self::Icmp => "ICMP",
            Self::Icmpv6 => "ICMPv6",
        }
    }
}
