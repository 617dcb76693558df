//! A search for the next whole record behind a damaged one, and what is said of it.

use crate::capture::WeaknessKind;
use crate::capture::format::walk::Damage;

/// A search for the next whole record behind a damaged one.
#[derive(Debug, Clone, Copy)]
pub(in crate::capture) struct Search {
    damage: Damage,
    /// Where in the capture the damaged record begins.
    pub(in crate::capture) from: u64,
    /// Whether nothing but zeros was met so far.
    pub(in crate::capture) is_all_zeros: bool,
}

impl Search {
    pub(in crate::capture) fn new(damage: Damage, from: u64, is_all_zeros: bool) -> Self {
        Self { damage, from, is_all_zeros }
    }

    /// Whether it was begun because the input ends within a record.
    pub(in crate::capture) fn is_for_cut(&self) -> bool {
        matches!(self.damage, Damage::Cut { .. })
    }

    /// The kind of weakness where nothing was found.
    pub(in crate::capture) fn kind(&self) -> WeaknessKind {
        if self.is_all_zeros || self.is_for_cut() { WeaknessKind::TruncatedFile } else { WeaknessKind::DamagedRecord }
    }

    /// What is said where reading went on `skipped` bytes behind the damage; `frames` come before it.
    pub(in crate::capture) fn skipped_text(&self, frames: u64, skipped: u64) -> String {
        let Self { damage, from, .. } = self;
        format!(
            "the record at byte {from}, after frame {frames}, is damaged: {damage}; {skipped} bytes were skipped, and later \
             frame numbers do not count what they held"
        )
    }

    /// What is said where nothing was found up to the byte `end`; `frames` come before the damage.
    pub(in crate::capture) fn end_text(&self, frames: u64, end: u64) -> String {
        let Self { damage, from, is_all_zeros } = self;
        let length = end - from;
        match damage {
            _ if *is_all_zeros => {
                format!(
                    "from byte {from} on, after frame {frames}, there are only zeros: {length} bytes were looked at"
                )
            }
            Damage::Cut { lacks } => format!(
                "the capture ends at byte {end} in the middle of the record that begins at byte {from}, after frame {frames}; \
                 at least {lacks} bytes are missing"
            ),
            _ => format!(
                "the record at byte {from}, after frame {frames}, is damaged: {damage}; no whole record was found in the \
                 {length} bytes from there on"
            ),
        }
    }
}
