//! One TLS connection: hellos, certificates and alerts are noted, and with a key log the content is read.
//!
//! Sources: RFC 5246 section 7, RFC 8446 sections 4 to 7.

use crate::net::flow::Flow;
use crate::net::sighting::Sighting;
use crate::net::tls::certificate;
use crate::net::tls::connections::TlsCounters;
use crate::net::tls::handshake::{ALERTS_MAX, TlsAlert, TlsHandshake};
use crate::net::tls::hello::{self, HandshakeReader};
use crate::net::tls::keylog::{Label, Secrets};
use crate::net::tls::opener::Opener;
use crate::net::tls::record::{self, Record, RecordReader};
use crate::net::tls::suite::Suite;

/// Records in a row that do not open, after which a direction is not tried any further.
const UNOPENED_RECORDS_MAX: u32 = 16;
const TLS13: u16 = 0x0304;

/// What reading needs beside the session itself.
pub(in crate::net) struct Surroundings<'a> {
    pub(in crate::net) secrets: &'a Secrets,
    pub(in crate::net) counters: &'a mut TlsCounters,
    pub(in crate::net) sighting: Sighting,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
enum Stage {
    #[default]
    Clear,
    Handshake,
    Traffic,
}

#[derive(Debug, Default)]
struct TlsDirection {
    records: RecordReader,
    messages: HandshakeReader,
    is_encrypted: bool,
    stage: Stage,
    opener: Option<Opener>,
    has_lost: bool,
    unopened: u32,
    is_opaque: bool,
}

/// The reading state of one TLS connection.
#[derive(Debug)]
pub(in crate::net) struct Session {
    facts: TlsHandshake,
    low: TlsDirection,
    high: TlsDirection,
    client_random: [u8; 32],
    server_random: [u8; 32],
    encrypts_then_macs: bool,
}

impl Session {
    pub(in crate::net) fn new(flow: Flow, first_seen: Sighting) -> Self {
        Self {
            facts: TlsHandshake::new(flow, first_seen),
            low: TlsDirection::default(),
            high: TlsDirection::default(),
            client_random: [0; 32],
            server_random: [0; 32],
            encrypts_then_macs: false,
        }
    }

    pub(in crate::net) fn facts(&self) -> &TlsHandshake {
        &self.facts
    }

    pub(in crate::net) fn into_facts(self) -> TlsHandshake {
        self.facts
    }

    /// Bytes that wait for the rest of a record or message.
    pub(in crate::net) fn buffered_bytes(&self) -> usize {
        let of = |lane: &TlsDirection| lane.records.buffered_bytes() + lane.messages.buffered_bytes();
        of(&self.low) + of(&self.high)
    }

    /// SIP was found in the decrypted content.
    pub(in crate::net) fn carries_sip(&mut self) {
        self.facts.carries_sip = true;
    }

    /// Whether nothing more can be read in the direction `flow`.
    pub(in crate::net) fn is_opaque(&self, flow: Flow) -> bool {
        if flow.source <= flow.destination { self.low.is_opaque } else { self.high.is_opaque }
    }

    fn lane(&mut self, flow: Flow) -> &mut TlsDirection {
        if flow.source <= flow.destination { &mut self.low } else { &mut self.high }
    }

    /// Bytes of the direction `flow` are missing before the next ones.
    pub(in crate::net) fn lose(&mut self, flow: Flow) {
        let lane = self.lane(flow);
        lane.records.lose();
        lane.messages = HandshakeReader::default();
        lane.has_lost = true;
        if let Some(opener) = &mut lane.opener {
            opener.lose();
        }
    }

    /// Takes the next bytes of the direction `flow`; decrypted application data goes to `out`.
    pub(in crate::net) fn push(
        &mut self,
        flow: Flow,
        bytes: &[u8],
        around: &mut Surroundings<'_>,
        out: &mut dyn FnMut(&[u8]),
    ) {
        let mut records = std::mem::take(&mut self.lane(flow).records);
        records.push(bytes, &mut |record| self.take(flow, record, around, out));
        self.lane(flow).records = records;
    }

