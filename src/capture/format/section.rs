//! What a pcapng file tells beside its packets: interfaces, losses, keys.
//!
//! Source: draft-ietf-opsawg-pcapng sections 4.1, 4.2, 4.6 and 4.7.

use pcap_parser::pcapng::SecretsType;
use pcap_parser::{
    Block, DecryptionSecretsBlock, InterfaceDescriptionBlock, InterfaceStatisticsBlock, OptionCode, PcapNGOption,
    parse_block_be, parse_block_le,
};

use crate::capture::format::byte_order::ByteOrder;
use crate::capture::format::pcapng::{block_type, section_order};
use crate::capture::frame::interface::{Clock, Port};
use crate::capture::{Interface, LinkType, Weakness, WeaknessKind};

/// Interfaces of one file over all its sections; frames name theirs in 16 bits.
const INTERFACES_MAX: usize = 65_535;
/// Bytes of TLS keys kept of one file: about 90 000 connections.
const SECRETS_BYTES_MAX: usize = 16 << 20;

/// The state of a pcapng file at the block that is read.
#[derive(Debug)]
pub(in crate::capture) struct Sections {
    pub(in crate::capture) order: ByteOrder,
    /// The file's number of the section's interface 0.
    pub(in crate::capture) first_interface: usize,
    pub(in crate::capture) interfaces: Vec<Interface>,
    pub(in crate::capture) ports: Vec<Port>,
    /// Link types in the order of their first packet.
    pub(in crate::capture) link_types: Vec<LinkType>,
    /// Whether a packet was seen, for each of `ports`.
    is_used: Vec<bool>,
    /// TLS key logs, one behind the other.
    pub(in crate::capture) secrets: Vec<u8>,
    /// Bytes of key logs beyond the limit.
    pub(in crate::capture) secrets_left_out: u64,
    /// Interfaces beyond the limit.
    pub(in crate::capture) interfaces_left_out: u32,
}

impl Sections {
    pub(in crate::capture) fn new() -> Self {
        Self {
            order: ByteOrder::Little,
            first_interface: 0,
            interfaces: Vec::new(),
            ports: Vec::new(),
            link_types: Vec::new(),
            is_used: Vec::new(),
            secrets: Vec::new(),
            secrets_left_out: 0,
            interfaces_left_out: 0,
        }
    }

    /// How many interfaces the section has described so far.
    pub(in crate::capture) fn interface_count(&self) -> usize {
        self.ports.len() - self.first_interface
    }

    /// Notes that a packet was captured on the section's interface `index`.
    pub(in crate::capture) fn mark_used(&mut self, index: u32) {
        let index = self.first_interface + index as usize;
        if let (Some(is_used @ false), Some(port)) = (self.is_used.get_mut(index), self.ports.get(index)) {
            *is_used = true;
            if !self.link_types.contains(&port.link_type) {
                self.link_types.push(port.link_type);
            }
        }
    }

    /// Takes in a block that is no packet; others than those named are left alone.
    pub(in crate::capture) fn push(&mut self, block: &[u8], kind: u32) {
        if kind == block_type::SECTION {
            // The walk has seen the byte-order magic.
            self.order = section_order(block).unwrap_or(self.order);
            self.first_interface = self.ports.len();
            return;
        }
        if !matches!(kind, block_type::INTERFACE | block_type::STATISTICS | block_type::SECRETS) {
            return;
        }
        let parsed = match self.order {
            ByteOrder::Little => parse_block_le(block),
            ByteOrder::Big => parse_block_be(block),
        };
        match parsed {
            Ok((_, Block::InterfaceDescription(description))) => self.describe(&description),
            Ok((_, Block::InterfaceStatistics(statistics))) => self.count(&statistics),
            Ok((_, Block::DecryptionSecrets(secrets))) => self.keep(&secrets),
            // Later packets count on its place among the interfaces.
            _ if kind == block_type::INTERFACE => self.describe_by_hand(block),
            _ => {}
        }
    }

