//! When a capture ran: first and last moment, and clocks that step back.

use std::time::Duration;

use crate::capture::frame::pause::Silences;
use crate::capture::{Frame, Pause, Timestamp, Weakness, WeaknessKind};

/// A step back that is reported: smaller ones come from several queues of one network card.
const STEP_BACK_MIN: Duration = Duration::from_secs(1);

/// The times of frames: counted per window by its worker, then put together in the order of the windows.
#[derive(Debug, Clone, Default)]
pub struct Times {
    earliest: Option<Timestamp>,
    latest: Option<Timestamp>,
    silences: Silences,
    interfaces: Vec<Option<Ends>>,
    steps_back: u32,
    worst: Option<StepBack>,
}

#[derive(Debug, Clone, Copy)]
struct Ends {
    first: Timestamp,
    first_frame: u32,
    last: Timestamp,
}

#[derive(Debug, Clone, Copy)]
struct StepBack {
    by: Duration,
    frame: u32,
}

impl Times {
    /// Adds the next frame of the file.
    #[inline]
    pub fn push(&mut self, frame: &Frame<'_>) {
        self.silences.push(frame.at.frame, frame.time);
        // Nearly every frame comes after the last one of its interface, and then only the end moves.
        if let Some(Some(ends)) = self.interfaces.get_mut(usize::from(frame.interface))
            && frame.time >= ends.last
            && let Some(latest) = &mut self.latest
        {
            ends.last = frame.time;
            *latest = frame.time.max(*latest);
            return;
        }
        self.push_turn(frame);
    }

    /// Adds a frame that is the first of its interface, or earlier than the one before it.
    fn push_turn(&mut self, frame: &Frame<'_>) {
        self.stretch(frame.time, frame.time);
        let ends = self.ends(usize::from(frame.interface));
        let before = ends.map(|ends| ends.last);
        match ends {
            Some(ends) => ends.last = frame.time,
            None => *ends = Some(Ends { first: frame.time, first_frame: frame.at.frame, last: frame.time }),
        }
        if let Some(before) = before {
            self.compare(before, frame.time, frame.at.frame);
        }
    }

    /// Adds the times of the window that follows.
    pub fn append(&mut self, later: &Times) {
        if let (Some(earliest), Some(latest)) = (later.earliest, later.latest) {
            self.stretch(earliest, latest);
        }
        self.silences.append(&later.silences);
        for (interface, next) in later.interfaces.iter().enumerate() {
            let Some(next) = *next else { continue };
            let ends = self.ends(interface);
            let before = ends.map(|ends| ends.last);
            match ends {
                Some(ends) => ends.last = next.last,
                None => *ends = Some(next),
            }
            if let Some(before) = before {
                self.compare(before, next.first, next.first_frame);
            }
        }
        self.steps_back = self.steps_back.saturating_add(later.steps_back);
        self.keep_worst(later.worst);
    }

    /// The earliest moment; `None` where no frame was added.
    pub fn earliest(&self) -> Option<Timestamp> {
        self.earliest
    }

    /// The latest moment; `None` where no frame was added.
    pub fn latest(&self) -> Option<Timestamp> {
        self.latest
    }

    /// Times in which the capture holds nothing although it was busy before and behind.
    pub fn pauses(&self) -> Vec<Pause> {
        self.silences.pauses()
    }

    /// Says that the clock stepped back by more than a second, with the worst step.
    pub fn weakness(&self) -> Option<Weakness> {
        let StepBack { by, frame } = self.worst?;
        let count = self.steps_back;
        let times = if count == 1 { "once".to_owned() } else { format!("{count} times") };
        Some(Weakness {
            kind: WeaknessKind::TimeStepsBack,
            frame: Some(frame),
            detail: format!(
                "capture time steps back {times}, at worst by {:.3} s at frame {frame}; durations across it are wrong",
                by.as_secs_f64()
            ),
        })
    }

    fn stretch(&mut self, earliest: Timestamp, latest: Timestamp) {
        self.earliest = Some(self.earliest.map_or(earliest, |time| time.min(earliest)));
        self.latest = Some(self.latest.map_or(latest, |time| time.max(latest)));
    }

    fn ends(&mut self, interface: usize) -> &mut Option<Ends> {
        if self.interfaces.len() <= interface {
            self.interfaces.resize(interface + 1, None);
        }
        &mut self.interfaces[interface]
    }

    fn compare(&mut self, before: Timestamp, now: Timestamp, frame: u32) {
        if now >= before {
            return;
        }
        let by = before.since(now);
        if by > STEP_BACK_MIN {
            self.steps_back = self.steps_back.saturating_add(1);
            self.keep_worst(Some(StepBack { by, frame }));
        }
    }

    fn keep_worst(&mut self, step: Option<StepBack>) {
        if let Some(step) = step
            && self.worst.is_none_or(|worst| (step.by, worst.frame) > (worst.by, step.frame))
        {
            self.worst = Some(step);
        }
    }
}
