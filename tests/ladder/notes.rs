//! Three notes as an engineer would write them into a ticket: a codec, an overload seen as another code, an ACK that went inside.

use std::fmt::Write;

use sipscan::analysis::Analysis;
use sipscan::report::terminal::{ScreenStyle, write_call};
use sipscan::report::time::Zone;

/// The note of a call; the Call-ID and what follows, its ladder too, have tests of their own.
fn note(analysis: &Analysis, id: u32) -> String {
    let view = ScreenStyle { zone: Zone::default(), width: 110, is_whole: false };
    let mut out = Vec::new();
    write_call(analysis, id, &view, &mut out).expect("memory takes everything");
    let text = anstream::adapter::strip_bytes(&out).into_vec();
    let text = String::from_utf8(text).expect("a note is UTF-8");
    let lines = text.lines().take_while(|line| !line.contains("Call-ID"));
    lines.map(|line| format!("{line}\n")).collect()
}

fn analyze(text: &str) -> Analysis {
    crate::ladder::analyze(&crate::ladder::parse::parse(text))
}

/// A trunk offers G.729 alone to a PBX that answered PCMU or PCMA in six other calls.
fn codec() -> String {
    let mut text = String::from(
        "trunk = 203.0.113.9:5060   proxy = 10.0.0.1:5060   pbx = 10.0.0.5:5060   desk = 10.0.0.77:5060\n",
    );
    for call in 1..=12_u32 {
        let (from, at) = (if call > 9 { "desk" } else { "trunk" }, call * 20_000);
        let refused = matches!(call, 4 | 7 | 9);
        let offer = if refused { "G729,DTMF" } else { "G729,PCMU,PCMA,DTMF" };
        let answer = if call % 3 == 2 { "PCMA,DTMF" } else { "PCMU,DTMF" };
        let mut line = |after: u32, what: &str| {
            writeln!(text, "+{}ms {what}", at + after).expect("memory takes everything");
        };
        line(
            0,
            &format!(
                "{from} -> proxy INVITE call={call} caller=13035550101 callee-uri=sip:2005@10.0.0.1 offer={offer} port=40012"
            ),
        );
        line(
            2,
            &format!(
                "proxy -> pbx INVITE call={call} relay={from} caller=13035550101 callee-uri=sip:2005@10.0.0.1 offer={offer} port=40012"
            ),
        );
        if refused {
            line(36, &format!("pbx -> proxy 488 call={call}\n    Server: Asterisk 18.2"));
            line(37, &format!("proxy -> pbx ACK call={call} failure=1"));
            line(38, &format!("proxy -> {from} 488 call={call}\n    Server: Asterisk 18.2"));
            line(40, &format!("{from} -> proxy ACK call={call} failure=1"));
            continue;
        }
        for (after, code) in [(150, "180"), (3000, "200")] {
            let body = if code == "200" { format!(" answer={answer}") } else { String::new() };
            line(after, &format!("pbx -> proxy {code} call={call}{body}\n    Server: Asterisk 18.2"));
            line(after + 2, &format!("proxy -> {from} {code} call={call}{body}\n    Server: Asterisk 18.2"));
        }
        line(3010, &format!("{from} -> proxy ACK call={call} dialog=1"));
        line(3012, &format!("proxy -> pbx ACK call={call} relay={from} dialog=1"));
        line(15_000, &format!("{from} -> proxy BYE call={call}"));
        line(15_002, &format!("proxy -> pbx BYE call={call} relay={from}"));
        line(15_005, &format!("pbx -> proxy 200 call={call} method=BYE"));
        line(15_007, &format!("proxy -> {from} 200 call={call} method=BYE"));
    }
    text + "tail 60s\n"
}

#[test]
fn a_refused_codec_reads_like_a_ticket() {
    insta::assert_snapshot!(note(&analyze(&codec()), 4));
}

/// A carrier slows down under a burst, refuses with 503 and Retry-After, and its proxy makes 500 of that.
fn overload() -> String {
    let mut text = String::from(
        "dialler = 10.0.0.44:5060   desk = 10.0.0.77:5060   proxy = 10.0.0.1:5060   carrier = 198.51.100.20:5060   other = 198.51.100.21:5060\n",
    );
    let mut events: Vec<(u32, String)> = Vec::new();
    let (mut at, mut call) = (0_u32, 0_u32);
    while at < 60_000 {
        call += 1;
        let is_burst = (40_000..46_000).contains(&at);
        at += if is_burst { 53 } else { 250 };
        let from = if is_burst && !call.is_multiple_of(6) { "dialler" } else { "desk" };
        let caller = if from == "dialler" { 4420 } else { 4401 + call % 9 };
        let refused =
            is_burst && at > 41_500 && (call.is_multiple_of(2) || at > 45_000) || (46_000..48_000).contains(&at);
        let slow = if is_burst { 1_900 } else { 35 + call % 7 };
        let number = 4_930_123_456 + u64::from(call);
        let party = format!("call={call} caller={caller} callee-uri=sip:+{number}@10.0.0.1 offer=PCMU");
        let mut add = |after: u32, what: String| events.push((at + after, what));
        add(0, format!("{from} -> proxy INVITE {party}"));
        add(1, format!("proxy -> carrier INVITE {party} relay={from}"));
        if refused {
            add(
                59,
                format!(
                    "carrier -> proxy 503 call={call} phrase=Overloaded answerer=carrier\n    Retry-After: 10\n    Server: SBC-7.4"
                ),
            );
            add(60, format!("proxy -> carrier ACK call={call} failure=1"));
            add(61, format!("proxy -> {from} 500 call={call} phrase=Service_Unavailable answerer=proxy"));
            add(62, format!("{from} -> proxy ACK call={call} failure=1"));
            continue;
        }
        for (after, code) in [(slow, "180"), (slow + 2_000, "200")] {
            let body = if code == "200" { " answer=PCMU" } else { "" };
            add(after, format!("carrier -> proxy {code} call={call}{body}\n    Server: SBC-7.4"));
            add(after + 1, format!("proxy -> {from} {code} call={call}{body}\n    Server: SBC-7.4"));
        }
        add(slow + 2_010, format!("{from} -> proxy ACK call={call} dialog=1"));
        add(slow + 2_011, format!("proxy -> carrier ACK call={call} relay={from} dialog=1"));
        let end = slow + 12_000 + call * 7 % 9 * 4_000;
        add(end, format!("{from} -> proxy BYE call={call}"));
        add(end + 1, format!("proxy -> carrier BYE call={call} relay={from}"));
        add(end + 5, format!("carrier -> proxy 200 call={call} method=BYE"));
        add(end + 6, format!("proxy -> {from} 200 call={call} method=BYE"));
    }
    events.extend(beside(call));
    events.sort_by_key(|(at, _)| *at);
    for (at, what) in events {
        writeln!(text, "+{at}ms {what}").expect("memory takes everything");
    }
    text + "tail 60s\n"
}

