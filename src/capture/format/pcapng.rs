//! pcapng: the walk from block to block, and one packet block's packet.
//!
//! Source: draft-ietf-opsawg-pcapng sections 3.1 (blocks), 4.1 to 4.4 and appendix A (obsolete packet block).

use pcap_parser::{Block, parse_block_be, parse_block_le};

use crate::capture::format::byte_order::ByteOrder;
use crate::capture::format::walk::{Damage, Stop};

/// Block types that the walk distinguishes.
pub(in crate::capture) mod block_type {
    pub(in crate::capture) const SECTION: u32 = 0x0a0d_0d0a;
    pub(in crate::capture) const INTERFACE: u32 = 1;
    pub(in crate::capture) const OBSOLETE_PACKET: u32 = 2;
    pub(in crate::capture) const SIMPLE_PACKET: u32 = 3;
    pub(in crate::capture) const STATISTICS: u32 = 5;
    pub(in crate::capture) const ENHANCED_PACKET: u32 = 6;
    pub(in crate::capture) const JOURNAL: u32 = 9;
    pub(in crate::capture) const SECRETS: u32 = 10;
    pub(in crate::capture) const CUSTOM: u32 = 0xbad;
    pub(in crate::capture) const CUSTOM_NOT_COPIED: u32 = 0x4000_0bad;
}

/// Largest block: far above any packet, and enough for name and key lists.
const BLOCK_BYTES_MAX: u32 = 64 << 20;
/// Largest block at which reading goes on behind damage: a packet of 256 KiB with its options.
const RESUME_BLOCK_BYTES_MAX: u32 = 512 << 10;
/// Type, length, and the length repeated.
const BLOCK_FRAME_BYTES: usize = 12;

/// One whole block in a window.
#[derive(Debug, Clone, Copy)]
pub(in crate::capture) struct BlockAt {
    pub(in crate::capture) block_type: u32,
    pub(in crate::capture) start: usize,
    pub(in crate::capture) length: usize,
}

/// A packet block's fields, before its interface tells what they mean.
pub(in crate::capture) struct RawPacket<'a> {
    /// Index into the section's interfaces.
    pub(in crate::capture) interface: u32,
    /// Time stamp in ticks of the interface's clock; `None` in simple packet blocks.
    pub(in crate::capture) ticks: Option<u64>,
    /// Captured bytes; those of a simple packet block still with padding.
    pub(in crate::capture) bytes: &'a [u8],
    pub(in crate::capture) wire_length: u32,
}

/// Frames the block at `at`.
///
/// A section header tells the byte order of its own length, all others follow `order`.
pub(in crate::capture) fn block_at(bytes: &[u8], at: usize, order: ByteOrder) -> Result<BlockAt, Stop> {
    let incomplete = Stop::Incomplete { needs: BLOCK_FRAME_BYTES };
    let head = bytes.get(at..).and_then(|rest| rest.get(..BLOCK_FRAME_BYTES)).ok_or(incomplete)?;
    let block_type = order.u32(head, 0).ok_or(incomplete)?;
    let order = match block_type {
        block_type::SECTION => section_order(head).ok_or(Stop::Damaged(Damage::ByteOrder))?,
        _ => order,
    };
    let first = order.u32(head, 4).ok_or(incomplete)?;
    if block_type == 0 && first == 0 {
        return Err(Stop::Damaged(Damage::Zeros));
    }
    let least = if block_type == block_type::SECTION { 28 } else { 12 };
    if !(least..=BLOCK_BYTES_MAX).contains(&first) || first % 4 != 0 {
        return Err(Stop::Damaged(Damage::BlockLength(first)));
    }
    let length = first as usize;
    let last = order.u32(bytes, at + length - 4).ok_or(Stop::Incomplete { needs: length })?;
    if first != last {
        return Err(Stop::Damaged(Damage::TrailingLength { first, last }));
    }
    Ok(BlockAt { block_type, start: at, length })
}

/// The byte order that a section header's magic states.
pub(in crate::capture) fn section_order(header: &[u8]) -> Option<ByteOrder> {
    match ByteOrder::Little.u32(header, 8)? {
        0x1a2b_3c4d => Some(ByteOrder::Little),
        0x4d3c_2b1a => Some(ByteOrder::Big),
        _ => None,
    }
}

