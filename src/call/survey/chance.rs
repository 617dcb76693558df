//! Chance: how likely a pattern would be if nothing lay behind it.
//!
//! Exact tests on counts: Fisher's test for a table of two by two, the tail of a binomial distribution, and the interval of a share
//! after Wilson (1927). All logarithms are natural.

use std::sync::LazyLock;

/// Terms of a tail that are summed; those left out would change no digit that is shown.
const TERMS_MAX: u64 = 100_000;
/// Share of the sum so far below which a term changes no bit of it.
const TERM_MIN: f64 = 1e-18;

/// Below it Stirling's series is not exact enough.
const SMALL_MAX: u64 = 32;
/// The logarithms of the factorials below that.
static SMALL: LazyLock<[f64; SMALL_MAX as usize]> =
    LazyLock::new(|| std::array::from_fn(|n| (2..=n).map(|k| (k as f64).ln()).sum()));

/// The logarithm of n factorial, by Stirling's series where n is large.
fn ln_factorial(n: u64) -> f64 {
    if n < SMALL_MAX {
        return SMALL[n as usize];
    }
    let n = n as f64;
    let series = 1.0 / (12.0 * n) - 1.0 / (360.0 * n.powi(3)) + 1.0 / (1260.0 * n.powi(5));
    n * n.ln() - n + 0.5 * (2.0 * std::f64::consts::PI * n).ln() + series
}

/// The logarithm of the number of ways to choose `k` of `n`; `k` is at most `n`.
fn ln_choose(n: u64, k: u64) -> f64 {
    ln_factorial(n) - ln_factorial(k) - ln_factorial(n.saturating_sub(k))
}

/// A table of two by two: calls inside and outside a group, failed and good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Table {
    /// Failed, in the group.
    pub failed_in: u64,
    /// Good, in the group.
    pub good_in: u64,
    /// Failed, outside the group.
    pub failed_out: u64,
    /// Good, outside the group.
    pub good_out: u64,
}

impl Table {
    /// How likely at least as many failures would fall into the group if the group did not matter.
    ///
    /// One-sided; 1 where the table is empty. Source: R. A. Fisher, exact test.
    pub fn chance(&self) -> f64 {
        let group = self.failed_in + self.good_in;
        let failed = self.failed_in + self.failed_out;
        let all = group + self.failed_out + self.good_out;
        let outside = all - group;
        let whole = ln_choose(all, failed);
        let (ln_group, ln_outside) = (ln_factorial(group), ln_factorial(outside));
        let term = |hits: u64| {
            let others = failed - hits;
            if others > outside {
                return 0.0;
            }
            let inside = ln_group - ln_factorial(hits) - ln_factorial(group - hits);
            let beside = ln_outside - ln_factorial(others) - ln_factorial(outside - others);
            (inside + beside - whole).exp()
        };
        let last = group.min(failed).min(self.failed_in.saturating_add(TERMS_MAX));
        // From here on each term is smaller than the one before.
        let likeliest = group as f64 * failed as f64 / all as f64 + 1.0;
        let mut sum = 0.0;
        for hits in self.failed_in..=last {
            let term = term(hits);
            sum += term;
            if hits as f64 > likeliest && term < sum * TERM_MIN {
                break;
            }
        }
        sum.min(1.0)
    }

    /// Share of failures in the group, 0 to 1; 0 where the group is empty.
    pub fn rate_in(&self) -> f64 {
        share(self.failed_in, self.failed_in + self.good_in)
    }

    /// Share of failures outside the group, 0 to 1; 0 where nothing is outside.
    pub fn rate_out(&self) -> f64 {
        share(self.failed_out, self.failed_out + self.good_out)
    }

    /// Share of the failures that lie in the group, 0 to 1.
    pub fn recall(&self) -> f64 {
        share(self.failed_in, self.failed_in + self.failed_out)
    }
}

