//! The reader: one capture becomes windows of whole records, in order.
//!
//! Little is done here for each record, because this is the one step that cannot be shared among workers.

pub(in crate::capture) mod find;
pub(in crate::capture) mod source;
pub(in crate::capture) mod walker;
pub(in crate::capture) mod window;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::capture::format::pcap;
use crate::capture::format::search::Search;
use crate::capture::format::section::Sections;
use crate::capture::format::sniff::{Compression, Format};
use crate::capture::format::walk::{Damage, Stop};
use crate::capture::frame::damage_log::DamageLog;
use crate::capture::input::decompress::{Stream, read_full};
use crate::capture::input::{self, Opened};
use crate::capture::reader::walker::Walker;
use crate::capture::{FileSummary, OpenError, OpenProblem, Source, Times, Timestamp, WeaknessKind, Window};

/// Bytes of a window: one stays in a core's own cache together with what is made of it, until that is filed.
const WINDOW_BYTES: usize = 384 << 10;
/// Bytes searched for the next whole record behind damage before reading stops.
const SEARCH_BYTES_MAX: u64 = 16 << 20;

/// Reads one capture, window by window.
pub struct Reader {
    path: PathBuf,
    /// Stored bytes where known beforehand.
    bytes: Option<u64>,
    compression: Option<Compression>,
    file: u16,
    window_bytes: usize,
    input: Stream,
    position: Arc<AtomicU64>,
    walker: Walker,
    /// Start of a record whose end has not been read.
    carry: Vec<u8>,
    is_input_over: bool,
    is_finished: bool,
    /// Where the bytes of the next window begin in the capture.
    offset: u64,
    /// Number of the last record.
    frames: u64,
    time_before: Timestamp,
    search: Option<Search>,
    /// Seconds of the first and the last record; the last may be garbage already, taken for a record.
    seconds: Vec<u32>,
    damage: DamageLog,
    /// Bytes of key logs that [`Reader::new_secrets`] has handed out.
    handed_out_secrets: usize,
    /// Why the input broke off.
    broken: Option<String>,
}

/// What a search came to.
enum Sought {
    Found,
    Needs(usize),
    Nothing,
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("path", &self.path).field("frames", &self.frames).finish_non_exhaustive()
    }
}

impl Reader {
    /// Opens `source`, whose frames will say that they come from capture number `file` of the run.
    ///
    /// # Errors
    /// [`OpenError`] where the file is gone or has become something else since it was found, or where a pipe was opened
    /// before.
    pub fn open(source: &Source, file: u16) -> Result<Self, OpenError> {
        Self::with_window_bytes(source, file, WINDOW_BYTES)
    }

    /// Like [`Reader::open`], with windows of about `window_bytes`; a longer record gets a window of its own length.
    ///
    /// # Errors
    /// As [`Reader::open`].
    pub fn with_window_bytes(source: &Source, file: u16, window_bytes: usize) -> Result<Self, OpenError> {
        let opened = input::open(&source.path, input::bytes_of(&source.path, &source.input)?)?;
        let mut reader = Self::new(source.path.clone(), opened, window_bytes)?;
        reader.file = file;
        reader.bytes = source.bytes;
        Ok(reader)
    }

    pub(in crate::capture) fn new(path: PathBuf, opened: Opened, window_bytes: usize) -> Result<Self, OpenError> {
        let Opened { format, compression, stream: mut input, position } = opened;
        let (walker, offset) = match format {
            Format::PcapNg => (Walker::PcapNg(Sections::new()), 0),
            Format::Pcap => {
                let mut header = [0; pcap::FILE_HEADER_BYTES];
                let count = read_full(&mut input, &mut header).unwrap_or_else(|(count, _)| count);
                let layout = header.get(..count).and_then(pcap::Layout::parse).ok_or_else(|| {
                    let text = format!("ends within the file header of a pcap: it has {count} bytes of 24");
                    OpenError::new(&path, OpenProblem::NotACapture(text))
                })?;
                (Walker::Pcap(layout), pcap::FILE_HEADER_BYTES as u64)
            }
        };
        Ok(Self {
            path,
            bytes: None,
            compression,
            file: 0,
            window_bytes: window_bytes.max(1),
            input,
            position,
            walker,
            carry: Vec::new(),
            is_input_over: false,
            is_finished: false,
            offset,
            frames: 0,
            time_before: Timestamp::default(),
            search: None,
            seconds: Vec::new(),
            damage: DamageLog::default(),
            handed_out_secrets: 0,
            broken: None,
        })
    }

