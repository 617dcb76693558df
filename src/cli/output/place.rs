//! What an output path leads to: standard output, a stream that takes bytes as they come, or a file to be replaced as a whole.

use std::fs::{self, Metadata, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

/// Symbolic links that are followed one after the other, as many as Linux follows.
const LINKS_MAX: usize = 40;

/// Where the bytes of an output end up.
#[derive(Debug)]
pub(super) enum Place {
    /// Standard output, also where it is named by a path such as /dev/stdout.
    Stdout,
    /// A pipe, a device, or a file that the shell opened (/dev/fd/3).
    Stream(PathBuf),
    /// A file, by its path without links; `old` is there where it exists.
    File { path: PathBuf, old: Option<Metadata> },
}

impl Place {
    /// Follows `path` as the system would do if it were opened for writing; nothing is created or changed.
    ///
    /// # Errors
    /// Where nothing could be written: there is no such folder, it is a folder itself, or the user may not write to it.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        if path.as_os_str() == "-" {
            return Ok(Self::Stdout);
        }
        let mut path = path.to_path_buf();
        for _ in 0..LINKS_MAX {
            let (folder, whole) = parted(&path)?;
            if is_descriptors(&folder) {
                return Ok(if is_stdout(&whole) { Self::Stdout } else { Self::Stream(whole) });
            }
            match fs::symlink_metadata(&whole) {
                Ok(metadata) if metadata.is_symlink() => path = folder.join(fs::read_link(&whole)?),
                Ok(metadata) if metadata.is_dir() => return Err(is_a_folder()),
                Ok(metadata) if metadata.is_file() => {
                    // A file that is protected from writing must not be replaced either.
                    OpenOptions::new().write(true).open(&whole)?;
                    return Ok(Self::File { path: whole, old: Some(metadata) });
                }
                Ok(_) => return Ok(Self::Stream(whole)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    return Ok(Self::File { path: whole, old: None });
                }
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::other("it leads through too many symbolic links"))
    }
}

/// The folder of `path` without links, and the path within it.
fn parted(path: &Path) -> io::Result<(PathBuf, PathBuf)> {
    let ends_as_folder = path.as_os_str().to_string_lossy().ends_with(std::path::is_separator);
    let name = path.file_name().filter(|_| !ends_as_folder).ok_or_else(is_a_folder)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = fs::canonicalize(folder).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => io::Error::other("there is no such folder"),
        _ => error,
    })?;
    let whole = folder.join(name);
    Ok((folder, whole))
}

fn is_a_folder() -> io::Error {
    io::Error::other("it is a folder")
}

/// Whether the files of a folder are the open files of a program: links of another kind, which lead to what is open, not to a path.
fn is_descriptors(folder: &Path) -> bool {
    folder == Path::new("/dev/fd") || (folder.starts_with("/proc") && folder.ends_with("fd"))
}

fn is_stdout(path: &Path) -> bool {
    ["/proc/self/fd", "/dev/fd"].iter().any(|own| fs::canonicalize(own).is_ok_and(|own| path == own.join("1")))
}
