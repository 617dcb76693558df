//! One `[[expect]]` at work: which calls it is about, and which of them do not hold.

use crate::analysis::{Analysis, beside_caller, word};
use crate::call::CallId;
use crate::capture::FrameRef;

use crate::check::metric;
use crate::check::policy::{Expect, HeaderExpect, shown};
use crate::check::verdict::{Kind, PROOFS_MAX, Proof, Verdict, brief};
use crate::check::view::CallView;
use crate::diagnose::words::counted;

/// What an expectation has seen so far.
#[derive(Debug)]
pub(super) struct Tally<'p> {
    expect: &'p Expect,
    calls: u32,
    failed: u32,
    /// What broke its expressions, which nothing else can make good.
    broken: Option<String>,
    proofs: Vec<Proof>,
    /// Numbers of the calls of the group, where it has limits on metrics.
    members: Vec<u32>,
}

/// What is wrong with one call, and the frames that show it.
struct Miss {
    note: String,
    frames: Vec<FrameRef>,
}

impl<'p> Tally<'p> {
    pub(super) fn new(expect: &'p Expect) -> Self {
        Self { expect, calls: 0, failed: 0, broken: None, proofs: Vec::new(), members: Vec::new() }
    }

    /// Takes note of a call; whether this expectation judges how it ends, so that nothing else has to.
    pub(super) fn push(&mut self, call: &CallView, analysis: &Analysis) -> bool {
        match self.expect.calls.as_ref().map(|calls| calls.matches(call)) {
            Some(Ok(false)) => return false,
            Some(Err(why)) => {
                self.broken.get_or_insert(format!("calls {why}"));
                return false;
            }
            Some(Ok(true)) | None => self.calls += 1,
        }
        if !self.expect.metrics.is_empty() {
            self.members.push(call.id);
        }
        if let Some(miss) = self.miss(call, analysis) {
            self.failed += 1;
            if self.proofs.len() < PROOFS_MAX {
                self.proofs.push(Proof {
                    call: Some(call.id),
                    call_id: call.call_ids.first().cloned().unwrap_or_default(),
                    note: miss.note,
                    frames: miss.frames,
                });
            }
        }
        self.expect.judges_ending()
    }

    fn miss(&mut self, call: &CallView, analysis: &Analysis) -> Option<Miss> {
        let expect = self.expect;
        if let Some(note) = ending_miss(expect, call).or_else(|| way_miss(expect, call)) {
            return Some(Miss { note, frames: call.frames() });
        }
        if let Some(note) = codec_miss(expect, call) {
            let first = call.sequence_frames.first();
            return Some(Miss { note, frames: first.copied().into_iter().collect() });
        }
        if let Some(note) = number_miss(expect, call) {
            return Some(Miss { note, frames: call.frames() });
        }
        if let Some(sequence) = expect.sequence.as_ref().filter(|wanted| !wanted.matches(&call.sequence)) {
            let seen = call.sequence.join(" ");
            return Some(Miss {
                note: format!("the messages are {seen}, not {sequence}"),
                frames: call.sequence_frames.clone(),
            });
        }
        if let Some(miss) = expect.headers.iter().find_map(|header| header_miss(header, call, analysis)) {
            return Some(miss);
        }
        match expect.holds.as_ref().map(|holds| (holds, holds.matches(call))) {
            None | Some((_, Ok(true))) => None,
            Some((holds, Ok(false))) => {
                Some(Miss { note: format!("does not hold: {}", holds.source()), frames: call.frames() })
            }
            Some((_, Err(why))) => {
                self.broken.get_or_insert(format!("holds {why}"));
                None
            }
        }
    }

