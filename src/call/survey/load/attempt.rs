//! Attempts: the INVITEs that were sent to a node, each with its fate there, and the channels that calls took of it.

use crate::call::outcome::call_index::CallIndex;
use crate::call::store::endpoint::NodeId;
use crate::call::store::string_arena::TextId;
use crate::call::survey::load::words::RefusalWords;
use crate::capture::Timestamp;

/// Hops of one call that are looked at; a forged call may have any number.
pub(super) const HOPS_MAX: usize = 256;

/// What became of an INVITE at the node that it was sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fate {
    /// Taken: it rang, was answered, or was cancelled before anything else happened.
    Taken,
    /// Refused by the node itself, before it rang.
    Refused,
    /// Refused by a node behind it, as the capture shows.
    Behind,
    /// Never answered at all.
    Silent,
    /// Redirected, challenged, or not seen to its end.
    Other,
}

/// One INVITE at a node.
#[derive(Debug, Clone, Copy)]
pub struct Attempt {
    /// Index of the call.
    pub call: CallIndex,
    /// Place of the hop in the call.
    pub hop: u32,
    /// Who sent it.
    pub source: NodeId,
    /// The number or user that was called.
    pub callee: TextId,
    /// When it was first sent.
    pub sent: Timestamp,
    /// What became of it.
    pub fate: Fate,
    /// Its final code, 0 where none came.
    pub code: u16,
    /// Whether the call ended with what happened here.
    pub decides: bool,
    /// Time to the first response of any kind in milliseconds.
    pub reply_ms: Option<f32>,
    /// Time to the first response beyond 100 in milliseconds.
    pub progress_ms: Option<f32>,
    /// Time to the final response in milliseconds.
    pub final_ms: Option<f32>,
    /// What the refusal says; empty unless refused.
    pub words: RefusalWords,
}

impl Attempt {
    /// Whether the node itself refused it before it rang.
    pub fn is_refused(&self) -> bool {
        self.fate == Fate::Refused
    }
}

/// A call that occupied a channel of a node.
#[derive(Debug, Clone, Copy)]
pub(super) struct Channel {
    pub(super) start: Timestamp,
    pub(super) end: Timestamp,
    /// Who sent it to the node; `None` where the node sent it, or where that was before the capture.
    pub(super) source: Option<NodeId>,
    /// The node sent it.
    pub(super) is_from_node: bool,
}
