//! Drawing a ladder: a line for each place, an arrow for each message; a list where columns do not fit.

use std::collections::HashSet;
use std::io;

use unicode_width::UnicodeWidthStr;

use crate::call::{CallTransactions, EndpointId, Message, MessageIndex, TransactionIndex};
use crate::report::escape;
use crate::report::terminal::context::Context;
use crate::report::terminal::ladder::fold::Rung;
use crate::report::terminal::ladder::{Place, places};
use crate::report::terminal::names::with_software;
use crate::report::terminal::page::{Ink, Page, Span, cut, faint, plain, strong};

/// Columns of frame number and time, left of the lines.
const MARGIN: usize = 20;
/// Least distance of two lines: an arrow with `486 Busy Here` on it.
const SPACING_MIN: usize = 16;
/// Most distance of two lines.
const SPACING_MAX: usize = 34;
/// Columns kept for notes right of the lines.
const NOTE_COLUMNS: usize = 22;

/// The lines of a ladder.
pub(super) struct Rails<'a> {
    transactions: &'a CallTransactions<'a>,
    places: Vec<Place>,
    labels: Vec<String>,
    legend: Vec<String>,
    spacing: usize,
}

impl<'a> Rails<'a> {
    /// Lines for the places of these rungs, `None` where they do not fit into `width`.
    pub(super) fn of(
        context: &Context<'_>,
        transactions: &'a CallTransactions<'a>,
        rungs: &[Rung<'_>],
        width: usize,
    ) -> Option<Self> {
        let places = places(transactions, rungs)?;
        let gaps = places.len().checked_sub(1).filter(|gaps| *gaps > 0)?;
        let room = width.checked_sub(MARGIN + NOTE_COLUMNS + 1)?;
        let tight = width.checked_sub(MARGIN + 2)? / gaps;
        let spacing = (room / gaps).clamp(SPACING_MIN, SPACING_MAX).min(tight);
        if spacing < SPACING_MIN {
            return None;
        }
        let names: Vec<String> = places.iter().map(|place| place_name(context, transactions, *place)).collect();
        let fits = names.iter().all(|name| name.width() + 2 <= spacing);
        let letters = ('A'..='Z').map(String::from).take(names.len()).collect();
        let legend = places
            .iter()
            .zip(&names)
            .zip(&letters)
            .filter_map(|((place, name), letter): ((_, _), &String)| {
                let known = with_software(name.clone(), software(transactions, *place));
                if fits { (known != *name).then_some(known) } else { Some(format!("{letter}  {known}")) }
            })
            .collect();
        Some(Self { transactions, labels: if fits { names } else { letters }, places, legend, spacing })
    }

    fn rail(&self, endpoint: EndpointId) -> usize {
        let is = |place: &Place| match place {
            Place::Endpoint(known) => *known == endpoint,
            Place::Node(known) => *known == self.transactions.tables.node(endpoint),
        };
        self.places.iter().position(is).unwrap_or(0)
    }

    /// Writes legend, head and rungs.
    pub(super) fn draw(&self, context: &Context<'_>, rungs: &[Rung<'_>], page: &mut Page<'_>) -> io::Result<()> {
        for line in &self.legend {
            page.line([plain(" ".repeat(MARGIN)), faint(line.as_str())])?;
        }
        self.head(page)?;
        for rung in rungs {
            self.rung(context, rung, page)?;
        }
        Ok(())
    }

    /// The names of the lines, each in the middle of its line as far as there is room.
    fn head(&self, page: &mut Page<'_>) -> io::Result<()> {
        let mut line = format!("{:>7}  {:>9}", "Frame", "Time");
        for (place, label) in self.labels.iter().enumerate() {
            let middle = MARGIN + place * self.spacing;
            let half = label.width() / 2;
            let start = middle.saturating_sub(half).max(MARGIN - 1);
            let fits = (start + label.width()).min(page.width());
            let start = fits.saturating_sub(label.width()).max(line.width() + 1);
            line.push_str(&" ".repeat(start.saturating_sub(line.width())));
            line.push_str(label);
        }
        page.line([strong(line)])
    }

