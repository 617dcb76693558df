//! The ladder of a call: who sent what to whom, repeats folded into the first send, copies left out.

mod draw;
mod fold;
mod session;

use std::io;

use crate::call::{Call, CallTransactions, EndpointId, NodeId};
use crate::report::terminal::context::Context;
use crate::report::terminal::page::{Page, faint};
use crate::report::words::count;
use draw::Rails;
use fold::Rung;

/// Columns of a ladder at most; with more, arrows cross too many lines to be followed.
const RAILS_MAX: usize = 5;
/// Rungs shown unless all are asked for.
const RUNGS_MAX: usize = 120;

/// Where a message comes from or goes to, as the ladder has places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Address and port.
    Endpoint(EndpointId),
    /// A machine: its ports are too many for columns.
    Node(NodeId),
}

/// Writes the ladder.
pub(super) fn write(context: &Context<'_>, call: &Call, page: &mut Page<'_>) -> io::Result<()> {
    let transactions = context.analysis.transactions(call);
    let rungs = fold::rungs(&transactions, context.style.is_whole);
    if rungs.is_empty() {
        return Ok(());
    }
    let limit = if context.style.is_whole { usize::MAX } else { RUNGS_MAX };
    let shown = rungs.get(..limit).unwrap_or(&rungs);
    page.blank()?;
    match Rails::of(context, &transactions, shown, page.width()) {
        Some(rails) => rails.draw(context, shown, page)?,
        None => draw::list(context, shown, page)?,
    }
    if rungs.len() > limit {
        let more = (rungs.len() - limit) as u64;
        let text = format!("and {}: -v shows all of them", count(more, "further message"));
        page.line([faint(text)])?;
    }
    Ok(())
}

/// The places of a ladder in the order of first sight: endpoints, or machines where endpoints are too many.
fn places(transactions: &CallTransactions<'_>, rungs: &[Rung<'_>]) -> Option<Vec<Place>> {
    let endpoints = distinct(rungs, Place::Endpoint);
    if endpoints.len() <= RAILS_MAX {
        return Some(endpoints);
    }
    let nodes = distinct(rungs, |endpoint| Place::Node(transactions.tables.node(endpoint)));
    (nodes.len() <= RAILS_MAX).then_some(nodes)
}

fn distinct(rungs: &[Rung<'_>], place: impl Fn(EndpointId) -> Place) -> Vec<Place> {
    let mut places = Vec::new();
    for rung in rungs {
        for endpoint in [rung.message.source, rung.message.destination] {
            let place = place(endpoint);
            if !places.contains(&place) {
                places.push(place);
                if places.len() > RAILS_MAX {
                    return places;
                }
            }
        }
    }
    places
}