    /// Fills `window` with the next whole records; `false` where there are none left, and the window is empty.
    ///
    /// Where windows begin depends on the capture alone, not on the sizes in which a pipe gives its bytes.
    pub fn next_window(&mut self, window: &mut Window) -> bool {
        window.clear(self.file, self.time_before);
        if self.is_finished {
            return false;
        }
        self.walker.begin(window, self.frames);
        window.put(&self.carry);
        self.carry.clear();
        let mut at = 0;
        let mut target = self.window_bytes;
        loop {
            self.fill(window, target);
            let needs = match self.advance(window, &mut at) {
                Some(needs) => needs,
                None => break,
            };
            if self.is_input_over {
                if at == window.filled {
                    self.is_finished = true;
                    break;
                }
                let lacks = needs.saturating_sub(window.filled - at);
                self.begin_search(window, &mut at, Damage::Cut { lacks });
            } else if window.starts.is_empty() {
                window.drop_front(at);
                self.offset += at as u64;
                at = 0;
                target = self.window_bytes.max(needs);
            } else {
                break;
            }
        }
        self.carry.extend_from_slice(window.bytes.get(at..window.filled).unwrap_or_default());
        self.offset += at as u64;
        self.note_seconds(window);
        self.walker.end(window);
        self.time_before = window.last_time();
        !window.starts.is_empty()
    }

    /// Stored bytes taken so far, compressed ones where the capture is compressed.
    pub fn position(&self) -> u64 {
        self.position.load(Ordering::Relaxed)
    }

    /// The interface that frames call by this number, as far as the capture has described it; `None` for classic pcap.
    pub fn interface(&self, number: u16) -> Option<&super::Interface> {
        match &self.walker {
            Walker::Pcap(_) => None,
            Walker::PcapNg(sections) => sections.interfaces.get(usize::from(number)),
        }
    }

    /// TLS key logs in the capture that were read since this was last asked; they stand before the packets that need them.
    pub fn new_secrets(&mut self) -> &[u8] {
        let Walker::PcapNg(sections) = &self.walker else {
            return &[];
        };
        let known = std::mem::replace(&mut self.handed_out_secrets, sections.secrets.len());
        sections.secrets.get(known..).unwrap_or_default()
    }

    /// What is known of the file; complete once [`Reader::next_window`] has said `false`.
    ///
    /// `times` are those of all its frames.
    pub fn summary(&self, times: &Times) -> FileSummary {
        let mut weaknesses = self.damage.weaknesses();
        let (interfaces, secrets) = match &self.walker {
            Walker::Pcap(_) => (Vec::new(), Vec::new()),
            Walker::PcapNg(sections) => {
                weaknesses.extend(sections.weaknesses());
                (sections.interfaces.clone(), sections.secrets.clone())
            }
        };
        weaknesses.extend(times.weakness());
        FileSummary {
            frames: self.frames,
            bytes: self.bytes.unwrap_or_else(|| self.position()),
            capture_bytes: self.offset,
            first_at: times.earliest(),
            last_at: times.latest(),
            pauses: times.pauses(),
            link_types: self.walker.link_types(),
            dropped: interfaces.iter().map(super::Interface::dropped).fold(0, u64::saturating_add),
            interfaces,
            secrets,
            weaknesses,
        }
    }

