//! Which call of one run is which call of another: by scenario, never by Call-ID, tag or port.

use std::collections::BTreeMap;

use crate::check::filter::Filter;
use crate::check::view::CallView;

/// Calls of two runs, side by side, as indices into either.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Alignment {
    /// Baseline and candidate, in the order of the baseline.
    pub(super) pairs: Vec<(usize, usize)>,
    /// Calls of the baseline that the candidate lacks.
    pub(super) missing: Vec<usize>,
    /// Calls that only the candidate has.
    pub(super) added: Vec<usize>,
}

type KeyOf = fn(&CallView) -> String;

/// Ways to recognise a scenario, the strictest first: what one leaves over, the next one tries.
const KEYS: [KeyOf; 4] = [
    |call| format!("{} {} {}", address(&call.caller), address(&call.callee), host(&call.destination)),
    |call| format!("{} {}", address(&call.caller), address(&call.callee)),
    |call| format!("{} {}", user(&call.caller), user(&call.callee)),
    |call| user(&call.callee).to_owned(),
];

/// Aligns calls by `key`, or by caller, callee, target and order where there is none.
///
/// # Errors
/// Where the key cannot be worked out for a call.
pub(super) fn align(baseline: &[CallView], candidate: &[CallView], key: Option<&Filter>) -> Result<Alignment, String> {
    let mut alignment = Alignment {
        missing: (0..baseline.len()).collect(),
        added: (0..candidate.len()).collect(),
        ..Alignment::default()
    };
    match key {
        Some(key) => alignment.pass((baseline, candidate), |call| key.key_of(call))?,
        None => {
            for key in KEYS {
                alignment.pass((baseline, candidate), |call| Ok(key(call)))?;
            }
        }
    }
    alignment.pairs.sort_unstable();
    Ok(alignment)
}

impl Alignment {
    /// Pairs what is left over and has the same key.
    ///
    /// Of calls with one key those that end alike belong together, whatever their order: a proxy may spread them by chance.
    fn pass(
        &mut self,
        (baseline, candidate): (&[CallView], &[CallView]),
        key: impl Fn(&CallView) -> Result<String, String>,
    ) -> Result<(), String> {
        let group = |places: &[usize], calls: &[CallView]| {
            let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
            for place in places {
                if let Some(call) = calls.get(*place) {
                    groups.entry(key(call)?).or_default().push(*place);
                }
            }
            Ok::<_, String>(groups)
        };
        let olds = group(&self.missing, baseline)?;
        let mut news = group(&self.added, candidate)?;
        (self.missing, self.added) = (Vec::new(), Vec::new());
        for (key, old) in olds {
            let new = news.remove(&key).unwrap_or_default();
            self.pair(&old, &new, |a, b| match (baseline.get(a), candidate.get(b)) {
                (Some(a), Some(b)) => a.ending() == b.ending(),
                _ => false,
            });
        }
        self.added.extend(news.into_values().flatten());
        self.missing.sort_unstable();
        self.added.sort_unstable();
        Ok(())
    }

    fn pair(&mut self, old: &[usize], new: &[usize], is_alike: impl Fn(usize, usize) -> bool) {
        // The usual case first: every call ends as before, in the order of before.
        let same = old.len() == new.len() && old.iter().zip(new).all(|(a, b)| is_alike(*a, *b));
        if same {
            self.pairs.extend(old.iter().copied().zip(new.iter().copied()));
            return;
        }
        let mut free: Vec<Option<usize>> = new.iter().copied().map(Some).collect();
        let mut left = Vec::new();
        // Places behind this one were looked at for an ending alike; a window keeps large groups fast.
        const WINDOW: usize = 4096;
        let mut first_free = 0;
        for &a in old {
            while free.get(first_free) == Some(&None) {
                first_free += 1;
            }
            let window = free.iter_mut().skip(first_free).take(WINDOW);
            let found = window.filter(|slot| slot.is_some_and(|b| is_alike(a, b))).find_map(Option::take);
            match found {
                Some(b) => self.pairs.push((a, b)),
                None => left.push(a),
            }
        }
        let mut rest = free.into_iter().flatten();
        for a in left {
            match rest.next() {
                Some(b) => self.pairs.push((a, b)),
                None => self.missing.push(a),
            }
        }
        self.added.extend(rest);
    }
}

/// `sip:1001@Example.net:5060;user=phone` as `1001@example.net`: neither port nor parameters make a scenario.
fn address(uri: &str) -> String {
    let (user, host) = parts(uri);
    format!("{user}@{}", host.to_ascii_lowercase())
}

/// The user part of a URI, the host of one without.
pub(super) fn user(uri: &str) -> &str {
    match parts(uri) {
        ("", host) => host,
        (user, _) => user,
    }
}

fn parts(uri: &str) -> (&str, &str) {
    let rest = uri.split_once(':').map_or(uri, |(_, rest)| rest);
    let (user, rest) = rest.rsplit_once('@').unwrap_or(("", rest));
    let user = user.split([';', ':']).next().unwrap_or_default();
    (user, host(rest.split([';', '?', '>']).next().unwrap_or_default()))
}

/// `10.0.0.5:5060` as `10.0.0.5`, `[2001:db8::5]:5060` as `[2001:db8::5]`.
pub(super) fn host(endpoint: &str) -> &str {
    match endpoint.rsplit_once(':') {
        Some((host, port))
            if !host.is_empty()
                && port.bytes().all(|byte| byte.is_ascii_digit())
                && (!host.contains(':') || host.ends_with(']')) =>
        {
            host
        }
        _ => endpoint,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_port_nor_parameters_make_a_scenario() {
        assert_eq!("1001@example.net", address("sip:1001@Example.net:5060;user=phone"));
        assert_eq!("1001@[2001:db8::5]", address("sips:1001@[2001:db8::5]:5061"));
        assert_eq!("@example.net", address("sip:example.net"));
        assert_eq!("+4930", user("tel:+4930"));
        assert_eq!("2001:db8::5", host("2001:db8::5"));
    }

    #[test]
    fn of_calls_alike_those_that_end_alike_belong_together() {
        let mut alignment = Alignment::default();
        // Baseline: ok, busy, ok; candidate: busy, ok, failed.
        let (old, new) = (["ok", "busy", "ok"], ["busy", "ok", "failed"]);
        alignment.pair(&[0, 1, 2], &[0, 1, 2], |a, b| old.get(a) == new.get(b));
        alignment.pairs.sort_unstable();
        assert_eq!(vec![(0, 1), (1, 0), (2, 2)], alignment.pairs);
        assert!(alignment.missing.is_empty() && alignment.added.is_empty());
    }

    #[test]
    fn what_is_over_on_either_side_is_named() {
        let mut alignment = Alignment::default();
        alignment.pair(&[0, 1], &[7], |_, _| true);
        assert_eq!((vec![(0, 7)], vec![1]), (alignment.pairs, alignment.missing));
        let mut alignment = Alignment::default();
        alignment.pair(&[0], &[7, 8], |_, _| true);
        assert_eq!((vec![(0, 7)], vec![8]), (alignment.pairs, alignment.added));
    }
}
