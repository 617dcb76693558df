//! Compressed input becomes capture bytes, as a stream and in bounded memory.
//!
//! Sources: RFC 1952 (gzip), RFC 8878 (zstd, section 3.1.2 skippable frames), LZ4 frame format 1.6.

use std::io::{self, BufReader, Read};

use bzip2::bufread::MultiBzDecoder;
use flate2::bufread::MultiGzDecoder;
use lzma_rust2::XzReader;
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use crate::capture::format::sniff::{Compression, SKIPPABLE_MAGIC};

/// A stream of bytes that a worker thread may own.
pub(in crate::capture) type Stream = Box<dyn Read + Send>;

/// Bytes of compressed data held for a decoder.
const COMPRESSED_BUFFER_BYTES: usize = 256 << 10;
/// Largest window that a zstd frame may ask for: what `zstd --long` writes and reads without further options (2^27).
const ZSTD_WINDOW_BYTES_MAX: u64 = 128 << 20;
/// Memory that an xz stream may ask for, in KiB: three times what `xz -9` needs.
const XZ_MEMORY_KIB_MAX: u32 = 192 << 10;

/// Decompresses `input`, all members, frames or streams of it.
pub(in crate::capture) fn decompress(input: Stream, compression: Compression) -> Stream {
    let input = BufReader::with_capacity(COMPRESSED_BUFFER_BYTES, input);
    match compression {
        Compression::Gzip => Box::new(MultiGzDecoder::new(input)),
        Compression::Bzip2 => Box::new(MultiBzDecoder::new(input)),
        Compression::Xz => Box::new(XzReader::new_mem_limit(input, true, XZ_MEMORY_KIB_MAX)),
        Compression::Zstd => Box::new(ZstdFrames::new(FrameStarts::new(input))),
        Compression::Lz4 => Box::new(Lz4Frames {
            decoder: lz4_flex::frame::FrameDecoder::new(FrameStarts::new(input)),
            is_between_frames: true,
        }),
    }
}

/// A stream of zstd or LZ4 frames that can look at the number which opens the next one.
struct FrameStarts<R> {
    input: R,
    ahead: [u8; 4],
    ahead_length: usize,
}

impl<R: Read> FrameStarts<R> {
    fn new(input: R) -> Self {
        Self { input, ahead: [0; 4], ahead_length: 0 }
    }

    /// Leaves skippable frames out; `false` where the stream ends.
    ///
    /// To be asked between frames only.
    fn is_at_frame(&mut self) -> io::Result<bool> {
        loop {
            self.ahead_length = read_full(&mut self.input, &mut self.ahead).map_err(|(_, error)| error)?;
            if self.ahead_length == 0 {
                return Ok(false);
            }
            let is_skippable = u32::from_le_bytes(self.ahead) & !0xf == SKIPPABLE_MAGIC;
            if self.ahead_length < self.ahead.len() || !is_skippable {
                // Turned round because reading takes the held bytes from the end.
                self.ahead[..self.ahead_length].reverse();
                return Ok(true);
            }
            self.ahead_length = 0;
            let mut length = [0; 4];
            self.input.read_exact(&mut length)?;
            let length = u64::from(u32::from_le_bytes(length));
            if io::copy(&mut self.input.by_ref().take(length), &mut io::sink())? < length {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}

impl<R: Read> Read for FrameStarts<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.ahead_length == 0 {
            return self.input.read(buffer);
        }
        let mut taken = 0;
        for (place, &byte) in buffer.iter_mut().zip(self.ahead[..self.ahead_length].iter().rev()) {
            *place = byte;
            taken += 1;
        }
        self.ahead_length -= taken;
        Ok(taken)
    }
}

/// Reads until `buffer` is full or the input ends; says how many bytes came.
///
/// # Errors
/// The input's error, with how many bytes came before it.
pub(in crate::capture) fn read_full(input: &mut impl Read, buffer: &mut [u8]) -> Result<usize, (usize, io::Error)> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match input.read(rest) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err((filled, error)),
        }
    }
    Ok(filled)
}

struct ZstdFrames<R> {
    input: FrameStarts<R>,
    decoder: FrameDecoder,
    is_between_frames: bool,
}

impl<R: Read> ZstdFrames<R> {
    fn new(input: FrameStarts<R>) -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(ZSTD_WINDOW_BYTES_MAX);
        Self { input, decoder, is_between_frames: true }
    }
}

impl<R: Read> Read for ZstdFrames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.is_between_frames {
                if !self.input.is_at_frame()? {
                    return Ok(0);
                }
                self.decoder.reset(&mut self.input).map_err(io::Error::other)?;
                self.is_between_frames = false;
            }
            if self.decoder.can_collect() > 0 {
                return self.decoder.read(buffer);
            }
            if self.decoder.is_finished() {
                self.is_between_frames = true;
                continue;
            }
            self.decoder
                .decode_blocks(&mut self.input, BlockDecodingStrategy::UptoBlocks(1))
                // The decoder's own words are those of a programmer and wrap one another three deep.
                .map_err(|_| io::Error::other("a block is cut off or damaged"))?;
        }
    }
}

struct Lz4Frames<R: Read> {
    decoder: lz4_flex::frame::FrameDecoder<FrameStarts<R>>,
    is_between_frames: bool,
}

impl<R: Read> Read for Lz4Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.is_between_frames && !self.decoder.get_mut().is_at_frame()? {
                return Ok(0);
            }
            self.is_between_frames = false;
            match self.decoder.read(buffer)? {
                0 => self.is_between_frames = true,
                count => return Ok(count),
            }
        }
    }
}
