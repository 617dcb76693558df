//! What a rule sees beside one call: everything that happened in the capture, and the facts over all of it.

use std::time::Duration;

use crate::call::beside::binding::Binding;
use crate::call::beside::icmp::IcmpReport;
use crate::call::survey::load::Destination;
use crate::call::survey::metrics::Metrics;
use crate::call::survey::missing_messages::MissingMessages;
use crate::call::survey::number_acceptance::NumberAcceptance;
use crate::call::{Call, EndpointId, Message, NodeId, TextId};
use crate::capture::Timestamp;
use crate::diagnose::background::Background;
use crate::diagnose::background::call_losses::Lost;
use crate::diagnose::background::distinguishing_feature::DistinguishingFeature;
use crate::diagnose::background::identity_tokens::IdentityTokens;
use crate::diagnose::background::logins::Logins;
use crate::diagnose::background::media_capabilities::MediaCapabilities;
use crate::diagnose::background::node_activity::NodeActivity;
use crate::diagnose::background::refusal_causes::ExplainedRefusals;
use crate::diagnose::background::registered_device::Device;
use crate::diagnose::hostile::Scan;
use crate::diagnose::hostile::password_guessing::GuessingRun;
use crate::diagnose::hostile::probe::Sender;
use crate::diagnose::input::DiagnosisInput;
use crate::net::{Connection, Endpoint};
use crate::sip::DefectKind;

/// Everything that happened in the capture, as the rules see it. Nothing in it changes while rules are asked.
///
/// The fields of what happened are read as its own: `capture.calls`.
pub struct CaptureContext<'a> {
    input: DiagnosisInput<'a>,
    background: Background<'a>,
}

impl<'a> From<DiagnosisInput<'a>> for CaptureContext<'a> {
    fn from(input: DiagnosisInput<'a>) -> Self {
        Self { background: Background::of(&input), input }
    }
}

impl<'a> std::ops::Deref for CaptureContext<'a> {
    type Target = DiagnosisInput<'a>;

    fn deref(&self) -> &DiagnosisInput<'a> {
        &self.input
    }
}

impl<'a> CaptureContext<'a> {
    /// What the nodes that refused media are known to take.
    pub fn media_capabilities(&self) -> &MediaCapabilities {
        &self.background.media_capabilities
    }

    /// What the node of an endpoint accepted and refused; `None` where it refused nothing.
    pub fn reception(&self, endpoint: EndpointId) -> Option<&NumberAcceptance> {
        self.background.number_acceptances.at(self.node(endpoint))
    }

    /// Who spoke when, and what was answered; asked where something was repeated, left unanswered or is there in part.
    pub fn history(&self) -> &NodeActivity {
        &self.background.node_activity
    }

    /// The logins that servers accepted, and who ever tried one; asked where a login was refused or never made.
    pub fn logins(&self) -> &Logins {
        &self.background.logins
    }

    /// What the signatures of all calls have in common.
    pub fn tokens(&self) -> &IdentityTokens {
        &self.background.tokens
    }

    /// What the capture lacks of what was sent.
    pub fn missing_messages(&self) -> &MissingMessages {
        &self.background.missing_messages
    }

    /// Every node that calls were sent to, with its failures by their cause.
    pub fn refusal_causes(&self) -> impl Iterator<Item = (&'a Destination, &[ExplainedRefusals])> {
        self.background.refusal_causes.each(self.loads)
    }

    /// Calls that failed at a node for one of these causes, rising.
    pub fn explained_calls(&self, node: NodeId) -> Vec<u32> {
        self.background.refusal_causes.explained_calls(self.loads, node)
    }

    /// Indices of the calls through a node that went well: answered, or ended as calls do. Rising.
    pub fn good_calls(&self, node: NodeId) -> &[u32] {
        self.background.good_calls.at(node)
    }

    /// The feature that best sets failing calls through a node apart from good ones, where one does beyond chance.
    pub fn separates(&self, node: NodeId, failed: &[u32], good: &[u32]) -> Option<DistinguishingFeature> {
        self.background.good_calls.separates(&self.input, node, failed, good)
    }

    /// What each node asked for; empty once the rules about the capture have spoken.
    pub fn senders(&self) -> &[Sender] {
        &self.background.hostile.senders
    }

