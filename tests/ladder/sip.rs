//! From ladder lines to SIP messages: what a line leaves out is what two ordinary devices would send.

use std::collections::HashMap;
use std::net::SocketAddr;

use super::capture::{Frame, Payload};
use super::packets::{Sequences, other, tcp};
use super::parse::{Ladder, Step};

/// What is remembered of a call while its messages are written.
#[derive(Default, Clone)]
struct Call {
    caller: String,
    callee: String,
    cseq: HashMap<String, u32>,
    /// Via stack of the last request of each method on each hop.
    vias: HashMap<(String, String, String), Vec<String>>,
    /// CSeq of the last request of each method on each hop.
    hop_cseq: HashMap<(String, String, String), u32>,
    branches: u32,
}

/// The frames of a ladder, in its order.
pub fn frames(ladder: &Ladder) -> Vec<Frame> {
    let mut calls: HashMap<String, Call> = HashMap::new();
    let mut frames: Vec<Frame> = Vec::new();
    let mut sequences = Sequences::new();
    for step in &ladder.steps {
        let node = |name: &str| {
            *ladder.nodes.get(name).unwrap_or_else(|| panic!("line {}: `{name}` is not declared", step.line))
        };
        let (source, destination) = (node(&step.from), node(&step.to));
        let repeats = step
            .settings
            .get("at")
            .map_or_else(|| vec![0], |list| list.split(',').map(super::parse::duration_us).collect());
        let ends = (source, destination);
        let lost = step.settings.get("of").map_or(source, |name| node(name));
        let payload = other(step, &frames, &mut sequences, ends, lost).unwrap_or_else(|| {
            let key = step.settings.get("call").cloned().unwrap_or_else(|| "1".to_owned());
            let call = calls.entry(key.clone()).or_default();
            let text = message(step, call, &key, source, destination);
            match step.settings.get("over").map(String::as_str) {
                Some("tcp") => {
                    let text = text.replace("SIP/2.0/UDP", "SIP/2.0/TCP");
                    tcp(&mut sequences, ends, "data", text.into_bytes())
                }
                _ => Payload::Udp(text.into_bytes()),
            }
        });
        if step.settings.contains_key("unseen") {
            continue;
        }
        for wait in repeats {
            frames.push(Frame {
                at_us: step.at_us + wait,
                source,
                destination,
                payload: payload.clone(),
                copy_of: None,
            });
        }
        if let Some(copies) = step.settings.get("copies") {
            let original = frames.len() - 1;
            for copy in 1..=copies.parse::<u64>().expect("copies=N") {
                let (at_us, copy_of) = (step.at_us + copy * 50, Some(original));
                frames.push(Frame { at_us, copy_of, ..frames[original].clone() });
            }
        }
    }
    if ladder.tail_us > 0 {
        frames.push(tail(&frames, ladder.tail_us));
    }
    in_order(&frames)
}

/// A packet of no meaning, so that the capture is seen to run on.
fn tail(frames: &[Frame], tail_us: u64) -> Frame {
    let nobody: SocketAddr = "192.0.2.254:9".parse().expect("an address");
    let at_us = frames.iter().map(|frame| frame.at_us).max().unwrap_or(0) + tail_us;
    Frame { at_us, source: nobody, destination: nobody, payload: Payload::Udp(vec![0; 4]), copy_of: None }
}

/// The frames in the order of time.
fn in_order(frames: &[Frame]) -> Vec<Frame> {
    let mut order: Vec<usize> = (0..frames.len()).collect();
    order.sort_by_key(|index| frames[*index].at_us);
    let place: HashMap<usize, usize> = order.iter().enumerate().map(|(new, old)| (*old, new)).collect();
    order
        .iter()
        .map(|old| Frame { copy_of: frames[*old].copy_of.map(|original| place[&original]), ..frames[*old].clone() })
        .collect()
}

