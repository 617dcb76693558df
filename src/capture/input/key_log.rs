//! Key logs: the files in which programs write down the secrets of their TLS sessions.
//!
//! Source: RFC 9850 (the SSLKEYLOGFILE format).

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::capture::{OpenError, OpenProblem};

/// Bytes of one key log: about 350 000 connections, five times as many as keys are kept of.
const KEY_LOG_BYTES_MAX: u64 = 64 << 20;

/// Reads the key log at `path` as it stands; its lines are judged where they are used.
///
/// # Errors
/// [`OpenError`] where nothing can be read, or where it is plainly another kind of file, such as a private key.
pub fn read_key_log(path: &Path) -> Result<Vec<u8>, OpenError> {
    let cannot = |error| OpenError::from_io(path, error);
    let no_key_log = |text: &str| Err(OpenError::new(path, OpenProblem::NotAKeyLog(text.into())));
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(cannot)?;
    file.take(KEY_LOG_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(cannot)?;
    if bytes.len() as u64 > KEY_LOG_BYTES_MAX {
        return no_key_log("is longer than the 64 MiB that are read; keep the part of this day");
    }
    if bytes.starts_with(b"-----BEGIN") {
        return no_key_log(
            "is a PEM file; sessions with forward secrecy cannot be read with a private key: \
             give the log that the TLS library writes to SSLKEYLOGFILE",
        );
    }
    if memchr::memchr(0, &bytes).is_some() {
        return no_key_log("is no key log: those are lines of text such as CLIENT_RANDOM <hex> <hex>");
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(content: &[u8]) -> Result<Vec<u8>, OpenError> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keys.log");
        std::fs::write(&path, content).expect("a file");
        read_key_log(&path)
    }

    #[test]
    fn a_key_log_is_read_as_it_stands() {
        let text = b"# made by a phone\nCLIENT_RANDOM 00 11\n";
        assert_eq!(text[..], read(text).expect("a key log"));
        assert!(read(b"").expect("no session yet").is_empty());
    }

    #[test]
    fn other_files_are_refused_with_what_to_give() {
        let pem = read(b"-----BEGIN PRIVATE KEY-----\n").expect_err("a private key");
        assert!(pem.to_string().contains("SSLKEYLOGFILE"), "{pem}");
        let binary = read(&[0xd4, 0xc3, 0xb2, 0xa1, 0, 0]).expect_err("a capture");
        assert!(binary.to_string().contains("CLIENT_RANDOM"), "{binary}");
        let missing = read_key_log(Path::new("no/such.keys")).expect_err("nothing there");
        assert!(missing.to_string().contains("no such file"), "{missing}");
    }
}
