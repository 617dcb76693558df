//! The threads of the program.

use std::num::NonZero;
use std::thread::available_parallelism;

/// Threads that are started at most: thousands would only stand in each other's way.
const THREADS_MAX: usize = 256;

/// Starts `jobs` threads, one for each core where the user asks for no number; gives how many there are.
///
/// The calling thread is one of them: it takes part in what it asks for, and only that which others help with wakes them.
pub(crate) fn start(jobs: Option<NonZero<usize>>) -> usize {
    let cores = || available_parallelism().map_or(1, usize::from);
    let count = jobs.map_or_else(cores, usize::from).min(THREADS_MAX);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(count).use_current_thread();
    // It can only have been started before, and then serves as it is.
    let _ = pool.build_global();
    count
}