    /// What the capturing machine lost, and what was left out for want of room.
    pub(in crate::capture) fn weaknesses(&self) -> Vec<Weakness> {
        let weakness = |kind, detail| Weakness { kind, frame: None, detail };
        let mut weaknesses = Vec::new();
        let losses: Vec<String> = self
            .interfaces
            .iter()
            .filter(|interface| interface.dropped() > 0)
            .map(|interface| {
                format!("{} on {}", interface.dropped(), interface.name.as_deref().unwrap_or("an unnamed interface"))
            })
            .take(8)
            .collect();
        if !losses.is_empty() {
            let detail = format!("the capturing machine dropped packets: {}", losses.join(", "));
            weaknesses.push(weakness(WeaknessKind::CaptureDrops, detail));
        }
        if self.secrets_left_out > 0 {
            let detail =
                format!("{} bytes of TLS keys were left out: the capture brings too many", self.secrets_left_out);
            weaknesses.push(weakness(WeaknessKind::Encrypted, detail));
        }
        if self.interfaces_left_out > 0 {
            let detail = format!("{} interfaces were left out: the file describes too many", self.interfaces_left_out);
            weaknesses.push(weakness(WeaknessKind::DamagedRecord, detail));
        }
        weaknesses
    }

    fn describe(&mut self, block: &InterfaceDescriptionBlock<'_>) {
        let options = &block.options;
        let resolution = option(options, OptionCode::IfTsresol).and_then(|value| value.first().copied());
        let offset = option(options, OptionCode::IfTsoffset).and_then(|value| self.order.u64(value, 0));
        let text = |code| option(options, code).map(|value| String::from_utf8_lossy(value).into_owned());
        let interface = Interface {
            link_type: LinkType(u16::try_from(block.linktype.0).unwrap_or(u16::MAX)),
            name: text(OptionCode::IfName),
            description: text(OptionCode::IfDescription),
            dropped_by_interface: None,
            dropped_by_system: None,
        };
        // if_tsoffset is signed (section 4.2).
        let clock = Clock::new(resolution.unwrap_or(6), offset.unwrap_or(0).cast_signed());
        self.add(interface, block.snaplen, clock);
    }

    fn describe_by_hand(&mut self, block: &[u8]) {
        let interface = Interface {
            link_type: LinkType(self.order.u16(block, 8).unwrap_or(u16::MAX)),
            name: None,
            description: None,
            dropped_by_interface: None,
            dropped_by_system: None,
        };
        let snap_length = self.order.u32(block, 12).unwrap_or(0);
        self.add(interface, snap_length, Clock::new(6, 0));
    }

    fn add(&mut self, interface: Interface, snap_length: u32, clock: Clock) {
        if self.ports.len() >= INTERFACES_MAX {
            self.interfaces_left_out = self.interfaces_left_out.saturating_add(1);
            return;
        }
        let snap_length = if snap_length == 0 { u32::MAX } else { snap_length };
        self.ports.push(Port { link_type: interface.link_type, snap_length, clock });
        self.is_used.push(false);
        self.interfaces.push(interface);
    }

    /// Counters run from the start of the capture, so that the last word counts.
    fn count(&mut self, block: &InterfaceStatisticsBlock<'_>) {
        let number = |code| option(&block.options, code).and_then(|value| self.order.u64(value, 0));
        let by_interface = number(OptionCode::IsbIfDrop);
        let by_system = number(OptionCode::IsbOsDrop);
        let index = self.first_interface.saturating_add(block.if_id as usize);
        if let Some(interface) = self.interfaces.get_mut(index) {
            interface.dropped_by_interface = by_interface.or(interface.dropped_by_interface);
            interface.dropped_by_system = by_system.or(interface.dropped_by_system);
        }
    }

    fn keep(&mut self, block: &DecryptionSecretsBlock<'_>) {
        if block.secrets_type != SecretsType::TlsKeyLog {
            return;
        }
        let keys = block.data.get(..block.secrets_len as usize).unwrap_or(block.data);
        if self.secrets.len() + keys.len() > SECRETS_BYTES_MAX {
            self.secrets_left_out += keys.len() as u64;
            return;
        }
        self.secrets.extend_from_slice(keys);
        if !keys.ends_with(b"\n") {
            self.secrets.push(b'\n');
        }
    }
}

/// The first option of that code, without padding.
fn option<'a>(options: &'a [PcapNGOption<'_>], code: OptionCode) -> Option<&'a [u8]> {
    options.iter().find(|option| option.code == code)?.as_bytes().ok()
}
