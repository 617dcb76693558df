//! Capture files and pipes become frames; the only floor that opens input.

mod byte_order;
mod damage_log;
mod decompress;
mod frame;
mod input;
mod interface;
mod key_log;
mod link_type;
mod open_error;
mod pause;
mod pcap;
mod pcapng;
mod reader;
mod search;
mod section;
mod sniff;
mod source;
mod summary;
mod times;
mod walk;
mod walker;
mod weakness;
mod window;
mod writer;

#[cfg(test)]
mod tests;

pub use frame::{Frame, FrameRef, LinkType, Timestamp};
pub use interface::Interface;
pub use key_log::read_key_log;
pub use open_error::{OpenError, OpenProblem};
pub use pause::{Pause, watched_since};
pub use reader::Reader;
pub use sniff::{Compression, Format};
pub use source::{Source, Sources, find};
pub use summary::FileSummary;
pub use times::Times;
pub use weakness::{Weakness, WeaknessKind};
pub use window::{Frames, Window};
pub use writer::Writer;