    pub(super) fn verdict(self, analysis: &Analysis) -> Verdict {
        let expect = self.expect;
        let verdict = |holds: bool, said: String| {
            Verdict::new(Kind::Expectation, expect.name.clone(), holds, said).at_line(expect.line)
        };
        if let Some(why) = self.broken {
            return verdict(false, why);
        }
        let calls = self.calls;
        let counted = counted(calls, "call");
        if calls == 0 && !expect.allow_none && expect.max_calls != Some(0) {
            return verdict(false, "no call matches, so nothing was tested".to_owned());
        }
        if let Some(min) = expect.min_calls.filter(|min| calls < *min) {
            // Where no call at all is fine, some but too few are not.
            if calls > 0 || !expect.allow_none {
                return verdict(false, format!("{counted}, at least {min} are needed"));
            }
        }
        if let Some(max) = expect.max_calls.filter(|max| calls > *max) {
            return verdict(false, format!("{counted}, at most {max} are allowed")).shown_by(self.proofs);
        }
        let share = match calls {
            0 => 100.0,
            calls => 100.0 * f64::from(calls - self.failed) / f64::from(calls),
        };
        let is_share_enough = share >= expect.min_percent;
        let mut parts = vec![match (is_share_enough, self.proofs.first()) {
            (false, Some(first)) => self.failed_text(&counted, share, brief(&first.note)),
            _ if expect.has_demand_on_calls() && calls > 0 => {
                format!("{} of {counted} as expected", calls - self.failed)
            }
            _ => counted,
        }];
        let measured = self.measured(analysis);
        let broken: Vec<&String> = measured.iter().filter_map(|of| of.as_ref().err()).collect();
        let holds = is_share_enough && broken.is_empty();
        parts.extend(match holds {
            true => measured.iter().flatten().cloned().collect::<Vec<_>>(),
            false => broken.into_iter().cloned().collect(),
        });
        let proofs = match is_share_enough {
            true if holds => Vec::new(),
            true => self.culprits(analysis),
            false => self.proofs,
        };
        verdict(holds, parts.join("; ")).shown_by(proofs)
    }

    /// What came of the calls that do not hold, where too many do not.
    fn failed_text(&self, counted: &str, share: f64, first: &str) -> String {
        match (self.expect.min_percent >= 100.0, self.failed, self.calls) {
            (true, 1, 1) => first.to_owned(),
            (true, failed, _) => format!("{failed} of {counted}: {first}"),
            (false, failed, _) => format!(
                "{failed} of {counted}, {} hold and {} are needed: {first}",
                shown("percent", share),
                shown("percent", self.expect.min_percent)
            ),
        }
    }

    /// What each limit on a metric of the group came to; none where there is no group.
    fn measured(&self, analysis: &Analysis) -> Vec<Result<String, String>> {
        if self.members.is_empty() {
            return Vec::new();
        }
        let metrics = analysis.metrics_of(self.members.iter().copied().map(CallId));
        let limits = self.expect.metrics.iter();
        limits.map(|limit| metric::of_group(limit, &metrics)).collect()
    }

    /// The calls that count against the first broken limit that some call in particular counts against.
    fn culprits(&self, analysis: &Analysis) -> Vec<Proof> {
        let metrics = analysis.metrics_of(self.members.iter().copied().map(CallId));
        let limits = self.expect.metrics.iter();
        let broken = limits.filter(|limit| metric::of_group(limit, &metrics).is_err());
        broken
            .map(|limit| metric::culprits(limit, self.members.iter().copied(), analysis))
            .find(|proofs| !proofs.is_empty())
            .unwrap_or_default()
    }
}

fn ending_miss(expect: &Expect, call: &CallView) -> Option<String> {
    let has_outcome = expect.outcomes.is_empty() || expect.outcomes.contains(&call.outcome);
    let has_code = expect.codes.is_empty() || expect.codes.iter().any(|code| code.fits(call.final_code));
    if has_outcome && has_code {
        return None;
    }
    let wanted: Vec<String> = if has_outcome {
        expect.codes.iter().map(ToString::to_string).collect()
    } else {
        expect.outcomes.iter().map(|outcome| outcome.word().to_owned()).collect()
    };
    let why = match call.note() {
        note if note == call.ending() => String::new(),
        note => format!(": {note}"),
    };
    Some(format!("{}, not {}{why}", call.ending(), wanted.join(" or ")))
}

