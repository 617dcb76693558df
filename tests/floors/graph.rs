//! Which file imports which: `use` trees and paths in code, followed through re-exports to the file that defines the item.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::Source;

/// A module path below the crate: `net`, `decode`, `ip`.
pub type Module = Vec<String>;

/// The imports between the files of the crate.
pub struct Graph {
    /// Each file, by its module.
    pub files: BTreeMap<Module, String>,
    /// Modules that the code of a module needs.
    pub needs: BTreeMap<Module, BTreeSet<Module>>,
    /// Items of other modules that it names: the module that defines each, and its name.
    pub items: BTreeMap<Module, BTreeSet<(Module, String)>>,
}

/// A name that a file brings into its scope.
struct Import {
    path: Vec<String>,
    alias: String,
    is_public: bool,
}

struct Scanned {
    imports: Vec<Import>,
    /// Paths in code, each at least two words long.
    paths: Vec<Vec<String>>,
    /// Words of the code outside of imports.
    words: BTreeSet<String>,
    defines: BTreeSet<String>,
}

impl Graph {
    /// The graph of these files.
    pub fn of(sources: &[Source]) -> Self {
        let files: BTreeMap<Module, String> =
            sources.iter().map(|source| (module(&source.name), source.name.clone())).collect();
        let scanned: BTreeMap<Module, Scanned> =
            sources.iter().map(|source| (module(&source.name), scan(&source.code))).collect();
        let items: BTreeMap<Module, BTreeSet<(Module, String)>> =
            scanned.keys().map(|of| (of.clone(), items(&files, &scanned, of))).collect();
        let modules = |items: &BTreeSet<(Module, String)>| items.iter().map(|(module, _)| module.clone()).collect();
        let needs = items.iter().map(|(of, items)| (of.clone(), modules(items))).collect();
        Self { files, needs, items }
    }
}

/// Every path that a file names or imports and that begins with `crate`, without that word.
pub fn crate_paths(source: &Source) -> impl Iterator<Item = Vec<String>> {
    let found = scan(&source.code);
    let imports = found.imports.into_iter().map(|import| import.path);
    let all = imports.chain(found.paths).filter(|path| path.first().is_some_and(|first| first == "crate"));
    all.map(|path| path[1..].to_vec())
}

/// What the file of module `of` needs of others.
fn items(
    files: &BTreeMap<Module, String>,
    scanned: &BTreeMap<Module, Scanned>,
    of: &Module,
) -> BTreeSet<(Module, String)> {
    let file = &scanned[of];
    // What is only handed on is needed by those who take it from there.
    let taken = file.imports.iter().filter(|import| !import.is_public || file.words.contains(&import.alias));
    // Of a module, the paths that begin with it say what is needed.
    let imported =
        taken.filter_map(|import| absolute(files, of, &import.path)).filter(|path| !files.contains_key(path));
    let named = file.paths.iter().filter_map(|path| {
        let import = file.imports.iter().find(|import| import.alias == path[0]);
        let begin = import.and_then(|import| absolute(files, of, &import.path));
        begin.map(|begin| [begin, path[1..].to_vec()].concat()).or_else(|| absolute(files, of, path))
    });
    let all = imported.chain(named).map(|path| defining(files, scanned, path));
    all.filter(|(module, _)| module != of).collect()
}

/// The path from the crate's root; `None` for what is no path within this crate.
fn absolute(files: &BTreeMap<Module, String>, of: &Module, path: &[String]) -> Option<Module> {
    let first = path.first()?.as_str();
    let rest = || path[1..].to_vec();
    match first {
        "crate" => Some(rest()),
        "self" => Some([of.clone(), rest()].concat()),
        "super" => {
            let parent = of[..of.len().saturating_sub(1)].to_vec();
            if path.get(1).is_some_and(|next| next == "super") {
                return absolute(files, &parent, &path[1..]);
            }
            Some([parent, rest()].concat())
        }
        child => {
            let inner = [of.clone(), vec![child.to_owned()]].concat();
            files.contains_key(&inner).then(|| [of.clone(), path.to_vec()].concat())
        }
    }
}

