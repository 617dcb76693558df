//! What is documented of policies, and what their schema takes: the same as the program.

use std::collections::BTreeSet;

use sipscan::analysis::CallField;
use sipscan::check::{
    ALLOW_KEYS, CALL_NUMBERS, COMPARE_KEYS, EXPECT_KEYS, FORBID_KEYS, HEADER_KEYS, METRICS_KEYS, Policy, WAIVER_KEYS,
    group_metrics, metric_names,
};

#[test]
fn every_key_is_in_the_schema_and_in_the_documentation() {
    let read = |path: &str| std::fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).expect(path);
    let (schema, page) = (read("docs/policy.schema.json"), read("docs/policy.md"));
    let schema: serde_json::Value = serde_json::from_str(&schema).expect("the schema is JSON");
    let limits = |names: Vec<&str>| -> Vec<String> {
        names.iter().flat_map(|name| [format!("min_{name}"), format!("max_{name}")]).collect()
    };
    let owned = |keys: &[&str]| -> Vec<String> { keys.iter().map(ToString::to_string).collect() };
    let metrics: Vec<&str> = metric_names().collect();
    let numbers: Vec<&str> = CALL_NUMBERS.iter().map(|number| number.name).collect();
    let of_group = group_metrics().iter().map(|number| number.name);
    let of_expect: Vec<&str> = numbers.iter().copied().chain(of_group).collect();
    for (place, keys) in [
        ("/properties/metrics", [owned(&METRICS_KEYS), limits(metrics.clone())].concat()),
        ("/properties/allow", owned(&ALLOW_KEYS)),
        ("/properties/allow/properties/waivers/items", owned(&WAIVER_KEYS)),
        ("/properties/forbid", owned(&FORBID_KEYS)),
        ("/properties/expect/items", [owned(&EXPECT_KEYS), limits(of_expect)].concat()),
        ("/properties/expect/items/properties/headers/items", owned(&HEADER_KEYS)),
        ("/properties/compare", owned(&COMPARE_KEYS)),
    ] {
        let known = schema.pointer(&format!("{place}/properties")).and_then(|found| found.as_object()).expect(place);
        let in_schema: BTreeSet<&str> = known.keys().map(String::as_str).collect();
        let in_program: BTreeSet<&str> = keys.iter().map(String::as_str).collect();
        assert_eq!(in_program, in_schema, "{place}");
    }
    let lists: [&[&str]; 9] = [
        &METRICS_KEYS,
        &ALLOW_KEYS,
        &WAIVER_KEYS,
        &FORBID_KEYS,
        &EXPECT_KEYS,
        &HEADER_KEYS,
        &COMPARE_KEYS,
        &metrics,
        &numbers,
    ];
    for key in lists.into_iter().flatten().copied().chain(CallField::of_filter().map(CallField::name)) {
        assert!(page.contains(&format!("`{key}`")) || page.contains(&format!("_{key}`")), "docs/policy.md lacks {key}");
    }
}

#[test]
fn the_documented_examples_are_policies() {
    let page =
        std::fs::read_to_string(format!("{}/docs/policy.md", env!("CARGO_MANIFEST_DIR"))).expect("docs/policy.md");
    let examples = page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
    for example in examples {
        let text = if example.starts_with("sequence") {
            format!("[[expect]]\nname = \"x\"\n{example}")
        } else {
            example.to_owned()
        };
        if let Err(errors) = Policy::parse(&text) {
            panic!("{example}: {errors:?}");
        }
    }
}

#[test]
fn the_schema_takes_the_policy_of_the_lab_and_refuses_a_ratio_for_percent() {
    let schema = std::fs::read_to_string(format!("{}/docs/policy.schema.json", env!("CARGO_MANIFEST_DIR")))
        .expect("docs/policy.schema.json");
    let mut compiler = boon::Compiler::new();
    let schema: serde_json::Value = serde_json::from_str(&schema).expect("the schema is JSON");
    compiler.add_resource("policy.schema.json", schema).expect("the schema has a name");
    let mut schemas = boon::Schemas::new();
    let index = compiler.compile("policy.schema.json", &mut schemas).expect("the schema is a schema");
    let accepts = |text: &str| {
        let policy: serde_json::Value = toml::from_str(text).expect("TOML");
        schemas.validate(&policy, index).is_ok()
    };
    let lab = std::fs::read_to_string(format!("{}/tests/lab/policy.toml", env!("CARGO_MANIFEST_DIR")))
        .expect("the policy of the lab");
    assert!(accepts(&lab));
    assert!(accepts("[metrics]\nmin_asr_percent = 95.0\n[compare]\ncodecs = \"report\""));
    assert!(!accepts("[metrics]\nmin_asr_percent = 0.95"));
    assert!(!accepts("[metrics]\nmin_asr = 95"));
    assert!(!accepts("[[allow.waivers]]\ncode = 503"));
}
