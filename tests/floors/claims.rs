//! What docs/architecture.md and docs/adding-a-rule.md say is never done, and what they name.

use std::collections::BTreeSet;
use std::path::Path;

use crate::allowed;
use crate::graph::{Graph, Module, crate_paths};
use crate::source::{Source, sources};
use crate::{FLOORS, HOUSE, accept};

/// Floors that have no errors: what they do not understand has a name there.
const WITHOUT_ERRORS: [&str; 3] = ["net", "sip", "call"];
/// What holds bytes as captured or as sent; rules see what was read of them.
const BYTES: [(&str, &[&str]); 3] = [
    ("capture", &["Frame", "Frames", "Reader", "Window"]),
    ("net", &["Delivery", "Network", "Packet", "Payload", "Piece", "Segment"]),
    ("sip", &["Framed", "Framer", "Header", "Lines", "Message"]),
];

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The ids of all rules: each has a page (tests/rule_pages.rs).
fn rule_ids() -> BTreeSet<String> {
    let pages = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rules")).expect("a folder");
    let names = pages.filter_map(Result::ok).map(|page| page.file_name().to_string_lossy().into_owned());
    names.filter_map(|name| name.strip_suffix(".md").map(str::to_owned)).filter(|id| id != "README").collect()
}

fn is_rule_file(source: &Source) -> bool {
    source.name.starts_with("diagnose/rules/") && source.name != "diagnose/rules/mod.rs"
}

/// Complaints about what is neither as it should be nor allowed, and about what is allowed and as it should be.
fn against(what: &str, found: &BTreeSet<String>, allowed: &[&str]) -> Vec<String> {
    let new = found.iter().filter(|found| !allowed.contains(&found.as_str())).map(|found| format!("{found}: {what}"));
    let gone = allowed.iter().filter(|allowed| !found.contains(**allowed));
    new.chain(gone.map(|gone| format!("{gone}: no longer so; take it off tests/floors/allowed.rs"))).collect()
}

#[test]
fn only_cli_prints_and_reads_the_clock_and_only_capture_opens_input() {
    let below_cli =
        ["print!(", "println!", "eprintln!", "process::exit", "SystemTime::now", "Instant::now", "std::env::"];
    let opening = ["File::open", "fs::read(", "fs::read_to_string"];
    let mut complaints = Vec::new();
    for source in HOUSE.0.iter().filter(|source| FLOORS.contains(&source.floor()) && source.floor() != "cli") {
        let words = below_cli.iter().chain(opening.iter().filter(|_| source.floor() != "capture"));
        let used = words.filter(|word| source.code.contains(**word));
        complaints.extend(used.map(|word| format!("src/{} uses {word}", source.name)));
    }
    accept(&complaints);
}

#[test]
fn net_sip_and_call_have_no_errors() {
    let words = ["thiserror", "anyhow", "error::Error", "io::Error", "dyn Error"];
    let sources = &HOUSE.0;
    let own = sources.iter().filter(|source| WITHOUT_ERRORS.contains(&source.floor()));
    let found = own.filter(|source| words.iter().any(|word| source.code.contains(word)));
    accept(&found.map(|source| format!("src/{} has errors", source.name)).collect::<Vec<_>>());
}

#[test]
fn no_rule_sees_bytes() {
    let mut complaints = Vec::new();
    for source in HOUSE.0.iter().filter(|source| is_rule_file(source)) {
        for path in crate_paths(source) {
            let (Some(floor), Some(item)) = (path.first(), path.get(1)) else { continue };
            if BYTES.iter().any(|(known, items)| known == floor && items.contains(&item.as_str())) {
                complaints.push(format!("src/{} uses {floor}::{item}", source.name));
            }
        }
    }
    accept(&complaints);
}

/// The functions that the tables of rules name: the module that defines each, and its name.
fn rule_functions(sources: &[Source], graph: &Graph) -> BTreeSet<(Module, String)> {
    let mut functions = BTreeSet::new();
    for source in sources.iter().filter(|source| is_rule_file(source)) {
        let Some((_, table)) = source.code.split_once("RULES: &[Rule] = &[") else { continue };
        let table = table.split("];").next().unwrap_or_default();
        let words: BTreeSet<&str> = table.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
        let of = graph.files.iter().find(|(_, name)| **name == source.name).map(|(module, _)| module);
        let of = of.expect("every file is a module");
        let own = words.iter().filter(|word| source.code.contains(&format!("fn {word}(")));
        functions.extend(own.map(|word| (of.clone(), (*word).to_owned())));
        let taken = graph.items[of].iter().filter(|(module, name)| {
            module.starts_with(&[String::from("diagnose"), String::from("rules")]) && words.contains(name.as_str())
        });
        functions.extend(taken.cloned());
    }
    functions
}

#[test]
fn no_rule_asks_another_rule() {
    let (sources, graph) = &*HOUSE;
    let functions = rule_functions(sources, graph);
    assert!(functions.len() >= rule_ids().len(), "the tables were found: {} functions", functions.len());
    let is_table =
        |file: &str| sources.iter().any(|source| source.name == file && source.code.contains("RULES: &[Rule]"));
    let mut found = BTreeSet::new();
    for (of, items) in graph.items.iter().filter(|(of, _)| !is_table(&graph.files[*of])) {
        found.extend(items.intersection(&functions).map(|(_, name)| format!("{} asks {name}", graph.files[of])));
    }
    accept(&against("a rule of its own decides", &found, allowed::RULES_THAT_ASK_RULES));
}

