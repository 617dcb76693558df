//! A window: a few hundred kilobytes of whole records, which one worker turns into frames.

use crate::capture::format::byte_order::ByteOrder;
use crate::capture::format::{pcap, pcapng};
use crate::capture::frame::interface::Port;
use crate::capture::{Frame, FrameRef, Timestamp};

/// Bytes that a window keeps for its next filling; one that held a huge record gives the rest back.
const KEPT_BYTES_MAX: usize = 8 << 20;

/// Whole records of one capture, as they stand in the file.
///
/// Filled by a [`Reader`](super::Reader); its buffers are kept when it is filled again.
#[derive(Debug, Default)]
pub struct Window {
    pub(in crate::capture) file: u16,
    /// Longer than what was read: the rest is left over from earlier fillings.
    pub(in crate::capture) bytes: Vec<u8>,
    pub(in crate::capture) filled: usize,
    /// Where each packet's record starts.
    pub(in crate::capture) starts: Vec<u32>,
    pub(in crate::capture) stretches: Vec<Stretch>,
    /// Interfaces of the file from `first_port` on, as far as the records here need them.
    pub(in crate::capture) ports: Vec<Port>,
    pub(in crate::capture) first_port: usize,
    /// Time of the last frame before the window, for packets that have none.
    pub(in crate::capture) time_before: Timestamp,
}

/// Records that are read the same way and numbered without a gap.
#[derive(Debug, Clone, Copy)]
pub(in crate::capture) struct Stretch {
    /// Index of its first record in [`Window::starts`].
    pub(in crate::capture) first: usize,
    /// Number of that record.
    pub(in crate::capture) number: u32,
    pub(in crate::capture) shape: Shape,
}

/// How the records of a stretch are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::capture) enum Shape {
    Pcap(pcap::Layout),
    PcapNg {
        order: ByteOrder,
        /// The file's number of the section's interface 0.
        first_interface: usize,
    },
}

impl Window {
    /// An empty window, to be filled.
    pub fn new() -> Self {
        Self::default()
    }

    /// The frames in the order of the file, each decoded as it is asked for.
    pub fn frames(&self) -> Frames<'_> {
        Frames {
            window: self,
            next: 0,
            number: 0,
            stretch: None,
            stretch_end: 0,
            later: &self.stretches,
            time: self.time_before,
        }
    }

    pub(in crate::capture) fn clear(&mut self, file: u16, time_before: Timestamp) {
        self.file = file;
        self.filled = 0;
        if self.bytes.len() > KEPT_BYTES_MAX {
            self.bytes = Vec::new();
        }
        self.starts.clear();
        self.stretches.clear();
        self.ports.clear();
        self.time_before = time_before;
    }

    /// Lays `bytes` down at the start of a cleared window.
    pub(in crate::capture) fn put(&mut self, bytes: &[u8]) {
        if self.bytes.len() < bytes.len() {
            self.bytes.resize(bytes.len(), 0);
        }
        if let Some(room) = self.bytes.get_mut(..bytes.len()) {
            room.copy_from_slice(bytes);
            self.filled = bytes.len();
        }
    }

    /// Forgets the first `count` bytes, which must hold no packet that is still wanted.
    pub(in crate::capture) fn drop_front(&mut self, count: usize) {
        self.bytes.copy_within(count..self.filled, 0);
        self.filled -= count;
    }

    /// From the next record on, records have `shape`; the first one is frame `number`.
    pub(in crate::capture) fn begin_stretch(&mut self, shape: Shape, number: u32) {
        let first = self.starts.len();
        let stretch = Stretch { first, number, shape };
        match self.stretches.last_mut() {
            Some(last) if last.first == first => *last = stretch,
            _ => self.stretches.push(stretch),
        }
    }

    /// Time of the last frame, or of the last one before the window.
    ///
    /// Looks from the end for a packet that has a time of its own.
    pub(in crate::capture) fn last_time(&self) -> Timestamp {
        let mut end = self.starts.len();
        for stretch in self.stretches.iter().rev() {
            for &start in self.starts.get(stretch.first..end).unwrap_or_default().iter().rev() {
                if let Some(time) = self.own_time(start as usize, stretch.shape) {
                    return time;
                }
            }
            end = stretch.first;
        }
        self.time_before
    }

    fn own_time(&self, start: usize, shape: Shape) -> Option<Timestamp> {
        let bytes = self.bytes.get(..self.filled)?;
        match shape {
            Shape::Pcap(layout) => Some(layout.packet(bytes, start)?.time),
            Shape::PcapNg { order, first_interface } => {
                let packet = pcapng::packet(bytes, start, order)?;
                Some(self.port(packet.interface, first_interface)?.clock.time(packet.ticks?))
            }
        }
    }

    fn port(&self, interface: u32, first_interface: usize) -> Option<&Port> {
        self.ports.get((first_interface + interface as usize).checked_sub(self.first_port)?)
    }
}

