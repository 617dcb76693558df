//! Packets of a ladder that are no SIP: ICMP, TCP without content, DNS, RTP and the hellos of TLS.

use std::collections::HashMap;
use std::net::SocketAddr;

use super::capture::{Frame, Payload};
use super::parse::Step;

/// The next sequence number of each direction of each TCP connection.
pub type Sequences = HashMap<(SocketAddr, SocketAddr), u32>;

/// The payload of a step that is no SIP; `None` where it is SIP. An ICMP error quotes the last datagram that its receiver sent
/// to `lost`.
pub fn other(
    step: &Step,
    frames: &[Frame],
    sequences: &mut Sequences,
    (source, destination): (SocketAddr, SocketAddr),
    lost: SocketAddr,
) -> Option<Payload> {
    let what = step.what.as_str();
    Some(match what {
        "icmp-port" | "icmp-host" | "icmp-prohibited" => {
            Payload::Icmp { code: icmp_code(what), quoted: last_between(frames, destination, lost) }
        }
        "syn" | "rst" | "syn-ack" | "ack" | "fin" | "zero-window" => {
            tcp(sequences, (source, destination), what, Vec::new())
        }
        // What an address translation sends on: the line before, between other addresses.
        "same" => frames
            .last()
            .map_or_else(|| panic!("line {}: nothing was sent before", step.line), |frame| frame.payload.clone()),
        "client-hello" => tcp(sequences, (source, destination), "data", hello(1)),
        "server-hello" => tcp(sequences, (source, destination), "data", hello(2)),
        "rtp" => Payload::Udp(rtp()),
        "dns" => Payload::Udp(dns(step)),
        _ => return None,
    })
}

/// A segment that follows what its sender sent before.
pub fn tcp(
    sequences: &mut Sequences,
    (source, destination): (SocketAddr, SocketAddr),
    flags: &str,
    bytes: Vec<u8>,
) -> Payload {
    let acknowledged = sequences.get(&(destination, source)).copied().unwrap_or(1);
    let own = sequences.entry((source, destination)).or_insert(1);
    let is_opening = matches!(flags, "syn" | "syn-ack");
    let sequence = if is_opening { 0 } else { *own };
    *own = own.wrapping_add(bytes.len() as u32);
    Payload::Tcp {
        flags: flags.to_owned(),
        // A receiver without room acknowledges nothing of what has come.
        acknowledged: if flags == "zero-window" { 1 } else { acknowledged },
        sequence,
        bytes,
    }
}

fn icmp_code(what: &str) -> u8 {
    match what {
        "icmp-port" => 3,
        "icmp-host" => 1,
        _ => 13,
    }
}

fn last_between(frames: &[Frame], source: SocketAddr, destination: SocketAddr) -> Box<Frame> {
    let found = frames.iter().rev().find(|frame| {
        frame.source == source && frame.destination == destination && matches!(frame.payload, Payload::Udp(_))
    });
    Box::new(found.expect("an ICMP error quotes a datagram sent before").clone())
}

/// A TLS record with a ClientHello (1) or ServerHello (2) of version 1.2 and one cipher suite.
fn hello(kind: u8) -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend([7; 32]);
    body.push(0);
    match kind {
        1 => body.extend([0, 2, 0xc0, 0x2f, 1, 0]),
        _ => body.extend([0xc0, 0x2f, 0]),
    }
    let mut out = vec![22, 3, 1];
    out.extend((body.len() as u16 + 4).to_be_bytes());
    out.extend([kind, 0]);
    out.extend((body.len() as u16).to_be_bytes());
    out.extend(body);
    out
}

/// 20 ms of PCMU.
fn rtp() -> Vec<u8> {
    let mut out = vec![0x80, 0, 0, 1, 0, 0, 0, 160, 0, 0, 0, 9];
    out.extend([0xff; 160]);
    out
}

/// `name=` and `kind=` ask; `rcode=`, `address=` or `target=` (of several servers: `a,b`) answer.
fn dns(step: &Step) -> Vec<u8> {
    let get = |name: &str| step.settings.get(name).map(String::as_str);
    let name = |text: &str| -> Vec<u8> {
        let labels = text.split('.').filter(|label| !label.is_empty());
        let mut out: Vec<u8> = labels.flat_map(|label| [&[label.len() as u8], label.as_bytes()].concat()).collect();
        out.push(0);
        out
    };
    let kind: u16 = match get("kind") {
        Some("SRV") => 33,
        Some("NAPTR") => 35,
        Some("AAAA") => 28,
        _ => 1,
    };
    let asked = name(get("name").expect("dns name="));
    let address = get("address").map(|address| {
        let address: std::net::Ipv4Addr = address.parse().expect("address=");
        address.octets().to_vec()
    });
    let targets = get("target").into_iter().flat_map(|all| all.split(','));
    let service = |target| [&[0, 1, 0, 1, 0x13, 0xc4][..], &name(target)].concat();
    let records: Vec<Vec<u8>> = address.into_iter().chain(targets.map(service)).collect();
    let is_answer = !records.is_empty() || get("rcode").is_some();
    let code: u8 = get("rcode").map_or(0, |code| code.parse().expect("rcode="));
    let mut out = vec![0, get("id").map_or(1, |id| id.parse().expect("id="))];
    out.extend([if is_answer { 0x81 } else { 0x01 }, code]);
    out.extend([0, 1, 0, records.len() as u8, 0, 0, 0, 0]);
    out.extend(&asked);
    out.extend(kind.to_be_bytes());
    out.extend([0, 1]);
    for data in records {
        out.extend(&asked);
        out.extend(kind.to_be_bytes());
        out.extend([0, 1, 0, 0, 0, 60]);
        out.extend((data.len() as u16).to_be_bytes());
        out.extend(data);
    }
    out
}
