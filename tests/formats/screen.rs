//! What a user sees, at the widths of a small and of a large terminal.

use crate::made;
use sipscan::analysis::Analysis;
use sipscan::call::{CallId, Outcome};
use sipscan::report::escape::is_hostile;
use sipscan::report::terminal::{NoCall, ScreenStyle, find_call, write_call, write_metrics, write_overview};
use sipscan::report::time::Zone;

fn style(width: usize) -> ScreenStyle {
    ScreenStyle { zone: Zone::default(), width, is_whole: false }
}

fn bare(bytes: Vec<u8>) -> String {
    let text = String::from_utf8(bytes).expect("the screen is UTF-8");
    anstream::adapter::strip_str(&text).to_string()
}

fn overview(analysis: &Analysis, style: &ScreenStyle) -> String {
    let mut out = Vec::new();
    write_overview(analysis, style, &mut out).expect("memory takes everything");
    bare(out)
}

fn note(analysis: &Analysis, id: u32, style: &ScreenStyle) -> String {
    let mut out = Vec::new();
    write_call(analysis, id, style, &mut out).expect("memory takes everything");
    bare(out)
}

/// The ladder alone: the note above it depends on rules, which have tests of their own.
fn ladder(sample: &str, id: u32, style: &ScreenStyle) -> String {
    let note = note(&made::sample(sample), id, style);
    let lines = note.lines().skip_while(|line| !line.is_empty()).skip(1);
    lines.map(|line| format!("{line}\n")).collect()
}

#[test]
fn overview_on_80_columns() {
    insta::assert_snapshot!(overview(&made::analysis(), &style(80)));
}

#[test]
fn overview_on_120_columns() {
    insta::assert_snapshot!(overview(&made::analysis(), &style(120)));
}

#[test]
fn note_of_a_refused_call() {
    insta::assert_snapshot!(note(&made::analysis(), 2, &style(100)));
}

#[test]
fn note_of_a_call_that_no_rule_explains() {
    insta::assert_snapshot!(note(&made::analysis(), 5, &style(100)));
}

#[test]
fn ladder_of_a_call_through_a_proxy() {
    insta::assert_snapshot!(ladder("503-becomes-500.pcap", 1, &style(100)));
}

/// What the note of a call says of its way and its moments.
fn facts(sample: &str, id: u32) -> String {
    let note = note(&made::sample(sample), id, &style(100));
    let lines = note.lines().skip_while(|line| !line.starts_with("  Path"));
    let lines = lines.take_while(|line| !line.is_empty());
    lines.map(|line| format!("{line}\n")).collect()
}

fn metrics(analysis: &Analysis, style: &ScreenStyle) -> String {
    let mut out = Vec::new();
    write_metrics(analysis, style, &mut out).expect("memory takes everything");
    bare(out)
}

#[test]
fn facts_of_a_call_that_a_second_gateway_carried() {
    insta::assert_snapshot!(facts("failover-second-gateway.pcap", 1));
}

#[test]
fn metrics_in_full() {
    let text = metrics(&made::sample("registered-phones-call.pcapng"), &style(120));
    // The head names the file where this machine keeps it.
    let lines = text.lines().skip_while(|line| !line.is_empty()).skip(1);
    let lines: String = lines.map(|line| format!("{line}\n")).collect();
    insta::assert_snapshot!(lines);
}

#[test]
fn metrics_fit_a_narrow_page_and_keep_text_from_the_wire_harmless() {
    let text = metrics(&made::analysis(), &style(60));
    for line in text.lines() {
        let columns = unicode_width::UnicodeWidthStr::width(line);
        assert!(columns <= 60, "{columns} columns: {line}");
        assert_eq!(line.trim_end(), line);
    }
    assert_eq!(None, text.chars().find(|c| is_hostile(*c) && *c != '\n'));
}

#[test]
fn ladder_folds_repeats() {
    insta::assert_snapshot!(ladder("ack-lost.pcap", 1, &style(100)));
}

#[test]
fn ladder_is_a_list_where_columns_do_not_fit() {
    insta::assert_snapshot!(ladder("503-becomes-500.pcap", 1, &style(60)));
}

