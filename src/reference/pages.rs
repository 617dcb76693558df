//! The page of every rule, compiled in from docs/rules.

/// One row: the id and the text of its page.
macro_rules! page {
    ($id:literal) => {
        ($id, include_str!(concat!("../../docs/rules/", $id, ".md")))
    };
}

/// The page of a rule as Markdown: summary, severity, and one section each for what it sees, why, how sure, the remedy,
/// look-alikes and sources; `None` for an id that no rule has.
pub fn rule_page(id: &str) -> Option<&'static str> {
    PAGES
        .iter()
        .find(|(page_id, _)| page_id.eq_ignore_ascii_case(id))
        .map(|&(_, page)| page)
}

/// The ids of all rules, family by family, as docs/rules/README.md lists them.
pub fn rule_ids() -> impl Iterator<Item = &'static str> {
    PAGES.iter().map(|&(id, _)| id)
}

/// What a rule finds, in one sentence: the first line of its page below the title.
pub fn rule_summary(id: &str) -> Option<&'static str> {
    rule_page(id)?.lines().skip(1).find(|line| !line.is_empty())
}

static PAGES: [(&str, &str); 94] = [
    page!("cap-incomplete"),
    page!("cap-one-direction"),
    page!("cap-duplicates"),
    page!("cap-damaged"),
    page!("cap-clock"),
    page!("cap-encrypted"),
    page!("call-busy"),
    page!("call-declined"),
    page!("call-no-answer"),
    page!("call-unreachable"),
    page!("call-cancelled"),
    page!("call-cancel-race"),
    page!("call-fork"),
    page!("call-redirected"),
    page!("call-failover"),
    page!("call-reinvite-rejected"),
    page!("call-announcement"),
    page!("call-dropped-by-network"),
    page!("sdp-codec-mismatch"),
    page!("sdp-profile-mismatch"),
    page!("sdp-crypto"),
    page!("sdp-address-family"),
    page!("sdp-stream-refused"),
    page!("sdp-t38-refused"),
    page!("sdp-no-offer"),
    page!("sdp-malformed"),
    page!("sdp-codec-params"),
    page!("sdp-answer-invalid"),
    page!("sdp-hold"),
    page!("sdp-precondition"),
    page!("sdp-body-type"),
    page!("sdp-unexplained-488"),
    page!("srv-overload"),
    page!("srv-no-route"),
    page!("srv-capacity-ceiling"),
    page!("srv-cps-limit"),
    page!("srv-downstream-dead"),
    page!("srv-code-translated"),
    page!("srv-internal-error"),
    page!("auth-no-credentials"),
    page!("auth-rejected"),
    page!("auth-stale-loop"),
    page!("auth-digest-error"),
    page!("auth-algorithm"),
    page!("auth-forbidden"),
    page!("route-number-unknown"),
    page!("route-number-format"),
    page!("route-loop"),
    page!("route-dns"),
    page!("msg-malformed"),
    page!("msg-unsupported"),
    page!("msg-too-large"),
    page!("dlg-no-such-call"),
    page!("dlg-glare"),
    page!("dlg-route-set-lost"),
    page!("dlg-bye-lost"),
    page!("dlg-session-timer"),
    page!("dlg-prack"),
    page!("net-no-response"),
    page!("net-icmp"),
    page!("net-udp-fragment"),
    page!("net-response-misrouted"),
    page!("net-private-address"),
    page!("net-ack-lost"),
    page!("net-sip-alg"),
    page!("net-tcp"),
    page!("net-tls"),
    page!("net-retransmit"),
    page!("rtp-no-audio"),
    page!("rtp-one-way"),
    page!("rtp-wrong-address"),
    page!("rtp-codec-wrong"),
    page!("rtp-quality"),
    page!("rtp-gap"),
    page!("rtp-dtmf"),
    page!("rtp-after-bye"),
    page!("rtp-secure-media"),
    page!("rtp-early-media"),
    page!("id-verify-failed"),
    page!("id-passport"),
    page!("id-anonymous"),
    page!("id-blocked"),
    page!("reg-failed"),
    page!("reg-binding"),
    page!("xfer-failed"),
    page!("sub-failed"),
    page!("opt-peer-down"),
    page!("sec-scanner"),
    page!("sec-brute-force"),
    page!("sec-toll-fraud"),
    page!("fleet-destination-down"),
    page!("fleet-cluster"),
    page!("fleet-metrics"),
    page!("fleet-slow-setup"),
];

#[cfg(test)]
mod tests {
    use super::*;

    const HEADINGS: [&str; 6] = [
        "## What it sees",
        "## Why calls fail like this",
        "## How sure",
        "## What to change",
        "## Mistaken when",
        "## Read more",
    ];

    #[test]
    fn every_page_has_its_title_its_severity_and_all_sections_in_order() {
        for id in rule_ids() {
            let page = rule_page(id).expect("every id has a page");
            assert!(page.starts_with(&format!("# {id}\n")), "{id}");
            assert!(page.contains("\nSeverity: "), "{id}");
            let found: Vec<_> = page.lines().filter(|l| l.starts_with("## ")).collect();
            assert_eq!(HEADINGS.to_vec(), found, "{id}");
            let summary = rule_summary(id).expect("every page has a summary");
            assert!(summary.ends_with('.') && !summary.starts_with('#'), "{id}");
        }
    }

    #[test]
    fn rules_named_in_a_page_exist() {
        for id in rule_ids() {
            let page = rule_page(id).expect("every id has a page");
            for name in page.split('`').skip(1).step_by(2) {
                let family = name.split('-').next().unwrap_or_default();
                let is_rule = rule_ids().any(|other| other.split('-').next() == Some(family));
                let is_family = name.ends_with('-');
                assert!(
                    !is_rule
                        || is_family
                        || !name.contains('-')
                        || rule_page(name).is_some()
                        || name.contains(' '),
                    "{id} names {name}"
                );
            }
        }
    }

    #[test]
    fn a_rule_is_found_in_any_case_and_an_unknown_one_is_not() {
        assert!(rule_page("NET-ACK-LOST").is_some());
        assert!(rule_page("net-ack").is_none());
        assert_eq!(94, rule_ids().count());
    }
}
