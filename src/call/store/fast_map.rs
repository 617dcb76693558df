//! Maps and sets whose hash costs little: nearly all are keyed by ids, and a run gives the same ones whatever the input does.

use std::collections::{HashMap, HashSet};

use foldhash::fast::FixedState;

/// A map with a quick hash that is the same in every run.
///
/// Whoever makes the input can foresee it, so that maps of unbounded texts from the wire are better off with another.
pub type FastMap<K, V> = HashMap<K, V, FixedState>;

/// A set of the same kind.
pub type FastSet<K> = HashSet<K, FixedState>;
