//! Doubt: what the capture lacks of a call, which makes everything that is said of it one level less sure.

use crate::diagnose::case::Case;
use crate::diagnose::rule::{Gate, Rule};

/// Hops of a call whose connections are looked at.
const HOPS_MAX: usize = 16;

/// What the capture lacks of one call.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Doubt {
    /// Its messages were cut by the snap length, or lack fragments.
    is_cut: bool,
    /// The streams that carried it lack bytes.
    has_gaps: bool,
    /// The capturing machine dropped packets, which may have been this call's.
    has_drops: bool,
}

impl Doubt {
    pub(super) fn of(case: &Case<'_>) -> Self {
        let scene = case.scene;
        let is_cut = case
            .anatomy
            .messages
            .iter()
            .any(|message| message.flags.is_cut());
        let has_gaps = scene.sight.missing_bytes > 0
            && case.call.hops.iter().take(HOPS_MAX).any(|hop| {
                let tables = case.tables();
                let (a, b) = (
                    tables.endpoint(hop.source),
                    tables.endpoint(hop.destination),
                );
                hop.transport.is_reliable()
                    && scene
                        .connections_between(a, b)
                        .any(|connection| connection.missing_bytes > 0)
            });
        Self {
            is_cut,
            has_gaps,
            has_drops: scene.sight.dropped > 0,
        }
    }

    /// Why what a rule says is less sure, where it is; rules about the capture itself speak of what it lacks.
    pub(super) fn because(self, rule: &Rule) -> Option<&'static str> {
        if rule.id.starts_with("cap-") {
            return None;
        }
        if self.is_cut {
            return Some("Messages of this call are cut in the capture, so this is less sure.");
        }
        if self.has_gaps {
            return Some("The capture lacks parts of the connection, so this is less sure.");
        }
        let is_about_absence = rule.gate == Gate::BothDirections;
        (self.has_drops && is_about_absence).then_some(
            "The capture lost packets, so what seems missing may only not have been captured.",
        )
    }
}
