//! What is kept of a SIP message: a small fixed record whose texts are interned.

use crate::call::store::endpoint::EndpointId;
use crate::call::store::header_list::HeaderListId;
use crate::call::store::session::SessionId;
use crate::call::store::string_arena::TextId;
use crate::call::store::via_stack::ViaId;
use crate::capture::{FrameRef, Timestamp};
use crate::net::{Trace, Transport};
use crate::sip::{Method, StatusCode};

/// All messages of one Call-ID: the number of the group in the order of first sight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct GroupId(pub u32);

/// Request or response, RFC 3261 section 7.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MessageKind {
    /// A request with its method.
    Request(Method),
    /// A response with its status code.
    Response(StatusCode),
}

/// Facts about a message that are either so or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MessageFlags(u16);

macro_rules! flags {
    ($($(#[$doc:meta])* $get:ident $set:ident $bit:expr;)*) => {
        impl MessageFlags {
            $($(#[$doc])*
            pub fn $get(self) -> bool { self.0 & (1 << $bit) != 0 }
            /// Sets it.
            pub(in crate::call) fn $set(&mut self, is: bool) {
                if is { self.0 |= 1 << $bit } else { self.0 &= !(1 << $bit) }
            })*
        }
    };
}

flags! {
    /// The snap length cut it, or a fragment of it is missing.
    is_cut set_cut 0;
    /// It arrived in more than one IP fragment.
    is_fragmented set_fragmented 1;
    /// It came with fragments missing.
    is_incomplete set_incomplete 2;
    /// Its top Via asks for `rport` (RFC 3581).
    has_rport set_rport 3;
    /// It has a body.
    has_body set_body 4;
    /// Its body is larger on paper than in the datagram.
    has_short_body set_short_body 5;
    /// The capture cut it before all that distinguishes messages had come: what it answers, or what answers it, cannot be found.
    is_headless set_headless 6;
    /// The packet is the second capture of one seen elsewhere; set once all messages are in.
    is_copy set_copy 7;
    /// The sender had sent the same message before; set when Call-IDs are split into calls.
    is_retransmission set_retransmission 8;
    /// A body that is, or holds, a session description.
    has_session set_session 9;
    /// The top Via's branch begins with `z9hG4bK` (RFC 3261 section 8.1.1.7).
    has_magic_branch set_magic_branch 10;
}

/// [`Message::max_forwards`] of a message without the header.
pub const MAX_FORWARDS_ABSENT: u8 = u8::MAX;

/// One SIP message as the call floor keeps it.
#[derive(Debug, Clone, Copy)]
pub struct Message {
    /// Capture time, corrected where clocks of several capture points differ.
    pub time: Timestamp,
    /// Hash of the whole message, by which copies and retransmissions are known.
    pub digest: u64,
    /// Frame that completed it.
    pub at: FrameRef,
    /// Its Call-ID.
    pub group: GroupId,
    /// Sender's address and port.
    pub source: EndpointId,
    /// Receiver's address and port.
    pub destination: EndpointId,
    /// Via stack.
    pub via: ViaId,
    /// CSeq number.
    pub cseq: u32,
    /// Request-URI of a request, reason phrase of a response.
    pub line: TextId,
    /// URI of From.
    pub from: TextId,
    /// URI of To.
    pub to: TextId,
    /// From tag, absent where there is none.
    pub from_tag: TextId,
    /// To tag, absent where there is none.
    pub to_tag: TextId,
    /// The other headers that rules read.
    pub headers: HeaderListId,
    /// Session description, absent where there is none.
    pub session: SessionId,
    /// Bytes of the whole message.
    pub size: u32,
    /// Marks to tell copies by.
    pub trace: Trace,
    /// Request or response.
    pub kind: MessageKind,
    /// Method named by CSeq; for requests the same as the request's own unless malformed.
    pub cseq_method: Method,
    /// What carried it.
    pub transport: Transport,
    /// Capture point: frames of one tap share a clock and a place.
    pub tap: u16,
    /// Place among the messages that one frame completed.
    pub place: u16,
    /// Max-Forwards; `MAX_FORWARDS_ABSENT` where there is none.
    pub max_forwards: u8,
    /// Status that the `message/sipfrag` body of a NOTIFY reports (RFC 3515 section 2.4.5); 0 where there is none.
    pub fragment: u16,
    /// Facts.
    pub flags: MessageFlags,
}

// One for every message of a run, so what is added here is most of its memory (docs/architecture.md).
const _: () = assert!(size_of::<Message>() == 104);

impl MessageFlags {
    /// Whether the capture cut it before its body began: its last header may be half of what was sent, others may be missing.
    pub(in crate::call) fn is_cut_in_headers(self) -> bool {
        self.is_cut() && !self.has_body()
    }
}

impl Message {
    /// The method of a request.
    pub fn method(&self) -> Option<Method> {
        match self.kind {
            MessageKind::Request(method) => Some(method),
            MessageKind::Response(_) => None,
        }
    }

    /// The status code of a response.
    pub fn status(&self) -> Option<StatusCode> {
        match self.kind {
            MessageKind::Request(_) => None,
            MessageKind::Response(status) => Some(status),
        }
    }

    /// Whether it is a request with this method.
    pub fn is_request(&self, method: Method) -> bool {
        self.method() == Some(method)
    }

    /// Whether it is a response to a request with this method.
    pub fn is_response_to(&self, method: Method) -> bool {
        self.status().is_some() && self.cseq_method == method
    }

    /// The method of the transaction that it belongs to: an ACK has one of its own.
    pub(in crate::call) fn transaction_method(&self) -> Method {
        self.method().unwrap_or(self.cseq_method)
    }

    /// Order of capture: time first, then place in the input.
    pub fn order(&self) -> (Timestamp, FrameRef, u16) {
        (self.time, self.at, self.place)
    }
}

/// A capture of a million messages is 104 MB of these: a field more is a decision.
const _: () = assert!(size_of::<Message>() == 104);
