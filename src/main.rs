//! The `sipscan` program: hands the command line to the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    give_large_blocks_back();
    sipscan::cli::run()
}

/// Has the C library give blocks of a megabyte and more back to the system when they are freed.
///
/// By itself it keeps ever larger ones for later, and what is needed later has other sizes: a tenth of the memory of a large
/// capture would be held for nothing.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn give_large_blocks_back() {
    const LARGE_BYTES: libc::c_int = 1 << 20;
    // SAFETY: the call stores a number in the allocator; no other thread runs yet, and no memory is passed. There is no safe way
    // to set it from within a program.
    #[allow(unsafe_code)]
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE_BYTES);
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn give_large_blocks_back() {}
