//! All TLS connections: counted, and those that are over listed one by one within limits.

use crate::net::tls::handshake::TlsHandshake;
use crate::net::tls::keylog::Secrets;

/// Connections with signs of SIP that are remembered one by one.
pub(in crate::net) const SIGNALLING_HANDSHAKES_MAX: usize = 4096;
/// Other TLS connections that are remembered one by one: their ports may yet turn out to be named by SIP messages.
pub(in crate::net) const OTHER_HANDSHAKES_MAX: usize = 1024;

/// What TLS connections did, in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TlsCounters {
    /// TLS connections seen.
    pub connections: u64,
    /// Those that carry SIP or whose port, ALPN or server name says so.
    pub signalling: u64,
    /// Those among them with application data of which nothing was decrypted.
    pub without_keys: u64,
    /// Segments with payload of these.
    pub unread_segments: u64,
    /// Segments with payload of connections of which nothing was decrypted and nothing says that they carry SIP.
    pub other_segments: u64,
    /// Connections that are counted here alone, because a limit was met.
    pub unlisted: u64,
    /// Encrypted records that were read.
    pub opened_records: u64,
    /// Encrypted records that were not.
    pub unopened_records: u64,
    /// Connections with a cipher suite that sipscan does not read.
    pub unread_suites: u64,
}

/// All TLS connections that are over, and the secrets to read those to come.
#[derive(Debug, Default)]
pub(in crate::net) struct Tls {
    pub(in crate::net) secrets: Secrets,
    pub(in crate::net) counters: TlsCounters,
    pub(in crate::net) handshakes: Vec<TlsHandshake>,
    others: usize,
}

impl Tls {
    /// Takes down a connection that is over and had so many `segments` with payload.
    pub(in crate::net) fn list(&mut self, handshake: TlsHandshake, segments: u64) {
        let is_signalling = handshake.is_signalling();
        self.counters.signalling += u64::from(is_signalling);
        if handshake.is_unread() {
            self.counters.without_keys += 1;
            self.counters.unread_segments += segments;
        } else if !is_signalling && !handshake.is_decrypted {
            self.counters.other_segments += segments;
        }
        let listed = if is_signalling { self.handshakes.len() - self.others } else { self.others };
        let most = if is_signalling { SIGNALLING_HANDSHAKES_MAX } else { OTHER_HANDSHAKES_MAX };
        if listed >= most {
            self.counters.unlisted += 1;
            return;
        }
        self.others += usize::from(!is_signalling);
        self.handshakes.push(handshake);
    }
}
