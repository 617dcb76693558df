//! Typed header values, each read on demand from the bytes of its header and none refused.

mod address;
mod cause;
mod digest;
mod event;
mod identity;
mod media_type;
pub mod number;
mod sequence;
mod session;
pub(in crate::sip) mod uri;
mod via;

pub use address::NameAddr;
pub use cause::{Reason, RetryAfter, Warning};
pub use digest::Digest;
pub use event::{Event, SubscriptionState};
pub use identity::{Identity, Passport, TokenFault};
pub use media_type::MediaType;
pub use sequence::{CSeq, RAck};
pub use session::{DialogReference, Refresher, SessionExpires};
pub use uri::{HostPort, Scheme, Uri};
pub use via::{BRANCH_COOKIE, Overload, Via, ViaMarks};
