//! The walker: finds where records start, whichever the format.

use crate::capture::format::pcap;
use crate::capture::format::pcapng::{self, block_type};
use crate::capture::format::section::Sections;
use crate::capture::format::walk::Stop;
use crate::capture::frame::damage_log::DamageLog;
use crate::capture::reader::window::{Shape, Window};
use crate::capture::{LinkType, WeaknessKind};

/// The state of a walk from record to record through one file.
#[derive(Debug)]
pub(in crate::capture) enum Walker {
    Pcap(pcap::Layout),
    PcapNg(Sections),
}

impl Walker {
    /// Prepares a cleared window for the records behind record number `frames`.
    pub(in crate::capture) fn begin(&self, window: &mut Window, frames: u64) {
        window.first_port = match self {
            Self::Pcap(_) => 0,
            Self::PcapNg(sections) => sections.first_interface,
        };
        window.begin_stretch(self.shape(), number(frames + 1));
    }

    /// Gives a window what its worker needs beside the records.
    pub(in crate::capture) fn end(&self, window: &mut Window) {
        if let Self::PcapNg(sections) = self {
            window.ports.extend_from_slice(sections.ports.get(window.first_port..).unwrap_or_default());
        }
    }

    /// Notes the starts of the window's whole packet records from `at` on; moves `at` behind what was understood.
    ///
    /// `frames` is the number of the last record and is counted on.
    pub(in crate::capture) fn walk(
        &mut self,
        window: &mut Window,
        at: &mut usize,
        frames: &mut u64,
        damage: &mut DamageLog,
    ) -> Stop {
        match self {
            Self::Pcap(layout) => {
                let known = window.starts.len();
                let bytes = window.bytes.get(..window.filled).unwrap_or_default();
                let stop = layout.walk(bytes, at, &mut window.starts);
                *frames += (window.starts.len() - known) as u64;
                stop
            }
            Self::PcapNg(sections) => walk_blocks(sections, window, at, frames, damage),
        }
    }

    /// Whether reading can go on at `at`; `Err` says how many bytes the answer needs.
    pub(in crate::capture) fn is_record_at(
        &self,
        bytes: &[u8],
        at: usize,
        near: &[u32],
        at_end: bool,
    ) -> Result<bool, usize> {
        match self {
            Self::Pcap(layout) => layout.is_record_at(bytes, at, near, at_end),
            Self::PcapNg(sections) => pcapng::is_block_at(bytes, at, sections.order, at_end),
        }
    }

    /// Link types in the order of their first packet.
    pub(in crate::capture) fn link_types(&self) -> Vec<LinkType> {
        match self {
            Self::Pcap(layout) => vec![layout.link_type],
            Self::PcapNg(sections) => sections.link_types.clone(),
        }
    }

    fn shape(&self) -> Shape {
        match self {
            Self::Pcap(layout) => Shape::Pcap(*layout),
            Self::PcapNg(sections) => section_shape(sections),
        }
    }
}

fn section_shape(sections: &Sections) -> Shape {
    Shape::PcapNg { order: sections.order, first_interface: sections.first_interface }
}

fn number(frame: u64) -> u32 {
    u32::try_from(frame).unwrap_or(u32::MAX)
}

fn walk_blocks(
    sections: &mut Sections,
    window: &mut Window,
    at: &mut usize,
    frames: &mut u64,
    damage: &mut DamageLog,
) -> Stop {
    loop {
        let bytes = window.bytes.get(..window.filled).unwrap_or_default();
        let found = match pcapng::block_at(bytes, *at, sections.order) {
            Ok(found) => found,
            Err(stop) => return stop,
        };
        let block = bytes.get(found.start..found.start + found.length).unwrap_or_default();
        *at += found.length;
        match found.block_type {
            block_type::ENHANCED_PACKET | block_type::SIMPLE_PACKET | block_type::OBSOLETE_PACKET => {
                let count = sections.interface_count();
                match pcapng::check_packet(block, found.block_type, sections.order, count) {
                    Ok(interface) => {
                        sections.mark_used(interface);
                        // Windows are far shorter than 4 GiB.
                        window.starts.push(found.start as u32);
                        *frames += 1;
                    }
                    Err(what) => damage.push(WeaknessKind::DamagedRecord, *frames, || {
                        format!("the packet after frame {frames} {what}; it was skipped and not numbered")
                    }),
                }
            }
            other => {
                sections.push(block, other);
                let is_numbered =
                    matches!(other, block_type::JOURNAL | block_type::CUSTOM | block_type::CUSTOM_NOT_COPIED);
                if is_numbered {
                    *frames += 1;
                }
                if is_numbered || other == block_type::SECTION {
                    window.begin_stretch(section_shape(sections), number(*frames + 1));
                }
            }
        }
    }
}
