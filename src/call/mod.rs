//! Messages become transactions, hops, dialogs and calls: what happened.

mod anatomy;
pub mod binding;
mod book;
mod build;
pub mod chance;
mod clock;
mod copies;
mod dialog;
mod direction;
mod draft;
mod ending;
mod endpoint;
pub mod hazard;
mod headers;
pub mod icmp;
mod inspection;
mod known;
mod leg;
pub mod load;
pub mod login;
mod message;
pub mod metrics;
pub mod negotiation;
pub mod number;
mod origin;
pub mod other;
mod outcome;
mod parts;
mod reason;
pub mod reception;
mod record;
pub mod refresh;
pub mod registration;
mod session;
pub mod silence;
mod tables;
pub mod target;
mod text;
mod transaction;
mod via;

pub use anatomy::Anatomy;
pub use book::{Book, CallBook};
pub use build::{Happenings, anatomy_of, build};
pub use clock::shifts;
pub use dialog::{Dialog, dialogs};
pub use direction::one_direction_pairs;
pub use draft::{Arrival, Drafts, Seed};
pub use ending::{
    ACK_LOST_SENDS, DropCause, acked_at, answering_hop, drop_cause, is_ack_missed,
    names_network_cause, proxy_cancel, ring, second_bye,
};
pub use endpoint::{EndpointId, Endpoints, NodeId, is_private};
pub use leg::last_digits;
pub use message::{GroupId, Message, MessageFlags, MessageKind};
pub use origin::{Origin, RELAY_MAX, Step, path};
pub use outcome::{Outcome, OutcomeGroup, Watch, cancel_of, has_credentials, is_network_block};
pub use parts::{is_challenge, is_step};
pub use reason::Cause;
pub use record::{Call, Hop, Leg, Milestones, Party};
pub use session::{SessionId, Sessions};
pub use tables::Tables;
pub use text::{TextId, Texts};
pub use transaction::{MessageIndex, Transaction, TransactionIndex};
pub use via::{ViaId, ViaStacks};