/// The module that defines what `path` names, through re-exports, and its name there; empty for the module itself.
fn defining(files: &BTreeMap<Module, String>, scanned: &BTreeMap<Module, Scanned>, path: Module) -> (Module, String) {
    /// Re-exports one behind another; a circle of them does not compile.
    const STEPS_MAX: usize = 12;
    let mut path = path;
    for _ in 0..STEPS_MAX {
        let length = (0..=path.len()).rev().find(|length| files.contains_key(&path[..*length])).unwrap_or(0);
        let (of, rest) = path.split_at(length);
        let (Some(name), Some(file)) = (rest.first(), scanned.get(of)) else {
            return (of.to_vec(), String::new());
        };
        if file.defines.contains(name) {
            return (of.to_vec(), name.clone());
        }
        let of = of.to_vec();
        let handed_on = file.imports.iter().find(|import| import.alias == *name);
        let globs = file.imports.iter().filter(|import| import.alias == "*");
        let target = handed_on.and_then(|import| absolute(files, &of, &import.path)).or_else(|| {
            globs.filter_map(|import| absolute(files, &of, &import.path)).find_map(|target| {
                let defines = scanned.get(&target)?.defines.contains(name);
                defines.then(|| [target, vec![name.clone()]].concat())
            })
        });
        match target {
            Some(target) if target != path => path = [target, rest[1..].to_vec()].concat(),
            _ => return (of, name.clone()),
        }
    }
    (path, String::new())
}

/// `net/decode/mod.rs` and `net/decode.rs` are both the module `net::decode`.
fn module(name: &str) -> Module {
    let stem = name.trim_end_matches(".rs");
    let stem = stem.strip_suffix("/mod").unwrap_or(stem);
    if stem == "lib" { Vec::new() } else { stem.split('/').map(str::to_owned).collect() }
}

