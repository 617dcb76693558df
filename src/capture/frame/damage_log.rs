//! Damage met while reading one file: told in full for the first few, then counted.

use crate::capture::{Weakness, WeaknessKind};

/// Weaknesses of one file that are told one by one.
const TOLD_MAX: usize = 16;

/// The weaknesses of a file, in the order in which they were met.
#[derive(Debug, Default)]
pub(in crate::capture) struct DamageLog {
    told: Vec<Weakness>,
    untold: u64,
}

impl DamageLog {
    /// Adds one; `detail` is asked for only where it will be told.
    pub(in crate::capture) fn push(&mut self, kind: WeaknessKind, frame: u64, detail: impl FnOnce() -> String) {
        if self.told.len() >= TOLD_MAX {
            self.untold += 1;
            return;
        }
        let frame = u32::try_from(frame).ok().filter(|&frame| frame > 0);
        self.told.push(Weakness { kind, frame, detail: detail() });
    }

    /// All that was told, and how many more there were.
    pub(in crate::capture) fn weaknesses(&self) -> Vec<Weakness> {
        let mut weaknesses = self.told.clone();
        if self.untold > 0 {
            weaknesses.push(Weakness {
                kind: WeaknessKind::DamagedRecord,
                frame: None,
                detail: format!("{} more places in the file are damaged", self.untold),
            });
        }
        weaknesses
    }
}
