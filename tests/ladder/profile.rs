//! The metrics of ladders by destination, source, product and time, and of tries to register.

use sipscan::analysis::Analysis;
use sipscan::call::survey::profile::{Dimension, GROUPS_MAX};

fn analysis(text: &str) -> Analysis {
    super::analyze(&super::parse::parse(text))
}

fn keys(dimension: &Dimension) -> Vec<(&str, u32, u32)> {
    let groups = dimension.groups.iter();
    groups.map(|group| (group.key.as_str(), group.metrics.calls, group.metrics.answered)).collect()
}

/// An answered call of `alice`, from one second to another.
fn call(number: usize, to: &str, from_s: f64, until_s: f64) -> String {
    let answered = from_s + 0.2;
    format!(
        "+{from_s}s alice -> {to} INVITE call={number} offer=PCMU User-Agent: Phone {}
+{answered}s {to} -> alice 200 call={number} answer=PCMU
+{answered}s alice -> {to} ACK call={number}
+{until_s}s alice -> {to} BYE call={number}
+{until_s}s {to} -> alice 200 call={number} method=BYE\n",
        number % 2
    )
}

#[test]
fn calls_are_grouped_by_where_they_go_where_they_come_from_and_what_sent_them() {
    let text = format!(
        "alice = 10.0.0.1:5060   bob = 10.0.0.3:5060   carol = 10.0.0.4:5060\n{}{}{}
+40s alice -> carol INVITE call=4 offer=PCMU
+40.1s carol -> alice 486 call=4
+40.2s alice -> carol ACK call=4 failure=1\ntail 60s\n",
        call(1, "bob", 0.0, 20.0),
        call(2, "bob", 5.0, 10.0),
        call(3, "carol", 10.2, 30.0),
    );
    let profile = analysis(&text).profile();
    assert_eq!(vec![("10.0.0.3", 2, 2), ("10.0.0.4", 2, 1)], keys(&profile.destinations));
    assert_eq!(vec![("10.0.0.1", 4, 3)], keys(&profile.sources));
    assert_eq!(vec![("Phone 1", 2, 2), ("", 1, 0), ("Phone 0", 1, 1)], keys(&profile.software));
    assert_eq!((0, None), (profile.sources.others, profile.sources.others_metrics.clone()));
}

#[test]
fn the_peak_of_a_span_counts_calls_that_were_up_at_one_moment() {
    let text = format!(
        "alice = 10.0.0.1:5060   bob = 10.0.0.3:5060\n{}{}{}tail 60s\n",
        call(1, "bob", 0.0, 20.0),
        call(2, "bob", 5.0, 10.2),
        // Answered at the moment at which the second one ends: never three.
        call(3, "bob", 10.0, 30.0),
    );
    let profile = analysis(&text).profile();
    assert_eq!((1, 2), (profile.span.as_secs(), profile.peak_calls));
    let peaks: Vec<u32> = profile.spans.iter().map(|span| span.peak_calls).collect();
    assert_eq!(31, peaks.len());
    assert_eq!([1, 1, 1, 1, 1, 2, 2], peaks[..7]);
    assert_eq!([2, 2, 1, 1], peaks[19..23]);
    let calls: Vec<u32> = profile.spans.iter().map(|span| span.metrics.calls).collect();
    assert_eq!((1, 1, 1, 3), (calls[0], calls[5], calls[10], calls.iter().sum()));
}

#[test]
fn keys_beyond_the_busiest_are_told_together() {
    let count = GROUPS_MAX + 7;
    let nodes: String = (0..count).map(|number| format!("n{number} = 10.0.1.{number}:5060\n")).collect();
    let calls: String = (0..count)
        .map(|number| {
            let at = number as f64;
            call(number, &format!("n{number}"), at, at + 0.5)
        })
        .collect();
    let analysis = analysis(&format!("alice = 10.0.0.1:5060\n{nodes}{calls}tail 60s\n"));
    let profile = analysis.profile();
    let others = profile.destinations.others_metrics.as_ref().map(|others| others.calls);
    assert_eq!((GROUPS_MAX, 7, Some(7)), (profile.destinations.groups.len(), profile.destinations.others, others));
}

#[test]
fn a_login_is_one_try_and_a_wrong_password_an_ineffective_one() {
    let registrar = |device: &str, at: f64, second: &str| {
        let next = at + 0.1;
        let last = at + 0.25;
        let uri = "callee-uri=sip:me@example.com";
        format!(
            "+{at}s {device} -> registrar REGISTER call={device} {uri}
+{at}s registrar -> {device} 401 call={device} method=REGISTER WWW-Authenticate: Digest realm=\"a\", nonce=\"1\"
+{next}s {device} -> registrar REGISTER call={device} {uri} Authorization: Digest username=\"a\", realm=\"a\", nonce=\"1\", uri=\"sip:a\", response=\"00000000000000000000000000000001\"
+{last}s registrar -> {device} {second} call={device} method=REGISTER\n"
        )
    };
    let text = format!(
        "one = 10.0.0.1:5060 two = 10.0.0.2:5060 three = 10.0.0.3:5060 registrar = 10.0.0.9:5060\n{}{}
+2s three -> registrar REGISTER call=three callee-uri=sip:me@example.com
+2.1s registrar -> three 401 call=three method=REGISTER WWW-Authenticate: Digest realm=\"a\", nonce=\"1\"\ntail 60s\n",
        registrar("one", 0.0, "200"),
        registrar("two", 1.0, "403"),
    );
    let metrics = analysis(&text).registration_metrics();
    assert_eq!((2, 1, Some(50.0)), (metrics.attempts, metrics.registered, metrics.ira_percent));
    assert_eq!(Some(250.0), metrics.rrd_ms.map(|delay| delay.max));
}
