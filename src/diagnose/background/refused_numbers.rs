//! Numbers that a node always refuses while it takes others: which beginning they share, and whether that can be chance.

use crate::call::FastMap;
use crate::call::survey::chance::Table;
use crate::diagnose::finding::Confidence;

/// Digits that the shortest prefix with a route of its own has, the plus not counted.
pub const PREFIX_MIN: usize = 3;
/// Digits of the longest prefix that is tried before the whole number.
const PREFIX_MAX: usize = 9;
/// Calls to other numbers that must have been taken.
const TAKEN_MIN: usize = 5;
/// Chance at most, after correction for the prefixes tried, for `Likely` and for `Possible`.
const CHANCE_MAX: (f64, f64) = (0.01, 0.05);
/// Share of the calls to other numbers that may be refused too.
const OTHERS_REFUSED_MAX: f64 = 0.05;

/// The beginning, or whole number, of which at least two calls were refused and none was taken, with how sure that is.
///
/// Numbers that were taken are read only where those that were refused have a beginning in common.
pub fn always_refused<N: AsRef<str>>(
    refused: &[N],
    taken: impl ExactSizeIterator<Item: AsRef<str>>,
) -> Option<(String, Confidence)> {
    let all_taken = taken.len();
    if all_taken < TAKEN_MIN {
        return None;
    }
    let mut counts: FastMap<&str, (u32, u32)> = FastMap::default();
    for number in refused {
        for prefix in prefixes(number.as_ref()) {
            counts.entry(prefix).or_default().0 += 1;
        }
    }
    let tried = counts.len();
    counts.retain(|_, (refused, _)| *refused >= 2);
    let table = |hits: u32| Table {
        failed_in: u64::from(hits),
        good_in: 0,
        failed_out: u64::from(refused.len() as u32 - hits),
        good_out: all_taken as u64,
    };
    let most = counts.values().map(|(refused, _)| *refused).max()?;
    if table(most).rate_out() > OTHERS_REFUSED_MAX {
        return None;
    }
    for number in taken {
        for prefix in prefixes(number.as_ref()) {
            if let Some(count) = counts.get_mut(prefix) {
                count.1 += 1;
            }
        }
    }
    let whole = counts.iter().filter(|(_, (_, taken))| *taken == 0).map(|(prefix, (refused, _))| (*refused, *prefix));
    // The largest group, and of equal ones the longest common beginning.
    let (hits, prefix) = whole.max_by(|a, b| (a.0, a.1.len()).cmp(&(b.0, b.1.len())).then_with(|| b.1.cmp(a.1)))?;
    let table = table(hits);
    // Nested beginnings of the same numbers are one try; four stand for country, area, exchange and number.
    let tried = (tried as f64).min(refused.len() as f64 * 4.0);
    let chance = table.chance() * tried;
    if table.rate_out() > OTHERS_REFUSED_MAX {
        return None;
    }
    let confidence = if chance < CHANCE_MAX.0 {
        Confidence::Likely
    } else if chance < CHANCE_MAX.1 && table.failed_out == 0 {
        Confidence::Possible
    } else {
        return None;
    };
    Some((prefix.to_owned(), confidence))
}

/// The beginnings of a number that may have a route of their own, the whole number last.
fn prefixes(number: &str) -> impl Iterator<Item = &str> {
    let plus = usize::from(number.starts_with('+'));
    let short = (plus + PREFIX_MIN)..=(plus + PREFIX_MAX);
    let short = short.filter(|end| *end < number.len());
    short.filter_map(|end| number.get(..end)).chain(std::iter::once(number).filter(|number| !number.is_empty()))
}

/// What all numbers begin with; empty where they share nothing.
pub fn common_beginning(mut numbers: impl Iterator<Item = impl AsRef<str>>) -> String {
    let first = numbers.next();
    let mut prefix = first.map_or(String::new(), |first| first.as_ref().to_owned());
    for number in numbers {
        let shared = prefix
            .char_indices()
            .zip(number.as_ref().chars())
            .take_while(|((_, a), b)| a == b)
            .map(|((at, c), _)| at + c.len_utf8())
            .last()
            .unwrap_or(0);
        prefix.truncate(shared);
    }
    prefix
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(list: &[&str]) -> Vec<String> {
        list.iter().map(|number| (*number).to_owned()).collect()
    }

    fn many(prefix: &str, count: usize) -> Vec<String> {
        (0..count).map(|n| format!("{prefix}{:06}", n * 7_919)).collect()
    }

    #[test]
    fn five_calls_to_one_country_that_all_fail_beside_twenty_good_ones_are_no_chance() {
        let found = always_refused(&many("+8816", 5), many("+1212", 20).iter());
        let (prefix, confidence) = found.expect("a prefix");
        assert!(prefix.starts_with("+8816"));
        assert_eq!(Confidence::Likely, confidence);
    }

    #[test]
    fn a_prefix_of_which_one_call_was_taken_has_a_route() {
        let mut taken = many("+1212", 20);
        taken.push("+8816123456".to_owned());
        let found = always_refused(&numbers(&["+8816000001", "+8816900002"]), taken.iter());
        assert_eq!(None, found);
    }

    #[test]
    fn two_refusals_beside_six_good_calls_may_be_chance() {
        let found = always_refused(&many("+8816", 2), many("+1212", 6).iter());
        assert_eq!(None, found);
    }

    #[test]
    fn numbers_share_their_common_beginning() {
        let list = numbers(&["+88161", "+88164", "+8816"]);
        assert_eq!("+8816", common_beginning(list.into_iter()));
        assert_eq!("", common_beginning(std::iter::empty::<String>()));
    }
}
