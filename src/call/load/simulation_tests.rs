//! Measures the tests for limits on simulated traffic: Poisson arrivals, log-normal durations (docs/statistics.md has the results).

use std::collections::VecDeque;

use crate::call::load::{Sample, ceiling, rate_limit};
use crate::capture::Timestamp;

/// Simulated captures of each kind.
const RUNS: u64 = 100;

/// Numbers by xorshift: the same on every run.
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// Between 0 and 1, neither included.
    fn share(&mut self) -> f64 {
        for _ in 0..2 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
        }
        ((self.0 >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.share()
    }

    /// Time to the next arrival in seconds.
    fn gap(&mut self, per_second: f64) -> f64 {
        -self.share().ln() / per_second
    }

    /// A log-normal duration with this mean and sigma 1.
    fn duration(&mut self, mean: f64) -> f64 {
        let normal =
            (-2.0 * self.share().ln()).sqrt() * (std::f64::consts::TAU * self.share()).cos();
        mean * (normal - 0.5).exp()
    }
}

/// What the simulated node does.
#[derive(Clone, Copy)]
enum Node {
    /// It has so many channels.
    Channels(u32),
    /// It refuses this share, whatever happens.
    AtRandom(f64),
    /// It takes so many calls in any one second.
    Sliding(u32),
    /// It takes so many calls in each second of its clock.
    Fixed(u32),
    /// It takes so many calls a second by tokens, with room for as many.
    Tokens(f64),
    /// From time to time it refuses this share, for some seconds.
    Overloaded(f64),
}

struct Traffic {
    per_second: f64,
    /// How much the rate rises and falls, 0 to 1.
    swing: f64,
    talk_seconds: f64,
    attempts: u32,
}

struct Run {
    samples: Vec<Sample>,
    ends: Vec<Timestamp>,
}

fn moment(seconds: f64) -> Timestamp {
    Timestamp::from_nanoseconds((seconds * 1e9) as i64)
}

fn simulate(node: Node, traffic: &Traffic, dice: &mut Dice) -> Run {
    let (mut now, mut tokens, mut trouble) = (0.0_f64, 1.0_f64, (0.0, 0.0));
    let (mut second, mut this_second) = (f64::MIN, 0_u32);
    let mut up: Vec<f64> = Vec::new();
    let mut lately: VecDeque<f64> = VecDeque::new();
    let mut run = Run {
        samples: Vec::new(),
        ends: Vec::new(),
    };
    for _ in 0..traffic.attempts {
        let wave = 1.0 + traffic.swing * (now / 60.0).sin();
        let gap = dice.gap(traffic.per_second * wave.max(0.05));
        now += gap;
        up.retain(|end| *end > now);
        while lately.front().is_some_and(|taken| now - taken >= 1.0) {
            lately.pop_front();
        }
        let is_refused = match node {
            Node::Channels(limit) => up.len() as u32 >= limit,
            Node::AtRandom(share) => dice.share() < share,
            Node::Sliding(limit) => lately.len() as u32 >= limit,
            Node::Fixed(limit) => {
                if (now + 0.37).floor() > second {
                    (second, this_second) = ((now + 0.37).floor(), 0);
                }
                this_second >= limit
            }
            Node::Tokens(rate) => {
                tokens = (tokens + gap * rate).min(rate);
                tokens < 1.0
            }
            Node::Overloaded(share) => {
                if now > trouble.1 {
                    let start = now + dice.between(10.0, 90.0);
                    trouble = (start, start + dice.between(5.0, 60.0));
                }
                now >= trouble.0 && dice.share() < share
            }
        };
        run.samples.push(Sample {
            at: moment(now),
            level: up.len() as u32,
            is_refused,
        });
        if !is_refused {
            tokens -= 1.0;
            this_second += 1;
            lately.push_back(now);
            let end = now + dice.duration(traffic.talk_seconds);
            up.push(end);
            run.ends.push(moment(end));
        }
    }
    run.ends.sort_unstable();
    run
}

impl Run {
    fn ceiling(&self) -> Option<u32> {
        ceiling(&self.samples, &self.ends).map(|found| found.limit)
    }

    fn rate(&self) -> Option<f64> {
        let attempts: Vec<(Timestamp, bool)> = self
            .samples
            .iter()
            .map(|sample| (sample.at, sample.is_refused))
            .collect();
        rate_limit(&attempts).map(|found| found.per_second)
    }
}

