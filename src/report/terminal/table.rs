//! Tables: columns as wide as what stands in them, one of them taking what is left.

use std::io;

use crate::report::terminal::page::{Page, Span, plain, strong};

/// Rows that are measured; wider cells further down are cut.
const MEASURED_ROWS: usize = 1000;
/// Columns between two columns.
const GAP: usize = 2;

/// A column of a table.
pub(super) struct Column {
    /// Its heading.
    pub(super) head: &'static str,
    /// Most columns that it takes.
    pub(super) max: usize,
    /// Whether it is set to the right and never cut.
    pub(super) is_number: bool,
    /// Fewest columns that it is cut to where the page is narrow.
    pub(super) min: usize,
}

/// A column of text, cut to `max` columns, and on a narrow page to `min`.
pub(super) fn text(head: &'static str, min: usize, max: usize) -> Column {
    Column { head, max, is_number: false, min }
}

/// A column of numbers.
pub(super) fn number(head: &'static str) -> Column {
    Column { head, max: 14, is_number: true, min: 14 }
}

/// Writes a table of `count` rows, each made by `row` when it is needed; the last column takes what is left of the width.
pub(super) fn write<'a>(
    page: &mut Page<'_>,
    columns: &[Column],
    count: usize,
    row: impl Fn(usize) -> Vec<Span<'a>>,
) -> io::Result<()> {
    let mut widths: Vec<usize> = columns.iter().map(|column| column.head.len()).collect();
    for place in 0..count.min(MEASURED_ROWS) {
        for (width, cell) in widths.iter_mut().zip(row(place)) {
            *width = (*width).max(cell.width());
        }
    }
    for (width, column) in widths.iter_mut().zip(columns) {
        *width = (*width).min(column.max.max(column.head.len()));
    }
    shrink(&mut widths, columns, page.width());
    let heads = columns.iter().map(|column| strong(column.head)).collect();
    write_row(page, columns, &widths, heads)?;
    for place in 0..count {
        write_row(page, columns, &widths, row(place))?;
    }
    Ok(())
}

/// Takes from the widest columns until the table fits, leaving the last column a third of the page.
fn shrink(widths: &mut [usize], columns: &[Column], page: usize) {
    let last = widths.len().saturating_sub(1);
    let wanted = widths.get(last).copied().unwrap_or(0).min(page / 3);
    let fixed = |widths: &[usize]| widths.iter().take(last).map(|width| width + GAP).sum::<usize>() + GAP + wanted;
    while fixed(widths) > page {
        let widest = (0..last)
            .filter(|place| {
                let (column, width) = (columns.get(*place), widths.get(*place));
                column.zip(width).is_some_and(|(column, width)| *width > column.min)
            })
            .max_by_key(|place| widths.get(*place).copied().unwrap_or(0));
        let Some(width) = widest.and_then(|place| widths.get_mut(place)) else {
            return;
        };
        *width -= 1;
    }
}

fn write_row(page: &mut Page<'_>, columns: &[Column], widths: &[usize], cells: Vec<Span<'_>>) -> io::Result<()> {
    let mut spans = Vec::with_capacity(cells.len() * 2 + 1);
    let last = cells.len().saturating_sub(1);
    let mut pad = GAP;
    for (place, cell) in cells.into_iter().enumerate() {
        let width = widths.get(place).copied().unwrap_or(0);
        let cell = if place == last { cell } else { cell.cut(width) };
        let space = width.saturating_sub(cell.width());
        if columns.get(place).is_some_and(|column| column.is_number) {
            spans.push(plain(" ".repeat(pad + space)));
            pad = GAP;
        } else {
            spans.push(plain(" ".repeat(pad)));
            pad = GAP + space;
        }
        spans.push(cell);
    }
    while spans.last().is_some_and(|span| span.width() == 0) {
        spans.truncate(spans.len().saturating_sub(2));
    }
    page.line(spans)
}
