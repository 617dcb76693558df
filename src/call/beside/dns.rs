//! Lookups: what nodes asked DNS for and what was answered, which decides where they send requests next.
//!
//! Source: RFC 3263 (locating SIP servers).

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use crate::capture::{FrameRef, Timestamp};
use crate::net::{DnsKind, DnsMessage, DnsRecord, Endpoint, Flow};

/// Questions and answers kept of a run, about 300 bytes each.
pub const DNS_MESSAGES_MAX: usize = 40_000;
/// An answer that comes later belongs to another question: resolvers ask again after 5 s and give up after 30.
const ANSWER_WAIT: Duration = Duration::from_secs(30);

/// A DNS message and where it was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DnsSeen {
    /// Its frame.
    pub at: FrameRef,
    /// When it was captured.
    pub time: Timestamp,
    /// Who sent it to whom.
    pub flow: Flow,
    /// What it says.
    pub message: DnsMessage,
}

/// One question, with its answer where there was one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lookup {
    /// In lower case, without the last dot.
    pub name: Box<str>,
    /// What was asked for.
    pub kind: DnsKind,
    /// Who asked.
    pub client: IpAddr,
    /// Who was asked.
    pub server: Endpoint,
    /// First question; `None` where only the answer was captured.
    pub asked: Option<(Timestamp, FrameRef)>,
    /// Answer; `None` where none was captured.
    pub answered: Option<(Timestamp, FrameRef)>,
    /// 0 no error, 2 server failure, 3 no such name, 5 refused; `None` without an answer.
    pub rcode: Option<u8>,
    /// Records of the answer.
    pub answers: Vec<DnsRecord>,
}

impl Lookup {
    /// When it was first seen.
    pub fn time(&self) -> Timestamp {
        let seen = self.asked.or(self.answered);
        seen.map_or_else(Timestamp::default, |(time, _)| time)
    }

    /// The frame that shows most: the answer, or the question that got none.
    pub fn at(&self) -> FrameRef {
        let seen = self.answered.or(self.asked);
        seen.map_or_else(FrameRef::default, |(_, at)| at)
    }
}

/// Pairs questions with their answers; in the order of time.
pub fn lookups(mut seen: Vec<DnsSeen>) -> Vec<Lookup> {
    seen.sort_by_key(|seen| (seen.time, seen.at));
    let mut lookups: Vec<Lookup> = Vec::new();
    let mut open: HashMap<(Endpoint, Endpoint, u16, DnsKind), usize> = HashMap::new();
    for DnsSeen { at, time, flow, message } in seen {
        let (client, server) =
            if message.is_response { (flow.destination, flow.source) } else { (flow.source, flow.destination) };
        let key = (client, server, message.id, message.kind);
        let known = open
            .get(&key)
            .and_then(|&index| lookups.get_mut(index))
            .filter(|known| known.name == message.name)
            .filter(|known| time.since(known.time()) <= ANSWER_WAIT);
        match known {
            // A second captured copy, or the resolver asking again.
            Some(known) if !message.is_response || known.answered.is_some() => {}
            Some(known) => known.answer(at, time, message),
            None => {
                open.insert(key, lookups.len());
                let mut lookup = Lookup {
                    name: message.name.clone(),
                    kind: message.kind,
                    client: client.address,
                    server,
                    asked: (!message.is_response).then_some((time, at)),
                    answered: None,
                    rcode: None,
                    answers: Vec::new(),
                };
                if message.is_response {
                    lookup.answer(at, time, message);
                }
                lookups.push(lookup);
            }
        }
    }
    lookups
}

impl Lookup {
    fn answer(&mut self, at: FrameRef, time: Timestamp, message: DnsMessage) {
        self.answered = Some((time, at));
        self.rcode = Some(message.rcode);
        self.answers = message.answers;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(frame: u32, seconds: i64, id: u16, is_response: bool) -> DnsSeen {
        let endpoint = |last: u8, port| Endpoint { address: [10, 0, 0, last].into(), port };
        let flow = Flow { source: endpoint(1, 40_000), destination: endpoint(53, 53) };
        DnsSeen {
            at: FrameRef { file: 0, frame },
            time: Timestamp::from_nanoseconds(seconds * 1_000_000_000),
            flow: if is_response { flow.reversed() } else { flow },
            message: DnsMessage {
                id,
                is_response,
                rcode: 3,
                is_truncated: false,
                name: "_sip._udp.example.com".into(),
                kind: DnsKind::Srv,
                answers: Vec::new(),
            },
        }
    }

    #[test]
    fn a_question_that_is_repeated_is_one_lookup_with_one_answer() {
        let found = lookups(vec![seen(3, 6, 7, true), seen(1, 1, 7, false), seen(2, 6, 7, false), seen(4, 6, 7, true)]);
        let [lookup] = &found[..] else {
            panic!("{found:?}");
        };
        assert_eq!(Some(3), lookup.rcode);
        assert_eq!(1, lookup.asked.expect("asked").1.frame);
        assert_eq!(3, lookup.at().frame);
    }

    #[test]
    fn what_is_never_answered_has_no_code_and_late_answers_stand_alone() {
        let found = lookups(vec![seen(1, 1, 7, false), seen(2, 60, 7, true)]);
        assert_eq!(2, found.len());
        assert_eq!(None, found[0].rcode);
        assert_eq!(None, found[1].asked);
    }
}
