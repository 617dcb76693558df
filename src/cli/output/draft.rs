//! A file that is being written: beside the file that it will replace, under a name of its own, until it is complete.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Seek};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tempfile::{Builder, NamedTempFile};

use super::interrupt;

/// The draft that is there now. Whoever creates, moves or removes one holds the lock, so that none is forgotten.
static UNFINISHED: Mutex<Option<PathBuf>> = Mutex::new(None);

/// A file without its final name; it is removed where it never gets that.
#[derive(Debug)]
pub(super) struct Draft(NamedTempFile);

impl Draft {
    /// An empty draft in the folder of `target`, with the permissions of a new file; `old` is what is there so far.
    pub(super) fn beside(target: &Path, old: Option<&Metadata>) -> io::Result<Self> {
        interrupt::watch();
        let folder = target.parent().unwrap_or(Path::new("."));
        let mut builder = Builder::new();
        builder.prefix(".sipscan-").suffix(".tmp");
        let mut unfinished = unfinished();
        let file = match as_created(&mut builder).tempfile_in(folder) {
            // The user may write to the file, though not to its folder.
            Err(error) if old.is_some() && is_forbidden(&error) => Builder::new().prefix("sipscan-").tempfile()?,
            file => file?,
        };
        *unfinished = Some(file.path().to_path_buf());
        Ok(Self(file))
    }

    /// To write to.
    pub(super) fn file(&self) -> &File {
        self.0.as_file()
    }

    /// Puts the draft in the place of `target`.
    pub(super) fn complete(self, target: &Path, old: Option<&Metadata>) -> io::Result<()> {
        let mut unfinished = unfinished();
        let moved = match old.map_or(Ok(()), |old| resemble(self.file(), old)) {
            Ok(()) => self.0.persist(target).map_err(|error| (error.error, error.file)),
            Err(error) => Err((error, self.0)),
        };
        let Err((error, mut draft)) = moved else {
            *unfinished = None;
            return Ok(());
        };
        if old.is_none() || !is_forbidden(&error) {
            return Err(error);
        }
        // A file of another user, or one that is mounted by itself: its content can be replaced, the file cannot.
        draft.rewind()?;
        let mut target = OpenOptions::new().write(true).truncate(true).open(target)?;
        io::copy(draft.as_file_mut(), &mut target).map(drop)
    }
}

/// Whether something else may work: the file system would not have it done this way.
fn is_forbidden(error: &io::Error) -> bool {
    use io::ErrorKind::{CrossesDevices, PermissionDenied, ReadOnlyFilesystem, ResourceBusy};
    matches!(error.kind(), CrossesDevices | PermissionDenied | ReadOnlyFilesystem | ResourceBusy)
}

/// Has drafts get the permissions of any new file instead of those of a secret one.
fn as_created<'a, 'b, 'c>(builder: &'a mut Builder<'b, 'c>) -> &'a mut Builder<'b, 'c> {
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder
}

/// Gives a file the owner and the permissions of another one.
#[cfg(unix)]
fn resemble(file: &File, old: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
    let new = file.metadata()?;
    if (new.uid(), new.gid()) != (old.uid(), old.gid()) {
        fchown(file, Some(old.uid()), Some(old.gid()))?;
    }
    file.set_permissions(PermissionsExt::from_mode(old.mode() & 0o777))
}

#[cfg(not(unix))]
fn resemble(_: &File, _: &Metadata) -> io::Result<()> {
    Ok(())
}

/// Removes the draft that is there, and does `then` before another one can begin.
pub(super) fn discard(then: impl FnOnce()) {
    let mut unfinished = unfinished();
    if let Some(path) = unfinished.take() {
        // It may be gone already.
        let _ = std::fs::remove_file(path);
    }
    then();
}

fn unfinished() -> MutexGuard<'static, Option<PathBuf>> {
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}
