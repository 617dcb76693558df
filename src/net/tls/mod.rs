//! TLS over TCP: what a handshake tells in the clear, and the content where a key log gives the keys.
//!
//! Sources: RFC 5246 (TLS 1.2), RFC 8446 (TLS 1.3).

mod certificate;
mod connections;
mod handshake;
mod hello;
mod keylog;
mod opener;
mod record;
mod session;
mod suite;

pub use certificate::Certificate;
pub(in crate::net) use connections::Tls;
pub use connections::TlsCounters;
pub use handshake::{TlsAlert, TlsHandshake};
pub(in crate::net) use record::starts_with_record;
pub(in crate::net) use session::{Session, Surroundings};

#[cfg(test)]
mod tests;
