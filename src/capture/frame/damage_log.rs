//! Damage met while reading one file: listed in full for the first few, then counted.

use crate::capture::{Weakness, WeaknessKind};

/// Weaknesses of one file that are listed one by one.
const LISTED_MAX: usize = 16;

/// The weaknesses of a file, in the order in which they were met.
#[derive(Debug, Default)]
pub(in crate::capture) struct DamageLog {
    listed: Vec<Weakness>,
    unlisted: u64,
}

impl DamageLog {
    /// Adds one; `detail` is asked for only where it will be listed.
    pub(in crate::capture) fn push(&mut self, kind: WeaknessKind, frame: u64, detail: impl FnOnce() -> String) {
        if self.listed.len() >= LISTED_MAX {
            self.unlisted += 1;
            return;
        }
        let frame = u32::try_from(frame).ok().filter(|&frame| frame > 0);
        self.listed.push(Weakness { kind, frame, detail: detail() });
    }

    /// All that is listed, and how many more there were.
    pub(in crate::capture) fn weaknesses(&self) -> Vec<Weakness> {
        let mut weaknesses = self.listed.clone();
        if self.unlisted > 0 {
            weaknesses.push(Weakness {
                kind: WeaknessKind::DamagedRecord,
                frame: None,
                detail: format!("{} more places in the file are damaged", self.unlisted),
            });
        }
        weaknesses
    }
}
