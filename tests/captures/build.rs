//! Writers of small captures.

/// Byte order of what is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Little,
    Big,
}

impl End {
    pub(super) fn u16(self, number: u16) -> [u8; 2] {
        if self == Self::Little { number.to_le_bytes() } else { number.to_be_bytes() }
    }

    pub(super) fn u32(self, number: u32) -> [u8; 4] {
        if self == Self::Little { number.to_le_bytes() } else { number.to_be_bytes() }
    }

    pub(super) fn u64(self, number: u64) -> [u8; 8] {
        if self == Self::Little { number.to_le_bytes() } else { number.to_be_bytes() }
    }
}

/// Second in which the captures start.
pub(super) const START: u32 = 1_700_000_000;

pub(super) fn pcap_header(end: End, magic: u32, network: u32) -> Vec<u8> {
    let words = [magic, 0x0002_0004, 0, 0, 65_535, network];
    words.iter().flat_map(|&word| end.u32(word)).collect()
}

pub(super) fn pcap_record(end: End, second: u32, fraction: u32, packet: &[u8], wire: u32) -> Vec<u8> {
    let words = [second, fraction, packet.len() as u32, wire];
    let mut record: Vec<u8> = words.iter().flat_map(|&word| end.u32(word)).collect();
    record.extend_from_slice(packet);
    record
}

/// The payload of packet `index`: 20 to 60 bytes that differ from packet to packet.
pub(super) fn packet(index: u32) -> Vec<u8> {
    (0..20 + index % 41).map(|at| (index + at) as u8 | 1).collect()
}

/// A pcap of `count` packets, one a second.
pub(super) fn pcap(count: u32) -> Vec<u8> {
    let mut file = pcap_header(End::Little, 0xa1b2_c3d4, 1);
    for index in 0..count {
        let packet = packet(index);
        file.extend(pcap_record(End::Little, START + index, 0, &packet, packet.len() as u32));
    }
    file
}

pub(super) fn block(end: End, block_type: u32, body: &[u8]) -> Vec<u8> {
    let padded = body.len().next_multiple_of(4);
    let length = end.u32(padded as u32 + 12);
    let mut block = end.u32(block_type).to_vec();
    block.extend(length);
    block.extend_from_slice(body);
    block.resize(8 + padded, 0);
    block.extend(length);
    block
}

pub(super) fn section(end: End) -> Vec<u8> {
    let mut body = end.u32(0x1a2b_3c4d).to_vec();
    body.extend(end.u16(1));
    body.extend(end.u16(0));
    body.extend(end.u64(u64::MAX));
    block(end, 0x0a0d_0d0a, &body)
}

pub(super) fn options(end: End, options: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (code, value) in options {
        bytes.extend(end.u16(*code));
        bytes.extend(end.u16(value.len() as u16));
        bytes.extend_from_slice(value);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
    }
    if !bytes.is_empty() {
        bytes.extend([0; 4]);
    }
    bytes
}

pub(super) fn interface(end: End, link_type: u16, snap_length: u32, with: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let mut body = end.u16(link_type).to_vec();
    body.extend(end.u16(0));
    body.extend(end.u32(snap_length));
    body.extend(options(end, with));
    block(end, 1, &body)
}

pub(super) fn enhanced(end: End, interface: u32, ticks: u64, packet: &[u8], wire: u32) -> Vec<u8> {
    let mut body = end.u32(interface).to_vec();
    body.extend(end.u32((ticks >> 32) as u32));
    body.extend(end.u32(ticks as u32));
    body.extend(end.u32(packet.len() as u32));
    body.extend(end.u32(wire));
    body.extend_from_slice(packet);
    block(end, 6, &body)
}

pub(super) fn simple(end: End, packet: &[u8], wire: u32) -> Vec<u8> {
    let mut body = end.u32(wire).to_vec();
    body.extend_from_slice(packet);
    block(end, 3, &body)
}

pub(super) fn obsolete(end: End, interface: u16, ticks: u64, packet: &[u8], wire: u32) -> Vec<u8> {
    let mut body = end.u16(interface).to_vec();
    body.extend(end.u16(0));
    body.extend(end.u32((ticks >> 32) as u32));
    body.extend(end.u32(ticks as u32));
    body.extend(end.u32(packet.len() as u32));
    body.extend(end.u32(wire));
    body.extend_from_slice(packet);
    block(end, 2, &body)
}

/// Ticks of a microsecond clock, `index` seconds after the start.
pub(super) fn ticks(index: u32) -> u64 {
    u64::from(START + index) * 1_000_000
}

/// A pcapng of one interface and `count` packets, one a second.
pub(super) fn pcapng(end: End, count: u32) -> Vec<u8> {
    let mut file = section(end);
    file.extend(interface(end, 1, 0, &[]));
    for index in 0..count {
        let packet = packet(index);
        file.extend(enhanced(end, 0, ticks(index), &packet, packet.len() as u32));
    }
    file
}
