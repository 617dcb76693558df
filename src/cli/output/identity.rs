//! Which file a path or a stream is, whatever its spelling and through whichever link.

use std::path::Path;

/// A file, pipe or disk. Devices that only pass bytes on, such as terminals and `/dev/null`, have none: they can be read and written
/// by many at once and keep nothing that could be harmed.
#[cfg(unix)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    device: u64,
    inode: u64,
}

#[cfg(unix)]
impl Identity {
    /// Of what `path` leads to; `None` where nothing is there.
    pub(super) fn of_path(path: &Path) -> Option<Self> {
        Self::of(&std::fs::metadata(path).ok()?)
    }

    /// Of what is behind an open stream.
    pub(super) fn of_stream(stream: &impl std::os::fd::AsFd) -> Option<Self> {
        let copy = stream.as_fd().try_clone_to_owned().ok()?;
        Self::of(&std::fs::File::from(copy).metadata().ok()?)
    }

    fn of(metadata: &std::fs::Metadata) -> Option<Self> {
        use std::os::unix::fs::{FileTypeExt, MetadataExt};
        let kind = metadata.file_type();
        let is_passing_on = kind.is_char_device() || kind.is_socket();
        (!is_passing_on).then(|| Self { device: metadata.dev(), inode: metadata.ino() })
    }
}

/// A file by the one path that all its spellings come to; hard links are not seen through.
#[cfg(not(unix))]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity(std::path::PathBuf);

#[cfg(not(unix))]
impl Identity {
    /// Of what `path` leads to; `None` where nothing is there.
    pub(super) fn of_path(path: &Path) -> Option<Self> {
        std::fs::canonicalize(path).ok().map(Self)
    }

    /// Streams have no path.
    pub(super) fn of_stream<S>(_: &S) -> Option<Self> {
        None
    }
}
