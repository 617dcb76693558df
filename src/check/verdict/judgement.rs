//! Everything that a run of `check` or `compare` says.

use crate::capture::FrameRef;
use crate::check::verdict::comparison::Comparison;
use crate::check::verdict::{Status, Verdict};

/// Everything that a run of `check` or `compare` says.
#[derive(Debug, Default)]
pub struct Judgement {
    /// `check` or `compare`.
    pub task: &'static str,
    /// Path of the policy, empty without one.
    pub policy: String,
    /// Captures that frames refer to; of a comparison those of the candidate.
    pub captures: Vec<String>,
    /// Calls that were judged.
    pub calls: u32,
    /// In the order of the documentation.
    pub verdicts: Vec<Verdict>,
    /// What two runs differ in, for a comparison.
    pub comparison: Option<Comparison>,
}

impl Judgement {
    /// Verdicts that fail.
    pub fn failures(&self) -> impl Iterator<Item = &Verdict> {
        self.verdicts.iter().filter(|verdict| verdict.fails())
    }

    /// Whether everything holds.
    pub fn holds(&self) -> bool {
        self.failures().next().is_none()
    }

    /// How many verdicts hold, fail, and are waived.
    pub fn counts(&self) -> (usize, usize, usize) {
        let (mut holds, mut fails, mut waived) = (0, 0, 0);
        for verdict in &self.verdicts {
            *match verdict.status {
                Status::Holds => &mut holds,
                Status::Fails => &mut fails,
                Status::Waived(_) => &mut waived,
            } += 1;
        }
        (holds, fails, waived)
    }

    /// A frame as a reader finds it: `frame 12`, with the capture where there are several.
    pub fn frame(&self, at: FrameRef) -> String {
        match self.captures.get(usize::from(at.file)) {
            Some(path) if self.captures.len() > 1 => format!("{path} frame {}", at.frame),
            _ => format!("frame {}", at.frame),
        }
    }

    /// Frames of one capture after another, each once: `frames 12, 14`; empty where there are none.
    pub fn frames(&self, frames: &[FrameRef]) -> String {
        let mut distinct: Vec<FrameRef> = Vec::new();
        for at in frames {
            if !distinct.contains(at) {
                distinct.push(*at);
            }
        }
        let first = distinct.first().map(|first| first.file);
        let has_one_file = distinct.iter().all(|at| Some(at.file) == first);
        if self.captures.len() > 1 || !has_one_file {
            let frames: Vec<String> = distinct.iter().map(|at| self.frame(*at)).collect();
            return frames.join(", ");
        }
        let numbers: Vec<String> = distinct.iter().map(|at| at.frame.to_string()).collect();
        match numbers.len() {
            0 => String::new(),
            1 => format!("frame {}", numbers.concat()),
            _ => format!("frames {}", numbers.join(", ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_named_once() {
        let at = |frame| FrameRef { file: 0, frame };
        let judgement = Judgement::default();
        assert_eq!("frames 7, 28", judgement.frames(&[at(7), at(28), at(7), at(28)]));
        assert_eq!("frame 7", judgement.frames(&[at(7), at(7)]));
    }
}