#[test]
fn no_family_of_rules_imports_another() {
    let graph = &HOUSE.1;
    let family = |module: &Module| {
        let is_rule = module.first()? == "diagnose" && module.get(1)? == "rules";
        is_rule.then(|| module.get(2).cloned()).flatten()
    };
    let mut found = BTreeSet::new();
    for (of, needs) in &graph.needs {
        let Some(own) = family(of) else { continue };
        let others = needs.iter().filter(|need| family(need).is_some_and(|other| other != own));
        found.extend(others.map(|need| format!("{} imports {}", graph.files[of], graph.files[need])));
    }
    accept(&against("what two families need lies below both", &found, allowed::FAMILIES_THAT_IMPORT));
}

#[test]
fn every_rule_is_a_function_with_the_name_of_its_id() {
    let sources = &HOUSE.0;
    // A rule that looks at two things has a function for each: `net_tcp_of_call`.
    let is_defined = |id: &String| {
        let name = format!("fn {}", id.replace('-', "_"));
        let heads = [format!("{name}("), format!("{name}_of_")];
        let mut files = sources.iter().filter(|source| is_rule_file(source));
        files.any(|source| heads.iter().any(|head| source.code.contains(head)))
    };
    let found: BTreeSet<String> = rule_ids().into_iter().filter(|id| !is_defined(id)).collect();
    accept(&against("no function has its name", &found, allowed::RULES_NAMED_OTHERWISE));
}

#[test]
fn every_rule_has_a_ladder_and_a_look_alike() {
    let ladders = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ladders")).expect("a folder");
    let names: BTreeSet<String> =
        ladders.filter_map(Result::ok).map(|ladder| ladder.file_name().to_string_lossy().into_owned()).collect();
    let ids = rule_ids();
    let without = |has: &dyn Fn(&String) -> bool| ids.iter().filter(|id| !has(id)).cloned().collect::<BTreeSet<_>>();
    let has = |id: &String, is_look_alike: bool| {
        let mut cases = names.iter().filter_map(|name| name.strip_prefix(id.as_str()));
        cases.any(|case| case.starts_with("-not-") == is_look_alike)
    };
    let raises = |id: &String| has(id, false);
    let is_silent = |id: &String| has(id, true);
    let mut complaints = against("no ladder of its name raises it", &without(&raises), allowed::RULES_WITHOUT_LADDER);
    complaints.extend(against("no look-alike", &without(&is_silent), allowed::RULES_WITHOUT_LOOK_ALIKE));
    accept(&complaints);
}

/// Bare numbers that bound a loop over input.
fn bare_limits(source: &Source) -> impl Iterator<Item = String> {
    let digits = |text: &str| text.chars().take_while(|c| c.is_ascii_digit() || *c == '_').count();
    source.code.lines().filter_map(move |line| {
        if line.trim_start().starts_with("const ") || line.contains(" const ") {
            return None;
        }
        let calls = [".take(", ".truncate("].into_iter().flat_map(|call| line.split(call).skip(1));
        let sizes = line.split(".len() ").skip(1).map(|rest| rest.trim_start_matches(['<', '>', '=', ' ']));
        let mut limits = calls.chain(sizes).filter_map(|rest| rest.get(..digits(rest)));
        limits.find(|limit| limit.len() > 1).map(|limit| format!("{} {limit}", source.name))
    })
}

#[test]
fn limits_have_names() {
    let found: BTreeSet<String> = HOUSE.0.iter().flat_map(bare_limits).collect();
    accept(&against("a limit has a name that says why", &found, allowed::BARE_LIMITS));
}

#[test]
fn the_documents_list_the_floors_and_name_what_there_is() {
    let page = read("docs/architecture.md");
    let floors = page.split("## Floors").nth(1).and_then(|rest| rest.split("```").nth(1)).expect("a list of floors");
    let listed: Vec<&str> = floors.lines().filter_map(|line| line.split_whitespace().nth(1)).collect();
    assert_eq!(FLOORS.iter().rev().copied().collect::<Vec<_>>(), listed);

    let sources = sources();
    let words: BTreeSet<&str> =
        sources.iter().flat_map(|source| source.text.split(|c: char| !c.is_alphanumeric() && c != '_')).collect();
    let files: Vec<&str> = sources.iter().map(|source| source.name.as_str()).collect();
    let mut complaints = Vec::new();
    for document in ["docs/architecture.md", "docs/adding-a-rule.md"] {
        let text = read(document);
        // Blocks of code are examples; what stands in backticks within a line is a name.
        let prose: String = text.split("```").step_by(2).collect();
        for name in prose.lines().flat_map(|line| line.split('`').skip(1).step_by(2)) {
            complaints.extend(missing(name, &words, &files).map(|lacks| format!("{document}: `{name}`: {lacks}")));
        }
    }
    accept(&complaints);
}

/// Why `name`, as a document gives it, is nothing in the house; `None` for what is no name of code or of a file.
fn missing(name: &str, words: &BTreeSet<&str>, files: &[&str]) -> Option<String> {
    let is_path = name.contains('/') || name.ends_with(".rs");
    if is_path && !name.contains(['<', ' ', '=', ',']) {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let exists = ["", "src"].iter().any(|folder| root.join(folder).join(name).exists());
        let ends = files.iter().any(|file| file.ends_with(name));
        return (!exists && !ends).then(|| "no such file".to_owned());
    }
    let code = name.trim_end_matches("()");
    let is_code = code.contains("::") || code.contains('_') || code.starts_with(|c: char| c.is_ascii_uppercase());
    let is_name = code.split("::").all(|part| {
        !part.is_empty()
            && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && !part.starts_with(char::is_numeric)
    });
    if !is_code || !is_name || code.chars().all(|c| c.is_ascii_uppercase()) {
        return None;
    }
    code.split("::").find(|part| !words.contains(part)).map(|part| format!("no {part} in src"))
}
