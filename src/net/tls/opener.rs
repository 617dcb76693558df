//! Opens the encrypted records of one direction.
//!
//! Sources: RFC 5246 section 6.2.3, RFC 7366 (encrypt-then-MAC), RFC 7905, RFC 8446 section 5.2.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes128Gcm, Aes256Gcm};
use cbc::cipher::block_padding::NoPadding;
use cbc::cipher::{BlockModeDecrypt, KeyIvInit};
use chacha20poly1305::ChaCha20Poly1305;

use crate::net::tls::hello::Fields;
use crate::net::tls::record::Record;
use crate::net::tls::suite::{Hash, Protection, Suite};

const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;
const BLOCK_BYTES: usize = 16;
/// Records that are skipped at most to find the next one that opens, after the capture lost some.
const LOST_RECORDS_MAX: u64 = 64;

/// Keys and place of one direction.
#[derive(Debug)]
pub(super) struct Opener {
    suite: Suite,
    key: Vec<u8>,
    iv: Vec<u8>,
    mac_key: Vec<u8>,
    // TLS 1.3: what the next keys are made of.
    secret: Vec<u8>,
    is_tls13: bool,
    encrypts_then_macs: bool,
    sequence: u64,
    is_lost: bool,
}

impl Opener {
    /// Keys of TLS 1.3 from a traffic secret.
    pub(super) fn from_traffic_secret(suite: Suite, secret: &[u8]) -> Self {
        let key = u8::try_from(suite.key).unwrap_or(0);
        Self {
            suite,
            key: suite.hash.expand_tls13(secret, b"key", key),
            iv: suite.hash.expand_tls13(secret, b"iv", NONCE_BYTES as u8),
            mac_key: Vec::new(),
            secret: secret.to_vec(),
            is_tls13: true,
            encrypts_then_macs: false,
            sequence: 0,
            is_lost: false,
        }
    }

    /// The keys that follow a KeyUpdate, RFC 8446 section 7.2.
    pub(super) fn updated(&self) -> Self {
        let length = u8::try_from(self.suite.hash.length()).unwrap_or(0);
        let secret = self.suite.hash.expand_tls13(&self.secret, b"traffic upd", length);
        Self::from_traffic_secret(self.suite, &secret)
    }

    /// Keys of TLS 1.2 from the master secret, RFC 5246 section 6.3; `None` where the suite has none.
    pub(super) fn from_master_secret(
        suite: Suite,
        master: &[u8],
        (client_random, server_random): (&[u8], &[u8]),
        is_client: bool,
        encrypts_then_macs: bool,
    ) -> Option<Self> {
        let (mac, iv) = match suite.protection {
            Protection::AesGcm => (0, 4),
            Protection::ChaCha20Poly1305 => (0, NONCE_BYTES),
            Protection::AesCbc(hash) => (hash.length(), 0),
        };
        let length = 2 * (mac + suite.key + iv);
        let seed = [server_random, client_random];
        let block = suite.hash.expand_tls12(master, b"key expansion", &seed, length);
        let mut fields = Fields(&block);
        let mut of_side = |length: usize| {
            let (client, server) = (fields.take(length)?, fields.take(length)?);
            Some(if is_client { client } else { server }.to_vec())
        };
        Some(Self {
            suite,
            mac_key: of_side(mac)?,
            key: of_side(suite.key)?,
            iv: of_side(iv)?,
            secret: Vec::new(),
            is_tls13: false,
            encrypts_then_macs,
            sequence: 0,
            is_lost: false,
        })
    }

    /// Records may be missing before the next one.
    pub(super) fn lose(&mut self) {
        self.is_lost = true;
    }

    /// Content type and content; `None` where the record does not open with these keys.
    pub(super) fn open(&mut self, record: Record<'_>) -> Option<(u8, Vec<u8>)> {
        let tries = if self.is_lost { LOST_RECORDS_MAX } else { 0 };
        let (sequence, content) = (0..=tries).find_map(|lost| {
            let sequence = self.sequence.checked_add(lost)?;
            Some((sequence, self.open_at(sequence, record)?))
        })?;
        self.sequence = sequence.saturating_add(1);
        self.is_lost = false;
        if !self.is_tls13 {
            return Some((record.kind, content));
        }
        // The type stands behind the content, zeros behind the type (RFC 8446 section 5.4).
        let end = content.iter().rposition(|byte| *byte != 0)?;
        let kind = *content.get(end)?;
        Some((kind, content.get(..end)?.to_vec()))
    }

