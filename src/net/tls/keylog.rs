//! TLS secrets as programs write them down for Wireshark (SSLKEYLOGFILE), from a file or from a capture's own blocks.
//!
//! Source: RFC 9850 (the SSLKEYLOGFILE format).

use foldhash::fast::RandomState;
use hashbrown::HashMap;

/// Sessions whose secrets are kept; about 300 bytes each.
pub(in crate::net) const TLS_SECRETS_MAX: usize = 65_536;
/// Longest secret: the output of SHA-384, and the TLS 1.2 master secret, have 48 bytes.
const SECRET_BYTES_MAX: usize = 64;

/// Which secret of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Label {
    Master,
    ClientHandshake,
    ServerHandshake,
    ClientTraffic,
    ServerTraffic,
}

impl Label {
    fn read(word: &[u8]) -> Option<Self> {
        match word {
            b"CLIENT_RANDOM" => Some(Self::Master),
            b"CLIENT_HANDSHAKE_TRAFFIC_SECRET" => Some(Self::ClientHandshake),
            b"SERVER_HANDSHAKE_TRAFFIC_SECRET" => Some(Self::ServerHandshake),
            b"CLIENT_TRAFFIC_SECRET_0" => Some(Self::ClientTraffic),
            b"SERVER_TRAFFIC_SECRET_0" => Some(Self::ServerTraffic),
            _ => None,
        }
    }
}

/// The secrets of one session, at the place of their label.
type SessionSecrets = [Option<Box<[u8]>>; 5];

/// All secrets, by the `random` of the ClientHello.
#[derive(Debug, Default)]
pub(in crate::net) struct Secrets {
    sessions: HashMap<[u8; 32], SessionSecrets, RandomState>,
}

impl Secrets {
    /// Adds the lines of a key log; lines of other kinds and broken ones are left out.
    pub(in crate::net) fn add(&mut self, key_log: &[u8]) {
        for line in key_log.split(|byte| *byte == b'\n') {
            self.add_line(line);
        }
    }

    fn add_line(&mut self, line: &[u8]) -> Option<()> {
        let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        let label = Label::read(words.next()?)?;
        let random: [u8; 32] = unhex(words.next()?)?.try_into().ok()?;
        let secret = unhex(words.next()?)?;
        if self.sessions.len() < TLS_SECRETS_MAX || self.sessions.contains_key(&random) {
            let secrets = self.sessions.entry(random).or_default();
            *secrets.get_mut(label as usize)? = Some(secret.into());
        }
        Some(())
    }

    pub(super) fn get(&self, random: &[u8; 32], label: Label) -> Option<&[u8]> {
        self.sessions.get(random)?.get(label as usize)?.as_deref()
    }

    pub(super) fn knows(&self, random: &[u8; 32]) -> bool {
        self.sessions.contains_key(random)
    }
}

fn unhex(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    if !text.len().is_multiple_of(2) || text.len() > 2 * SECRET_BYTES_MAX {
        return None;
    }
    text.chunks_exact(2)
        .map(|pair| match pair {
            [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
            _ => None,
        })
        .collect()
}
