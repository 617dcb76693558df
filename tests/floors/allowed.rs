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
pub const SIBLINGS: &[Siblings] = &[
    Siblings { place: "call/ingest", among: &["excerpt", "line_cache", "message_batch"], reason: "not untied yet" },
    Siblings { place: "call/ingest", among: &["intern", "message_store"], reason: "not untied yet" },
    Siblings { place: "call/outcome", among: &["ending", "refresh"], reason: "not untied yet" },
    Siblings { place: "call/outcome", among: &["hold", "negotiation"], reason: "not untied yet" },
    Siblings { place: "call/survey/load", among: &["limit", "node", "sent"], reason: "not untied yet" },
    Siblings {
        place: "diagnose",
        among: &["background", "context", "doubt", "engine", "hostile", "incident", "rule", "rules"],
        reason: "not untied yet",
    },
    Siblings { place: "diagnose/rules/dlg", among: &["bye", "swallowed"], reason: "not untied yet" },
    Siblings { place: "diagnose/rules/reg", among: &["binding", "unsteady"], reason: "not untied yet" },
    Siblings { place: "diagnose/rules/reg", among: &["failed", "silent", "unbound"], reason: "not untied yet" },
    Siblings { place: "diagnose/rules/route", among: &["incomplete", "number"], reason: "not untied yet" },
    Siblings { place: "diagnose/rules/sdp", among: &["offer", "settings"], reason: "not untied yet" },
    Siblings {
        place: "diagnose/rules/sdp",
        among: &[
            "body",
            "codec",
            "codec_words",
            "family",
            "fax",
            "judge",
            "params",
            "profile",
            "refusal",
            "streams",
            "syntax",
        ],
        reason: "not untied yet",
    },
];

/// Files of a floor.
pub const FILES: &[Siblings] = &[
    Siblings {
        place: "call",
        among: &["call/ingest/excerpt.rs", "call/ingest/line_cache.rs", "call/ingest/message_batch.rs"],
        reason: "not untied yet",
    },
    Siblings {
        place: "call",
        among: &["call/ingest/intern.rs", "call/ingest/message_store.rs"],
        reason: "not untied yet",
    },
    Siblings { place: "call", among: &["call/outcome/ending.rs", "call/outcome/refresh.rs"], reason: "not untied yet" },
    Siblings {
        place: "call",
        among: &["call/survey/load/limit.rs", "call/survey/load/node.rs", "call/survey/load/sent.rs"],
        reason: "not untied yet",
    },
    Siblings {
        place: "call",
        among: &["call/outcome/hold.rs", "call/outcome/negotiation.rs"],
        reason: "not untied yet",
    },
    Siblings {
        place: "diagnose",
        among: &[
            "diagnose/background/contrast.rs",
            "diagnose/background/cross_call_index.rs",
            "diagnose/background/device.rs",
            "diagnose/background/logins.rs",
            "diagnose/background/losses.rs",
            "diagnose/context/capture_context.rs",
            "diagnose/hostile/mod.rs",
            "diagnose/incident/distinguishing_feature.rs",
            "diagnose/incident/features.rs",
            "diagnose/rules/srv/sorting.rs",
        ],
        reason: "not untied yet",
    },
    Siblings {
        place: "diagnose",
        among: &[
            "diagnose/rules/auth/forbidden.rs",
            "diagnose/rules/auth/mod.rs",
            "diagnose/rules/auth/outside.rs",
            "diagnose/rules/auth/refused.rs",
            "diagnose/rules/auth/unanswered.rs",
        ],
        reason: "not untied yet",
    },
    Siblings {
        place: "diagnose",
        among: &[
            "diagnose/rules/net/ack.rs",
            "diagnose/rules/net/broken.rs",
            "diagnose/rules/net/fragment.rs",
            "diagnose/rules/net/icmp.rs",
            "diagnose/rules/net/misrouted.rs",
            "diagnose/rules/net/mod.rs",
            "diagnose/rules/net/private.rs",
            "diagnose/rules/net/silence.rs",
            "diagnose/rules/net/tcp.rs",
            "diagnose/rules/net/tls.rs",
            "diagnose/rules/net/tls_closed.rs",
        ],
        reason: "not untied yet",
    },
    Siblings {
        place: "diagnose",
        among: &["diagnose/rules/dlg/bye.rs", "diagnose/rules/dlg/swallowed.rs"],
        reason: "not untied yet",
    },
    Siblings {
        place: "diagnose",
        among: &["diagnose/rules/reg/binding.rs", "diagnose/rules/reg/unsteady.rs"],
        reason: "not untied yet",
    },
    Siblings {
        place: "diagnose",
        among: &["diagnose/rules/reg/failed.rs", "diagnose/rules/reg/silent.rs", "diagnose/rules/reg/unbound.rs"],
        reason: "not untied yet",
    },
    Siblings {
        place: "diagnose",
        among: &["diagnose/rules/route/incomplete.rs", "diagnose/rules/route/number.rs"],
        reason: "not untied yet",
    },
    Siblings {
        place: "diagnose",
        among: &["diagnose/rules/sdp/offer.rs", "diagnose/rules/sdp/settings.rs"],
        reason: "not untied yet",
    },
    Siblings {
        place: "diagnose",
        among: &[
            "diagnose/rules/sdp/body.rs",
            "diagnose/rules/sdp/codec.rs",
            "diagnose/rules/sdp/codec_words.rs",
            "diagnose/rules/sdp/family.rs",
            "diagnose/rules/sdp/fax.rs",
            "diagnose/rules/sdp/judge.rs",
            "diagnose/rules/sdp/params.rs",
            "diagnose/rules/sdp/profile.rs",
            "diagnose/rules/sdp/refusal.rs",
            "diagnose/rules/sdp/streams.rs",
            "diagnose/rules/sdp/syntax.rs",
        ],
        reason: "not untied yet",
    },
    Siblings {
        place: "diagnose",
        among: &["diagnose/engine.rs", "diagnose/incident/mod.rs"],
        reason: "not untied yet",
    },
];

