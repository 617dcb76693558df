//! The staircase: captures in, an [`Analysis`] out; the library's front door.

mod batch;
mod call_field;
mod collector;
mod extract;
mod facts;
mod fitness;
mod narrow;
mod narrowing;
mod path;
mod peers;
mod read;
mod result;
mod run;
mod selection;
mod undecoded;

pub use batch::IcmpSeen;
pub use call_field::{CallField, CallFields, CallRow, FieldKind, FieldValue, group_word, text, texts};
pub use extract::{ExtractError, check_extractable, extract};
pub use facts::{Facts, HeaderUses, beside_caller, word};
pub use narrowing::Narrowing;
pub use path::CallPath;
pub use result::{Analysis, CallEntry, CaptureEntry, Fitness, Peer, RegistrationEntry, Undecoded};
pub use run::{Options, Progress, analyze, analyze_sources};
pub use selection::{Pick, PickError, Selection};