    /// Gives back what only rules about the whole capture read: the calls' own verdicts need the room.
    pub(in crate::diagnose) fn forget_senders(&mut self) {
        self.background.hostile.senders = Vec::new();
    }

    /// Nodes that search for open servers.
    pub fn scans(&self) -> &[Scan] {
        &self.background.hostile.scans
    }

    /// Password guessing.
    pub fn guessing_runs(&self) -> &[GuessingRun] {
        &self.background.hostile.guessing_runs
    }

    /// Whether the node of an endpoint searches for open servers or guesses passwords.
    pub fn is_hostile(&self, endpoint: EndpointId) -> bool {
        self.background.hostile.nodes.contains(&self.node(endpoint))
    }

    /// The metrics of all calls but those of hostile nodes.
    pub fn honest_metrics(&self) -> &Metrics {
        &self.background.honest_metrics
    }

    /// Whether the capture holds messages of other Call-IDs within some seconds behind a message of a refused login or a
    /// redirected call, so that it was not blind meanwhile.
    pub fn is_alive_after(&self, message: &Message, within: Duration) -> bool {
        self.background.moments.is_alive_after(message, within)
    }

    /// The calls that a node lost within a minute of `time`; `None` where they are few, or where it had refused so before.
    pub fn lost_at(&self, node: EndpointId, time: Timestamp) -> Option<Lost> {
        self.background.losses.at(self.node(node), time)
    }

    /// The device that is registered from an endpoint at a moment; `None` where none is, and where several are, as at a proxy.
    pub fn device_at(&self, endpoint: EndpointId, time: Timestamp) -> Option<Device> {
        self.background.devices.at(&self.input, self.history(), endpoint, time)
    }

    /// Whether a node accepted a request with this kind of defect.
    pub fn tolerates(&self, node: NodeId, kind: DefectKind) -> bool {
        self.background.defects.tolerates(node, kind)
    }

    /// Whether a node answered anything to any INVITE of the capture; asked of one that ignored a defective request.
    pub fn replies(&self, node: NodeId) -> bool {
        self.background.defects.replies(node)
    }

    /// What an address-of-record led to at a moment; `nodes` are those that may be its registrar.
    pub fn binding_at(&self, aor: &str, nodes: &[NodeId], time: Timestamp) -> Option<Binding> {
        self.background.index.binding_at(&self.input, aor, nodes, time)
    }

    /// Indices of the tries to register an address-of-record, in the order of time.
    pub fn attempts_for(&self, aor: TextId) -> &[u32] {
        self.background.index.attempts_for(aor)
    }

    /// When a registrar last sent or received a SIP message; the capture's end says nothing of nodes that it no longer shows.
    pub fn last_seen(&self, registrar: NodeId) -> Timestamp {
        self.background.index.last_seen(registrar)
    }

    /// Another call that a party, which was busy to one, was in at a moment.
    pub fn talk_of(&self, party: &str, but: usize, time: Timestamp) -> Option<u32> {
        self.background.index.talk_of(&self.input, party, but, time)
    }

    /// Calls whose INVITE to an endpoint nothing answered there, in the order of time.
    pub fn unheard_at(&self, endpoint: EndpointId) -> &[u32] {
        self.background.index.unheard_at(endpoint)
    }

    /// In how many calls the second node failed when the first one sent it an INVITE.
    pub fn failures_between(&self, from: EndpointId, to: EndpointId) -> u32 {
        self.background.index.failures_between(self.node(from), self.node(to))
    }

    /// The call that a refused INVITE wanted to replace, by the Call-ID that it names.
    pub fn replaced_call(&self, call_id: &str) -> Option<&'a Call> {
        self.calls.get(self.background.index.replaced(call_id)? as usize)
    }

    /// TCP connections between two endpoints, whoever opened them, in the order of time.
    pub fn connections_between(&self, a: Endpoint, b: Endpoint) -> impl Iterator<Item = &'a Connection> {
        self.background.index.connections(&self.input, a, b)
    }

    /// ICMP errors about datagrams to a node, from one moment to another.
    pub fn errors_about(&self, node: NodeId, from: Timestamp, to: Timestamp) -> impl Iterator<Item = &'a IcmpReport> {
        self.background.index.errors(&self.input, node, (from, to))
    }
}