    fn rung(&self, context: &Context<'_>, rung: &Rung<'_>, page: &mut Page<'_>) -> io::Result<()> {
        let (from, to) = (self.rail(rung.message.source), self.rail(rung.message.destination));
        let mut line = stamp(context, rung);
        let mut ladder = String::new();
        let ink = ink(rung.message);
        let (left, right) = (from.min(to), from.max(to));
        let mut place = 0;
        let mut arrow_at = (0, 0);
        while place < self.places.len() {
            if place == left && left != right {
                let start = ladder.len();
                ladder.push_str(&arrow(&rung.name, (right - left) * self.spacing, from < to));
                arrow_at = (start, ladder.len());
                place = right;
                continue;
            }
            ladder.push('|');
            if place + 1 < self.places.len() {
                ladder.push_str(&" ".repeat(self.spacing - 1));
            }
            place += 1;
        }
        line.push(' ');
        let (before, rest) = ladder.split_at(arrow_at.0);
        let (shaft, after) = rest.split_at(arrow_at.1 - arrow_at.0);
        let drawn = MARGIN + (self.places.len() - 1) * self.spacing + 1;
        let itself = if from == to { format!("{} (to itself)  ", rung.name) } else { String::new() };
        let note = format!("{itself}{}", self.note(rung, shaft));
        let mut spans =
            vec![faint(line), plain(before.to_owned()), Span::new(ink, shaft.to_owned()), plain(after.to_owned())];
        let note_width = escape::terminal(&note).width();
        if note.trim().is_empty() {
            return page.line(spans);
        }
        if drawn + 2 + note_width <= page.width() {
            spans.push(plain(format!("  {}", note.trim_end())));
            return page.line(spans);
        }
        page.line(spans)?;
        let indent = MARGIN + left * self.spacing + 2;
        page.wrapped(plain(" ".repeat(indent)), indent, [faint(note)])
    }

    /// The note, behind the whole name where the arrow had no room for it.
    fn note(&self, rung: &Rung<'_>, shaft: &str) -> String {
        let name = escape::terminal(&rung.name);
        if shaft.contains(name.as_ref()) || shaft.is_empty() || rung.is_usual {
            rung.note.clone()
        } else {
            format!("{}  {}", rung.name, rung.note)
        }
    }
}

/// `|-- INVITE ---------------->`, its last column being the line that it ends at.
fn arrow(name: &str, columns: usize, is_to_the_right: bool) -> String {
    let name = cut(&escape::terminal(name), columns.saturating_sub(6));
    let dashes = "-".repeat(columns.saturating_sub(name.width() + 5));
    if is_to_the_right { format!("|- {name} {dashes}>") } else { format!("|<- {name} {dashes}") }
}

/// Frame and time of a rung, as wide as the margin less one.
fn stamp(context: &Context<'_>, rung: &Rung<'_>) -> String {
    let seconds = rung.message.time.millis_since(rung.start) / 1000.0;
    format!("{:>7}  {:>9}", context.frame(rung.message.at), format!("{seconds:.3}"))
}

fn ink(message: &Message) -> Ink {
    match message.status().map(|status| status.0) {
        Some(200..=299) => Ink::Good,
        Some(300..) if !matches!(message.status().map(|s| s.0), Some(401 | 407 | 487)) => Ink::Bad,
        _ => Ink::Plain,
    }
}

/// Writes the messages in lines, where there are too many places for arrows.
pub(super) fn list(context: &Context<'_>, rungs: &[Rung<'_>], page: &mut Page<'_>) -> io::Result<()> {
    let way = |rung: &Rung<'_>| {
        format!("{} -> {}", context.endpoint(rung.message.source), context.endpoint(rung.message.destination))
    };
    let width = rungs.iter().map(|rung| way(rung).len()).max().unwrap_or(0);
    page.line([strong(format!("{:>7}  {:>9}  Message", "Frame", "Time"))])?;
    for rung in rungs {
        let first = format!("{}  {:<width$}  ", stamp(context, rung), way(rung));
        page.wrapped(
            plain(first),
            MARGIN,
            [Span::new(ink(rung.message), rung.name.as_str()), plain("  "), faint(rung.note.as_str())],
        )?;
    }
    Ok(())
}

fn place_name(context: &Context<'_>, transactions: &CallTransactions<'_>, place: Place) -> String {
    match place {
        Place::Endpoint(endpoint) => context.endpoint(endpoint),
        Place::Node(node) => transactions.tables.endpoints.node_name(node),
    }
}

/// The product that runs at a place, as the first message says that it made itself rather than passed on.
fn software<'a>(transactions: &CallTransactions<'a>, place: Place) -> &'a str {
    let parents: HashSet<TransactionIndex> = transactions.each().filter_map(|(_, t)| t.parent).collect();
    let is_its_own = |index: MessageIndex, message: &Message| {
        let owner = transactions.owner.get(index.0 as usize).copied();
        owner.is_some_and(|owner| match message.status() {
            None => transactions.transaction(owner).parent.is_none(),
            Some(_) => !parents.contains(&owner),
        })
    };
    let is_from_it = |message: &Message| match place {
        Place::Endpoint(endpoint) => message.source == endpoint,
        Place::Node(node) => transactions.tables.node(message.source) == node,
    };
    let mut from_it =
        transactions.originals().filter(|(index, message)| is_from_it(message) && is_its_own(*index, message));
    from_it.find_map(|(_, message)| transactions.tables.software(message)).unwrap_or("")
}