/// Traffic that is no limit's: 30 to 120 calls up, 400 to 1500 attempts.
fn any_traffic(dice: &mut Dice) -> Traffic {
    let talk_seconds = dice.between(20.0, 180.0);
    Traffic {
        per_second: dice.between(30.0, 120.0) / talk_seconds,
        swing: dice.between(0.0, 0.6),
        talk_seconds,
        attempts: dice.between(400.0, 1500.0) as u32,
    }
}

/// Runs `RUNS` captures: in how many a ceiling was said, and in how many a rate.
fn count(kind: &str, mut make: impl FnMut(&mut Dice) -> (Node, Traffic)) -> (u64, u64) {
    let (mut ceilings, mut rates) = (0, 0);
    for seed in 1..=RUNS {
        let mut dice = Dice::new(seed);
        let (node, traffic) = make(&mut dice);
        let run = simulate(node, &traffic, &mut dice);
        let ceiling = run.ceiling();
        ceilings += u64::from(ceiling.is_some());
        rates += u64::from(run.rate().is_some());
    }
    println!("{kind}: ceiling in {ceilings}, rate in {rates} of {RUNS}");
    (ceilings, rates)
}

#[test]
#[ignore = "a measurement of several seconds; its results stand in docs/statistics.md"]
fn channel_limits_are_found_in_95_of_100_captures() {
    for limit in [4, 10, 12, 23, 30, 60, 120] {
        let (found, rates) = count(&format!("channels {limit}"), |dice| {
            let talk_seconds = dice.between(20.0, 180.0);
            let traffic = Traffic {
                per_second: f64::from(limit) * dice.between(1.0, 1.4) / talk_seconds,
                swing: dice.between(0.0, 0.5),
                talk_seconds,
                attempts: dice.between(400.0, 1500.0) as u32,
            };
            (Node::Channels(limit), traffic)
        });
        assert!(found >= 95, "limit {limit} found in {found}");
        assert_eq!(0, rates, "limit {limit} taken for a rate");
    }
}

#[test]
#[ignore = "a measurement of several seconds; its results stand in docs/statistics.md"]
fn rate_limits_are_found_in_95_of_100_captures_and_are_no_ceilings() {
    for limit in [3, 5, 10, 20] {
        let (ceilings, found) = count(&format!("sliding {limit}/s"), |dice| {
            let traffic = Traffic {
                per_second: f64::from(limit) * dice.between(0.8, 3.0),
                swing: dice.between(0.0, 0.5),
                talk_seconds: dice.between(10.0, 120.0),
                attempts: dice.between(400.0, 1500.0) as u32,
            };
            (Node::Sliding(limit), traffic)
        });
        assert!(found >= 95, "rate {limit} found in {found}");
        assert_eq!(0, ceilings, "rate {limit} taken for a ceiling");
    }
    for limit in [3, 5, 10, 20] {
        let (ceilings, found) = count(&format!("fixed {limit}/s"), |dice| {
            let traffic = Traffic {
                per_second: f64::from(limit) * dice.between(0.8, 2.0),
                swing: dice.between(0.0, 0.5),
                talk_seconds: dice.between(10.0, 120.0),
                attempts: dice.between(400.0, 1500.0) as u32,
            };
            (Node::Fixed(limit), traffic)
        });
        assert!(found >= 50, "rate {limit} found in {found}");
        assert_eq!(0, ceilings, "rate {limit} taken for a ceiling");
    }
    let (ceilings, found) = count("tokens 5/s at 1.6 to 3 times the limit", |dice| {
        let traffic = Traffic {
            per_second: 5.0 * dice.between(1.6, 3.0),
            swing: 0.0,
            talk_seconds: dice.between(10.0, 120.0),
            attempts: dice.between(600.0, 1500.0) as u32,
        };
        (Node::Tokens(5.0), traffic)
    });
    assert_eq!(0, ceilings);
    assert!(found >= 50, "token bucket found in {found}");
}

#[test]
#[ignore = "a measurement of several seconds; its results stand in docs/statistics.md"]
fn refusals_without_a_limit_raise_no_alarm() {
    for percent in [2, 5, 10, 20, 35, 50] {
        let alarms = count(&format!("random {percent} %"), |dice| {
            (
                Node::AtRandom(f64::from(percent) / 100.0),
                any_traffic(dice),
            )
        });
        assert_eq!((0, 0), alarms);
    }
    for percent in [50, 70, 90, 100] {
        let alarms = count(&format!("overload {percent} %"), |dice| {
            (
                Node::Overloaded(f64::from(percent) / 100.0),
                any_traffic(dice),
            )
        });
        assert_eq!((0, 0), alarms);
    }
}
