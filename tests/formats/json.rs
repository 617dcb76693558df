//! The JSON report keeps its contract: it satisfies the schema, whatever the wire said.

use serde_json::Value;

use crate::made;
use sipscan::analysis::Analysis;
use sipscan::report::escape::is_hostile;
use sipscan::report::json::write;

fn text(analysis: &Analysis) -> String {
    let mut out = Vec::new();
    write(analysis, true, &mut out).expect("memory takes everything");
    String::from_utf8(out).expect("JSON is UTF-8")
}

fn report(analysis: &Analysis) -> Value {
    serde_json::from_str(&text(analysis)).expect("the report is JSON")
}

/// Fails with what is wrong where a report does not satisfy docs/report.schema.json.
fn satisfies_the_schema(report: &Value) {
    let schema: Value =
        serde_json::from_str(include_str!("../../docs/report.schema.json")).expect("the schema is JSON");
    let mut compiler = boon::Compiler::new();
    compiler.add_resource("report.schema.json", schema).expect("the schema has a name");
    let mut schemas = boon::Schemas::new();
    let schema = compiler.compile("report.schema.json", &mut schemas).expect("the schema is a schema");
    if let Err(error) = schemas.validate(report, schema) {
        panic!("{error:#}");
    }
}

#[test]
fn a_report_satisfies_the_schema() {
    satisfies_the_schema(&report(&made::analysis()));
}

#[test]
fn reports_of_samples_satisfy_the_schema() {
    for name in [
        "488-codec-mismatch.pcap",
        "503-becomes-500.pcap",
        "ack-lost.pcap",
        "registered-phones-call.pcapng",
        "tcp-calls.pcap",
    ] {
        satisfies_the_schema(&report(&made::sample(name)));
    }
}

#[test]
fn a_report_on_some_of_the_calls_or_none_satisfies_the_schema() {
    for wanted in [0, 2] {
        let mut analysis = made::sample("503-gateway-full.pcapng");
        let matching = (0..analysis.calls.len()).map(|place| place < wanted);
        analysis.narrow("id <= wanted", matching.collect());
        satisfies_the_schema(&report(&analysis));
    }
}

#[test]
fn a_report_of_nothing_satisfies_the_schema() {
    let mut analysis = made::analysis();
    analysis.captures.clear();
    analysis.calls.clear();
    analysis.incidents.clear();
    analysis.metrics = sipscan::call::survey::metrics::Metrics::default();
    satisfies_the_schema(&report(&analysis));
}

#[test]
fn values_read_as_the_contract_says() {
    let report = report(&made::analysis());
    let call = &report["calls"][1];
    assert_eq!("sipscan-report/1", report["schema"]);
    assert_eq!(2, call["id"]);
    assert_eq!("2019-08-27T17:26:39.123456Z", call["started_at"]);
    assert_eq!("203.0.113.9:5060", call["source"]);
    assert_eq!(38.25, call["hops"][0]["final_ms"]);
    assert_eq!("sdp-codec-mismatch", call["primary"]);
    assert_eq!("10.0.0.5:5060", call["origin"]["endpoint"]);
    assert_eq!(Value::Null, report["calls"][0]["origin"]);
    assert_eq!(4100.0, report["calls"][0]["setup_ms"]);
    assert_eq!(Value::Null, call["pdd_ms"]);
    let pairs = &report["fitness"]["one_direction_pairs"];
    assert_eq!("[2001:db8::5]:5060", pairs[0][1]);
    assert_eq!(0, report["fitness"]["sip_messages"]["hep"]);
}

#[test]
fn a_silence_says_what_was_missing_and_how_long_the_capture_watched() {
    let report = report(&made::analysis());
    let silence = &report["calls"][1]["findings"][0]["evidence"][2];
    assert_eq!(22, silence["frames"][0]["frame"]);
    assert_eq!("", silence["quote"]);
    assert_eq!("no second offer followed in the 40 s that the capture watched", silence["shows"]);
    assert_eq!(40_000.0, silence["missing"]["watched_ms"]);
}

#[test]
fn no_text_from_the_wire_acts_on_a_terminal_and_none_is_lost() {
    let analysis = made::analysis();
    let text = text(&analysis);
    let hostile = text.chars().find(|c| is_hostile(*c) && *c != '\n');
    assert_eq!(None, hostile);
    assert_eq!(made::HOSTILE, report(&analysis)["calls"][5]["callee"]);
}

#[test]
fn each_call_stands_on_a_line_of_its_own() {
    let text = text(&made::analysis());
    let calls = text.lines().filter(|line| line.starts_with("{\"id\":"));
    assert_eq!(6, calls.count());
    assert!(text.ends_with("}\n"), "{text}");
}

#[test]
fn a_reader_who_went_away_is_told_from_a_full_disk() {
    struct Gone;
    impl std::io::Write for Gone {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let error = write(&made::analysis(), true, &mut Gone).expect_err("nobody reads");
    assert_eq!(std::io::ErrorKind::BrokenPipe, error.kind());
}

#[test]
fn stages_add_up_to_the_delay_and_groups_to_the_whole() {
    for name in [
        "failover-second-gateway.pcap",
        "redirect-followed.pcap",
        "registered-phones-call.pcapng",
        "ring-group-one-answers.pcapng",
        "tcp-calls.pcap",
    ] {
        let report = report(&made::sample(name));
        let calls = report["calls"].as_array().expect("a list");
        for call in calls.iter().filter(|call| !call["pdd_ms"].is_null()) {
            let stages = call["pdd_stages"].as_array().expect("a list");
            let sum: f64 = stages.iter().filter_map(|stage| stage["ms"].as_f64()).sum();
            let pdd = call["pdd_ms"].as_f64().expect("a number");
            assert!((sum - pdd).abs() < 1e-6, "{name}: {stages:?} of {pdd}");
        }
        let by = &report["metrics_by"];
        let lists =
            [&by["destination"]["groups"], &by["source"]["groups"], &by["software"]["groups"], &by["time"]["spans"]];
        for list in lists {
            let groups = list.as_array().expect("a list");
            let sum: u64 = groups.iter().filter_map(|group| group["calls"].as_u64()).sum();
            assert_eq!(report["metrics"]["calls"].as_u64(), Some(sum), "{name}");
        }
    }
}
