//! The cipher suites that can be read with a key log, and the keys that their secrets expand to.
//!
//! Sources: RFC 5246 sections 5 and 6.3, RFC 8446 section 7, RFC 5288, 5289, 7905 (suites).

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Sha256, Sha384};

/// A hash function, for message authentication and key derivation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hash {
    Sha1,
    Sha256,
    Sha384,
}

impl Hash {
    pub(super) fn length(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
        }
    }

    /// HMAC over the joined `parts`; empty only where the hash refuses the key, which it never does.
    pub(super) fn hmac(self, key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
        fn run<M: Mac + KeyInit>(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
            let Ok(mut mac) = <M as KeyInit>::new_from_slice(key) else {
                return Vec::new();
            };
            parts.iter().for_each(|part| mac.update(part));
            mac.finalize().into_bytes().to_vec()
        }
        match self {
            Self::Sha1 => run::<Hmac<Sha1>>(key, parts),
            Self::Sha256 => run::<Hmac<Sha256>>(key, parts),
            Self::Sha384 => run::<Hmac<Sha384>>(key, parts),
        }
    }

    /// The TLS 1.2 pseudorandom function, RFC 5246 section 5.
    pub(super) fn expand_tls12(self, secret: &[u8], label: &[u8], seed: &[&[u8]], length: usize) -> Vec<u8> {
        let seed = [&[label], seed].concat().concat();
        let mut chain = self.hmac(secret, &[&seed]);
        let mut output = Vec::new();
        while output.len() < length && !chain.is_empty() {
            output.extend(self.hmac(secret, &[&chain, &seed]));
            chain = self.hmac(secret, &[&chain]);
        }
        output.truncate(length);
        output
    }

    /// HKDF-Expand-Label with empty context, RFC 8446 section 7.1; `length` is at most one hash output here.
    pub(super) fn expand_tls13(self, secret: &[u8], label: &[u8], length: u8) -> Vec<u8> {
        let label_length = u8::try_from(label.len() + 6).unwrap_or(u8::MAX);
        let mut output = self.hmac(secret, &[&[0, length, label_length], b"tls13 ", label, &[0, 1]]);
        output.truncate(usize::from(length));
        output
    }
}

/// How records are encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protection {
    AesGcm,
    ChaCha20Poly1305,
    /// AES-CBC with an HMAC of this hash.
    AesCbc(Hash),
}

/// A cipher suite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Suite {
    pub(super) protection: Protection,
    /// Key length in bytes.
    pub(super) key: usize,
    /// Hash of the key derivation.
    pub(super) hash: Hash,
}

impl Suite {
    /// The suite of an IANA number; `None` where sipscan cannot read it.
    pub(super) fn of(number: u16) -> Option<Self> {
        use Hash::{Sha1, Sha256, Sha384};
        use Protection::{AesCbc, AesGcm, ChaCha20Poly1305};
        let (protection, key, hash) = match number {
            0x1301 | 0x009c | 0x009e | 0xc02b | 0xc02d | 0xc02f | 0xc031 => (AesGcm, 16, Sha256),
            0x1302 | 0x009d | 0x009f | 0xc02c | 0xc02e | 0xc030 | 0xc032 => (AesGcm, 32, Sha384),
            0x1303 | 0xcca8..=0xccaa => (ChaCha20Poly1305, 32, Sha256),
            0x002f | 0x0032 | 0x0033 | 0xc004 | 0xc009 | 0xc00e | 0xc013 => (AesCbc(Sha1), 16, Sha256),
            0x0035 | 0x0038 | 0x0039 | 0xc005 | 0xc00a | 0xc00f | 0xc014 => (AesCbc(Sha1), 32, Sha256),
            0x003c | 0x0040 | 0x0067 | 0xc023 | 0xc025 | 0xc027 | 0xc029 => (AesCbc(Sha256), 16, Sha256),
            0x003d | 0x006a | 0x006b => (AesCbc(Sha256), 32, Sha256),
            0xc024 | 0xc026 | 0xc028 | 0xc02a => (AesCbc(Sha384), 32, Sha384),
            _ => return None,
        };
        Some(Self { protection, key, hash })
    }
}
