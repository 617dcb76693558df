//! The connections that are followed: found by their two ends, left behind when idle longest.

use foldhash::fast::RandomState;
use hashbrown::HashMap;

use crate::net::flow::{Endpoint, Flow};

/// The two ends of a connection, the smaller first, so that both directions find it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Ends {
    low: Endpoint,
    high: Endpoint,
}

impl Ends {
    pub(super) fn of(flow: Flow) -> Self {
        if flow.source <= flow.destination {
            Self { low: flow.source, high: flow.destination }
        } else {
            Self { low: flow.destination, high: flow.source }
        }
    }
}

const NONE: usize = usize::MAX;

#[derive(Debug)]
struct Slot<T> {
    ends: Ends,
    value: T,
    older: usize,
    newer: usize,
}

/// A bounded map from ends to `T` that knows which entry was used longest ago.
#[derive(Debug)]
pub(super) struct Table<T> {
    places: HashMap<Ends, usize, RandomState>,
    slots: Vec<Option<Slot<T>>>,
    free: Vec<usize>,
    oldest: usize,
    newest: usize,
}

impl<T> Table<T> {
    pub(super) fn new() -> Self {
        Self { places: HashMap::default(), slots: Vec::new(), free: Vec::new(), oldest: NONE, newest: NONE }
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// Finds the place of an entry and marks it as used.
    pub(super) fn touch(&mut self, ends: Ends) -> Option<usize> {
        let place = *self.places.get(&ends)?;
        if place != self.newest {
            self.unlink(place);
            self.link(place);
        }
        Some(place)
    }

    pub(super) fn get_mut(&mut self, place: usize) -> Option<&mut T> {
        self.slot(place).map(|slot| &mut slot.value)
    }

    /// Adds an entry that is not there yet; its place.
    pub(super) fn insert(&mut self, ends: Ends, value: T) -> usize {
        let slot = Some(Slot { ends, value, older: NONE, newer: NONE });
        let place = match self.free.pop() {
            Some(place) => place,
            None => {
                self.slots.push(None);
                self.slots.len() - 1
            }
        };
        if let Some(target) = self.slots.get_mut(place) {
            *target = slot;
        }
        self.places.insert(ends, place);
        self.link(place);
        place
    }

    pub(super) fn remove_oldest(&mut self) -> Option<T> {
        let place = self.oldest;
        self.unlink(place);
        let slot = self.slots.get_mut(place)?.take()?;
        self.places.remove(&slot.ends);
        self.free.push(place);
        Some(slot.value)
    }

    fn slot(&mut self, place: usize) -> Option<&mut Slot<T>> {
        self.slots.get_mut(place)?.as_mut()
    }

    fn unlink(&mut self, place: usize) {
        let Some((older, newer)) = self.slot(place).map(|slot| (slot.older, slot.newer)) else {
            return;
        };
        match self.slot(older) {
            Some(slot) => slot.newer = newer,
            None => self.oldest = newer,
        }
        match self.slot(newer) {
            Some(slot) => slot.older = older,
            None => self.newest = older,
        }
    }

    fn link(&mut self, place: usize) {
        let newest = self.newest;
        if let Some(slot) = self.slot(place) {
            slot.older = newest;
            slot.newer = NONE;
        }
        match self.slot(newest) {
            Some(slot) => slot.newer = place,
            None => self.oldest = place,
        }
        self.newest = place;
    }
}