fn way_miss(expect: &Expect, call: &CallView) -> Option<String> {
    if !expect.transports.is_empty() && !expect.transports.contains(&call.transport) {
        return Some(format!("over {}, not {}", call.transport, expect.transports.join(" or ")));
    }
    if expect.ended_by.is_empty() || expect.ended_by.contains(&call.ended_by) {
        return None;
    }
    let by = if call.ended_by.is_empty() { "nobody that the capture shows" } else { &call.ended_by };
    Some(format!("ended by {by}, not by {}", expect.ended_by.join(" or ")))
}

fn codec_miss(expect: &Expect, call: &CallView) -> Option<String> {
    let listed = |codecs: &[String]| match codecs.len() {
        0 => "no codec".to_owned(),
        _ => codecs.join(" "),
    };
    let same = |wanted: &[String], seen: &[String]| {
        wanted.len() == seen.len() && wanted.iter().zip(seen).all(|(a, b)| a.eq_ignore_ascii_case(b))
    };
    if let Some(wanted) = &expect.codecs_offered
        && !same(wanted, &call.codecs_offered)
    {
        return Some(format!("offers {}, not {}", listed(&call.codecs_offered), listed(wanted)));
    }
    if let Some(wanted) = &expect.codecs_answered
        && !same(wanted, &call.codecs_answered)
    {
        return Some(format!("is answered with {}, not {}", listed(&call.codecs_answered), listed(wanted)));
    }
    let first = call.codecs_answered.first();
    let is_wanted = |first: &&String| expect.codec.iter().any(|wanted| wanted.eq_ignore_ascii_case(first));
    if expect.codec.is_empty() || first.filter(is_wanted).is_some() {
        return None;
    }
    let seen = first.map_or("no codec", String::as_str);
    Some(format!("agrees on {seen}, not on {}", expect.codec.join(" or ")))
}

fn number_miss(expect: &Expect, call: &CallView) -> Option<String> {
    expect.numbers.iter().find_map(|limit| {
        let key = limit.key();
        let wanted = shown(&key, limit.value);
        match limit.measure(call) {
            None => Some(format!("{} is not known, so {key} = {wanted} cannot hold", limit.number.name)),
            Some(value) if limit.bound.holds(value, limit.value) => None,
            Some(value) => Some(format!("{} is {}, {key} is {wanted}", limit.number.name, shown(&key, value))),
        }
    })
}

fn header_miss(header: &HeaderExpect, call: &CallView, analysis: &Analysis) -> Option<Miss> {
    let entry = analysis.call(CallId(call.id))?;
    let tables = &analysis.store.tables;
    let name = header.name.text();
    let mut seen = None;
    let messages = beside_caller(&entry.call, &analysis.store);
    for message in messages.filter(|message| word(message.kind) == header.message) {
        let values: Vec<&str> = tables.header_values(message, header.name).collect();
        let fitting = values.iter().find(|value| header.matches.as_ref().is_none_or(|pattern| pattern.is_match(value)));
        match (fitting, header.absent) {
            (Some(_), false) | (None, true) => seen = Some(message.at),
            (Some(value), true) => {
                return Some(Miss {
                    note: format!("{} has {name}: {value}", header.message),
                    frames: vec![message.at],
                });
            }
            (None, false) => {
                let note = match (values.first(), &header.matches) {
                    (Some(value), Some(pattern)) => {
                        format!("{name} of {} is {value}, which does not match {pattern}", header.message)
                    }
                    _ => format!("{} has no {name}", header.message),
                };
                return Some(Miss { note, frames: vec![message.at] });
            }
        }
    }
    seen.is_none()
        .then(|| Miss { note: format!("there is no {} to look for {name} in", header.message), frames: call.frames() })
}
