//! Measures the tests for limits on simulated traffic: Poisson arrivals, log-normal durations (docs/statistics.md has the results).

use std::collections::VecDeque;

use sipscan::call::survey::load::{Counting, RateLimit, Sample, ceiling, rate_limit, trend};
use sipscan::capture::Timestamp;

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
        let normal = (-2.0 * self.share().ln()).sqrt() * (std::f64::consts::TAU * self.share()).cos();
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
    /// It takes so many calls a second by tokens, with room for so many.
    Tokens { rate: f64, burst: f64 },
    /// It refuses one call in so many, whatever happens.
    EveryNth(u32),
    /// For some seconds at a time, this share of the time, what comes is for numbers that it has no route to.
    Campaigns(f64),
    /// From time to time it refuses this share, for some seconds.
    Overloaded(f64),
}

struct SimulatedTraffic {
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

fn simulate(node: Node, traffic: &SimulatedTraffic, dice: &mut Dice) -> Run {
    let (mut now, mut tokens, mut trouble) = (0.0_f64, 1.0_f64, (0.0, 0.0));
    let (mut second, mut this_second) = (f64::MIN, 0_u32);
    let mut up: Vec<f64> = Vec::new();
    let mut lately: VecDeque<f64> = VecDeque::new();
    let mut run = Run { samples: Vec::new(), ends: Vec::new() };
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
            Node::Tokens { rate, burst } => {
                tokens = (tokens + gap * rate).min(burst);
                tokens < 1.0
            }
            Node::EveryNth(nth) => (run.samples.len() as u32 + 1).is_multiple_of(nth),
            Node::Campaigns(share) => {
                if now > trouble.1 {
                    let end = now + dice.between(1.0, 30.0);
                    trouble = (if dice.share() < share { now } else { f64::MAX }, end);
                }
                now >= trouble.0
            }
            Node::Overloaded(share) => {
                if now > trouble.1 {
                    let start = now + dice.between(10.0, 90.0);
                    trouble = (start, start + dice.between(5.0, 60.0));
                }
                now >= trouble.0 && dice.share() < share
            }
        };
        run.samples.push(Sample { at: moment(now), level: up.len() as u32, is_refused });
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

    fn rate(&self) -> Option<RateLimit> {
        let attempts: Vec<(Timestamp, bool)> =
            self.samples.iter().map(|sample| (sample.at, sample.is_refused)).collect();
        rate_limit(&attempts)
    }
}

/// Traffic that is no limit's: 30 to 120 calls up, 400 to 1500 attempts.
fn any_traffic(dice: &mut Dice) -> SimulatedTraffic {
    let talk_seconds = dice.between(20.0, 180.0);
    SimulatedTraffic {
        per_second: dice.between(30.0, 120.0) / talk_seconds,
        swing: dice.between(0.0, 0.6),
        talk_seconds,
        attempts: dice.between(400.0, 1500.0) as u32,
    }
}

/// Runs `RUNS` captures: in how many a ceiling was said, and in how many a rate.
fn count(kind: &str, mut make: impl FnMut(&mut Dice) -> (Node, SimulatedTraffic)) -> (u64, u64) {
    let (mut ceilings, mut rates, mut right) = (0, 0, 0);
    for seed in 1..=RUNS {
        let mut dice = Dice::new(seed);
        let (node, traffic) = make(&mut dice);
        let run = simulate(node, &traffic, &mut dice);
        let ceiling = run.ceiling();
        ceilings += u64::from(ceiling.is_some());
        let rate = run.rate();
        rates += u64::from(rate.is_some());
        right += u64::from(rate.is_some_and(|said| is_right(node, &said)));
    }
    println!("{kind}: ceiling in {ceilings}, rate in {rates} ({right} right) of {RUNS}");
    (ceilings, rates)
}

/// Whether what is said of a limit is what the node does: its rate within 2 %, and its burst.
fn is_right(node: Node, said: &RateLimit) -> bool {
    let is_near = |rate: f64| (said.per_second / rate - 1.0).abs() <= 0.02;
    match (node, said.counting) {
        (Node::Sliding(limit) | Node::Fixed(limit), Counting::Window { .. }) => is_near(f64::from(limit)),
        (Node::Tokens { rate, burst }, Counting::Tokens(found)) => {
            let slack = if found.is_burst_least { burst } else { 0.5 };
            let said = f64::from(found.burst);
            is_near(rate) && said <= burst + 0.5 && said >= burst - slack
        }
        _ => false,
    }
}

