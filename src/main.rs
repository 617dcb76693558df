//! The `sipscan` program: hands the command line to the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    tell_allocator();
    sipscan::cli::run()
}

/// Has the C library give blocks of four megabytes and more back to the system when they are freed, and keep the room of smaller ones.
///
/// By itself it keeps ever larger blocks for later, and what is needed later has other sizes: a tenth of the memory of a large
/// capture would be held for nothing. What smaller blocks lay in it gives back and asks for again, page by page.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn tell_allocator() {
    const LARGE_BYTES: libc::c_int = 4 << 20;
    const GROWN_BYTES: libc::c_int = 1 << 20;
    const KEPT_BYTES: libc::c_int = 64 << 20;
    // SAFETY: each call stores a number in the allocator; no other thread runs yet, and no memory is passed. There is no safe way
    // to set it from within a program.
    #[allow(unsafe_code)]
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE_BYTES);
        libc::mallopt(libc::M_TOP_PAD, GROWN_BYTES);
        libc::mallopt(libc::M_TRIM_THRESHOLD, KEPT_BYTES);
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn tell_allocator() {}