    fn take(&mut self, flow: Flow, record: Record<'_>, around: &mut Surroundings<'_>, out: &mut dyn FnMut(&[u8])) {
        let is_tls13 = self.facts.chosen_version == Some(TLS13);
        let lane = self.lane(flow);
        match record.kind {
            _ if lane.is_opaque => {}
            // TLS 1.3 sends it for the sake of old middleboxes and means nothing by it.
            record::CHANGE_CIPHER_SPEC if is_tls13 => {}
            record::CHANGE_CIPHER_SPEC => self.change_cipher(flow, around),
            record::APPLICATION_DATA => self.take_encrypted(flow, record, around, out),
            _ if lane.is_encrypted => self.take_encrypted(flow, record, around, out),
            kind => self.take_content(flow, kind, record.body, false, around, out),
        }
    }

    fn take_encrypted(
        &mut self,
        flow: Flow,
        record: Record<'_>,
        around: &mut Surroundings<'_>,
        out: &mut dyn FnMut(&[u8]),
    ) {
        if let Some((kind, content)) = self.open(flow, record, around) {
            self.lane(flow).unopened = 0;
            around.counters.opened_records += 1;
            self.take_content(flow, kind, &content, true, around, out);
            return;
        }
        around.counters.unopened_records += 1;
        if record.kind == record::APPLICATION_DATA {
            self.note_data(flow, around);
            let is_known = around.secrets.knows(&self.client_random);
            let lane = self.lane(flow);
            lane.unopened += 1;
            lane.is_opaque = !is_known || lane.unopened > UNOPENED_RECORDS_MAX;
        }
    }

    fn take_content(
        &mut self,
        flow: Flow,
        kind: u8,
        content: &[u8],
        was_encrypted: bool,
        around: &mut Surroundings<'_>,
        out: &mut dyn FnMut(&[u8]),
    ) {
        match (kind, content) {
            (record::HANDSHAKE, _) => {
                let mut messages = std::mem::take(&mut self.lane(flow).messages);
                messages.push(content, &mut |kind, body| self.take_message(flow, kind, body, around));
                self.lane(flow).messages = messages;
            }
            (record::ALERT, &[level, description]) if self.facts.alerts.len() < ALERTS_MAX => {
                self.facts.alerts.push(TlsAlert {
                    by_client: flow == self.facts.flow,
                    level,
                    description,
                    was_encrypted,
                    is_after_data: self.facts.client_data.is_some() || self.facts.server_data.is_some(),
                    sighting: around.sighting,
                });
            }
            (record::APPLICATION_DATA, _) if was_encrypted => {
                self.note_data(flow, around);
                self.facts.is_decrypted = true;
                if !content.is_empty() {
                    out(content);
                }
            }
            _ => {}
        }
    }

    fn note_data(&mut self, flow: Flow, around: &Surroundings<'_>) {
        let by_client = flow == self.facts.flow;
        let data = if by_client { &mut self.facts.client_data } else { &mut self.facts.server_data };
        data.get_or_insert(around.sighting);
    }

    fn take_message(&mut self, flow: Flow, kind: u8, body: &[u8], around: &mut Surroundings<'_>) {
        let is_tls13 = self.facts.chosen_version == Some(TLS13);
        match kind {
            hello::CLIENT_HELLO => self.take_client_hello(flow, body, around.sighting),
            hello::SERVER_HELLO => self.take_server_hello(flow, body, around),
            hello::CERTIFICATE => {
                let first =
                    if is_tls13 { hello::first_certificate_tls13(body) } else { hello::first_certificate(body) };
                let certificate = first.and_then(certificate::read);
                let by_client = flow == self.facts.flow;
                let facts = &mut self.facts;
                let place = if by_client { &mut facts.client_certificate } else { &mut facts.server_certificate };
                if place.is_none() {
                    *place = certificate;
                }
            }
            hello::KEY_UPDATE if is_tls13 => {
                let lane = self.lane(flow);
                lane.opener = lane.opener.as_ref().map(Opener::updated);
            }
            _ => {}
        }
    }

