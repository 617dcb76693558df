//! IP fragments become whole datagrams, or a named loss.
//!
//! Sources: RFC 791 section 3.2, RFC 8200 section 4.5, RFC 5722 (overlapping fragments).

use std::collections::VecDeque;
use std::hash::BuildHasher;
use std::net::IpAddr;
use std::time::Duration;

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use crate::capture::{FrameRef, Timestamp};
use crate::net::flow::Flow;

mod assembly;
pub(super) use assembly::Fragment;
pub use assembly::Reassembled;
use assembly::{Assembly, FragmentFit};

/// Datagrams that wait for fragments at a time, remembered whole ones included.
pub(in crate::net) const FRAGMENTED_DATAGRAMS_MAX: usize = 4096;
/// Bytes of fragments held at a time; about 250 datagrams of the largest size.
pub(in crate::net) const FRAGMENT_BYTES_MAX: usize = 16 << 20;
/// How long a fragment waits for the others, in capture time; receivers give up after 30 s as well (Linux `ipfrag_time`).
pub const FRAGMENT_WAIT: Duration = Duration::from_secs(30);
/// Incomplete datagrams that are listed one by one; further ones are only counted.
pub(in crate::net) const INCOMPLETE_DATAGRAMS_MAX: usize = 1024;

/// A datagram of which fragments never came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IncompleteDatagram {
    /// Addresses; both ports are 0.
    pub flow: Flow,
    /// IP protocol number.
    pub protocol: u8,
    /// Frame of the earliest fragment that came.
    pub at: FrameRef,
    /// Time of that frame.
    pub time: Timestamp,
    /// Whether the first fragment, the one with the transport header, came; it was then delivered as far as it goes.
    pub has_first: bool,
    /// Fragments that came.
    pub fragments: u16,
}

/// What happened to fragments, in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FragmentCounters {
    /// Fragments read.
    pub fragments: u64,
    /// Datagrams that became whole.
    pub reassembled: u64,
    /// Fragments that came again.
    pub duplicates: u64,
    /// Datagrams dropped because two fragments disagree about the same bytes.
    pub conflicting: u64,
    /// Fragments that cannot be part of a datagram: too long, or not a multiple of 8 bytes.
    pub malformed: u64,
    /// Datagrams of which fragments never came.
    pub incomplete: u64,
    /// Those among them that were given up early, to stay within a limit.
    pub evicted: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    source: IpAddr,
    destination: IpAddr,
    id: u32,
    protocol: u8,
    // Two interfaces that see one wire each deliver a whole copy.
    interface: u16,
}

#[derive(Debug)]
enum Progress {
    Open(Box<Assembly>),
    // Late copies of its fragments, known by their hashes, must not open a datagram that never ends.
    Done(Vec<u64>),
    Conflicting,
}

#[derive(Debug)]
struct Entry {
    serial: u64,
    progress: Progress,
}

/// All datagrams that wait for fragments.
#[derive(Debug, Default)]
pub(super) struct Fragments {
    entries: HashMap<Key, Entry, RandomState>,
    arrivals: VecDeque<(Timestamp, Key, u64)>,
    serial: u64,
    bytes: usize,
    pub(super) counters: FragmentCounters,
    pub(super) incomplete: Vec<IncompleteDatagram>,
}