/// Iterator over the frames of a [`Window`].
#[derive(Debug, Clone)]
pub struct Frames<'a> {
    window: &'a Window,
    /// Index of the next record.
    next: usize,
    /// Number of the next record.
    number: u32,
    stretch: Option<Shape>,
    stretch_end: usize,
    later: &'a [Stretch],
    /// Time of the last frame.
    time: Timestamp,
}

impl<'a> Iterator for Frames<'a> {
    type Item = Frame<'a>;

    fn next(&mut self) -> Option<Frame<'a>> {
        loop {
            while self.next >= self.stretch_end {
                self.enter_stretch()?;
            }
            let start = *self.window.starts.get(self.next)? as usize;
            let number = self.number;
            self.next += 1;
            self.number = self.number.saturating_add(1);
            if let Some(frame) = self.frame(start, self.stretch.as_ref()?, number) {
                self.time = frame.time;
                return Some(frame);
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (0, Some(self.window.starts.len().saturating_sub(self.next)))
    }

    /// As going on with `next` would do, but all frames of a stretch are read in one loop: most frames are media, of which little
    /// more than the record's head is read.
    fn fold<B, F: FnMut(B, Frame<'a>) -> B>(mut self, init: B, mut take: F) -> B {
        let mut all = init;
        loop {
            let range = self.next..self.stretch_end;
            let starts = self.window.starts.get(range).unwrap_or_default();
            for (step, start) in (0..).zip(starts) {
                let (start, number) = (*start as usize, self.number.saturating_add(step));
                let frame = match &self.stretch {
                    Some(Shape::Pcap(layout)) => self.pcap_frame(start, layout, number),
                    Some(shape) => self.frame(start, shape, number),
                    None => None,
                };
                if let Some(frame) = frame {
                    self.time = frame.time;
                    all = take(all, frame);
                }
            }
            self.next = self.stretch_end;
            if self.enter_stretch().is_none() {
                return all;
            }
        }
    }
}

impl<'a> Frames<'a> {
    fn enter_stretch(&mut self) -> Option<()> {
        let (stretch, later) = self.later.split_first()?;
        self.later = later;
        self.stretch = Some(stretch.shape);
        self.number = stretch.number;
        self.stretch_end = later.first().map_or(self.window.starts.len(), |next| next.first);
        Some(())
    }

    #[inline]
    fn pcap_frame(&self, start: usize, layout: &pcap::Layout, number: u32) -> Option<Frame<'a>> {
        let bytes = self.window.bytes.get(..self.window.filled)?;
        let packet = layout.packet(bytes, start)?;
        Some(Frame {
            at: self.at(number),
            time: packet.time,
            link_type: layout.link_type,
            interface: 0,
            bytes: packet.bytes,
            wire_length: packet.wire_length,
        })
    }

    fn at(&self, number: u32) -> FrameRef {
        FrameRef { file: self.window.file, frame: number }
    }

    fn frame(&self, start: usize, shape: &Shape, number: u32) -> Option<Frame<'a>> {
        let bytes = self.window.bytes.get(..self.window.filled)?;
        let at = self.at(number);
        match *shape {
            Shape::Pcap(ref layout) => self.pcap_frame(start, layout, number),
            Shape::PcapNg { order, first_interface } => {
                let packet = pcapng::packet(bytes, start, order)?;
                let port = self.window.port(packet.interface, first_interface)?;
                Some(Frame {
                    at,
                    time: packet.ticks.map_or(self.time, |ticks| port.clock.time(ticks)),
                    link_type: port.link_type,
                    interface: u16::try_from(first_interface + packet.interface as usize).unwrap_or(u16::MAX),
                    bytes: without_padding(&packet, port),
                    wire_length: packet.wire_length,
                })
            }
        }
    }
}

/// A simple packet block does not say how much was captured: all of the packet, or as much as its interface keeps.
fn without_padding<'a>(packet: &pcapng::RawPacket<'a>, port: &Port) -> &'a [u8] {
    if packet.ticks.is_some() {
        return packet.bytes;
    }
    let captured = packet.wire_length.min(port.snap_length);
    packet.bytes.get(..captured as usize).unwrap_or(packet.bytes)
}
