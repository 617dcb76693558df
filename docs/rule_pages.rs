//! Compiles the pages of docs/rules in: one row each, in the order of the index, so that a new page needs no line of code.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::Path;
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-changed=docs/rules");
    let root = env::var("CARGO_MANIFEST_DIR").expect("cargo names the folder of the package");
    let folder = Path::new(&root).join("docs/rules");
    let entries = fs::read_dir(&folder).expect("docs/rules is a folder");
    let mut left: BTreeSet<String> = entries
        .filter_map(Result::ok)
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter_map(|name| name.strip_suffix(".md").map(str::to_owned))
        .filter(|id| id != "README")
        .collect();
    let index = fs::read_to_string(folder.join("README.md")).expect("docs/rules has an index");
    let listed = index.lines().filter_map(|line| line.strip_prefix("| [")?.split_once("]("));
    let mut ids: Vec<String> = Vec::new();
    for (id, _) in listed {
        ids.extend(left.take(id));
    }
    // What the index lacks comes last, until it is made of the pages again (tests/rule_pages.rs).
    ids.extend(left);
    let mut table = String::from("&[\n");
    for id in ids {
        let page = folder.join(format!("{id}.md"));
        writeln!(table, "    ({id:?}, include_str!({page:?})),").expect("memory takes everything");
    }
    table.push_str("]\n");
    let out = env::var("OUT_DIR").expect("cargo names the folder for what is made");
    fs::write(Path::new(&out).join("rule_pages.rs"), table).expect("that folder can be written to");
}