/// `part` of `whole`, 0 to 1; 0 where the whole is empty.
pub fn share(part: impl Into<u64>, whole: impl Into<u64>) -> f64 {
    let (part, whole) = (part.into(), whole.into());
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// How likely at least `hits` of `tries` happen where each happens with probability `p`.
pub fn binomial_tail(tries: u64, hits: u64, p: f64) -> f64 {
    if hits == 0 || p >= 1.0 {
        return 1.0;
    }
    if p <= 0.0 || hits > tries {
        return 0.0;
    }
    let term = |k: u64| (ln_choose(tries, k) + k as f64 * p.ln() + (tries - k) as f64 * (1.0 - p).ln()).exp();
    let last = tries.min(hits.saturating_add(TERMS_MAX));
    (hits..=last).map(term).sum::<f64>().min(1.0)
}

/// The 95 % interval of a share of which `hits` of `tries` were seen, 0 to 1; (0, 1) where nothing was tried.
///
/// Source: E. B. Wilson, 1927.
pub fn wilson(hits: u64, tries: u64) -> (f64, f64) {
    /// Standard deviations that hold 95 % of a normal distribution.
    const Z: f64 = 1.959_963_985;
    if tries == 0 {
        return (0.0, 1.0);
    }
    let n = tries as f64;
    let p = hits as f64 / n;
    let scale = 1.0 + Z * Z / n;
    let centre = p + Z * Z / (2.0 * n);
    let margin = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
    (((centre - margin) / scale).max(0.0), ((centre + margin) / scale).min(1.0))
}

/// A bound on a chance in words: `less than 1 in 10,000`.
pub fn bound(chance: f64) -> String {
    let one_in = [1_000_000_u64, 100_000, 10_000, 1_000, 100, 20];
    match one_in.iter().find(|n| chance <= 1.0 / **n as f64) {
        Some(n) => format!("less than 1 in {}", thousands(*n)),
        None => format!("{:.0} in 100", (chance * 100.0).min(100.0)),
    }
}

/// A number with its thousands separated: `12,345`.
pub(in crate::call) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(expected: f64, found: f64) {
        assert!((expected - found).abs() <= 1e-9 + expected.abs() * 1e-6, "expected {expected}, found {found}");
    }

    #[test]
    fn the_tea_tasting_table_has_the_chance_that_fisher_printed() {
        let three_of_four = Table { failed_in: 3, good_in: 1, failed_out: 1, good_out: 3 };
        close(17.0 / 70.0, three_of_four.chance());
        let all_four = Table { failed_in: 4, good_in: 0, failed_out: 0, good_out: 4 };
        close(1.0 / 70.0, all_four.chance());
    }

    #[test]
    fn a_table_without_any_failure_proves_nothing() {
        close(1.0, Table::default().chance());
        let good = Table { good_in: 5, good_out: 7, ..Table::default() };
        close(1.0, good.chance());
    }

    #[test]
    fn large_tables_agree_with_the_same_sum_in_other_order() {
        let table = Table { failed_in: 40, good_in: 60, failed_out: 100, good_out: 800 };
        // The tail and its complement are one.
        let rest = Table { failed_in: 0, good_in: 100, failed_out: 140, good_out: 760 };
        close(1.0, rest.chance());
        assert!(table.chance() < 1e-9 && table.chance() > 1e-30);
    }

    #[test]
    fn ten_coins_show_eight_heads_or_more_in_56_of_1024_throws() {
        close(56.0 / 1024.0, binomial_tail(10, 8, 0.5));
        close(1.0, binomial_tail(10, 0, 0.5));
        close(0.0, binomial_tail(10, 11, 0.5));
    }

    #[test]
    fn wilson_of_8_of_10_is_49_to_94_percent() {
        let (low, high) = wilson(8, 10);
        assert!((low - 0.4902).abs() < 1e-3 && (high - 0.9433).abs() < 1e-3);
        assert_eq!((0.0, 1.0), wilson(0, 0));
    }

    #[test]
    fn chances_read_as_bounds() {
        assert_eq!("less than 1 in 10,000", bound(0.00004));
        assert_eq!("30 in 100", bound(0.3));
    }
}
