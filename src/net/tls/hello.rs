//! TLS handshake messages, as far as they are sent in the clear: who is called, what is offered, what is chosen.
//!
//! Sources: RFC 8446 section 4, RFC 5246 section 7.4, RFC 6066 section 3 (server name), RFC 7301 (ALPN).

/// Longest handshake message that is put together; certificate chains are a few KiB.
const MESSAGE_BYTES_MAX: usize = 64 << 10;
/// Names of one ALPN list that are kept.
const PROTOCOLS_MAX: usize = 8;

/// Bytes of the random of a hello (RFC 8446 section 4.1.2).
const RANDOM_BYTES: usize = 32;
/// Longest name that is kept: a domain name has at most 253 characters (RFC 1035 section 2.3.4).
const NAME_BYTES_MAX: usize = 255;

pub(super) const CLIENT_HELLO: u8 = 1;
pub(super) const SERVER_HELLO: u8 = 2;
pub(super) const CERTIFICATE: u8 = 11;
pub(super) const KEY_UPDATE: u8 = 24;

/// The `random` that marks a ServerHello as a HelloRetryRequest, RFC 8446 section 4.1.3.
const RETRY_RANDOM: [u8; RANDOM_BYTES] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11,
    0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// What a ClientHello or a ServerHello says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Hello {
    pub(super) random: [u8; RANDOM_BYTES],
    /// Highest offered, or the chosen one.
    pub(super) version: u16,
    /// How many were offered, and the first of them; a server names one.
    pub(super) ciphers: u16,
    pub(super) cipher: u16,
    pub(super) server_name: Option<Box<str>>,
    pub(super) protocols: Vec<Box<str>>,
    pub(super) is_retry: bool,
    pub(super) encrypts_then_macs: bool,
}

/// A reader of length-prefixed fields; each step gives `None` where the bytes end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Fields<'a> {
    pub(super) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self, length: usize) -> Option<usize> {
        Some(self.take(length)?.iter().fold(0, |number, byte| number << 8 | usize::from(*byte)))
    }

    fn u16(&mut self) -> Option<u16> {
        u16::try_from(self.number(2)?).ok()
    }

    /// A field whose length stands before it in `prefix` bytes.
    pub(super) fn vector(&mut self, prefix: usize) -> Option<&'a [u8]> {
        let length = self.number(prefix)?;
        self.take(length)
    }
}

pub(super) fn short_text(bytes: &[u8]) -> Box<str> {
    String::from_utf8_lossy(bytes.get(..NAME_BYTES_MAX).unwrap_or(bytes)).into()
}

pub(super) fn read_client_hello(body: &[u8]) -> Option<Hello> {
    let mut fields = Fields(body);
    let mut hello = Hello { version: fields.u16()?, ..Hello::default() };
    hello.random = fields.take(RANDOM_BYTES)?.try_into().ok()?;
    fields.vector(1)?;
    let ciphers = fields.vector(2)?;
    hello.ciphers = u16::try_from(ciphers.len() / 2).ok()?;
    hello.cipher = Fields(ciphers).u16().unwrap_or(0);
    fields.vector(1)?;
    read_extensions(fields, &mut hello, true);
    Some(hello)
}

pub(super) fn read_server_hello(body: &[u8]) -> Option<Hello> {
    let mut fields = Fields(body);
    let mut hello = Hello { version: fields.u16()?, ..Hello::default() };
    hello.random = fields.take(RANDOM_BYTES)?.try_into().ok()?;
    hello.is_retry = hello.random == RETRY_RANDOM;
    fields.vector(1)?;
    hello.cipher = fields.u16()?;
    hello.ciphers = 1;
    fields.take(1)?;
    read_extensions(fields, &mut hello, false);
    Some(hello)
}

// Extensions may be absent altogether; one that does not parse is left out.
fn read_extensions(mut fields: Fields<'_>, hello: &mut Hello, is_client: bool) {
    let mut extensions = Fields(fields.vector(2).unwrap_or_default());
    while let (Some(kind), Some(body)) = (extensions.u16(), extensions.vector(2)) {
        let mut body = Fields(body);
        match kind {
            0 if is_client => hello.server_name = read_server_name(body),
            16 => {
                let mut names = Fields(body.vector(2).unwrap_or_default());
                while let Some(name) = names.vector(1).filter(|_| hello.protocols.len() < PROTOCOLS_MAX) {
                    hello.protocols.push(short_text(name));
                }
            }
            22 => hello.encrypts_then_macs = true,
            43 if is_client => {
                let mut versions = Fields(body.vector(1).unwrap_or_default());
                while let Some(version) = versions.u16() {
                    // Values of the form 0x?a?a are there to be ignored (RFC 8701).
                    if version & 0x0f0f != 0x0a0a {
                        hello.version = hello.version.max(version);
                    }
                }
            }
            43 => hello.version = body.u16().unwrap_or(hello.version),
            _ => {}
        }
    }
}

fn read_server_name(mut body: Fields<'_>) -> Option<Box<str>> {
    let mut names = Fields(body.vector(2)?);
    let kind = names.take(1)?;
    let name = names.vector(2)?;
    (kind == [0]).then(|| short_text(name))
}

/// The first certificate, the one of the sender itself, of a TLS 1.2 Certificate message.
pub(super) fn first_certificate(body: &[u8]) -> Option<&[u8]> {
    Fields(Fields(body).vector(3)?).vector(3)
}

/// The same of a TLS 1.3 Certificate message, which begins with a request context.
pub(super) fn first_certificate_tls13(body: &[u8]) -> Option<&[u8]> {
    let mut fields = Fields(body);
    fields.vector(1)?;
    Fields(fields.vector(3)?).vector(3)
}

/// Joins the handshake messages of one direction, which may lie across records.
#[derive(Debug, Default)]
pub(super) struct HandshakeReader {
    pending: Vec<u8>,
}

impl HandshakeReader {
    pub(super) fn buffered_bytes(&self) -> usize {
        self.pending.capacity()
    }

    pub(super) fn push(&mut self, bytes: &[u8], out: &mut dyn FnMut(u8, &[u8])) {
        self.pending.extend_from_slice(bytes);
        let mut used = 0;
        while let Some((&[kind, l0, l1, l2], rest)) = self.pending.get(used..).and_then(<[u8]>::split_first_chunk::<4>)
        {
            let length = u32::from_be_bytes([0, l0, l1, l2]) as usize;
            if length > MESSAGE_BYTES_MAX {
                self.pending.clear();
                return;
            }
            let Some(body) = rest.get(..length) else {
                break;
            };
            out(kind, body);
            used += 4 + length;
        }
        self.pending.drain(..used);
        if self.pending.is_empty() {
            self.pending = Vec::new();
        }
    }
}
