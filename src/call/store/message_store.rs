//! The messages of a run once all of them are in, with the tables that they refer to; building calls sorts them, then they only are read.

use crate::call::store::fast_map::FastMap;
use crate::call::store::message::{GroupId, Message};
use crate::call::store::messages::{MessageRange, Messages};
use crate::call::store::string_arena::TextId;
use crate::call::store::tables::Tables;
use crate::sip::DefectKind;

/// Defects by the digest of the request.
pub type Defects = FastMap<u64, Vec<RequestDefect>>;

/// What is wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestDefect {
    /// What sort of defect.
    pub kind: DefectKind,
    /// A sentence that says it and quotes the part concerned.
    pub sentence: TextId,
}

/// All messages of a run, by Call-ID and then in the order of capture, and what they refer to.
#[derive(Debug, Default)]
pub struct MessageStore {
    /// Look-up of every id.
    pub tables: Tables,
    /// By group, then by time.
    pub messages: Messages,
    /// Where the messages of each group lie.
    pub groups: Vec<MessageRange>,
    /// Captured copies of messages.
    pub copies: u64,
    /// What is wrong with requests that open a call or a registration, by digest of the message.
    pub defects: Defects,
    /// Capture points by file and interface.
    pub taps: Vec<(u16, u16)>,
    /// What was added to the times of each capture point, in nanoseconds.
    pub shifts: Vec<i64>,
}

impl MessageStore {
    /// The messages of a leg, or in any other range within one Call-ID, in the order of capture; a slice of the store itself.
    pub fn messages_of(&self, range: impl Into<MessageRange>) -> &[Message] {
        self.messages.within(range.into())
    }

    /// Every message of a Call-ID: part by part where it holds several, each part in the order of capture.
    pub fn messages_of_group(&self, group: GroupId) -> &[Message] {
        self.groups.get(group.0 as usize).map_or(&[], |range| self.messages.within(*range))
    }
}

/// One Call-ID's part of a call: a range of the store's messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leg {
    /// The Call-ID.
    pub call_id: TextId,
    /// Where its messages lie.
    pub messages: MessageRange,
}

impl From<&Leg> for MessageRange {
    fn from(leg: &Leg) -> Self {
        leg.messages
    }
}