/// Calls through another carrier at the same time, which succeed; `call` is the last number given out.
fn beside(call: u32) -> Vec<(u32, String)> {
    let mut events = Vec::new();
    for more in 0..12_u32 {
        let (id, at) = (call + 1 + more, 41_000 + more * 500);
        let party = format!("call={id} caller=4430 callee-uri=sip:+4989{id}@10.0.0.1 offer=PCMU");
        let mut add = |after: u32, what: String| events.push((at + after, what));
        add(0, format!("desk -> proxy INVITE {party}"));
        add(1, format!("proxy -> other INVITE {party} relay=desk"));
        add(900, format!("other -> proxy 200 call={id} answer=PCMU"));
        add(901, format!("proxy -> desk 200 call={id} answer=PCMU"));
        add(910, format!("desk -> proxy ACK call={id} dialog=1"));
        add(911, format!("proxy -> other ACK call={id} relay=desk dialog=1"));
        add(9_000, format!("desk -> proxy BYE call={id}"));
        add(9_001, format!("proxy -> other BYE call={id} relay=desk"));
        add(9_005, format!("other -> proxy 200 call={id} method=BYE"));
        add(9_006, format!("proxy -> desk 200 call={id} method=BYE"));
    }
    events
}

#[test]
fn an_overload_seen_as_another_code_reads_like_a_ticket() {
    let analysis = analyze(&overload());
    let is_pushed = |entry: &&(usize, &sipscan::analysis::CallEntry)| {
        let caller = analysis.store.tables.text(entry.1.call.caller);
        entry.1.call.outcome.is_failure() && caller.contains("4420")
    };
    let mut calls = (1..).zip(&analysis.calls).filter(|entry| is_pushed(&entry));
    let (failed, _) = calls.nth(3).expect("the dialler was refused");
    insta::assert_snapshot!(note(&analysis, failed as u32));
}

/// A softswitch behind NAT names its inside address in the Contact of every 200; calls to another host are well.
fn ack_inside() -> String {
    let mut text = String::from(
        "phone = 203.0.113.29:5060   proxy = 203.0.113.10:5060   switch = 198.51.100.20:5060   inside = 192.168.1.50:5060   well = 198.51.100.30:5060\n",
    );
    for call in 1..=9_u32 {
        let at = call * 45_000;
        let is_well = call > 5;
        let far = if is_well { "well" } else { "switch" };
        let number = 3000 + call;
        let party = format!("call={call} caller=2001 callee-uri=sip:{number}@203.0.113.10 offer=PCMU");
        let mut line = |after: u32, what: String| {
            writeln!(text, "+{}ms {what}", at + after).expect("memory takes everything");
        };
        line(0, format!("phone -> proxy INVITE {party}"));
        line(1, format!("proxy -> {far} INVITE {party} relay=phone"));
        for (from, to, after) in [(far, "proxy", 200), ("proxy", "phone", 201)] {
            line(after, format!("{from} -> {to} 180 call={call}"));
        }
        if is_well {
            for (from, to, after) in [(far, "proxy", 4100), ("proxy", "phone", 4101)] {
                line(
                    after,
                    format!("{from} -> {to} 200 call={call} answer=PCMU Contact: <sip:{number}@198.51.100.30:5060>"),
                );
            }
            line(4110, format!("phone -> {far} ACK call={call} dialog=1"));
            line(30_000, format!("phone -> {far} BYE call={call}"));
            line(30_005, format!("{far} -> phone 200 call={call} method=BYE"));
            continue;
        }
        for (number_of_send, late) in
            [0, 500, 1500, 3500, 7500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500].into_iter().enumerate()
        {
            let contact = format!("Contact: <sip:{number}@192.168.1.50:5060>\n    Server: FreeSWITCH 1.10");
            line(4100 + late, format!("switch -> proxy 200 call={call} answer=PCMU {contact}"));
            line(4101 + late, format!("proxy -> phone 200 call={call} answer=PCMU {contact}"));
            line(4110 + late, format!("phone -> inside ACK call={call} dialog=1 uri=sip:{number}@192.168.1.50:5060"));
            if number_of_send == 0 {
                line(4120, "inside -> phone icmp-host".to_owned());
            }
        }
        line(36_100, format!("switch -> phone BYE call={call} by=callee"));
        line(36_110, format!("phone -> switch 200 call={call} method=BYE"));
    }
    text + "tail 60s\n"
}

#[test]
fn an_ack_that_went_inside_reads_like_a_ticket() {
    insta::assert_snapshot!(note(&analyze(&ack_inside()), 2));
}
