//! Names found in spite of case, punctuation and small slips of the keyboard.

/// A name reduced to what people mean by it: lower case, one space between words.
///
/// A hyphen, an underscore and any other sign part words; "Server Time-out" becomes "server time out".
pub fn plain(name: &str) -> String {
    name.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
        .to_lowercase()
}

/// The names closest to `query`, best first, at most `limit`; empty where none is near.
///
/// Equal but for case and punctuation comes first, then names that begin with the query, then names with at most one
/// slip for every four letters of the query, one for three letters (a swap of neighbours is one slip).
pub fn nearest<'a>(query: &str, names: impl IntoIterator<Item = &'a str>, limit: usize) -> Vec<&'a str> {
    /// Letters of a query that are compared; the longest name has fewer.
    const QUERY_LETTERS_MAX: usize = 64;
    let query: String = plain(query).chars().take(QUERY_LETTERS_MAX).collect();
    let letters = query.chars().count();
    let slips_max = (letters / 4).max(usize::from(letters >= 3));
    if query.is_empty() {
        return Vec::new();
    }
    let mut ranked: Vec<(usize, &str)> = names
        .into_iter()
        .filter_map(|name| {
            let candidate = plain(name);
            if candidate == query {
                return Some((0, name));
            }
            if slips_max > 0 && candidate.starts_with(&query) {
                return Some((1, name));
            }
            let slips = strsim::osa_distance(&query, &candidate);
            (slips <= slips_max).then_some((1 + slips, name))
        })
        .collect();
    ranked.sort_by_key(|&(rank, _)| rank);
    ranked.truncate(limit);
    ranked.into_iter().map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 4] = ["Ringing", "Busy Here", "Busy Everywhere", "Decline"];

    #[test]
    fn case_and_punctuation_do_not_matter() {
        assert_eq!(vec!["Busy Here"], nearest("busy-here", NAMES, 1));
        assert_eq!("server time out", plain("Server Time-out"));
    }

    #[test]
    fn the_beginning_of_a_name_finds_all_that_begin_so() {
        assert_eq!(vec!["Busy Here", "Busy Everywhere"], nearest("busy", NAMES, 5));
    }

    #[test]
    fn a_swap_of_neighbours_is_one_slip() {
        assert_eq!(vec!["Ringing"], nearest("ringnig", NAMES, 5));
    }

    #[test]
    fn nothing_near_is_nothing_found() {
        assert!(nearest("zzzz", NAMES, 5).is_empty());
        assert!(nearest("", NAMES, 5).is_empty());
        assert!(nearest("...", NAMES, 5).is_empty());
        assert!(nearest(&"ring".repeat(10_000), NAMES, 5).is_empty());
    }
}
