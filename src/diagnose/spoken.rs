//! Spoken: the messages of one node, found by the time at which they came.

use std::sync::OnceLock;

use crate::call::{Book, Message};
use crate::capture::Timestamp;

/// Nanoseconds of a second.
const SECOND: i64 = 1_000_000_000;

/// The messages of one node.
#[derive(Debug, Default)]
pub(super) struct Spoken {
    /// Places of its messages, rising.
    places: Vec<u32>,
    /// Made when somebody asks; of most nodes nobody does.
    by_time: OnceLock<ByTime>,
}

/// The same in spans of time: one after the other, within each span rising.
#[derive(Debug, Default)]
struct ByTime {
    places: Vec<u32>,
    /// Where each span ends in `places`.
    ends: Vec<u32>,
    /// The second in which the first span begins.
    first: i64,
    /// Seconds of a span.
    length: i64,
}

impl Spoken {
    /// Adds a message, behind all others in the book.
    pub(super) fn push(&mut self, place: u32) {
        self.places.push(place);
    }

    /// Its messages before a moment, the last one first.
    pub(super) fn backwards<'s, 'a>(
        &'s self,
        book: &'a Book,
        before: Timestamp,
    ) -> impl Iterator<Item = &'a Message> + use<'s, 'a> {
        let by_time = self.by_time.get_or_init(|| ByTime::of(&self.places, book));
        (0..by_time.spans_until(before))
            .rev()
            .flat_map(move |span| {
                let messages = by_time.span(span).iter();
                let mut earlier: Vec<&Message> = messages
                    .filter_map(|place| book.messages.get(*place as usize))
                    .filter(|message| message.time < before)
                    .collect();
                earlier.sort_by_key(|message| message.time);
                earlier.into_iter().rev()
            })
    }
}

impl ByTime {
    /// Sorts messages by counting how many fall into each span.
    fn of(places: &[u32], book: &Book) -> Self {
        let second = |place: &u32| {
            let message = book.messages.get(*place as usize);
            message.map_or(0, |message| second(message.time))
        };
        let (Some(first), Some(last)) = (
            places.iter().map(second).min(),
            places.iter().map(second).max(),
        ) else {
            return Self::default();
        };
        // As many spans as messages at most, however far apart these are.
        let length = (last - first) / places.len() as i64 + 1;
        let span = |place: &u32| ((second(place) - first) / length) as usize;
        let count = ((last - first) / length) as usize + 1;
        let mut ends = vec![0_u32; count];
        for place in places {
            ends[span(place)] += 1;
        }
        let mut begin = 0;
        for end in &mut ends {
            // What is counted becomes where the span begins, and grows to its end as messages are put there.
            begin += std::mem::replace(end, begin);
        }
        let mut sorted = vec![0; places.len()];
        for place in places {
            let next = &mut ends[span(place)];
            sorted[*next as usize] = *place;
            *next += 1;
        }
        Self {
            places: sorted,
            ends,
            first,
            length,
        }
    }

    /// How many spans begin no later than a moment.
    fn spans_until(&self, moment: Timestamp) -> usize {
        let after = second(moment) - self.first;
        if after < 0 || self.ends.is_empty() {
            return 0;
        }
        let last = usize::try_from(after / self.length).unwrap_or(usize::MAX);
        last.min(self.ends.len() - 1) + 1
    }

    fn span(&self, span: usize) -> &[u32] {
        let end = |span: usize| self.ends.get(span).map_or(0, |end| *end as usize);
        let begin = span.checked_sub(1).map_or(0, end);
        self.places.get(begin..end(span)).unwrap_or_default()
    }
}

/// The second that a moment is in.
fn second(time: Timestamp) -> i64 {
    time.nanoseconds().div_euclid(SECOND)
}
