//! The log: messages in the order of arrival, brought together by Call-ID when the input is over.

use rayon::prelude::*;

use crate::call::store::message::Message;
use crate::call::store::messages::{MessageRange, Messages};

/// Messages in one piece, of the log as of what is sorted: some 7 MB, so that not many of them are there twice.
const PIECE: usize = 1 << 16;

/// Messages in the order of arrival, in pieces, so that what was taken over is given back while the rest is sorted.
#[derive(Debug, Default)]
pub(in crate::call) struct ArrivalLog {
    pieces: Vec<Vec<Message>>,
    /// Group of each message: to sort by it, nothing else need be touched.
    groups: Vec<u32>,
}

impl ArrivalLog {
    /// Puts a message behind the others.
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
    /// Groups are numbered by their first message, so what is taken for one lies close together in the log: a piece in which
    /// nothing is wanted any more is the room for messages that are sorted next, and the log never takes twice its room.
    pub(in crate::call) fn sort_by_call_id(mut self, groups: usize) -> (Messages, Vec<MessageRange>) {
        let ranges = self.ranges(groups);
        let (from, wanted_until) = self.sources(&ranges);
        let mut sorted = Messages::default();
        let mut spare: Vec<Vec<Message>> = Vec::new();
        for (start, end) in whole_groups(&ranges) {
            let wanted = from.get(start..end).unwrap_or_default();
            let fits = spare.iter().position(|room| room.capacity() >= wanted.len());
            let mut piece = fits.map_or_else(Vec::new, |place| spare.swap_remove(place));
            piece.clear();
            piece.reserve_exact(wanted.len());
            let pieces = &self.pieces;
            piece.par_extend(wanted.par_iter().map(|place| {
                let place = *place as usize;
                pieces[place / PIECE][place % PIECE]
            }));
            sorted.push(piece);
            for (piece, until) in self.pieces.iter_mut().zip(&wanted_until) {
                if *until < end && piece.capacity() > 0 {
                    spare.push(std::mem::take(piece));
                }
            }
        }
        (sorted, ranges)
    }

    /// Where each of `groups` groups will lie.
    fn ranges(&self, groups: usize) -> Vec<MessageRange> {
        let mut ranges = vec![MessageRange::default(); groups];
        for group in &self.groups {
            ranges[*group as usize].end += 1;
        }
        let mut next = 0;
        for range in &mut ranges {
            *range = MessageRange { start: next, end: next + range.end };
            next = range.end;
        }
        ranges
    }

    /// For each place of the sorted messages its place in the log, and for each piece the last place that wants it.
    fn sources(&self, ranges: &[MessageRange]) -> (Vec<u32>, Vec<usize>) {
        let mut free: Vec<u32> = ranges.iter().map(|range| range.start).collect();
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

/// Neighbouring groups that fill a piece together, or one that fills more than a piece, as ranges of places.
fn whole_groups(groups: &[MessageRange]) -> Vec<(usize, usize)> {
    let mut pieces: Vec<(usize, usize)> = Vec::new();
    for (start, end) in groups.iter().map(|range| (range.start as usize, range.end as usize)) {
        match pieces.last_mut() {
            Some((begun, over)) if end - *begun <= PIECE => *over = end,
            _ => pieces.push((start, end)),
        }
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::store::endpoint::EndpointId;
    use crate::call::store::header_list::HeaderListId;
    use crate::call::store::message::{GroupId, MessageFlags, MessageKind};
    use crate::call::store::session::SessionId;
    use crate::call::store::string_arena::TextId;
    use crate::call::store::via_stack::ViaId;
    use crate::capture::{FrameRef, Timestamp};
    use crate::net::{Trace, Transport};
    use crate::sip::Method;

    fn message(group: u32, frame: u32) -> Message {
        let (text, endpoint) = (TextId::default(), EndpointId::default());
        Message {
            time: Timestamp::default(),
            digest: 0,
            at: FrameRef { file: 0, frame },
            group: GroupId(group),
            source: endpoint,
            destination: endpoint,
            via: ViaId::default(),
            cseq: 1,
            line: text,
            from: text,
            to: text,
            from_tag: text,
            to_tag: text,
            headers: HeaderListId::default(),
            session: SessionId::default(),
            size: 0,
            trace: Trace::default(),
            kind: MessageKind::Request(Method::Invite),
            cseq_method: Method::Invite,
            transport: Transport::Udp,
            tap: 0,
            place: 0,
            max_forwards: 70,
            fragment: 0,
            flags: MessageFlags::default(),
        }
    }

    /// Sorts messages of these groups and says what lies where against the simple way of doing it.
    fn sorts(groups: impl Iterator<Item = u32>) {
        let mut log = ArrivalLog::default();
        let mut simple: Vec<Vec<u32>> = Vec::new();
        for (frame, group) in (1..).zip(groups) {
            if simple.len() <= group as usize {
                simple.push(Vec::new());
            }
            simple[group as usize].push(frame);
            log.push(message(group, frame));
        }
        let (mut sorted, ranges) = log.sort_by_call_id(simple.len());
        assert_eq!(simple.concat().len(), sorted.len());
        let frames = |messages: &[Message]| -> Vec<u32> { messages.iter().map(|message| message.at.frame).collect() };
        for (range, expected) in ranges.iter().zip(&simple) {
            assert_eq!(*expected, frames(sorted.within(*range)));
            let first = sorted.get(range.start);
            assert_eq!(Some(expected[0]), first.map(|message| message.at.frame));
        }
        assert!(sorted.get(sorted.len() as u32).is_none());
        assert!(sorted.iter().map(|message| message.at.frame).eq(simple.concat()));
        assert!(sorted.by_call_id().map(frames).eq(simple.iter().cloned()));
        let chunks = sorted.chunks(1000).flat_map(|(place, messages)| place..place + messages.len());
        assert!(chunks.eq(0..simple.concat().len()));
        let each = sorted.each_group(&ranges);
        let each = each.into_iter().map(|(start, own)| (start, frames(own)));
        let starts = ranges.iter().map(|range| range.start);
        assert!(each.eq(starts.zip(simple.iter().cloned())));
    }

    #[test]
    fn each_group_lies_together_in_the_order_of_arrival() {
        sorts(std::iter::empty());
        sorts([0, 1, 0, 2, 1, 0, 3].into_iter());
    }

    #[test]
    fn groups_fill_several_pieces_and_one_may_fill_more_than_a_piece() {
        let large = PIECE as u32 * 3 / 2;
        // Small groups one behind the other, each with a late message; a large one runs through all of them.
        sorts((0..PIECE as u32 * 4).map(|message| match message {
            0 => 0,
            message if message % 2 == 1 && message < large * 2 => 0,
            message => {
                let small = message / 16;
                let is_late = message % 16 >= 12 && small > 3;
                1 + if is_late { small - 3 } else { small }
            }
        }));
    }
}
