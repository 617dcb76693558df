//! The defects of one message while they are looked for.

use crate::sip::message::Message;
use crate::sip::message::defect::{Defect, DefectKind};

/// Defects of one message that are listed; a message that has more is no SIP.
const DEFECTS_MAX: usize = 32;

/// Defects while they are collected.
pub(super) struct Findings<'m, 'a> {
    message: &'m Message<'a>,
    defects: Vec<Defect>,
}

impl<'m, 'a> Findings<'m, 'a> {
    pub(super) fn new(message: &'m Message<'a>) -> Self {
        Self { message, defects: Vec::new() }
    }

    /// In the order in which they were found.
    pub(super) fn into_defects(self) -> Vec<Defect> {
        self.defects
    }

    /// Notes a defect of `part`, a slice of the message; an empty part stands for something missing.
    pub(super) fn blame(&mut self, kind: DefectKind, part: &[u8]) {
        let offset = if part.is_empty() { 0 } else { self.message.offset_of(part) };
        let defect = Defect { kind, offset, length: part.len() as u32 };
        if self.defects.len() < DEFECTS_MAX && !self.defects.contains(&defect) {
            self.defects.push(defect);
        }
    }
}
