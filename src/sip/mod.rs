//! Deliveries become SIP messages and session descriptions.

mod inspect;
mod message;
pub mod sdp;
mod syntax;
mod values;

pub use inspect::inspect;
pub use inspect::plain::{is_plain, is_plain_header};
pub use message::body;
pub use message::defect::{Defect, DefectKind, DefectSet, Sentence};
pub use message::framing::{Framed, Framer, Framing};
pub use message::header_name::HeaderName;
pub use message::index::{HEADERS_MAX, HeaderSpan};
pub use message::lines::{Lines, Seed};
pub use message::sift::{Sift, sift};
pub use message::{ContentLength, Digests, Header, MESSAGE_BYTES_MAX, Message};
pub use sdp::{Outline, Sdp};
pub use syntax::lexer;
pub use syntax::method::{Method, StatusCode};
pub use syntax::numbers::HashIndex;
pub use syntax::start_line::StartLine;
pub use values::number;
pub use values::{
    BRANCH_COOKIE, CSeq, DialogReference, Digest, Event, HostPort, Identity, MediaType, NameAddr, Overload, Passport,
    RAck, Reason, Refresher, RetryAfter, Scheme, SessionExpires, SubscriptionState, TokenFault, Uri, Via, ViaMarks,
    Warning,
};
