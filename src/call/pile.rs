//! The pile: messages in the order of arrival, brought together by Call-ID when the input is over.

use rayon::prelude::*;

use crate::call::message::Message;

/// Messages in one piece of the pile: some 50 MB, so large that the system gets them back the moment they are freed.
const PIECE: usize = 1 << 19;
/// Messages that are sorted at a time.
const SORTED_AT_A_TIME: usize = 1 << 16;

/// Messages in the order of arrival, in pieces, so that what was taken over is given back while the rest is sorted.
#[derive(Debug, Default)]
pub(in crate::call) struct Pile {
    pieces: Vec<Vec<Message>>,
    /// Group of each message: to sort by it, nothing else need be touched.
    groups: Vec<u32>,
}

impl Pile {
    /// Puts a message on the pile.
    pub(in crate::call) fn push(&mut self, message: Message) {
        if self.len().is_multiple_of(PIECE) {
            // The first piece grows as it must: most captures are small.
            let room = if self.groups.is_empty() { 0 } else { PIECE };
            self.pieces.push(Vec::with_capacity(room));
        }
        if let Some(last) = self.pieces.last_mut() {
            last.push(message);
            self.groups.push(message.group.0);
        }
    }

    /// How many messages there are.
    pub(in crate::call) fn len(&self) -> usize {
        self.groups.len()
    }

    /// Brings the messages of each of `groups` groups together, each in the order of arrival; says where each group lies.
    ///
    /// Groups are numbered by their first message, so what is taken for one lies close together in the pile: pieces are given
    /// back as soon as nothing in them is wanted any more, and the pile never takes twice its room.
    pub(in crate::call) fn by_group(mut self, groups: usize) -> (Vec<Message>, Vec<(u32, u32)>) {
        let mut ranges = vec![(0_u32, 0_u32); groups];
        for group in &self.groups {
            ranges[*group as usize].1 += 1;
        }
        let mut next = 0;
        for range in &mut ranges {
            *range = (next, next + range.1);
            next = range.1;
        }
        let (from, wanted_until) = self.sources(&ranges);
        let mut sorted: Vec<Message> = Vec::with_capacity(self.len());
        for part in from.chunks(SORTED_AT_A_TIME) {
            let pieces = &self.pieces;
            sorted.par_extend(part.par_iter().map(|place| {
                let place = *place as usize;
                pieces[place / PIECE][place % PIECE]
            }));
            for (piece, until) in self.pieces.iter_mut().zip(&wanted_until) {
                if *until < sorted.len() {
                    *piece = Vec::new();
                }
            }
        }
        (sorted, ranges)
    }

    /// For each place of the sorted messages its place in the pile, and for each piece the last place that wants it.
    fn sources(&self, ranges: &[(u32, u32)]) -> (Vec<u32>, Vec<usize>) {
        let mut free: Vec<u32> = ranges.iter().map(|range| range.0).collect();
        let mut from = vec![0_u32; self.len()];
        let mut wanted_until = vec![0; self.pieces.len()];
        for (place, group) in (0_u32..).zip(&self.groups) {
            let target = &mut free[*group as usize];
            from[*target as usize] = place;
            let until = &mut wanted_until[place as usize / PIECE];
            *until = (*until).max(*target as usize);
            *target += 1;
        }
        (from, wanted_until)
    }
}

/// The messages of each group as a slice of its own, with the place where it begins.
pub(in crate::call) fn each_group<'m>(
    messages: &'m mut [Message],
    groups: &[(u32, u32)],
) -> Vec<(u32, &'m mut [Message])> {
    let mut rest = messages;
    let slices = groups.iter().map(|&(start, end)| {
        let (group, behind) = std::mem::take(&mut rest).split_at_mut((end - start) as usize);
        rest = behind;
        (start, group)
    });
    slices.collect()
}
