//! Inspection: what is wrong with requests that open a call or a registration, looked for where it may matter.
//!
//! A thorough look costs more than all other reading of a message. So only requests that are not plain come here. Of these the
//! first ones to each receiver are looked at, and later ones wait for their answer: the first that is accepted between two
//! endpoints shows what the receiver puts up with, and whatever is refused or never answered is looked at.

use crate::call::store::endpoint::EndpointId;
use crate::call::store::fast_map::{FastMap, FastSet};
use crate::call::store::message_store::{Defects, RequestDefect};
use crate::call::store::string_arena::StringArena;
use crate::sip::{HeaderSpan, Message, StatusCode, inspect};

/// Requests to one endpoint that are looked at whatever comes back.
const FIRST_OF_RECEIVER: u32 = 32;
/// Requests that wait for their answers at a time; beyond, a request is looked at at once.
const WAITING_MAX: usize = 1 << 14;
/// Room of a request that is used again; larger requests are rare.
const SPARE_BYTES_MAX: usize = 8 << 10;
/// Defects kept of one request; more would say the same: that it is broken.
const DEFECTS_MAX: usize = 8;

/// Sender and receiver.
type EndpointPair = (EndpointId, EndpointId);

/// A request that waits for its answer.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Waiting {
    digest: u64,
    pair: EndpointPair,
    bytes: Vec<u8>,
}

/// Requests that were looked at, and those that wait.
#[derive(Debug, Default)]
pub(in crate::call) struct Inspections {
    /// Endpoints between which an accepted request was looked at: what one of them carries, they all do.
    pairs: FastSet<EndpointPair>,
    receivers: FastMap<EndpointId, u32>,
    /// By the key of the top Via value.
    waiting: FastMap<u64, Waiting>,
    /// Room of requests that no longer wait.
    spare: Vec<Vec<u8>>,
    found: Defects,
    spans: Vec<HeaderSpan>,
}

impl Inspections {
    /// Takes a request that opens something; `key` names its transaction on this hop.
    pub(in crate::call) fn add_request(
        &mut self,
        key: u64,
        digest: u64,
        pair: EndpointPair,
        bytes: &[u8],
        texts: &mut StringArena,
    ) {
        let of_receiver = self.receivers.entry(pair.1).or_default();
        *of_receiver = of_receiver.saturating_add(1);
        if *of_receiver <= FIRST_OF_RECEIVER || self.waiting.len() >= WAITING_MAX {
            self.inspect_now(digest, bytes, texts);
        } else {
            let spare = &mut self.spare;
            self.waiting.entry(key).or_insert_with(|| {
                let mut room = spare.pop().unwrap_or_default();
                room.extend_from_slice(bytes);
                Waiting { digest, pair, bytes: room }
            });
        }
    }

    /// Whether some request waits for its answer.
    pub(in crate::call) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Takes the status of an answer in the transaction that `key` names.
    pub(in crate::call) fn add_response(&mut self, key: u64, status: StatusCode, texts: &mut StringArena) {
        if !status.is_final() {
            return;
        }
        let Some(mut asked) = self.waiting.remove(&key) else {
            return;
        };
        let is_first_accepted = || status.is_success() && !self.pairs.contains(&asked.pair);
        if may_be_blamed(status) || is_first_accepted() {
            self.inspect_now(asked.digest, &asked.bytes, texts);
        }
        if status.is_success() {
            self.pairs.insert(asked.pair);
        }
        if asked.bytes.capacity() <= SPARE_BYTES_MAX {
            asked.bytes.clear();
            self.spare.push(asked.bytes);
        }
    }

    /// Looks at what was never answered, and hands out all that was found.
    pub(in crate::call) fn finish(mut self, texts: &mut StringArena) -> Defects {
        let mut unanswered: Vec<Waiting> = std::mem::take(&mut self.waiting).into_values().collect();
        unanswered.sort_unstable();
        for asked in unanswered {
            self.inspect_now(asked.digest, &asked.bytes, texts);
        }
        self.found
    }

    fn inspect_now(&mut self, digest: u64, bytes: &[u8], texts: &mut StringArena) {
        let Some(message) = Message::parse(bytes, false, &mut self.spans) else {
            return;
        };
        for defect in inspect(&message).iter().take(DEFECTS_MAX) {
            let sentence = texts.intern(defect.sentence(message.bytes()).to_string().as_bytes());
            let known = self.found.entry(digest).or_default();
            if known.iter().all(|known| known.sentence != sentence) {
                known.push(RequestDefect { kind: defect.kind, sentence });
            }
        }
    }
}

/// Whether a malformed request may be why it was answered so: not where the answer speaks of login, people or numbers.
fn may_be_blamed(status: StatusCode) -> bool {
    status.0 >= 400 && !matches!(status.0, 401 | 404 | 407 | 408 | 480 | 486 | 487 | 600 | 603)
}