    fn open_at(&self, sequence: u64, record: Record<'_>) -> Option<Vec<u8>> {
        match self.suite.protection {
            Protection::AesGcm | Protection::ChaCha20Poly1305 => self.open_aead(sequence, record),
            Protection::AesCbc(hash) => self.open_cbc(hash, sequence, record),
        }
    }

    fn open_aead(&self, sequence: u64, record: Record<'_>) -> Option<Vec<u8>> {
        let explicit = if self.suite.protection == Protection::AesGcm && !self.is_tls13 { 8 } else { 0 };
        let (explicit, sealed) = record.body.split_at_checked(explicit)?;
        let mut nonce = [0; NONCE_BYTES];
        if explicit.is_empty() {
            nonce.copy_from_slice(self.iv.get(..NONCE_BYTES)?);
            for (byte, number) in nonce.iter_mut().skip(4).zip(sequence.to_be_bytes()) {
                *byte ^= number;
            }
        } else {
            let iv = self.iv.iter().chain(explicit);
            nonce.iter_mut().zip(iv).for_each(|(byte, iv)| *byte = *iv);
        }
        let aad = if self.is_tls13 {
            record.header.to_vec()
        } else {
            pseudo_header(sequence, record, sealed.len().checked_sub(TAG_BYTES)?)
        };
        let payload = Payload { msg: sealed, aad: &aad };
        let nonce = (&nonce).into();
        match (self.suite.protection, self.suite.key) {
            (Protection::ChaCha20Poly1305, _) => {
                ChaCha20Poly1305::new_from_slice(&self.key).ok()?.decrypt(nonce, payload).ok()
            }
            (_, 16) => Aes128Gcm::new_from_slice(&self.key).ok()?.decrypt(nonce, payload).ok(),
            _ => Aes256Gcm::new_from_slice(&self.key).ok()?.decrypt(nonce, payload).ok(),
        }
    }

    fn open_cbc(&self, hash: Hash, sequence: u64, record: Record<'_>) -> Option<Vec<u8>> {
        let mut body = record.body;
        if self.encrypts_then_macs {
            let (sealed, mac) = body.split_at_checked(body.len().checked_sub(hash.length())?)?;
            let header = pseudo_header(sequence, record, sealed.len());
            if hash.hmac(&self.mac_key, &[&header, sealed]) != mac {
                return None;
            }
            body = sealed;
        }
        let (iv, sealed) = body.split_at_checked(BLOCK_BYTES)?;
        let mut content = sealed.to_vec();
        if self.suite.key == 16 {
            let cipher = cbc::Decryptor::<aes::Aes128>::new_from_slices(&self.key, iv).ok()?;
            cipher.decrypt_padded::<NoPadding>(&mut content).ok()?;
        } else {
            let cipher = cbc::Decryptor::<aes::Aes256>::new_from_slices(&self.key, iv).ok()?;
            cipher.decrypt_padded::<NoPadding>(&mut content).ok()?;
        }
        let padding = usize::from(*content.last()?) + 1;
        content.truncate(content.len().checked_sub(padding)?);
        if !self.encrypts_then_macs {
            let mac = content.split_off(content.len().checked_sub(hash.length())?);
            let header = pseudo_header(sequence, record, content.len());
            if hash.hmac(&self.mac_key, &[&header, &content]) != mac {
                return None;
            }
        }
        Some(content)
    }
}

// What TLS 1.2 authenticates beside the content: number, type, version, length.
fn pseudo_header(sequence: u64, record: Record<'_>, length: usize) -> Vec<u8> {
    let [kind, major, minor, ..] = record.header;
    let length = u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes();
    [&sequence.to_be_bytes()[..], &[kind, major, minor], &length].concat()
}
