//! Consequences are not causes: which findings make which others say the same thing twice.

use crate::diagnose::finding::Finding;

/// If the first rule fired, the others on the same call are its consequences.
const SILENCED: &[(&str, &[&str])] = &[
    ("sec-scanner", &["auth-", "route-", "net-", "call-unreachable", "msg-", "srv-", "sdp-", "reg-failed"]),
    ("sec-toll-fraud", &["route-number-"]),
    ("sec-brute-force", &["auth-", "reg-failed"]),
    ("net-ack-lost", &["dlg-bye-lost", "dlg-no-such-call", "call-dropped-by-network"]),
    ("dlg-session-timer", &["call-dropped-by-network"]),
    ("net-icmp", &["net-no-response", "srv-downstream-dead"]),
    ("net-tcp", &["net-no-response", "srv-downstream-dead"]),
    ("net-tls", &["net-no-response", "net-tcp"]),
    ("net-response-misrouted", &["net-no-response", "net-retransmit", "call-busy", "call-declined"]),
    ("net-udp-fragment", &["net-no-response"]),
    ("route-dns", &["net-no-response", "srv-internal-error"]),
    ("msg-too-large", &["srv-internal-error"]),
    ("sdp-codec-mismatch", &["sdp-unexplained-488", "srv-internal-error"]),
    ("sdp-profile-mismatch", &["sdp-unexplained-488", "srv-internal-error"]),
    ("sdp-crypto", &["sdp-unexplained-488", "srv-internal-error"]),
    ("sdp-address-family", &["sdp-unexplained-488", "srv-internal-error"]),
    ("sdp-stream-refused", &["sdp-unexplained-488", "srv-internal-error"]),
    ("sdp-t38-refused", &["sdp-unexplained-488"]),
    ("sdp-no-offer", &["sdp-unexplained-488", "srv-internal-error"]),
    ("sdp-malformed", &["sdp-unexplained-488", "srv-internal-error", "msg-malformed"]),
    ("sdp-codec-params", &["sdp-unexplained-488", "srv-internal-error"]),
    ("sdp-body-type", &["sdp-unexplained-488", "srv-internal-error"]),
    (
        "srv-capacity-ceiling",
        &[
            "srv-overload",
            "call-busy",
            "srv-cps-limit",
            "srv-internal-error",
            "sdp-unexplained-488",
            "call-declined",
            "call-unreachable",
            "auth-forbidden",
        ],
    ),
    ("srv-cps-limit", &["srv-overload", "call-busy", "srv-internal-error"]),
    ("srv-overload", &["srv-internal-error"]),
    ("srv-downstream-dead", &["srv-internal-error", "net-no-response"]),
    ("dlg-prack", &["srv-internal-error", "sdp-unexplained-488"]),
    ("dlg-glare", &["srv-internal-error"]),
    ("srv-code-translated", &["srv-internal-error"]),
    ("srv-no-route", &["srv-overload", "srv-internal-error", "route-number-unknown"]),
    ("fleet-destination-down", &["srv-internal-error"]),
    ("id-blocked", &["call-declined"]),
    ("call-cancel-race", &["call-cancelled"]),
];

/// Removes the findings that another one of the same call makes superfluous.
pub fn silence(findings: &mut Vec<Finding>) {
    if findings.len() < 2 {
        return;
    }
    let fired: Vec<&'static str> = findings.iter().map(|finding| finding.rule).collect();
    let is_silenced = |rule: &str| {
        let by = SILENCED.iter().filter(|(cause, _)| fired.contains(cause) && *cause != rule);
        by.flat_map(|(_, rules)| rules.iter())
            .any(|silenced| if silenced.ends_with('-') { rule.starts_with(silenced) } else { rule == *silenced })
    };
    findings.retain(|finding| !is_silenced(finding.rule));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnose::rules;

    #[test]
    fn each_id_is_a_rule_and_each_begin_is_that_of_some() {
        for (cause, silenced) in SILENCED {
            for name in silenced.iter().chain([cause]) {
                let is_known = |id: &str| if name.ends_with('-') { id.starts_with(name) } else { id == *name };
                assert!(rules::ids().iter().any(|id| is_known(id)), "{name}");
            }
        }
    }
}
