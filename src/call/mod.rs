//! Messages become transactions, hops, dialogs and calls: what happened.

mod assemble;
pub mod beside;
pub mod detail;
mod ingest;
pub mod outcome;
mod store;
pub mod survey;
mod transaction;
pub use assemble::build::{CallSet, NodeSurvey, build_calls};
pub use assemble::split::{SplitCallIds, split_call_ids};
pub use ingest::arrival::Arrival;
pub use ingest::clock::shifts;
pub use ingest::message_batch::MessageBatch;
pub use ingest::message_store_builder::MessageStoreBuilder;
pub use outcome::call::{Call, Hop, Milestones, Party};
pub use outcome::call_index::{CallId, CallIndex};
pub use outcome::ending::{
    DropCause, answering_hop, drop_cause, is_ack_missed, names_network_cause, proxy_cancel, ring, second_bye,
};
pub use outcome::node_software::own_software;
pub use outcome::origin::{Origin, Step, path};
pub use outcome::reason::Cause;
pub use outcome::verdict::{Outcome, OutcomeGroup, Watch, cancel_of, is_network_block};
pub use store::endpoint::{EndpointId, Endpoints, NodeId, is_private};
pub use store::fast_map::{FastMap, FastSet};
pub use store::header_list::{ShapeId, is_kept as keeps_header};
pub use store::message::{GroupId, Message, MessageFlags, MessageKind};
pub use store::message_store::{Leg, MessageStore, RequestDefect};
pub use store::messages::{MessageRange, Messages};
pub use store::session::{SessionId, Sessions};
pub use store::string_arena::{StringArena, TextId};
pub use store::tables::Tables;
pub use store::via_stack::{ViaId, ViaStacks};
pub use survey::census::{Census, Traffic};
pub use survey::direction::{OneDirection, one_direction_pairs};
pub use transaction::call_id_parts::{is_challenge, is_step};
pub use transaction::call_transactions::{CallTransactions, TransactionView};
pub use transaction::dialog::{Dialog, dialogs};
pub use transaction::join::transactions_of;
pub use transaction::pairing::{MessageIndex, Transaction, TransactionIndex};