impl Fragments {
    /// Takes one fragment; hands out the datagram that it completes and the incomplete ones whose time is over.
    pub(super) fn push(&mut self, fragment: &Fragment<'_>, out: &mut dyn FnMut(Reassembled)) {
        self.counters.fragments += 1;
        self.expire(fragment.time, out);
        let is_uneven = fragment.more && !fragment.is_cut && !fragment.bytes.len().is_multiple_of(8);
        let end = (fragment.offset as usize).saturating_add(fragment.bytes.len());
        if is_uneven || end > assembly::DATAGRAM_BYTES_MAX || (fragment.bytes.is_empty() && fragment.more) {
            self.counters.malformed += 1;
            return;
        }
        let key = Key {
            source: fragment.flow.source.address,
            destination: fragment.flow.destination.address,
            id: fragment.id,
            protocol: fragment.protocol,
            interface: fragment.trace.interface,
        };
        let hash = self.entries.hasher().hash_one((fragment.offset, fragment.more, fragment.bytes));
        match self.entries.get_mut(&key).map(|entry| &mut entry.progress) {
            Some(Progress::Conflicting) => return,
            Some(Progress::Done(hashes)) if hashes.contains(&hash) => {
                self.counters.duplicates += 1;
                return;
            }
            Some(Progress::Open(_)) => {}
            Some(Progress::Done(_)) | None => self.open(key, fragment.time),
        }
        self.add(key, fragment, hash, out);
        while self.bytes > FRAGMENT_BYTES_MAX || self.arrivals.len() > FRAGMENTED_DATAGRAMS_MAX {
            if !self.drop_oldest(true, out) {
                break;
            }
        }
    }

    /// Gives up all datagrams that still wait.
    pub(super) fn finish(&mut self, out: &mut dyn FnMut(Reassembled)) {
        while self.drop_oldest(false, out) {}
    }

    fn open(&mut self, key: Key, time: Timestamp) {
        self.serial += 1;
        let entry = Entry { serial: self.serial, progress: Progress::Open(Box::default()) };
        self.entries.insert(key, entry);
        self.arrivals.push_back((time, key, self.serial));
    }

    fn add(&mut self, key: Key, fragment: &Fragment<'_>, hash: u64, out: &mut dyn FnMut(Reassembled)) {
        let Some(entry) = self.entries.get_mut(&key) else {
            return;
        };
        let Progress::Open(assembly) = &mut entry.progress else {
            return;
        };
        let held = assembly.held_bytes();
        let fit = assembly.add(fragment, hash);
        let grown = assembly.held_bytes().saturating_sub(held);
        match fit {
            FragmentFit::Waits => self.bytes += grown,
            FragmentFit::Repeats => self.counters.duplicates += 1,
            FragmentFit::Conflicts => {
                self.bytes = self.bytes.saturating_sub(held);
                self.counters.conflicting += 1;
                entry.progress = Progress::Conflicting;
            }
            FragmentFit::Completes => {
                self.bytes = self.bytes.saturating_sub(held);
                self.counters.reassembled += 1;
                let whole = assembly.whole(fragment);
                out(whole);
                entry.progress = Progress::Done(assembly.take_hashes());
            }
        }
    }

    fn expire(&mut self, now: Timestamp, out: &mut dyn FnMut(Reassembled)) {
        while self.arrivals.front().is_some_and(|(time, _, _)| now.since(*time) > FRAGMENT_WAIT) {
            self.drop_oldest(false, out);
        }
    }

    /// Whether there was one to drop.
    fn drop_oldest(&mut self, is_eviction: bool, out: &mut dyn FnMut(Reassembled)) -> bool {
        let Some((_, key, serial)) = self.arrivals.pop_front() else {
            return false;
        };
        if self.entries.get(&key).is_none_or(|entry| entry.serial != serial) {
            return true;
        }
        let Some(entry) = self.entries.remove(&key) else {
            return true;
        };
        let Progress::Open(mut assembly) = entry.progress else {
            return true;
        };
        self.bytes = self.bytes.saturating_sub(assembly.held_bytes());
        let Some(earliest) = assembly.earliest else {
            return true;
        };
        self.counters.incomplete += 1;
        self.counters.evicted += u64::from(is_eviction);
        let start = assembly.start(key.protocol);
        if self.incomplete.len() < INCOMPLETE_DATAGRAMS_MAX {
            self.incomplete.push(IncompleteDatagram {
                flow: earliest.flow,
                protocol: key.protocol,
                at: earliest.at,
                time: earliest.time,
                has_first: start.is_some(),
                fragments: assembly.fragments,
            });
        }
        if let Some(start) = start {
            out(start);
        }
        true
    }
}

#[cfg(test)]
mod tests;
