//! The report for people: one screen for the captures, one note with its ladder for a call.
//!
//! The screen stays about as long whatever the captures hold: each part is bounded and says what it left out.

mod beside;
mod calls;
mod context;
mod explain;
mod facts;
mod failures;
mod head;
mod incidents;
mod ladder;
mod lookup;
mod names;
mod note;
mod numbers;
mod page;
mod profile;
mod table;

use std::io::{self, Write};

use crate::analysis::Analysis;
use context::Context;
use page::Page;

pub use context::ScreenStyle;
pub use explain::{explanation_text, suggestions_text};
pub use lookup::{NoCall, find_call};

/// Writes the screen: what was read, how calls ended, why they failed. Colours are ANSI sequences; all other text is harmless.
///
/// # Errors
/// Whatever `out` returns.
pub fn write_overview(analysis: &Analysis, style: &ScreenStyle, out: &mut dyn Write) -> io::Result<()> {
    let context = Context { analysis, style };
    let mut page = Page::new(out, style.width);
    head::write(&context, &mut page)?;
    if analysis.calls.is_empty() && analysis.registrations.is_empty() && analysis.others.is_empty() {
        return head::write_nothing(&context, &mut page);
    }
    head::write_filter(&context, &mut page)?;
    if analysis.reported_call_count() == 0 && analysis.narrowing.is_some() {
        return Ok(());
    }
    numbers::write(&context, &mut page)?;
    incidents::write(&context, &mut page)?;
    failures::write(&context, &mut page)?;
    calls::write(&context, &mut page)?;
    beside::write(&context, &mut page)?;
    calls::write_hint(&context, &mut page)
}

/// Writes the note of one call and its ladder; `id` counts from 1.
///
/// # Errors
/// Whatever `out` returns.
pub fn write_call(analysis: &Analysis, id: u32, style: &ScreenStyle, out: &mut dyn Write) -> io::Result<()> {
    let context = Context { analysis, style };
    let Some(entry) = context.entry(id) else {
        return Ok(());
    };
    let mut page = Page::new(out, style.width);
    note::write(&context, id, entry, &mut page)?;
    ladder::write(&context, &entry.call, &mut page)
}

/// Writes the metrics in full, and by destination, source, product and time.
///
/// # Errors
/// Whatever `out` returns.
pub fn write_metrics(analysis: &Analysis, style: &ScreenStyle, out: &mut dyn Write) -> io::Result<()> {
    let context = Context { analysis, style };
    let mut page = Page::new(out, style.width);
    head::write(&context, &mut page)?;
    profile::write(&context, &mut page)
}
