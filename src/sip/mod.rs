//! Deliveries become SIP messages and session descriptions.

pub mod body;
mod defect;
mod framing;
mod header_name;
mod index;
mod inspect;
mod inspect_values;
pub mod lexer;
mod lines;
mod message;
mod method;
mod numbers;
mod places;
mod plain;
pub mod sdp;
mod sift;
mod start_line;
mod values;

pub use defect::{Defect, DefectKind, DefectSet, Sentence};
pub use framing::{Framed, Framer, Framing, HEADER_BYTES_MAX};
pub use header_name::HeaderName;
pub use index::{HEADERS_MAX, HeaderSpan};
pub use inspect::inspect;
pub use lines::{Lines, Seed};
pub use message::{ContentLength, Digests, Header, MESSAGE_BYTES_MAX, Message};
pub use method::{Method, StatusCode};
pub use numbers::Numbers;
pub use plain::{is_plain, is_plain_header};
pub use sdp::{Outline, Sdp};
pub use sift::{Sift, sift};
pub use start_line::StartLine;
pub use values::{
    BRANCH_COOKIE, CSeq, DialogReference, Digest, Event, HostPort, Identity, MediaType, NameAddr, Overload, Passport,
    RAck, Reason, Refresher, RetryAfter, Scheme, SessionExpires, SessionId, SubscriptionState, TokenFault, Uri, Via,
    ViaMarks, Warning, unescape,
};