#[test]
fn no_line_is_wider_than_asked_and_none_ends_in_a_space() {
    for width in [60, 80, 100, 132] {
        let analysis = made::analysis();
        let text = overview(&analysis, &style(width)) + &note(&analysis, 6, &style(width));
        for line in text.lines() {
            let columns = unicode_width::UnicodeWidthStr::width(line);
            assert!(columns <= width, "{columns} columns of {width}: {line}");
            assert_eq!(line.trim_end(), line);
        }
    }
}

#[test]
fn no_text_from_the_wire_acts_on_the_terminal() {
    let analysis = made::analysis();
    for id in 1..=6 {
        let text = note(&analysis, id, &style(100)) + &overview(&analysis, &style(100));
        let hostile = text.chars().find(|c| is_hostile(*c) && *c != '\n');
        assert_eq!(None, hostile, "{text}");
    }
}

#[test]
fn a_capture_with_thousands_of_failures_still_fits_a_screen() {
    let mut analysis = made::analysis();
    let numbers: Vec<CallId> = (1..=5000).map(CallId).collect();
    while analysis.calls.len() < 5000 {
        let more = made::analysis().calls;
        analysis.calls.extend(more);
    }
    analysis.metrics = sipscan::call::survey::metrics::Metrics::of(analysis.calls.iter().map(|entry| &entry.call));
    for _ in 0..40 {
        let mut again = made::analysis().incidents;
        again[0].calls.clone_from(&numbers);
        analysis.incidents.append(&mut again);
    }
    for _ in 0..500 {
        let more = made::analysis();
        analysis.registrations.extend(more.registrations);
        analysis.others.extend(more.others);
        analysis.captures.extend(more.captures);
    }
    let lines = overview(&analysis, &style(100)).lines().count();
    assert!(lines <= 80, "{lines} lines");
}

#[test]
fn a_sound_capture_says_so_in_one_line() {
    let mut analysis = made::analysis();
    analysis.calls.truncate(1);
    analysis.incidents.clear();
    analysis.metrics = sipscan::call::survey::metrics::Metrics::of(analysis.calls.iter().map(|entry| &entry.call));
    let text = overview(&analysis, &style(100));
    assert!(text.contains("No fault was found in any call.\n"), "{text}");
    assert!(!text.contains("Failed"), "{text}");
}

#[test]
fn a_capture_without_sip_says_what_was_not_read() {
    let mut analysis = made::analysis();
    analysis.calls.clear();
    analysis.registrations.clear();
    analysis.others.clear();
    analysis.fitness.sip_messages.clear();
    let text = overview(&analysis, &style(100));
    assert!(text.contains("No SIP was found.\n"), "{text}");
    assert!(text.contains("7 frames  tls-without-keys"), "{text}");
}

#[test]
fn a_normal_ending_is_no_fault() {
    let mut analysis = made::analysis();
    let text = note(&analysis, 4, &style(100));
    assert!(text.starts_with("NOT A FAULT  call 4"), "{text}");
    analysis.calls[3].call.outcome = Outcome::Dropped;
    assert!(note(&analysis, 4, &style(100)).starts_with("DROPPED"));
}

#[test]
fn a_call_is_found_by_number_by_call_id_or_by_a_part_of_it() {
    let analysis = made::analysis();
    assert_eq!(Ok(3), find_call(&analysis, "3"));
    assert_eq!(Ok(3), find_call(&analysis, "2@203.0.113.9"));
    assert_eq!(Ok(6), find_call(&analysis, "5@2"));
    // Part of Call-IDs, but a number that no call has.
    assert_eq!(Err(NoCall::Unknown(6)), find_call(&analysis, "7"));
    assert_eq!(Err(NoCall::Unknown(6)), find_call(&analysis, "203"));
    assert_eq!(Err(NoCall::Unknown(6)), find_call(&analysis, ""));
    let several = find_call(&analysis, "@203").expect_err("all calls fit");
    assert!(several.to_string().starts_with("6 calls fit: 1 (0@203.0.113.9)"));
}

#[test]
fn frames_of_several_captures_name_their_file() {
    let mut analysis = made::analysis();
    analysis.captures.extend(made::analysis().captures);
    let text = note(&analysis, 2, &style(100));
    assert!(text.contains("frame 1:17: m=audio"), "{text}");
}
