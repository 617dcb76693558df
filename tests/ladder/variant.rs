//! The same ladder written otherwise: compact header names, another order, TCP, IPv6, beside other calls. None of it may matter.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use super::capture::{Frame, Payload};

/// How a ladder is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    /// Header names in their one-letter forms (RFC 3261 section 7.3.3).
    Compact,
    /// Header fields in the opposite order, those of one name among themselves as they were.
    Reversed,
    /// Header names in capitals.
    Shouted,
    /// The value of every other header field on a line of its own (RFC 3261 section 7.3.1).
    Folded,
    /// Over TCP, each message in one segment.
    Tcp,
    /// Over TCP, each message in two segments.
    TcpSplit,
    /// Between IPv6 addresses.
    Ipv6,
    /// Between programs on one machine: one loopback address, a port for each.
    Loopback,
}

/// Every variant.
pub const ALL: [Variant; 8] = [
    Variant::Compact,
    Variant::Reversed,
    Variant::Shouted,
    Variant::Folded,
    Variant::Tcp,
    Variant::TcpSplit,
    Variant::Ipv6,
    Variant::Loopback,
];

const COMPACT: [(&str, &str); 12] = [
    ("Via", "v"),
    ("From", "f"),
    ("To", "t"),
    ("Call-ID", "i"),
    ("Contact", "m"),
    ("Content-Type", "c"),
    ("Content-Length", "l"),
    ("Supported", "k"),
    ("Refer-To", "r"),
    ("Referred-By", "b"),
    ("Event", "o"),
    ("Session-Expires", "x"),
];

/// Writes frames otherwise.
pub fn written(frames: &[Frame], variant: Variant) -> Vec<Frame> {
    let texts = |change: &dyn Fn(&str) -> String| -> Vec<Frame> {
        frames.iter().map(|frame| with_text(frame, change)).collect()
    };
    match variant {
        Variant::Compact => texts(&|text| lines(text, |name| short(name).to_owned(), false)),
        Variant::Reversed => texts(&|text| lines(text, str::to_owned, true)),
        Variant::Shouted => texts(&|text| lines(text, str::to_uppercase, false)),
        Variant::Folded => texts(&folded),
        Variant::Tcp => over_tcp(frames, false),
        Variant::TcpSplit => over_tcp(frames, true),
        Variant::Ipv6 => frames.iter().map(over_ipv6).collect(),
        Variant::Loopback => on_loopback(frames),
    }
}

/// The same calls of other devices: other addresses and Call-IDs, `later_us` microseconds later.
pub fn apart(frames: &[Frame], number: u8, later_us: u64) -> Vec<Frame> {
    let moved = |address: SocketAddr| match address.ip() {
        IpAddr::V4(ip) if ip.octets()[0] == 10 => {
            let mut octets = ip.octets();
            octets[1] = number;
            SocketAddr::new(octets.into(), address.port())
        }
        _ => address,
    };
    let host = format!("@ladder{number}");
    let network = format!("10.{number}.");
    // Two calls with one From tag, CSeq number and session are taken for legs of one, so each copy has tags of its own.
    let tag = format!("tag={number}");
    let (quoted, in_quotes) = (format!("{tag}\""), format!("tag=\"{number}"));
    let change = |text: &str| {
        // Call-IDs that a ladder writes itself are quoted in other fields too.
        let own = call_id(text).filter(|id| !id.contains("@ladder"));
        with_body(text, &|part| {
            let part = part.replace("@ladder", &host).replace("10.0.", &network);
            let part = part.replace("tag=", &tag).replace(&quoted, &in_quotes);
            match own {
                Some(id) => part.replace(id, &format!("{number}-{id}")),
                None => part,
            }
        })
    };
    let change_frame = |frame: &Frame| Frame {
        at_us: frame.at_us + later_us,
        source: moved(frame.source),
        destination: moved(frame.destination),
        ..with_text(frame, &change)
    };
    frames.iter().map(change_frame).collect()
}

fn call_id(text: &str) -> Option<&str> {
    let mut lines = text.lines();
    lines.find_map(|line| line.strip_prefix("Call-ID: "))
}

fn with_text(frame: &Frame, change: &dyn Fn(&str) -> String) -> Frame {
    let payload = match &frame.payload {
        Payload::Udp(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) if text.contains("SIP/2.0") => Payload::Udp(change(text).into_bytes()),
            _ => frame.payload.clone(),
        },
        Payload::Icmp { code, quoted } => Payload::Icmp { code: *code, quoted: Box::new(with_text(quoted, change)) },
        other => other.clone(),
    };
    Frame { payload, ..frame.clone() }
}

fn short(name: &str) -> &str {
    let known = COMPACT.iter().find(|(long, _)| *long == name);
    known.map_or(name, |(_, short)| short)
}