/// Whether a packet block holds its packet and names one of the section's `interfaces`.
///
/// Looks at no more than the block's head, so that the walk stays quick.
///
/// Gives the index of that interface.
///
/// # Errors
/// What is wrong, as a clause that follows "the packet".
pub(in crate::capture) fn check_packet(
    block: &[u8],
    block_type: u32,
    order: ByteOrder,
    interfaces: usize,
) -> Result<u32, String> {
    let (interface, captured, head) = match block_type {
        block_type::ENHANCED_PACKET => (order.u32(block, 8), order.u32(block, 20), 32),
        block_type::OBSOLETE_PACKET => (order.u16(block, 8).map(u32::from), order.u32(block, 20), 32),
        _ => (Some(0), Some(0), 16),
    };
    let (Some(interface), Some(captured), true) = (interface, captured, block.len() >= head) else {
        return Err(format!("has a block of only {} bytes", block.len()));
    };
    if interface as usize >= interfaces {
        return Err(format!("was captured on interface {interface}, which the file does not describe"));
    }
    if captured as usize > block.len() - head {
        return Err(format!("claims {captured} bytes, its block has room for {}", block.len() - head));
    }
    Ok(interface)
}

/// Reads the packet block that starts at `start`; `None` for every other block.
pub(in crate::capture) fn packet(bytes: &[u8], start: usize, order: ByteOrder) -> Option<RawPacket<'_>> {
    let length = order.u32(bytes, start + 4)? as usize;
    let block = bytes.get(start..start + length)?;
    let parsed = match order {
        ByteOrder::Little => parse_block_le(block),
        ByteOrder::Big => parse_block_be(block),
    };
    match parsed {
        Ok((_, Block::EnhancedPacket(packet))) => Some(RawPacket {
            interface: packet.if_id,
            ticks: Some(u64::from(packet.ts_high) << 32 | u64::from(packet.ts_low)),
            bytes: packet.data.get(..packet.caplen as usize)?,
            wire_length: packet.origlen.max(packet.caplen),
        }),
        Ok((_, Block::SimplePacket(packet))) => {
            Some(RawPacket { interface: 0, ticks: None, bytes: packet.data, wire_length: packet.origlen })
        }
        // The obsolete packet block, or an enhanced one whose options make no sense while its packet does.
        _ => packet_by_hand(block, order),
    }
}

fn packet_by_hand(block: &[u8], order: ByteOrder) -> Option<RawPacket<'_>> {
    let interface = match order.u32(block, 0)? {
        block_type::ENHANCED_PACKET => order.u32(block, 8)?,
        block_type::OBSOLETE_PACKET => u32::from(order.u16(block, 8)?),
        _ => return None,
    };
    let ticks = u64::from(order.u32(block, 12)?) << 32 | u64::from(order.u32(block, 16)?);
    let captured = order.u32(block, 20)?;
    Some(RawPacket {
        interface,
        ticks: Some(ticks),
        bytes: block.get(28..)?.get(..captured as usize)?,
        wire_length: order.u32(block, 24)?.max(captured),
    })
}

/// Whether reading can go on at `at`: a whole block of a known type whose two lengths agree.
///
/// `Err` says how many bytes the answer needs.
pub(in crate::capture) fn is_block_at(bytes: &[u8], at: usize, order: ByteOrder, at_end: bool) -> Result<bool, usize> {
    if !at_end && bytes.len() < at + BLOCK_FRAME_BYTES {
        return Err(BLOCK_FRAME_BYTES);
    }
    let known = order.u32(bytes, at).is_some_and(|block_type| {
        matches!(
            block_type,
            block_type::SECTION | block_type::INTERFACE
                ..=block_type::ENHANCED_PACKET
                    | block_type::JOURNAL
                    | block_type::SECRETS
                    | block_type::CUSTOM
                    | block_type::CUSTOM_NOT_COPIED
        )
    });
    if !known {
        return Ok(false);
    }
    match block_at(bytes, at, order) {
        Ok(block) => Ok(block.length <= RESUME_BLOCK_BYTES_MAX as usize),
        Err(Stop::Incomplete { needs }) if !at_end && needs <= RESUME_BLOCK_BYTES_MAX as usize => Err(needs),
        Err(_) => Ok(false),
    }
}
