//! Defects that nodes read past: what a node accepts in one call is not why it refuses another.

use crate::call::{Call, FastSet, NodeId, transactions_of};
use crate::diagnose::input::DiagnosisInput;
use crate::sip::{DefectKind, Method};

/// Calls with defects that are taken apart to see what nodes accept; more would not show more.
const DEFECTIVE_CALLS_MAX: usize = 5_000;

/// What nodes do with defective requests, where a defect may be why some call failed.
#[derive(Debug, Default)]
pub struct DefectTolerance {
    /// Nodes that accepted a request with a defect of a kind.
    tolerated: FastSet<(NodeId, DefectKind)>,
    /// Nodes that answered any INVITE.
    repliers: FastSet<NodeId>,
}

impl DefectTolerance {
    /// Takes the calls apart that have a defect.
    pub(super) fn of(input: &DiagnosisInput<'_>) -> Self {
        let mut known = Self::default();
        if input.store.defects.is_empty() || !input.calls.iter().any(|call| may_be_refused_for_defect(input, call)) {
            return known;
        }
        let hops = input.calls.iter().flat_map(|call| call.hops.iter());
        known.repliers = hops.filter(|hop| hop.reply_ms.is_some()).map(|hop| input.node(hop.destination)).collect();
        for call in input.calls.iter().filter(|call| has_defect(input, call)).take(DEFECTIVE_CALLS_MAX) {
            known.learn(input, call);
        }
        known
    }

    fn learn(&mut self, input: &DiagnosisInput<'_>, call: &Call) {
        let transactions = transactions_of(input.store, &call.legs);
        for (_, invite) in transactions.invites() {
            let status = transactions.final_status(invite);
            let is_read = invite.alerting.is_some()
                || status.is_some_and(|status| status.is_success() || shows_understanding(status.0));
            let Some(request) = invite.last_request.filter(|_| is_read) else {
                continue;
            };
            let node = input.node(invite.destination);
            let defects = input.defects(transactions.message(request)).iter();
            self.tolerated.extend(defects.map(|defect| (node, defect.kind)));
        }
    }

    /// Whether a node accepted a request with this kind of defect.
    pub fn tolerates(&self, node: NodeId, kind: DefectKind) -> bool {
        self.tolerated.contains(&(node, kind))
    }

    /// Whether a node answered anything to any INVITE of the capture.
    pub fn replies(&self, node: NodeId) -> bool {
        self.repliers.contains(&node)
    }
}

/// Whether a call has a defect and failed in a way that a defect may be behind.
fn may_be_refused_for_defect(input: &DiagnosisInput<'_>, call: &Call) -> bool {
    let is_suspect = |code| matches!(code, 0 | 400 | 505);
    call.outcome.is_failure() && call.hops.iter().any(|hop| is_suspect(hop.final_code)) && has_defect(input, call)
}

fn has_defect(input: &DiagnosisInput<'_>, call: &Call) -> bool {
    let mut messages = call.legs.iter().flat_map(|leg| input.store.messages_of(leg));
    messages.any(|message| message.is_request(Method::Invite) && !input.defects(message).is_empty())
}

/// Refusals that only a node sends which has read the whole request and looked for the callee.
fn shows_understanding(code: u16) -> bool {
    matches!(code, 300..=399 | 404 | 410 | 480 | 484 | 486 | 487 | 488 | 600 | 603 | 604)
}