/// Rewrites the names of header fields, and their order where it is to be `reversed`.
fn lines(text: &str, name: impl Fn(&str) -> String, reversed: bool) -> String {
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return text.to_owned();
    };
    let mut fields: Vec<&str> = head.split("\r\n").collect();
    let start = fields.remove(0);
    if reversed {
        let name_of = |line: &str| line.split(':').next().unwrap_or_default().to_lowercase();
        let mut order: Vec<String> = Vec::new();
        for line in &fields {
            let name = name_of(line);
            if !order.contains(&name) {
                order.push(name);
            }
        }
        let place = |line: &&str| order.iter().position(|known| *known == name_of(line));
        fields.sort_by_key(|line| std::cmp::Reverse(place(line)));
    }
    let fields = fields.iter().map(|line| match line.split_once(':') {
        Some((key, value)) => format!("{}:{value}", name(key)),
        None => (*line).to_owned(),
    });
    let fields: Vec<String> = fields.collect();
    format!("{start}\r\n{}\r\n\r\n{body}", fields.join("\r\n"))
}

/// Puts the value of every other header field on a line of its own.
fn folded(text: &str) -> String {
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return text.to_owned();
    };
    let fields = head.split("\r\n").enumerate();
    let fields = fields.map(|(place, line)| match line.split_once(": ") {
        Some((name, value)) if place % 2 == 0 => format!("{name}:\r\n {value}"),
        _ => line.to_owned(),
    });
    let head = fields.collect::<Vec<_>>().join("\r\n");
    format!("{head}\r\n\r\n{body}")
}

/// Changes head and body; a Content-Length that was right stays right.
fn with_body(text: &str, change: &dyn Fn(&str) -> String) -> String {
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return change(text);
    };
    let (new_head, new_body) = (change(head), change(body));
    let length = |bytes: usize| format!("Content-Length: {bytes}");
    let new_head = if head.ends_with(&length(body.len())) {
        new_head.replace(&length(body.len()), &length(new_body.len()))
    } else {
        new_head
    };
    format!("{new_head}\r\n\r\n{new_body}")
}

fn six(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, c, d] = ip.octets();
            let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
            Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, high, low).into()
        }
        six => six,
    }
}

fn over_ipv6(frame: &Frame) -> Frame {
    let quoted = match &frame.payload {
        Payload::Icmp { code, quoted } => Payload::Icmp { code: *code, quoted: Box::new(over_ipv6(quoted)) },
        other => other.clone(),
    };
    Frame {
        source: SocketAddr::new(six(frame.source.ip()), frame.source.port()),
        destination: SocketAddr::new(six(frame.destination.ip()), frame.destination.port()),
        payload: quoted,
        ..frame.clone()
    }
}

fn on_loopback(frames: &[Frame]) -> Vec<Frame> {
    let mut known: Vec<IpAddr> = Vec::new();
    let mut moved = |address: SocketAddr| {
        let place = known.iter().position(|ip| *ip == address.ip());
        let place = place.unwrap_or_else(|| {
            known.push(address.ip());
            known.len() - 1
        });
        let port = 10_000 + 10 * place as u16 + address.port() % 10;
        SocketAddr::new(IpAddr::from([127, 0, 0, 1]), port)
    };
    let frames = frames.iter().map(|frame| Frame {
        source: moved(frame.source),
        destination: moved(frame.destination),
        ..frame.clone()
    });
    frames.collect()
}

fn over_tcp(frames: &[Frame], is_split: bool) -> Vec<Frame> {
    let mut next: HashMap<(SocketAddr, SocketAddr), u32> = HashMap::new();
    let mut seqs: Vec<u32> = Vec::new();
    let mut out = Vec::new();
    for frame in frames {
        let Payload::Udp(bytes) = &frame.payload else {
            seqs.push(0);
            out.push(frame.clone());
            continue;
        };
        let text = String::from_utf8_lossy(bytes).replace("SIP/2.0/UDP", "SIP/2.0/TCP");
        let bytes = text.into_bytes();
        let flow = next.entry((frame.source, frame.destination)).or_insert(1000);
        let seq = match frame.copy_of {
            Some(original) => seqs[original],
            None => {
                let seq = *flow;
                *flow += bytes.len() as u32;
                seq
            }
        };
        seqs.push(seq);
        let middle = if is_split && frame.copy_of.is_none() { bytes.len() / 2 } else { bytes.len() };
        let (first, second) = bytes.split_at(middle);
        let mut offset = 0;
        for part in [first, second].into_iter().filter(|part| !part.is_empty()) {
            out.push(Frame {
                payload: Payload::Tcp {
                    flags: "data".to_owned(),
                    sequence: seq + offset,
                    acknowledged: 0,
                    bytes: part.to_vec(),
                },
                copy_of: None,
                ..frame.clone()
            });
            offset += part.len() as u32;
        }
    }
    out
}
