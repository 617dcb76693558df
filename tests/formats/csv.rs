//! The CSV report opens in a spreadsheet as it was written, and runs nothing there.

use crate::made;
use sipscan::analysis::{Analysis, CallField};
use sipscan::report::csv::write;
use sipscan::report::escape::is_hostile;

fn text(analysis: &Analysis) -> String {
    let mut out = Vec::new();
    write(analysis, &mut out).expect("memory takes everything");
    String::from_utf8(out).expect("CSV is UTF-8")
}

fn rows(analysis: &Analysis) -> Vec<Vec<String>> {
    let text = text(analysis);
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    let records = reader.records().map(|record| record.expect("equally long rows"));
    records.map(|record| record.iter().map(str::to_owned).collect()).collect()
}

fn columns() -> Vec<&'static str> {
    CallField::of_csv().map(CallField::name).collect()
}

fn cell<'a>(row: &'a [String], column: &str) -> &'a str {
    let place = CallField::of_csv().position(|known| known.name() == column);
    &row[place.expect("a column of the contract")]
}

#[test]
fn a_row_for_each_call_below_the_header() {
    let rows = rows(&made::analysis());
    assert_eq!(7, rows.len());
    assert_eq!(columns(), rows[0]);
    let refused = &rows[2];
    for (column, expected) in [
        ("id", "2"),
        ("call_ids", "1@203.0.113.9"),
        ("caller", "sip:+13035550101@203.0.113.9"),
        ("started_at", "2019-08-27T17:26:39.123456Z"),
        ("outcome", "rejected"),
        ("final_code", "488"),
        ("pdd_ms", ""),
        ("origin_endpoint", "10.0.0.5:5060"),
        ("primary", "sdp-codec-mismatch"),
        ("confidence", "certain"),
        ("frames", "0:17 0:21 0:22"),
        ("findings", "sdp-codec-mismatch"),
    ] {
        assert_eq!(expected, cell(refused, column), "{column}");
    }
    assert_eq!("32000", cell(&rows[1], "talk_ms"));
}

#[test]
fn the_header_is_there_without_calls() {
    let mut analysis = made::analysis();
    analysis.calls.clear();
    assert_eq!(vec![columns()], rows(&analysis));
}

#[test]
fn no_cell_is_a_formula_or_acts_on_a_terminal() {
    let analysis = made::analysis();
    for row in rows(&analysis) {
        for cell in row {
            assert!(!cell.starts_with(['=', '+', '-', '@']), "{cell}");
            assert!(!cell.contains(is_hostile), "{cell:?}");
        }
    }
    let all = rows(&analysis);
    assert_eq!(r#"'=\x1b[2J\u{202e}evil\x0d\x0a\x9b31m,"x\u{200b}"#, cell(&all[6], "callee"));
}