#[test]
#[ignore = "a measurement of several seconds; its results stand in docs/statistics.md"]
fn channel_limits_are_found_in_95_of_100_captures() {
    for limit in [4, 10, 12, 23, 30, 60, 120] {
        let (found, rates) = count(&format!("channels {limit}"), |dice| {
            let talk_seconds = dice.between(20.0, 180.0);
            let traffic = SimulatedTraffic {
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
            let traffic = SimulatedTraffic {
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
            let traffic = SimulatedTraffic {
                per_second: f64::from(limit) * dice.between(0.8, 2.0),
                swing: dice.between(0.0, 0.5),
                talk_seconds: dice.between(10.0, 120.0),
                attempts: dice.between(400.0, 1500.0) as u32,
            };
            (Node::Fixed(limit), traffic)
        });
        assert!(found >= 95, "rate {limit} found in {found}");
        assert_eq!(0, ceilings, "rate {limit} taken for a ceiling");
    }
}

#[test]
#[ignore = "a measurement of several seconds; its results stand in docs/statistics.md"]
fn token_buckets_are_found_in_95_of_100_captures_with_rate_and_burst() {
    let buckets = [
        (0.5, 3.0),
        (1.0, 10.0),
        (2.0, 2.0),
        (5.0, 1.0),
        (5.0, 5.0),
        (5.0, 20.0),
        (10.0, 10.0),
        (20.0, 20.0),
        (20.0, 80.0),
    ];
    for (rate, burst) in buckets {
        let (ceilings, found) = count(&format!("tokens {rate}/s, bursts of {burst}"), |dice| {
            let traffic = SimulatedTraffic {
                per_second: rate * dice.between(1.1, 3.0),
                swing: dice.between(0.0, 0.5),
                talk_seconds: dice.between(10.0, 120.0),
                attempts: dice.between(600.0, 1500.0) as u32,
            };
            (Node::Tokens { rate, burst }, traffic)
        });
        assert_eq!(0, ceilings);
        assert!(found >= 95, "token bucket found in {found}");
    }
}

#[test]
#[ignore = "a measurement of several seconds; its results stand in docs/statistics.md"]
fn refusals_without_a_limit_raise_no_alarm() {
    for percent in [2, 5, 10, 20, 35, 50] {
        let alarms = count(&format!("random {percent} %"), |dice| {
            (Node::AtRandom(f64::from(percent) / 100.0), any_traffic(dice))
        });
        assert_eq!((0, 0), alarms);
    }
    for percent in [50, 70, 90, 100] {
        let alarms = count(&format!("overload {percent} %"), |dice| {
            (Node::Overloaded(f64::from(percent) / 100.0), any_traffic(dice))
        });
        assert_eq!((0, 0), alarms);
    }
    for nth in [2, 3, 5, 10] {
        let alarms = count(&format!("one in {nth}"), |dice| (Node::EveryNth(nth), any_traffic(dice)));
        assert_eq!((0, 0), alarms);
    }
    for percent in [10, 30, 60] {
        let alarms = count(&format!("campaigns without a route, {percent} %"), |dice| {
            (Node::Campaigns(f64::from(percent) / 100.0), any_traffic(dice))
        });
        assert_eq!((0, 0), alarms);
    }
}

#[test]
#[ignore = "a measurement of several seconds; its results stand in docs/statistics.md"]
fn a_node_gets_worse_only_where_it_does() {
    const TRIES: u64 = 1_000;
    let count = |before: f64, after: f64| {
        let mut found = 0;
        for seed in 1..=TRIES {
            let mut dice = Dice::new(seed);
            let attempts = dice.between(200.0, 1_000.0) as u32;
            let change = (f64::from(attempts) * dice.between(0.3, 0.7)) as u32;
            let each = (0..attempts).map(|second| {
                let share = if second < change { before } else { after };
                (moment(f64::from(second)), dice.share() < share)
            });
            let each: Vec<(Timestamp, bool)> = each.collect();
            found += u64::from(trend(&each).is_some());
        }
        println!("{before} to {after}: worse in {found} of {TRIES}");
        found
    };
    for share in [0.02, 0.1, 0.3, 0.5] {
        assert_eq!(0, count(share, share));
    }
    for (before, after) in [(0.05, 0.2), (0.1, 0.3), (0.2, 0.5)] {
        assert!(count(before, after) >= 750);
    }
}