/// Types.
pub const TWICE: &[Names] = &[
    Names {
        floor: "call",
        names: &["Fate", "Group", "Outage", "Pair", "Parts", "Share", "Span", "Tally", "View"],
        reason: "not renamed yet",
    },
    Names {
        floor: "diagnose",
        names: &["Ask", "Fault", "Heard", "Key", "Lost", "Place", "Reason", "Told"],
        reason: "not renamed yet",
    },
];

/// Rules that call the function of another rule.
pub const RULES_THAT_ASK_RULES: &[&str] = &["diagnose/rules/dlg/no_such_call.rs asks dlg_route_set_lost"];

/// Files of a family of rules that import another family.
pub const FAMILIES_THAT_IMPORT: &[&str] = &[
    "diagnose/rules/calls/established.rs imports diagnose/rules/dlg/glare.rs",
    "diagnose/rules/dlg/bye.rs imports diagnose/rules/net/icmp.rs",
    "diagnose/rules/dlg/bye.rs imports diagnose/rules/net/mod.rs",
    "diagnose/rules/dlg/prack.rs imports diagnose/rules/net/mod.rs",
    "diagnose/rules/dlg/session_timer.rs imports diagnose/rules/net/mod.rs",
    "diagnose/rules/fleet/cluster.rs imports diagnose/rules/srv/alike.rs",
    "diagnose/rules/fleet/cluster.rs imports diagnose/rules/srv/sorting.rs",
    "diagnose/rules/fleet/down.rs imports diagnose/rules/srv/sorting.rs",
    "diagnose/rules/fleet/down.rs imports diagnose/rules/srv/telling.rs",
    "diagnose/rules/msg/contrast.rs imports diagnose/rules/srv/alike.rs",
    "diagnose/rules/msg/contrast.rs imports diagnose/rules/srv/sorting.rs",
    "diagnose/rules/opt.rs imports diagnose/rules/net/icmp.rs",
    "diagnose/rules/reg/silent.rs imports diagnose/rules/net/icmp.rs",
    "diagnose/rules/sub.rs imports diagnose/rules/net/icmp.rs",
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
pub const BARE_LIMITS: &[&str] = &[
    "call/assemble/leg.rs 16",
    "call/transaction/call_id_parts.rs 64",
    "call/transaction/dialog.rs 64",
    "diagnose/hostile/probe.rs 1000",
    "diagnose/rules/calls/redirected.rs 16",
    "diagnose/rules/reg/failed.rs 10_000",
    "diagnose/rules/reg/failed.rs 2_000",
    "diagnose/rules/sec/fraud.rs 500",
    "diagnose/rules/srv/overload.rs 20",
    "diagnose/rules/sub.rs 10_000",
];
