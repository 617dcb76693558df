//! Capture files and pipes become frames; the only floor that opens input.

mod format;
mod frame;
mod input;
mod reader;
mod writer;

pub use format::sniff::{Compression, Format};
pub use frame::interface::Interface;
pub use frame::pause::{Pause, watched_since};
pub use frame::summary::FileSummary;
pub use frame::times::Times;
pub use frame::weakness::{Weakness, WeaknessKind};
pub use frame::{Frame, FrameRef, LinkType, Timestamp};
pub use input::key_log::read_key_log;
pub use input::open_error::{OpenError, OpenProblem};
pub use reader::Reader;
pub use reader::find::{Sources, find};
pub use reader::source::Source;
pub use reader::window::{Frames, Window};
pub use writer::Writer;
