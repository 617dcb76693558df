//! The writer: frames go out as a pcapng with nanoseconds that Wireshark reads.
//!
//! Source: draft-ietf-opsawg-pcapng sections 4.1 (section header), 4.2 (interface description) and 4.3 (enhanced packet).

use std::collections::HashMap;
use std::io::{self, Write};

use crate::capture::{Frame, LinkType};

const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const ENHANCED_PACKET: u32 = 6;
/// Bytes of a block beside its body: type, and length twice.
const FRAMING_BYTES: usize = 12;
/// Options if_name, if_tsresol and shb_userappl.
const IF_NAME: u16 = 2;
const IF_TSRESOL: u16 = 9;
const SHB_USERAPPL: u16 = 4;
/// Bytes of an interface name that are kept.
const NAME_BYTES_MAX: usize = 255;

/// Writes one pcapng; every interface of every capture that frames come from is described before its first frame.
#[derive(Debug)]
pub struct Writer<W: Write> {
    out: W,
    interfaces: HashMap<(u16, u16, LinkType), u32>,
    frames: u64,
}

impl<W: Write> Writer<W> {
    /// Begins a capture on `out`.
    ///
    /// # Errors
    /// What `out` says.
    pub fn new(out: W) -> io::Result<Self> {
        let mut writer = Self { out, interfaces: HashMap::new(), frames: 0 };
        let mut body = Vec::new();
        // The magic tells the byte order; the section's length is not known beforehand.
        body.extend_from_slice(&0x1a2b_3c4d_u32.to_le_bytes());
        body.extend_from_slice(&1_u16.to_le_bytes());
        body.extend_from_slice(&0_u16.to_le_bytes());
        body.extend_from_slice(&u64::MAX.to_le_bytes());
        push_option(&mut body, SHB_USERAPPL, b"sipscan");
        push_option(&mut body, 0, b"");
        writer.block(SECTION, &body)?;
        Ok(writer)
    }

    /// Writes a frame as it was captured; `name` is its interface's, where the capture tells one.
    ///
    /// Frames from before 1970 get the time 0: the format has no earlier one.
    ///
    /// # Errors
    /// What the output says.
    pub fn push(&mut self, frame: &Frame<'_>, name: Option<&str>) -> io::Result<()> {
        let interface = self.interface(frame, name)?;
        let time = u64::try_from(frame.time.nanoseconds()).unwrap_or(0);
        let captured = u32::try_from(frame.bytes.len()).unwrap_or(u32::MAX);
        let mut body = Vec::with_capacity(frame.bytes.len() + 24);
        for field in [interface, (time >> 32) as u32, time as u32, captured, frame.wire_length.max(captured)] {
            body.extend_from_slice(&field.to_le_bytes());
        }
        push_padded(&mut body, frame.bytes);
        self.frames += 1;
        self.block(ENHANCED_PACKET, &body)
    }

    /// Hands the rest to the output; gives how many frames were written.
    ///
    /// # Errors
    /// What the output says.
    pub fn finish(mut self) -> io::Result<u64> {
        self.out.flush()?;
        Ok(self.frames)
    }

    fn interface(&mut self, frame: &Frame<'_>, name: Option<&str>) -> io::Result<u32> {
        let key = (frame.at.file, frame.interface, frame.link_type);
        if let Some(&number) = self.interfaces.get(&key) {
            return Ok(number);
        }
        let number = u32::try_from(self.interfaces.len()).unwrap_or(u32::MAX);
        self.interfaces.insert(key, number);
        let mut body = Vec::new();
        body.extend_from_slice(&frame.link_type.0.to_le_bytes());
        body.extend_from_slice(&0_u16.to_le_bytes());
        // No snap length of this file's own: what each frame was cut to stands at the frame.
        body.extend_from_slice(&0_u32.to_le_bytes());
        if let Some(name) = name.filter(|name| !name.is_empty()) {
            let bytes = name.as_bytes();
            push_option(&mut body, IF_NAME, bytes.get(..NAME_BYTES_MAX).unwrap_or(bytes));
        }
        push_option(&mut body, IF_TSRESOL, &[9]);
        push_option(&mut body, 0, b"");
        self.block(INTERFACE, &body)?;
        Ok(number)
    }

    fn block(&mut self, kind: u32, body: &[u8]) -> io::Result<()> {
        let length = u32::try_from(body.len() + FRAMING_BYTES)
            .map_err(|_| io::Error::other("a frame is longer than a pcapng block can be"))?;
        self.out.write_all(&kind.to_le_bytes())?;
        self.out.write_all(&length.to_le_bytes())?;
        self.out.write_all(body)?;
        self.out.write_all(&length.to_le_bytes())
    }
}

fn push_option(body: &mut Vec<u8>, code: u16, value: &[u8]) {
    body.extend_from_slice(&code.to_le_bytes());
    body.extend_from_slice(&u16::try_from(value.len()).unwrap_or(0).to_le_bytes());
    push_padded(body, value);
}

/// Appends `bytes` and zeros up to the next multiple of 4.
fn push_padded(body: &mut Vec<u8>, bytes: &[u8]) {
    body.extend_from_slice(bytes);
    body.resize(body.len().next_multiple_of(4), 0);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::{FrameRef, Reader, Source, Times, Timestamp, Window};

    #[test]
    fn what_is_written_reads_back_the_same() {
        let frame = |file, interface, link_type, time, bytes| Frame {
            at: FrameRef { file, frame: 1 },
            time: Timestamp::from_nanoseconds(time),
            link_type: LinkType(link_type),
            interface,
            bytes,
            wire_length: 60,
        };
        let frames = [
            frame(0, 0, 1, 1_500_000_000_123_456_789, &b"ethernet"[..]),
            frame(1, 4, 113, 1_500_000_000_123_456_790, &b"cooked!"[..]),
            frame(0, 0, 1, 0, &b""[..]),
            frame(0, 0, 101, -5, &b"raw"[..]),
        ];
        let mut bytes = Vec::new();
        let mut writer = Writer::new(&mut bytes).expect("memory takes it");
        for one in &frames {
            let name = (one.at.file == 1).then_some("eth7");
            writer.push(one, name).expect("memory takes it");
        }
        assert_eq!(4, writer.finish().expect("memory takes it"));
        let input = Box::new(io::Cursor::new(bytes));
        let source = Source::from_read("out.pcapng".into(), input).expect("a capture");
        let mut reader = Reader::open(&source, 0).expect("a capture");
        let mut window = Window::new();
        assert!(reader.next_window(&mut window));
        let read: Vec<_> = window.frames().collect();
        assert_eq!(4, read.len());
        for (before, after) in frames.iter().zip(&read) {
            assert_eq!(before.bytes, after.bytes);
            assert_eq!(before.link_type, after.link_type);
            assert_eq!(60, after.wire_length);
            assert_eq!(before.time.nanoseconds().max(0), after.time.nanoseconds());
        }
        assert_eq!(0, read[2].interface);
        let summary = reader.summary(&Times::default());
        assert!(summary.weaknesses.is_empty(), "{:?}", summary.weaknesses);
        let names: Vec<_> = summary.interfaces.iter().map(|i| i.name.clone()).collect();
        assert_eq!([None, Some("eth7".to_owned()), None], names[..]);
    }
}