    fn fill(&mut self, window: &mut Window, target: usize) {
        if self.is_input_over || window.filled >= target {
            return;
        }
        let (filled, end) = input::fill(&mut self.input, &mut window.bytes, window.filled, target);
        window.filled = filled;
        let Some(error) = end else { return };
        self.is_input_over = true;
        let Some(error) = error else { return };
        let of = self.compression.map_or("input", Compression::word);
        self.broken = Some(format!("the {of} data breaks off ({error})"));
    }

    /// Walks on, past damage too; says how many bytes the record at `at` needs, `None` where reading is over.
    fn advance(&mut self, window: &mut Window, at: &mut usize) -> Option<usize> {
        loop {
            match self.seek(window, at) {
                Sought::Found => {}
                Sought::Needs(needs) => return Some(needs),
                Sought::Nothing => {
                    self.is_finished = true;
                    return None;
                }
            }
            match self.walker.walk(window, at, &mut self.frames, &mut self.damage) {
                Stop::Incomplete { needs } if *at == window.filled && self.is_input_over => {
                    self.note_break(window.filled);
                    return Some(needs);
                }
                Stop::Incomplete { needs } => return Some(needs),
                Stop::Damaged(damage) => self.begin_search(window, at, damage),
            }
        }
    }

    fn begin_search(&mut self, window: &Window, at: &mut usize, damage: Damage) {
        let bytes = window.bytes.get(..window.filled).unwrap_or_default();
        self.note_seconds(window);
        self.search = Some(Search::new(damage, self.offset + *at as u64, bytes.get(*at) == Some(&0)));
        // The damaged record itself must not be found again.
        *at += 1;
    }

    /// Moves `at` to the next record that makes sense, where one is searched for.
    fn seek(&mut self, window: &Window, at: &mut usize) -> Sought {
        let Some(mut search) = self.search.take() else {
            return Sought::Found;
        };
        let bytes = window.bytes.get(..window.filled).unwrap_or_default();
        while let Some(&byte) = bytes.get(*at) {
            let skipped = self.offset + *at as u64 - search.from;
            if skipped > SEARCH_BYTES_MAX {
                break;
            }
            match self.walker.is_record_at(bytes, *at, &self.seconds, self.is_input_over) {
                Ok(true) => {
                    let frames = self.frames;
                    self.damage.push(WeaknessKind::DamagedRecord, frames, || search.skipped_text(frames, skipped));
                    return Sought::Found;
                }
                Ok(false) => search.is_all_zeros &= byte == 0,
                Err(needs) => {
                    self.search = Some(search);
                    return Sought::Needs(needs);
                }
            }
            *at += 1;
        }
        if *at == bytes.len() && !self.is_input_over {
            self.search = Some(search);
            return Sought::Needs(1);
        }
        let (frames, end) = (self.frames, self.offset + *at as u64);
        // A record cut by the break needs no word of its own.
        if self.broken.is_none() || !search.is_for_cut() {
            self.damage.push(search.kind(), frames, || search.end_text(frames, end));
        }
        self.note_break(*at);
        Sought::Nothing
    }

    /// Keeps the seconds of the first and the last record of a classic pcap, which searches go by.
    fn note_seconds(&mut self, window: &Window) {
        let Walker::Pcap(layout) = &self.walker else {
            return;
        };
        let bytes = window.bytes.get(..window.filled).unwrap_or_default();
        let second = |start: Option<&u32>| layout.second(bytes, *start? as usize);
        let first = self.seconds.first().copied().or_else(|| second(window.starts.first()));
        let last = second(window.starts.last()).or(self.seconds.last().copied());
        self.seconds = first.into_iter().chain(last).collect();
    }

    /// Says once why the input broke off.
    fn note_break(&mut self, at: usize) {
        let Some(reason) = self.broken.take() else {
            return;
        };
        let (frames, end) = (self.frames, self.offset + at as u64);
        self.damage.push(WeaknessKind::TruncatedFile, frames, || {
            format!("{reason} after {end} bytes of capture and frame {frames}; what came before was read")
        });
    }
}