fn message(step: &Step, call: &mut Call, key: &str, source: SocketAddr, destination: SocketAddr) -> String {
    let get = |name: &str| step.settings.get(name).cloned();
    if call.caller.is_empty() {
        call.caller = get("caller").unwrap_or_else(|| step.from.clone());
        call.callee = get("callee").unwrap_or_else(|| step.to.clone());
    }
    let is_response = step.what.bytes().all(|byte| byte.is_ascii_digit());
    let method = get("method").unwrap_or_else(|| if is_response { "INVITE".to_owned() } else { step.what.clone() });
    let hop = hop(step, is_response, &method);
    let (vias, cseq) = if is_response { answer_way(call, &hop) } else { request_way(step, call, &hop, source, key) };
    let by_callee = get("by").is_some_and(|by| by == "callee")
        || !is_response && step.from == call.callee && method != "INVITE" && !vias_cover(&vias);
    let in_dialog = matches!(method.as_str(), "ACK" | "BYE" | "PRACK" | "UPDATE" | "INFO" | "REFER" | "NOTIFY")
        || get("dialog").is_some();
    let to_tag =
        get("to-tag").unwrap_or_else(|| format!("{}{key}", get("answerer").unwrap_or_else(|| call.callee.clone())));
    let has_to_tag = (is_response && step.what != "100" || in_dialog && method != "CANCEL")
        && get("to-tag").as_deref() != Some("none");
    let caller = uri(&get("caller-uri"), &call.caller);
    let callee = uri(&get("callee-uri"), &call.callee);
    let from_tag = get("from-tag").unwrap_or_else(|| format!("{}{key}", call.caller));
    let call_id = get("call-id").unwrap_or_else(|| format!("call-{key}@ladder"));
    let (from, to) = if by_callee {
        (format!("<{callee}>;tag={to_tag}"), format!("<{caller}>;tag={from_tag}"))
    } else {
        let tag = if has_to_tag { format!(";tag={to_tag}") } else { String::new() };
        (format!("<{caller}>;tag={from_tag}"), format!("<{callee}>{tag}"))
    };
    let start = if is_response {
        let phrase = get("phrase").map_or_else(|| phrase(&step.what).to_owned(), |phrase| phrase.replace('_', " "));
        format!("SIP/2.0 {} {phrase}", step.what)
    } else {
        let target = if by_callee { caller } else { callee };
        format!("{method} {} SIP/2.0", get("uri").unwrap_or(target))
    };
    let mut lines = vec![start];
    lines.extend(vias.iter().map(|via| format!("Via: {via}")));
    if !is_response {
        lines.push(format!("Max-Forwards: {}", get("max-forwards").unwrap_or_else(|| "70".to_owned())));
    }
    lines.extend([
        format!("From: {from}"),
        format!("To: {to}"),
        format!("Call-ID: {call_id}"),
        format!("CSeq: {cseq} {method}"),
    ]);
    let wants_contact = matches!(method.as_str(), "INVITE" | "REGISTER" | "UPDATE") && step.what != "100";
    if wants_contact && !has_header(step, "contact:") {
        lines.push(format!("Contact: <sip:{}@{source}>", step.from));
    }
    lines.extend(step.headers.iter().cloned());
    let body = body(step, source, destination);
    if !body.is_empty() && !has_header(step, "content-type:") {
        lines.push("Content-Type: application/sdp".to_owned());
    }
    let length = get("content-length").unwrap_or_else(|| body.len().to_string());
    lines.push(format!("Content-Length: {length}"));
    format!("{}\r\n\r\n{body}", lines.join("\r\n"))
}

/// Who sent the request, or the one that is answered, to whom, and its method.
fn hop(step: &Step, is_response: bool, method: &str) -> (String, String, String) {
    if !is_response {
        return (step.from.clone(), step.to.clone(), method.to_owned());
    }
    let way = step.settings.get("for").unwrap_or(&step.to);
    let (asker, asked) = way.split_once('/').unwrap_or((way, &step.from));
    (asker.to_owned(), asked.to_owned(), method.to_owned())
}

/// Whether the step gives a header of this name itself.
fn has_header(step: &Step, name: &str) -> bool {
    step.headers.iter().any(|header| header.to_ascii_lowercase().starts_with(name))
}

/// A URI setting that holds only a user or a whole URI, or the node's name.
fn uri(setting: &Option<String>, name: &str) -> String {
    match setting {
        Some(uri) if uri.contains(':') => uri.clone(),
        Some(user) => format!("sip:{user}@example.com"),
        None => format!("sip:{name}@example.com"),
    }
}

fn vias_cover(vias: &[String]) -> bool {
    vias.len() > 1
}

fn answer_way(call: &Call, hop: &(String, String, String)) -> (Vec<String>, u32) {
    let vias = call
        .vias
        .get(hop)
        .cloned()
        .unwrap_or_else(|| vec![format!("SIP/2.0/UDP 192.0.2.99:5060;branch=z9hG4bKunseen{}", hop.2)]);
    (vias, call.hop_cseq.get(hop).copied().unwrap_or(1))
}

