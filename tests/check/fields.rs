//! The fields of a call: one table, and everything that shows or reads them says the same.

use std::path::{Path, PathBuf};

use serde_json::Value;
use sipscan::analysis::{Analysis, CallField, CallFields, CallRow, FieldKind, FieldValue, Options, analyze};
use sipscan::call::CallId;
use sipscan::check::RunView;
use sipscan::report::{csv, json, time};

/// What the JSON report has of a call beside the table.
const JSON_ALONE: [&str; 2] = ["teardown_ms", "origin"];

fn samples() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    let entries = std::fs::read_dir(folder).expect("the samples are there").filter_map(Result::ok);
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "pcap" || ending == "pcapng"));
    paths.sort();
    assert!(paths.len() > 10, "{paths:?}");
    paths
}

fn analysis(path: &Path) -> Analysis {
    analyze(&[path.to_owned()], &Options::default(), &mut |_| {}).expect("a sample reads")
}

fn report(analysis: &Analysis) -> String {
    let mut out = Vec::new();
    json::write(analysis, false, &mut out).expect("memory takes everything");
    String::from_utf8(out).expect("JSON is UTF-8")
}

/// A value as JSON has it: empty is null, milliseconds have three decimals.
fn as_json(value: FieldValue<'_>) -> Value {
    let text = |text: String| if text.is_empty() { Value::Null } else { Value::from(text) };
    match value {
        FieldValue::Count(count) => count.into(),
        FieldValue::Code(code) => code.filter(|code| *code != 0).into(),
        FieldValue::Milliseconds(ms) => ms.map(|ms| (ms * 1000.0).round() / 1000.0).into(),
        FieldValue::Text(shown) => text(shown.into_owned()),
        FieldValue::Endpoint(endpoint) => text(endpoint.map_or(String::new(), |endpoint| endpoint.to_string())),
        FieldValue::Texts(texts) => texts.iter().map(|text| Value::from(&**text)).collect(),
        FieldValue::Flag(flag) => flag.into(),
        FieldValue::Moment(time) => time::Rfc3339(time).to_string().into(),
    }
}

/// Where the JSON report has a field of a call; `None` where it is worked out of others.
fn in_json(call: &Value, field: CallField) -> Option<Value> {
    let of_primary = |key: &str| if call["primary"].is_null() { Value::Null } else { call["findings"][0][key].clone() };
    let each = |list: &str, key: &str| {
        let items = call[list].as_array().into_iter().flatten();
        items.map(|item| item[key].clone()).collect::<Value>()
    };
    let name = field.name();
    Some(match field {
        CallField::Group | CallField::Answered | CallField::Frames => return None,
        CallField::ReplyMs => call["hops"][0]["reply_ms"].clone(),
        CallField::Hops => each("hops", "destination"),
        CallField::Findings => each("findings", "rule"),
        CallField::OriginEndpoint | CallField::OriginCode | CallField::OriginSoftware => {
            call["origin"][name.trim_start_matches("origin_")].clone()
        }
        CallField::Severity | CallField::Confidence | CallField::Title | CallField::Explanation | CallField::Remedy => {
            of_primary(name)
        }
        _ => call.get(name).cloned().unwrap_or_else(|| panic!("the report has no {name}")),
    })
}

#[test]
fn the_json_report_has_every_field_under_its_name_and_with_its_value() {
    for path in samples() {
        let analysis = analysis(&path);
        let report: Value = serde_json::from_str(&report(&analysis)).expect("JSON");
        for (call, (id, entry)) in report["calls"].as_array().expect("calls").iter().zip(analysis.reported_calls()) {
            let row = CallRow::new(&analysis, id, entry);
            for field in CallField::ALL.iter().copied() {
                if let Some(written) = in_json(call, field) {
                    let shown = if written == "" { Value::Null } else { written };
                    assert_eq!(as_json(row.get(field)), shown, "{} of call {id} of {path:?}", field.name());
                }
            }
            for key in call.as_object().expect("an object").keys() {
                let is_field = CallField::ALL.iter().any(|field| field.name() == key);
                assert!(is_field || JSON_ALONE.contains(&key.as_str()), "the table lacks {key}");
            }
        }
    }
}

#[test]
fn expressions_see_the_same_of_a_capture_of_its_view_and_of_its_saved_report() {
    for path in samples() {
        let analysis = analysis(&path);
        let captured = RunView::of(&analysis);
        let saved = RunView::of_report(&report(&analysis)).expect("a report");
        assert_eq!(captured.calls.len(), saved.calls.len());
        for (captured, saved) in captured.calls.iter().zip(&saved.calls) {
            let row = CallRow::at(&analysis, CallId(captured.id)).expect("a call");
            for field in CallField::of_filter() {
                let of_row = as_json(row.get(field));
                for view in [captured, saved] {
                    let of_view = view.value(field).map(as_json);
                    assert_eq!(Some(&of_row), of_view.as_ref(), "{} of call {} of {path:?}", field.name(), view.id);
                }
            }
        }
    }
}

#[test]
fn the_rows_of_the_csv_report_are_the_fields_in_their_order() {
    let analysis = analysis(&Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/503-gateway-full.pcapng"));
    let mut out = Vec::new();
    csv::write(&analysis, &mut out).expect("memory takes everything");
    let text = String::from_utf8(out).expect("CSV is UTF-8");
    let names: Vec<&str> = CallField::of_csv().map(CallField::name).collect();
    assert_eq!(Some(names.join(",").as_str()), text.lines().next());
}

#[test]
fn names_are_unique_and_end_in_their_unit() {
    for (place, field) in CallField::ALL.iter().enumerate() {
        let is_twice = CallField::ALL.iter().take(place).any(|other| other.name() == field.name());
        assert!(!is_twice && !CallField::former_names().any(|former| former == field.name()), "{}", field.name());
        assert_eq!(field.kind() == FieldKind::Milliseconds, field.name().ends_with("_ms"), "{}", field.name());
        assert!(!field.meaning().is_empty());
    }
    assert!(CallField::former_names().all(|former| CallField::named(former).is_some()));
}
