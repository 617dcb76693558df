//! Extraction: a second reading of the captures, which writes the frames of a selection as they were captured.

use std::collections::HashMap;
use std::io::{self, Write};
use std::net::IpAddr;

use crate::analysis::run::Progress;
use crate::analysis::selection::{Selection, has};
use crate::capture::{Frame, OpenError, Reader, Source, Timestamp, Window, Writer};
use crate::net::{self, FRAGMENT_WAIT, IcmpError, Packet, Payload};
use crate::sip::{HeaderName, HeaderSpan, Message};

/// Why an extraction ended early; prints as one line for the user.
#[derive(Debug, thiserror::Error)]
pub enum ExtractError {
    /// Such input is gone once it was read.
    #[error("{}: can be read only once, and extracting reads twice; save it to a file first", .0.display())]
    Pipe(std::path::PathBuf),
    /// A capture cannot be opened any more.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The output cannot be written.
    #[error("cannot be written: {0}")]
    Write(#[from] io::Error),
}

/// A fragmented datagram: addresses, identification, protocol.
type DatagramKey = (IpAddr, IpAddr, u32, u8);

/// Fragmented datagrams, with the times of the frames that completed them.
type Datagrams = HashMap<DatagramKey, Vec<Timestamp>>;

/// Refuses input that cannot be read twice.
///
/// # Errors
/// [`ExtractError::Pipe`] for the first such source.
pub fn check_extractable(sources: &[Source]) -> Result<(), ExtractError> {
    match sources.iter().find(|source| source.bytes.is_none()) {
        Some(pipe) => Err(ExtractError::Pipe(pipe.path.clone())),
        None => Ok(()),
    }
}

/// Writes the frames of `selection` to `out`, a pcapng, in the order of the captures; gives how many they are.
///
/// `sources` are those that the analysis was made of, in the same order.
///
/// # Errors
/// Where a capture cannot be read again, or `out` cannot be written.
pub fn extract(
    sources: &[Source],
    selection: &Selection,
    out: &mut dyn Write,
    progress: &mut dyn FnMut(Progress),
) -> Result<u64, ExtractError> {
    check_extractable(sources)?;
    let bytes_total = sources.iter().map(|source| source.bytes).sum::<Option<u64>>();
    let mut writer = Writer::new(out)?;
    let mut bytes_done = 0;
    for (number, source) in sources.iter().enumerate() {
        let file = u16::try_from(number).unwrap_or(u16::MAX);
        let datagrams = fragmented(source, file, selection)?;
        let mut chooser = Chooser {
            selection,
            datagrams: &datagrams,
            needs_packets: !datagrams.is_empty() || selection.needs_packets(),
            spans: Vec::new(),
        };
        let mut reader = Reader::open(source, file)?;
        let mut window = Window::new();
        while reader.next_window(&mut window) {
            for frame in window.frames() {
                if chooser.wants(&frame) {
                    let name = reader.interface(frame.interface);
                    writer.push(&frame, name.and_then(|interface| interface.name.as_deref()))?;
                }
            }
            progress(Progress { bytes_done: bytes_done + reader.position(), bytes_total });
        }
        bytes_done += source.bytes.unwrap_or(0);
    }
    Ok(writer.finish()?)
}

/// The fragmented datagrams of a selection in one capture.
fn fragmented(source: &Source, file: u16, selection: &Selection) -> Result<Datagrams, OpenError> {
    let mut datagrams = Datagrams::new();
    if !selection.fragmented.iter().any(|at| at.file == file) {
        return Ok(datagrams);
    }
    let mut reader = Reader::open(source, file)?;
    let mut window = Window::new();
    while reader.next_window(&mut window) {
        for frame in window.frames().filter(|f| selection.fragmented.contains(&f.at)) {
            // What a frame gives before it is skipped counts; the analysis named the rest.
            let _ = net::decode(&frame, &mut |packet: Packet<'_>| {
                if let Some(key) = datagram_key(&packet) {
                    datagrams.entry(key).or_default().push(packet.time);
                }
            });
        }
    }
    Ok(datagrams)
}

fn datagram_key(packet: &Packet<'_>) -> Option<DatagramKey> {
    let Payload::Fragment { id, protocol, .. } = packet.payload else {
        return None;
    };
    let flow = packet.flow;
    Some((flow.source.address, flow.destination.address, id, protocol))
}

/// Decides about one frame after the other.
struct Chooser<'a> {
    selection: &'a Selection,
    datagrams: &'a Datagrams,
    needs_packets: bool,
    spans: Vec<HeaderSpan>,
}

impl Chooser<'_> {
    fn wants(&mut self, frame: &Frame<'_>) -> bool {
        if self.selection.frames.contains(&frame.at) {
            return true;
        }
        if !self.needs_packets {
            return false;
        }
        let shift = self.selection.shifts.get(&(frame.at.file, frame.interface));
        let shift = shift.copied().unwrap_or(0);
        let time = Timestamp::from_nanoseconds(frame.time.nanoseconds().saturating_add(shift));
        let mut is_wanted = false;
        let _ = net::decode(frame, &mut |packet: Packet<'_>| {
            is_wanted |= self.wants_packet(&packet, time);
        });
        is_wanted
    }

    fn wants_packet(&mut self, packet: &Packet<'_>, time: Timestamp) -> bool {
        let selection = self.selection;
        let flow = packet.flow;
        match packet.payload {
            Payload::Segment(_) => selection.connections.contains(&flow) || selection.is_piece(flow, packet.at),
            Payload::Fragment { .. } => {
                let key = datagram_key(packet);
                let completed = key.and_then(|key| self.datagrams.get(&key));
                completed
                    .into_iter()
                    .flatten()
                    .any(|time| time.since(packet.time).max(packet.time.since(*time)) <= FRAGMENT_WAIT)
            }
            Payload::Datagram(_) => {
                let ends = [flow.source, flow.destination];
                ends.iter().any(|end| has(selection.media.get(end), time))
            }
            Payload::Icmp(error) => selection.wants_error(&error, time, &mut self.spans),
            Payload::Sctp(_) | Payload::Forwarded { .. } => false,
        }
    }
}

impl Selection {
    /// Whether frames other than those known by number may belong to it.
    fn needs_packets(&self) -> bool {
        !self.pieces.is_empty() || !self.connections.is_empty() || !self.flows.is_empty() || !self.media.is_empty()
    }

    /// An error belongs to the messages whose Call-ID it quotes; a quote without one has addresses and time alone.
    fn wants_error(&self, error: &IcmpError<'_>, time: Timestamp, spans: &mut Vec<HeaderSpan>) -> bool {
        let (source, destination) = (error.quoted.source, error.quoted.destination);
        if let Some(message) = Message::parse(error.bytes, true, spans) {
            return match message.value(HeaderName::CallId) {
                Some(call_id) => self.call_ids.contains(call_id),
                None => has(self.flows.get(&(source.address, destination.address)), time),
            };
        }
        [source, destination].iter().any(|end| has(self.media.get(end), time))
    }
}