/// Via stack and CSeq of a request: `branch=` and `cseq=` set them, `relay=NAME` puts it on top of what NAME sent to this node.
fn request_way(
    step: &Step,
    call: &mut Call,
    hop: &(String, String, String),
    source: SocketAddr,
    key: &str,
) -> (Vec<String>, u32) {
    let method = hop.2.as_str();
    let repeated = step.settings.contains_key("again");
    if repeated && let Some(vias) = call.vias.get(hop) {
        return (vias.clone(), call.hop_cseq[hop]);
    }
    let below = step
        .settings
        .get("relay")
        .and_then(|from| call.vias.get(&(from.clone(), step.from.clone(), method.to_owned())).cloned());
    let relayed_cseq = step
        .settings
        .get("relay")
        .and_then(|from| call.hop_cseq.get(&(from.clone(), step.from.clone(), method.to_owned())).copied());
    let invite = (hop.0.clone(), hop.1.clone(), "INVITE".to_owned());
    call.branches += 1;
    let fresh = format!("z9hG4bK-{key}-{}", call.branches);
    let branch = step.settings.get("branch").cloned().unwrap_or(fresh);
    let own = format!(
        "SIP/2.0/UDP {source};branch={branch}{}",
        if step.settings.contains_key("no-rport") { "" } else { ";rport" }
    );
    let is_failure_ack = method == "ACK" && step.settings.contains_key("failure");
    let vias: Vec<String> = match (method, call.vias.get(&invite)) {
        ("CANCEL", Some(vias)) if !step.settings.contains_key("branch") => vias.iter().take(1).cloned().collect(),
        ("ACK", Some(vias)) if is_failure_ack => vias.iter().take(1).cloned().collect(),
        _ => std::iter::once(own).chain(below.into_iter().flatten()).collect(),
    };
    let next = call.cseq.get("last").copied().unwrap_or(0) + 1;
    let cseq = match (step.settings.get("cseq").and_then(|cseq| cseq.parse().ok()), relayed_cseq, method) {
        (Some(cseq), _, _) => cseq,
        (None, Some(cseq), _) => cseq,
        (None, None, "ACK" | "CANCEL") => call.cseq.get("INVITE").copied().unwrap_or(1),
        _ => next,
    };
    if !matches!(method, "ACK" | "CANCEL") && relayed_cseq.is_none() {
        call.cseq.insert("last".to_owned(), cseq);
    }
    call.cseq.insert(method.to_owned(), cseq);
    call.vias.insert(hop.clone(), vias.clone());
    call.hop_cseq.insert(hop.clone(), cseq);
    (vias, cseq)
}

fn body(step: &Step, source: SocketAddr, _destination: SocketAddr) -> String {
    if let Some(text) = step.settings.get("body") {
        return blanks(&text.replace("\\n", "\r\n"));
    }
    let Some(codecs) =
        step.settings.get("offer").or_else(|| step.settings.get("answer")).or_else(|| step.settings.get("sdp"))
    else {
        return String::new();
    };
    let get = |name: &str, default: &str| step.settings.get(name).cloned().unwrap_or_else(|| default.to_owned());
    let address = get("media", &source.ip().to_string());
    let family = if address.contains(':') { "IP6" } else { "IP4" };
    let (mut formats, mut maps) = (Vec::new(), String::new());
    let mut dynamic = 96;
    for codec in codecs.split(',') {
        let payload = match codec {
            "PCMU" => 0,
            "GSM" => 3,
            "PCMA" => 8,
            "G722" => 9,
            "G729" => 18,
            "DTMF" => 101,
            _ => {
                dynamic += 1;
                dynamic
            }
        };
        formats.push(payload.to_string());
        match codec {
            "DTMF" => maps.push_str("a=rtpmap:101 telephone-event/8000\r\n"),
            "PCMU" | "GSM" | "PCMA" | "G729" | "G722" => maps.push_str(&format!("a=rtpmap:{payload} {codec}/8000\r\n")),
            _ => maps.push_str(&format!("a=rtpmap:{payload} {codec}\r\n")),
        }
    }
    let extra: String = step
        .settings
        .get("sdp-lines")
        .map(|lines| lines.split('|').map(|line| format!("{}\r\n", blanks(line))).collect())
        .unwrap_or_default();
    format!(
        "v=0\r\no=- {} {} IN {family} {address}\r\ns=-\r\nc=IN {family} {address}\r\nt=0 0\r\nm=audio {} {} {}\r\n{maps}a={}\r\n{extra}",
        get("sdp-id", "1"),
        get("sdp-version", "1"),
        get("port", "40000"),
        get("profile", "RTP/AVP"),
        formats.join(" "),
        get("direction", "sendrecv"),
    )
}

/// A setting holds no blank: `_` stands for one, and `~` for `_`.
fn blanks(text: &str) -> String {
    text.replace('_', " ").replace('~', "_")
}

fn phrase(code: &str) -> &'static str {
    let code = code.parse().unwrap_or(0);
    sipscan::reference::ResponseCode::find(code).map_or("", |known| &known.phrase)
}
