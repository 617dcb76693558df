//! What rules compare a call with: facts over the whole capture, gathered in one order before any rule is asked.

pub(in crate::diagnose) mod call_features;
pub(in crate::diagnose) mod call_losses;
pub(in crate::diagnose) mod cross_call_index;
pub(in crate::diagnose) mod defect_tolerance;
pub(in crate::diagnose) mod distinguishing_feature;
pub(in crate::diagnose) mod good_calls;
pub(in crate::diagnose) mod identity_tokens;
pub(in crate::diagnose) mod logins;
pub(in crate::diagnose) mod media_capabilities;
pub(in crate::diagnose) mod message_moments;
mod message_time_index;
mod needs;
pub(in crate::diagnose) mod node_activity;
pub(in crate::diagnose) mod refusal_causes;
mod refused_numbers;
pub(in crate::diagnose) mod registered_device;

use rayon::join;

use crate::call::survey::metrics::Metrics;
use crate::call::survey::missing_messages::MissingMessages;
use crate::call::survey::number_acceptance::NumberAcceptances;
use crate::diagnose::background::call_losses::CallLosses;
use crate::diagnose::background::cross_call_index::CrossCallIndex;
use crate::diagnose::background::defect_tolerance::DefectTolerance;
use crate::diagnose::background::good_calls::GoodCalls;
use crate::diagnose::background::identity_tokens::IdentityTokens;
use crate::diagnose::background::logins::Logins;
use crate::diagnose::background::media_capabilities::MediaCapabilities;
use crate::diagnose::background::message_moments::MessageMoments;
use crate::diagnose::background::needs::Needs;
use crate::diagnose::background::node_activity::NodeActivity;
use crate::diagnose::background::refusal_causes::RefusalCauses;
use crate::diagnose::background::registered_device::RegisteredDevices;
use crate::diagnose::hostile::HostileSenders;
use crate::diagnose::input::DiagnosisInput;

/// Facts over the whole capture. None of them depends on another but [`Background::honest_metrics`], and none changes while
/// rules are asked.
pub struct Background<'a> {
    /// What the nodes that refused media are known to take.
    pub media_capabilities: MediaCapabilities,
    /// What the nodes that refused numbers accepted.
    pub number_acceptances: NumberAcceptances,
    /// Who spoke when, and what was answered.
    pub node_activity: NodeActivity,
    /// What each node asked for, and who scans and guesses passwords.
    pub hostile: HostileSenders,
    /// The metrics of all calls but those of hostile nodes.
    pub honest_metrics: Metrics,
    /// The failures at each node by their cause.
    pub refusal_causes: RefusalCauses,
    /// The calls through each node that went well.
    pub good_calls: GoodCalls<'a>,
    /// What the capture lacks of what was sent.
    pub missing_messages: MissingMessages,
    /// The logins that servers accepted, and who ever tried one.
    pub logins: Logins,
    /// When messages came.
    pub moments: MessageMoments,
    /// When each node lost calls.
    pub losses: CallLosses,
    /// Calls, registrations, connections and errors by what a rule knows.
    pub index: CrossCallIndex,
    /// Who is registered from where.
    pub devices: RegisteredDevices,
    /// Defects that nodes read past.
    pub defects: DefectTolerance,
    /// What the signatures of all calls have in common.
    pub tokens: IdentityTokens,
}

impl<'a> Background<'a> {
    /// Gathers everything, the longest pieces of work first and beside each other.
    pub fn of(input: &DiagnosisInput<'a>) -> Self {
        let needs = Needs::of(input);
        let ((media_capabilities, number_acceptances), (node_activity, (hostile, honest_metrics))) = join(
            || {
                join(
                    || MediaCapabilities::gather(input.store, input.calls, input.requests),
                    || NumberAcceptances::of(input.calls, input.store),
                )
            },
            || join(|| NodeActivity::of(input.store, needs), || hostile(input)),
        );
        let ((refusal_causes, good_calls), (missing_messages, logins)) = join(
            || join(|| RefusalCauses::of(input), || GoodCalls::of(input)),
            || join(|| MissingMessages::of(input.store, input.start), || Logins::of(input, needs)),
        );
        let ((moments, losses), index) = join(
            || (MessageMoments::of(input, needs), CallLosses::of(input.store)),
            || CrossCallIndex::of(input, needs),
        );
        Self {
            media_capabilities,
            number_acceptances,
            node_activity,
            hostile,
            honest_metrics,
            refusal_causes,
            good_calls,
            missing_messages,
            logins,
            moments,
            losses,
            index,
            devices: RegisteredDevices::of(input, needs),
            defects: DefectTolerance::of(input),
            tokens: IdentityTokens::of(input),
        }
    }
}

/// Who attacks, and how all the others fare.
fn hostile(input: &DiagnosisInput<'_>) -> (HostileSenders, Metrics) {
    let hostile = HostileSenders::of(input);
    let honest = input.calls.iter().filter(|call| !hostile.nodes.contains(&input.node(call.source)));
    let metrics = Metrics::of(honest);
    (hostile, metrics)
}
