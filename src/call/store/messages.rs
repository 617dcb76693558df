//! The messages of a run, in pieces of memory of which each holds those of whole Call-IDs.
//!
//! One piece of memory for all would have to be there beside the log that it is filled from; pieces are filled one after the
//! other, in the memory that the log no longer needs.

use std::iter::{Flatten, Zip};
use std::slice;

use crate::call::store::message::Message;

/// Messages by Call-ID, each Call-ID's in the order of capture; a place is a number counted over all of them.
#[derive(Debug, Default)]
pub struct Messages {
    pieces: Vec<Vec<Message>>,
    /// The place of the first message of each piece.
    starts: Vec<u32>,
}

/// Neighbouring messages of one Call-ID: those of a whole group, of a leg, or of requests outside calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct MessageRange {
    /// The place of the first message.
    pub start: u32,
    /// One past the place of the last.
    pub end: u32,
}

impl MessageRange {
    /// How many messages there are.
    pub(in crate::call) fn len(self) -> usize {
        self.end.saturating_sub(self.start) as usize
    }
}

impl Messages {
    /// Puts a piece behind the others; all messages of a Call-ID are in one piece.
    pub(in crate::call) fn push(&mut self, piece: Vec<Message>) {
        self.starts.push(self.len() as u32);
        self.pieces.push(piece);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        let last = self.starts.last().zip(self.pieces.last());
        last.map_or(0, |(start, piece)| *start as usize + piece.len())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The message at a place.
    pub fn get(&self, place: u32) -> Option<&Message> {
        let (start, piece) = self.piece_at(place)?;
        piece.get((place - start) as usize)
    }

    /// The messages of a range, none where it is not within one Call-ID.
    pub(in crate::call) fn within(&self, range: MessageRange) -> &[Message] {
        let found = self.piece_at(range.start).and_then(|(start, piece)| {
            let end = range.end.checked_sub(start)?;
            piece.get((range.start - start) as usize..end as usize)
        });
        found.unwrap_or_default()
    }

    /// The piece that holds a place, with the place of its first message.
    fn piece_at(&self, place: u32) -> Option<(u32, &[Message])> {
        let next = self.starts.partition_point(|start| *start <= place);
        let piece = next.checked_sub(1)?;
        Some((*self.starts.get(piece)?, self.pieces.get(piece)?))
    }

    /// All messages in their order.
    pub fn iter(&self) -> Flatten<slice::Iter<'_, Vec<Message>>> {
        self.pieces.iter().flatten()
    }

    /// Neighbouring messages, at most `count` at a time, with the place of the first.
    pub(in crate::call) fn chunks(&self, count: usize) -> impl Iterator<Item = (usize, &[Message])> {
        self.pieces().flat_map(move |(start, piece)| {
            let chunks = piece.chunks(count).enumerate();
            chunks.map(move |(chunk, messages)| (*start as usize + chunk * count, messages))
        })
    }

    /// The messages of each Call-ID.
    pub fn by_call_id(&self) -> impl Iterator<Item = &[Message]> {
        let pieces = self.pieces.iter();
        pieces.flat_map(|piece| piece.chunk_by(|a, b| a.group == b.group))
    }

    /// The messages of each group as a slice of its own, with the place where it begins.
    pub(in crate::call) fn each_group<'m>(&'m mut self, groups: &[MessageRange]) -> Vec<(u32, &'m mut [Message])> {
        let mut pieces = self.pieces.iter_mut();
        let mut rest: &mut [Message] = &mut [];
        let slices = groups.iter().map(|range| {
            if rest.is_empty() {
                rest = pieces.next().map(Vec::as_mut_slice).unwrap_or_default();
            }
            let (group, behind) = std::mem::take(&mut rest).split_at_mut(range.len());
            rest = behind;
            (range.start, group)
        });
        slices.collect()
    }

    fn pieces(&self) -> Zip<slice::Iter<'_, u32>, slice::Iter<'_, Vec<Message>>> {
        self.starts.iter().zip(&self.pieces)
    }
}

impl<'m> IntoIterator for &'m Messages {
    type Item = &'m Message;
    type IntoIter = Flatten<slice::Iter<'m, Vec<Message>>>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}