/// Words and signs of code.
fn tokens(code: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = code.trim_start();
    while let Some(first) = rest.chars().next() {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let length = if is_word(first) {
            rest.find(|c| !is_word(c)).unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else {
            first.len_utf8()
        };
        let (token, behind) = rest.split_at(length);
        tokens.push(token);
        rest = behind.trim_start();
    }
    tokens
}

fn scan(code: &str) -> Scanned {
    let tokens = tokens(code);
    let mut found =
        Scanned { imports: Vec::new(), paths: Vec::new(), words: BTreeSet::new(), defines: BTreeSet::new() };
    let mut at = 0;
    let mut is_public = false;
    while let Some(&token) = tokens.get(at) {
        if token == "pub" {
            is_public = true;
            // `pub(in some::where)` says who may see, not what is needed.
            let length =
                tokens[at..].iter().position(|token| *token == ")").filter(|_| tokens.get(at + 1) == Some(&"("));
            at += length.unwrap_or(0) + 1;
            continue;
        }
        if token == "mod" {
            at += 2;
            continue;
        }
        if token == "use" {
            let end = tokens[at..].iter().position(|token| *token == ";").map_or(tokens.len(), |length| at + length);
            tree(&tokens[at + 1..end], &[], is_public, &mut found.imports);
            at = end + 1;
            is_public = false;
            continue;
        }
        is_public = false;
        if is_name(token) && tokens.get(at.wrapping_sub(1)) != Some(&"::") {
            let mut path = vec![token.to_owned()];
            while tokens.get(at + 1) == Some(&"::") && tokens.get(at + 2).is_some_and(|next| is_name(next)) {
                path.push(tokens[at + 2].to_owned());
                at += 2;
            }
            found.words.insert(path[0].clone());
            if path.len() > 1 {
                found.paths.push(path);
            }
        }
        let defined = ["fn", "struct", "enum", "trait", "type", "const", "static", "union"];
        if defined.contains(&token)
            && let Some(name) = tokens.get(at + 1)
        {
            found.defines.insert((*name).to_owned());
        }
        at += 1;
    }
    found
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// The leaves of a `use` tree.
fn tree(tokens: &[&str], before: &[String], is_public: bool, into: &mut Vec<Import>) {
    let mut path = before.to_vec();
    let mut at = 0;
    while let Some(&token) = tokens.get(at) {
        match token {
            "{" => {
                let inner = &tokens[at + 1..tokens.len() - 1];
                let mut depth = 0;
                let mut start = 0;
                for (place, token) in inner.iter().enumerate() {
                    match *token {
                        "{" => depth += 1,
                        "}" => depth -= 1,
                        "," if depth == 0 => {
                            tree(&inner[start..place], &path, is_public, into);
                            start = place + 1;
                        }
                        _ => {}
                    }
                }
                if start < inner.len() {
                    tree(&inner[start..], &path, is_public, into);
                }
                return;
            }
            "as" => break,
            "::" => {}
            "self" if !path.is_empty() => {}
            name => path.push(name.to_owned()),
        }
        at += 1;
    }
    let renamed = tokens.iter().position(|token| *token == "as").and_then(|as_| tokens.get(as_ + 1));
    let alias = renamed.map_or_else(|| path.last().cloned().unwrap_or_default(), |name| (*name).to_owned());
    if alias == "*" {
        path.pop();
    }
    into.push(Import { path, alias, is_public });
}

/// The sets of nodes that all reach one another, of two nodes at least (Tarjan's algorithm).
pub fn cycles<N: Ord + Clone>(edges: &BTreeMap<N, BTreeSet<N>>) -> Vec<BTreeSet<N>> {
    let mut walk = Walk { edges, lowest: BTreeMap::new(), met: 0, open: Vec::new(), found: Vec::new() };
    for node in edges.keys() {
        walk.visit(node);
    }
    walk.found
}

struct Walk<'e, N> {
    edges: &'e BTreeMap<N, BTreeSet<N>>,
    /// The node met first that each one reaches; `None` once its set is closed.
    lowest: BTreeMap<&'e N, Option<usize>>,
    met: usize,
    open: Vec<&'e N>,
    found: Vec<BTreeSet<N>>,
}

impl<'e, N: Ord + Clone> Walk<'e, N> {
    fn visit(&mut self, node: &'e N) -> Option<usize> {
        if let Some(known) = self.lowest.get(node) {
            return *known;
        }
        let own = self.met;
        self.met += 1;
        let depth = self.open.len();
        self.open.push(node);
        self.lowest.insert(node, Some(own));
        let mut lowest = own;
        for next in self.edges.get(node).into_iter().flatten() {
            lowest = self.visit(next).map_or(lowest, |reached| reached.min(lowest));
        }
        self.lowest.insert(node, Some(lowest));
        if lowest == own {
            let closed = self.open.split_off(depth);
            self.lowest.extend(closed.iter().map(|node| (*node, None)));
            if closed.len() > 1 {
                self.found.push(closed.into_iter().cloned().collect());
            }
        }
        Some(lowest).filter(|_| lowest != own)
    }
}

/// The needs between the children of each folder, by folder: a child is a file with its folder, and a folder's own `mod.rs` is
/// none, since it stands for all of them.
pub fn siblings(graph: &Graph) -> BTreeMap<Module, BTreeMap<String, BTreeSet<String>>> {
    let mut folders: BTreeMap<Module, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    for (of, needs) in &graph.needs {
        for depth in 0..of.len() {
            folders.entry(of[..depth].to_vec()).or_default().entry(of[depth].clone()).or_default();
        }
        for need in needs {
            let shared = of.iter().zip(need).take_while(|(one, other)| one == other).count();
            if let (Some(one), Some(other)) = (of.get(shared), need.get(shared)) {
                let folder = folders.entry(of[..shared].to_vec()).or_default();
                folder.entry(one.clone()).or_default().insert(other.clone());
            }
        }
    }
    folders
}
