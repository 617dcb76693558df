//! The input in the report: `captures` and `fitness`.

use serde::Serialize;

use crate::analysis;
use crate::capture::{OpenError, Weakness};
use crate::net::Transport;
use crate::report::json::value::{Each, Keyed, Shown, moment};

/// Every transport that the report counts, whether seen or not.
const TRANSPORTS: [Transport; 6] =
    [Transport::Udp, Transport::Tcp, Transport::Ws, Transport::Sctp, Transport::Tls, Transport::Hep];

/// One element of `captures`.
pub(super) struct CaptureLine<'a>(&'a analysis::CaptureEntry);

impl<'a> CaptureLine<'a> {
    pub(super) fn of(entry: &'a analysis::CaptureEntry) -> Self {
        Self(entry)
    }
}

impl Serialize for CaptureLine<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Fields<'a, F, L, W> {
            path: Shown<std::path::Display<'a>>,
            format: &'a str,
            compression: Option<&'a str>,
            link_types: &'a [String],
            bytes: u64,
            frames: u64,
            first_at: Option<F>,
            last_at: Option<L>,
            dropped: u64,
            weaknesses: W,
        }
        let entry = self.0;
        Fields {
            path: Shown(entry.path.display()),
            format: entry.format,
            compression: entry.compression,
            link_types: &entry.link_types,
            bytes: entry.bytes,
            frames: entry.frames,
            first_at: entry.first_at.map(moment),
            last_at: entry.last_at.map(moment),
            dropped: entry.dropped,
            weaknesses: Each(|| entry.weaknesses.iter().map(weakness)),
        }
        .serialize(serializer)
    }
}

#[derive(Serialize)]
struct WeaknessLine<'a> {
    kind: &'a str,
    frame: Option<u32>,
    detail: &'a str,
}

fn weakness(weakness: &Weakness) -> WeaknessLine<'_> {
    WeaknessLine { kind: weakness.kind.word(), frame: weakness.frame, detail: &weakness.detail }
}

/// One element of `problems`: what could not be read, and why.
pub(super) fn problem(error: &OpenError) -> impl Serialize + use<'_> {
    #[derive(Serialize)]
    struct Fields<P, T> {
        path: P,
        problem: T,
    }
    Fields { path: Shown(error.path.display()), problem: Shown(&error.problem) }
}

/// What the input can and cannot prove.
pub(super) struct FitnessLine<'a>(&'a analysis::Fitness);

impl<'a> FitnessLine<'a> {
    pub(super) fn of(fitness: &'a analysis::Fitness) -> Self {
        Self(fitness)
    }
}

impl Serialize for FitnessLine<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Fields<M, U, P> {
            sip_messages: M,
            copies: u64,
            media_packets: u64,
            undecoded: U,
            one_direction_pairs: P,
        }
        #[derive(Serialize)]
        struct Undecoded<'a> {
            reason: &'a str,
            frames: u64,
        }
        let fitness = self.0;
        let count = |transport| fitness.sip_messages.get(&transport).copied().unwrap_or(0);
        Fields {
            sip_messages: Keyed(|| TRANSPORTS.map(|transport| (transport.word(), count(transport)))),
            copies: fitness.copies,
            media_packets: fitness.media_packets,
            undecoded: Each(|| {
                fitness
                    .undecoded
                    .iter()
                    .map(|undecoded| Undecoded { reason: &undecoded.reason, frames: undecoded.frames })
            }),
            one_direction_pairs: Each(|| {
                let pairs = fitness.one_direction_pairs.iter();
                pairs.map(|(seen, unseen)| [Shown(seen), Shown(unseen)])
            }),
        }
        .serialize(serializer)
    }
}
