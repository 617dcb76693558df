//! Signals that end the program: they take the file that is being written with them.

/// From now on, a signal that ends the program removes the unfinished file first; one that is ignored stays ignored.
///
/// Until a file is written signals are left to the system.
#[cfg(unix)]
pub(super) fn watch() {
    static WATCH: std::sync::Once = std::sync::Once::new();
    WATCH.call_once(unix::start);
}

/// Signals are a thing of Unix.
#[cfg(not(unix))]
pub(super) fn watch() {}

#[cfg(unix)]
mod unix {
    use std::mem::MaybeUninit;
    use std::sync::{Arc, mpsc};
    use std::thread;

    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
    use signal_hook::iterator::Signals;
    use signal_hook::{flag, low_level};

    use super::super::draft;

    pub(super) fn start() {
        // Files that outgrow a limit of the shell: without the signal the system says so where the file is written.
        let _ = flag::register(SIGXFSZ, Arc::default());
        let (ready, is_ready) = mpsc::channel();
        // The signals are taken by the thread itself: where it does not start, they go on ending the program.
        let started = thread::Builder::new().name("signals".to_owned()).spawn(move || {
            let ending = [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|signal| !is_ignored(*signal));
            let signals = Signals::new(ending);
            let _ = ready.send(());
            let Ok(mut signals) = signals else {
                return;
            };
            if let Some(signal) = signals.forever().next() {
                draft::discard(|| {
                    let _ = low_level::emulate_default_handler(signal);
                });
            }
        });
        if started.is_ok() {
            let _ = is_ready.recv();
        }
    }

    /// Whether whoever started the program, such as `nohup`, has the signal ignored.
    fn is_ignored(signal: libc::c_int) -> bool {
        let mut action = MaybeUninit::<libc::sigaction>::zeroed();
        // SAFETY: without a new action the call changes nothing; it fills in the present one, which was zeroed before and is plain
        // data. There is no safe way to ask for it.
        #[allow(unsafe_code)]
        let (is_known, action) =
            unsafe { (libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr()) == 0, action.assume_init()) };
        is_known && action.sa_sigaction == libc::SIG_IGN
    }
}
