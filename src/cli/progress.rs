//! The progress bar on standard error: bytes, rate and time left, for runs that take longer than a moment.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::analysis::Progress;

/// Shorter runs show no bar: it would only flicker.
const QUIET: Duration = Duration::from_millis(500);
/// Times a second that the bar is drawn at most.
const DRAWS_PER_SECOND: u8 = 8;

/// A bar that appears after a moment, where somebody can see it.
pub(crate) struct Bar {
    bar: ProgressBar,
    since: Instant,
    is_shown: bool,
    is_wanted: bool,
}

impl Bar {
    /// A bar that may be shown, unless it is not wanted or standard error is no terminal.
    pub(crate) fn new(is_wanted: bool) -> Self {
        Self {
            bar: ProgressBar::hidden(),
            since: Instant::now(),
            is_shown: false,
            is_wanted: is_wanted && std::io::stderr().is_terminal(),
        }
    }

    /// Takes note of how far the reading is.
    pub(crate) fn set(&mut self, progress: Progress) {
        if !self.is_wanted {
            return;
        }
        if !self.is_shown && self.since.elapsed() >= QUIET {
            self.show(progress.bytes_total);
        }
        if self.is_shown {
            self.bar.set_position(progress.bytes_done);
        }
    }

    fn show(&mut self, bytes_total: Option<u64>) {
        let (bar, template) = match bytes_total {
            Some(total) => (ProgressBar::new(total), "{bar:30} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left"),
            None => (ProgressBar::no_length(), "{spinner} {bytes}, {bytes_per_sec}"),
        };
        let style = ProgressStyle::with_template(template);
        self.bar =
            bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())).with_elapsed(self.since.elapsed());
        let target = ProgressDrawTarget::stderr_with_hz(DRAWS_PER_SECOND);
        self.bar.set_draw_target(target);
        self.is_shown = true;
    }

    /// Takes the bar away.
    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}
