//! The header index: one pass over the lines of a message that notes where each header stands.
//!
//! Source: RFC 3261 sections 7.3.1 and 25.1 (folding, blanks before the colon).

use crate::sip::message::defect::{DefectKind, DefectSet};
use crate::sip::message::header_name::HeaderName;
use crate::sip::message::lines::{LineParts, Numbering};
use crate::sip::syntax::places::Places;

/// Header lines that are indexed; real messages have below a hundred.
pub const HEADERS_MAX: usize = 1024;

/// Where one header stands in its message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeaderSpan {
    /// The header.
    pub name: HeaderName,
    /// Whether the value goes on in further lines (folding); its line ends count as blanks.
    pub is_folded: bool,
    /// Whether the message ends inside this header, or so directly behind it that it may have gone on.
    pub is_cut: bool,
    /// First byte of the line.
    pub start: u32,
    /// End of the name as sent.
    pub name_end: u32,
    /// First byte of the value.
    pub value_start: u32,
    /// End of the value, blanks at its end left out.
    pub value_end: u32,
    /// Number of its line where lines are numbered; a folded header has none.
    pub line: Option<u32>,
}

/// The header index while it is built.
pub(in crate::sip) struct Index<'a> {
    bytes: &'a [u8],
    /// The headers met so far.
    pub spans: &'a mut Vec<HeaderSpan>,
    /// The set of their names.
    pub present: u128,
    /// Which of `spans` is the last Content-Length.
    pub content_length: Option<usize>,
    /// What was wrong on the way.
    pub defects: DefectSet,
    /// Lines met before, where they are numbered.
    pub numbering: Option<Numbering<'a>>,
}

impl<'a> Index<'a> {
    pub(in crate::sip) fn new(bytes: &'a [u8], spans: &'a mut Vec<HeaderSpan>, defects: DefectSet) -> Self {
        Self { bytes, spans, present: 0, content_length: None, defects, numbering: None }
    }

    /// Indexes the header lines from `position` on; gives where the body begins.
    pub(in crate::sip) fn read(&mut self, mut position: usize) -> usize {
        let start = position;
        let bytes = self.bytes;
        for line_feed in Places::of(bytes.get(start..).unwrap_or_default(), [b'\n']) {
            let end = start + line_feed;
            let line = bytes.get(position..end).unwrap_or_default();
            let content = line.strip_suffix(b"\r").unwrap_or_else(|| {
                self.defects.insert(DefectKind::BareLineFeed);
                line
            });
            if content.is_empty() {
                return end + 1;
            }
            self.line(position, content);
            position = end + 1;
        }
        self.end_inside_headers(position);
        bytes.len()
    }

    fn end_inside_headers(&mut self, position: usize) {
        self.defects.insert(DefectKind::NoBlankLine);
        let rest = self.bytes.get(position..).unwrap_or_default();
        let content = rest.strip_suffix(b"\r").unwrap_or(rest);
        if !content.is_empty() {
            // What the end of the message cut off is no fault of this line.
            let defects = self.defects;
            self.line(position, content);
            self.defects = defects;
        }
        if let Some(last) = self.spans.last_mut() {
            last.is_cut = true;
        }
    }

    fn line(&mut self, start: usize, line: &[u8]) {
        if matches!(line.first(), Some(b' ' | b'\t')) {
            return self.fold(start, line);
        }
        if self.spans.len() >= HEADERS_MAX {
            if let Some(numbering) = &mut self.numbering {
                numbering.pass(line);
            }
            self.defects.insert(DefectKind::TooManyHeaders);
            return;
        }
        let (parts, number) = match &mut self.numbering {
            Some(numbering) => {
                let (parts, number) = numbering.line(line);
                (parts, Some(number))
            }
            None => (LineParts::of(line), None),
        };
        if !parts.has_colon {
            self.defects.insert(DefectKind::NoColon);
        }
        self.push(start as u32, parts, number);
    }

    fn push(&mut self, start: u32, parts: LineParts, line: Option<u32>) {
        let name = parts.name;
        if name == HeaderName::ContentLength {
            self.content_length = Some(self.spans.len());
        }
        if self.present & name.bit() != 0 && name.is_single() {
            self.defects.insert(DefectKind::Duplicate);
        }
        self.present |= name.bit();
        self.spans.push(HeaderSpan {
            name,
            is_folded: false,
            is_cut: false,
            start,
            name_end: start + parts.name_end,
            value_start: start + parts.value_start,
            value_end: start + parts.value_end,
            line,
        });
    }

    /// A line that begins with a blank continues the header before it.
    fn fold(&mut self, start: usize, line: &[u8]) {
        if let Some(numbering) = &mut self.numbering {
            numbering.pass(line);
        }
        let Some(last) = self.spans.last_mut() else {
            self.defects.insert(DefectKind::FoldAtStart);
            return;
        };
        last.is_folded = true;
        last.line = None;
        let content = line.trim_ascii_start();
        if content.is_empty() {
            return;
        }
        let content_start = start + line.len() - content.len();
        if last.value_end <= last.value_start {
            last.value_start = content_start as u32;
        }
        last.value_end = (content_start + content.trim_ascii_end().len()) as u32;
    }
}
