//! Batches: what a worker makes of one window of frames, without looking at any other window.

use std::collections::BTreeMap;

use crate::call::beside::dns::DnsSeen;
use crate::call::{Arrival, MessageBatch};
use crate::capture::{Times, Window};
use crate::net::{self, IcmpError, Packet, Payload, Segment, Skip, Transport};
use crate::sip::{self, Seed, Sift};

/// Reasons that one batch distinguishes; forged frames may carry any protocol number.
const SKIPS_MAX: usize = 256;

/// What one window held.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// Messages that were whole in one frame.
    pub(super) messages: MessageBatch,
    /// Packets that only make sense beside others: segments, fragments, SCTP.
    packets: Vec<(Packet<'static>, PayloadRange)>,
    bytes: Vec<u8>,
    /// ICMP errors.
    pub(super) errors: Vec<IcmpSeen>,
    /// Questions to DNS and its answers.
    pub(super) dns: Vec<DnsSeen>,
    /// Why frames gave nothing.
    pub(super) skips: BTreeMap<Skip, u64>,
    /// RTP and RTCP packets.
    pub(super) media_packets: u64,
    /// Frames of SIP messages that the snap length cut.
    pub(super) cut_messages: u64,
    /// Times of all frames.
    pub(super) times: Times,
    /// Stored bytes read so far.
    pub(super) position: u64,
    /// TLS key logs that the capture brought along since the batch before.
    pub(super) secrets: Vec<u8>,
}

/// Where the payload of a packet lies.
#[derive(Debug, Clone, Copy)]
struct PayloadRange {
    start: usize,
    end: usize,
}

/// An ICMP error, with what it quotes of a datagram.
#[derive(Debug, Clone)]
pub struct IcmpSeen {
    /// The packet's marks, and what it reports; its quoted bytes are in `quoted`.
    pub packet: Packet<'static>,
    /// The report without its quoted bytes.
    pub error: IcmpError<'static>,
    /// The first bytes that are quoted, as many as a SIP start line and its top headers need.
    pub quoted: Vec<u8>,
}

/// Bytes kept of a datagram that an ICMP error quotes.
const QUOTED_BYTES_MAX: usize = 600;

impl Batch {
    pub(super) fn clear(&mut self) {
        self.messages.clear();
        self.packets.clear();
        self.bytes.clear();
        self.errors.clear();
        self.dns.clear();
        self.skips.clear();
        self.media_packets = 0;
        self.cut_messages = 0;
        self.times = Times::default();
        self.secrets.clear();
    }

    /// Reads every frame of a window.
    pub(super) fn read(&mut self, window: &Window, seed: &Seed) {
        window.frames().for_each(|frame| {
            self.times.push(&frame);
            let decoded = net::decode(&frame, &mut |packet| self.take(&packet, seed));
            if let Err(skip) = decoded {
                self.skip(skip);
            }
        });
    }

    fn skip(&mut self, skip: Skip) {
        if self.skips.len() < SKIPS_MAX || self.skips.contains_key(&skip) {
            *self.skips.entry(skip).or_default() += 1;
        }
    }

    /// The packets that need others, in the order of capture.
    pub(super) fn packets(&self) -> impl Iterator<Item = Packet<'_>> {
        self.packets.iter().map(|(packet, range)| {
            let bytes = self.bytes.get(range.start..range.end).unwrap_or_default();
            let payload = match packet.payload {
                Payload::Segment(segment) => Payload::Segment(Segment { bytes, ..segment }),
                Payload::Fragment { id, protocol, offset, more, .. } => {
                    Payload::Fragment { id, protocol, offset, more, bytes }
                }
                _ => Payload::Sctp(bytes),
            };
            Packet { payload, ..*packet }
        })
    }

    fn take(&mut self, packet: &Packet<'_>, seed: &Seed) {
        match packet.payload {
            Payload::Datagram(bytes) => self.take_datagram(packet, Transport::Udp, bytes, seed),
            Payload::Forwarded { transport, bytes } => self.take_datagram(packet, transport, bytes, seed),
            Payload::Segment(segment) => {
                self.push_packet(packet, Payload::Segment(Segment { bytes: &[], ..segment }), segment.bytes)
            }
            Payload::Fragment { id, protocol, offset, more, bytes } => {
                self.push_packet(packet, Payload::Fragment { id, protocol, offset, more, bytes: &[] }, bytes);
            }
            Payload::Sctp(bytes) => self.push_packet(packet, Payload::Sctp(&[]), bytes),
            Payload::Icmp(error) => {
                let quoted = error.bytes.get(..QUOTED_BYTES_MAX).unwrap_or(error.bytes).to_vec();
                let error = IcmpError { bytes: &[], ..error };
                self.errors.push(IcmpSeen {
                    packet: Packet { payload: Payload::Icmp(error), ..*packet },
                    error,
                    quoted,
                });
            }
        }
    }

    fn take_dns(&mut self, packet: &Packet<'_>, bytes: &[u8]) {
        match net::read_dns(bytes) {
            Some(message) => self.dns.push(DnsSeen { at: packet.at, time: packet.time, flow: packet.flow, message }),
            None => self.skip(Skip::Bystander(net::bystander(packet.flow, bytes))),
        }
    }

    fn push_packet(&mut self, packet: &Packet<'_>, payload: Payload<'static>, bytes: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        self.packets.push((Packet { payload, ..*packet }, PayloadRange { start, end: self.bytes.len() }));
    }

    fn take_datagram(&mut self, packet: &Packet<'_>, transport: Transport, bytes: &[u8], seed: &Seed) {
        // What begins with a letter is nearly always SIP, whose start line need not be read twice to find out.
        let is_text = bytes.first().is_some_and(u8::is_ascii_alphabetic);
        if is_text && self.push_message(packet, transport, bytes, seed) {
            return;
        }
        match sip::sift(bytes) {
            Sift::Sip => {
                self.push_message(packet, transport, bytes, seed);
            }
            // The number that a question begins with may look like anything.
            _ if net::is_dns(packet.flow) => self.take_dns(packet, bytes),
            Sift::Rtp { .. } | Sift::Rtcp => self.media_packets += 1,
            Sift::KeepAlive => {}
            Sift::Other => self.skip(Skip::Bystander(net::bystander(packet.flow, bytes))),
        }
    }

    /// Keeps the message in a datagram; gives whether there is one.
    fn push_message(&mut self, packet: &Packet<'_>, transport: Transport, bytes: &[u8], seed: &Seed) -> bool {
        let arrival = Arrival {
            at: packet.at,
            time: packet.time,
            flow: packet.flow,
            transport,
            trace: packet.trace,
            place: 0,
            fragments: 1,
            is_cut: packet.is_cut,
            is_incomplete: false,
        };
        let is_message = self.messages.push(bytes, arrival, seed);
        self.cut_messages += u64::from(is_message && packet.is_cut);
        is_message
    }
}
