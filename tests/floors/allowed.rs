//! What the house does not hold yet, or holds otherwise, each with its reason: these lists only shrink.
//!
//! A test fails as soon as an entry is no longer true.

/// Neighbours that import one another in a circle.
pub struct Siblings {
    /// The folder that they share, or for files the floor.
    pub place: &'static str,
    /// Their names there; files are named with their path below src.
    pub among: &'static [&'static str],
    /// Why.
    #[expect(dead_code, reason = "for the reader")]
    pub reason: &'static str,
}

/// Type names that a floor has twice.
pub struct Names {
    pub floor: &'static str,
    pub names: &'static [&'static str],
    /// Why.
    #[expect(dead_code, reason = "for the reader")]
    pub reason: &'static str,
}

/// Folders, and files beside folders.
pub const SIBLINGS: &[Siblings] =
    &[Siblings { place: "diagnose/rules/sdp", among: &["offer", "settings"], reason: "not untied yet" }];

/// Files of a floor.
pub const FILES: &[Siblings] = &[
    Siblings {
        place: "diagnose",
        among: &["diagnose/rules/sdp/offer.rs", "diagnose/rules/sdp/settings.rs"],
        reason: "not untied yet",
    },
    Siblings {
        place: "cli",
        among: &[
            "cli/arguments.rs",
            "cli/check.rs",
            "cli/compare.rs",
            "cli/extract.rs",
            "cli/mod.rs",
            "cli/output/claims.rs",
            "cli/output/destination.rs",
            "cli/output/draft.rs",
            "cli/output/interrupt.rs",
            "cli/scan.rs",
        ],
        reason: "every subcommand ends with the floor's Stop, and the floor calls every subcommand",
    },
    Siblings {
        place: "report",
        among: &["report/terminal/ladder/draw.rs", "report/terminal/ladder/mod.rs"],
        reason: "the ladder draws itself, and what draws is made of its lines",
    },
];

/// Types.
pub const TWICE: &[Names] = &[Names { floor: "diagnose", names: &["Ask"], reason: "not renamed yet" }];

/// Rules that call the function of another rule.
pub const RULES_THAT_ASK_RULES: &[&str] = &[];

/// Files of a family of rules that import another family.
pub const FAMILIES_THAT_IMPORT: &[&str] = &[
    "diagnose/rules/calls/established.rs imports diagnose/rules/dlg/changes.rs",
    "diagnose/rules/dlg/bye.rs imports diagnose/rules/net/icmp.rs",
    "diagnose/rules/dlg/bye.rs imports diagnose/rules/net/message_evidence.rs",
    "diagnose/rules/dlg/prack.rs imports diagnose/rules/net/message_evidence.rs",
    "diagnose/rules/fleet/cluster.rs imports diagnose/rules/srv/alike.rs",
    "diagnose/rules/fleet/down.rs imports diagnose/rules/srv/refusals.rs",
    "diagnose/rules/msg/contrast.rs imports diagnose/rules/srv/alike.rs",
    "diagnose/rules/opt/peer_down.rs imports diagnose/rules/net/icmp.rs",
    "diagnose/rules/reg/silent.rs imports diagnose/rules/net/icmp.rs",
    "diagnose/rules/sub/failed.rs imports diagnose/rules/net/icmp.rs",
];

/// Rules whose function has another name than their id.
pub const RULES_NAMED_OTHERWISE: &[&str] = &[];

/// Rules that no ladder of their name raises: clocks that differ take two captures (tests/ladders.rs), and encryption needs real TLS
/// (tests/tls_rules.rs).
pub const RULES_WITHOUT_LADDER: &[&str] = &["cap-clock", "cap-encrypted"];

/// Rules that no ladder tries with a look-alike: those about the capture say what it lacks, and the last one is what is left where
/// every other rule is silent.
pub const RULES_WITHOUT_LOOK_ALIKE: &[&str] =
    &["call-fork", "cap-clock", "cap-damaged", "cap-encrypted", "cap-incomplete", "sdp-unexplained-488"];

/// Loops over input that a bare number bounds: the file and the number.
pub const BARE_LIMITS: &[&str] = &["diagnose/hostile/probe.rs 1000"];