    fn take_client_hello(&mut self, flow: Flow, body: &[u8], sighting: Sighting) {
        let Some(hello) = hello::read_client_hello(body) else {
            return;
        };
        self.client_random = hello.random;
        let facts = &mut self.facts;
        facts.flow = flow;
        facts.client_hello.get_or_insert(sighting);
        facts.server_name = hello.server_name;
        facts.offered_protocols = hello.protocols;
        facts.offered_version = Some(hello.version);
        facts.offered_ciphers = hello.ciphers;
    }

    fn take_server_hello(&mut self, flow: Flow, body: &[u8], around: &mut Surroundings<'_>) {
        let Some(hello) = hello::read_server_hello(body) else {
            return;
        };
        let facts = &mut self.facts;
        facts.flow = flow.reversed();
        facts.server_hello.get_or_insert(around.sighting);
        facts.chosen_version = Some(hello.version);
        facts.chosen_cipher = Some(hello.cipher);
        facts.chosen_protocol = hello.protocols.into_iter().next().or(facts.chosen_protocol.take());
        // After a retry request the second hello follows in the clear.
        if hello.is_retry {
            return;
        }
        self.server_random = hello.random;
        self.encrypts_then_macs = hello.encrypts_then_macs;
        around.counters.unread_suites += u64::from(Suite::of(hello.cipher).is_none());
    }

    // TLS 1.2: from here on this direction is encrypted with the keys of the latest hellos.
    fn change_cipher(&mut self, flow: Flow, around: &Surroundings<'_>) {
        let suite = self.facts.chosen_cipher.and_then(Suite::of);
        let master = around.secrets.get(&self.client_random, Label::Master);
        let randoms = (self.client_random.as_slice(), self.server_random.as_slice());
        let by_client = flow == self.facts.flow;
        let is_tls12 = self.facts.chosen_version == Some(0x0303);
        let opener = suite.zip(master).filter(|_| is_tls12).and_then(|(suite, master)| {
            Opener::from_master_secret(suite, master, randoms, by_client, self.encrypts_then_macs)
        });
        let lane = self.lane(flow);
        lane.is_encrypted = true;
        lane.opener = opener;
    }

    fn open(&mut self, flow: Flow, record: Record<'_>, around: &Surroundings<'_>) -> Option<(u8, Vec<u8>)> {
        let by_client = flow == self.facts.flow;
        let is_tls13 = self.facts.chosen_version == Some(TLS13);
        let suite = self.facts.chosen_cipher.and_then(Suite::of)?;
        let random = self.client_random;
        let lane = self.lane(flow);
        if let Some(content) = lane.opener.as_mut().and_then(|opener| opener.open(record)) {
            return Some(content);
        }
        if !is_tls13 {
            return None;
        }
        // The change from handshake to traffic keys is encrypted itself; that a record opens with the next key shows it.
        let stages = [
            (Stage::Handshake, Label::ClientHandshake, Label::ServerHandshake),
            (Stage::Traffic, Label::ClientTraffic, Label::ServerTraffic),
        ];
        let later = stages.into_iter().filter(|(stage, _, _)| *stage > lane.stage);
        for (stage, client, server) in later {
            let label = if by_client { client } else { server };
            let Some(secret) = around.secrets.get(&random, label) else {
                continue;
            };
            let mut opener = Opener::from_traffic_secret(suite, secret);
            if lane.has_lost {
                opener.lose();
            }
            if let Some(content) = opener.open(record) {
                lane.opener = Some(opener);
                lane.stage = stage;
                return Some(content);
            }
        }
        None
    }
}
