//! How a response code differs from its neighbours, and what it means for each method.

use std::sync::LazyLock;

use serde::Deserialize;

static EFFECTS: LazyLock<Vec<Effect>> = LazyLock::new(|| {
    csv::Reader::from_reader(include_str!("data/method-effects.csv").as_bytes())
        .deserialize()
        .collect::<Result<_, _>>()
        .expect("the compiled-in table of method effects is well-formed")
});

/// The methods for which the effect of every response is described.
pub(in crate::reference) const METHODS_WITH_EFFECTS: [&str; 4] = ["INVITE", "REGISTER", "BYE", "CANCEL"];

#[derive(Deserialize)]
struct Effect {
    /// A code, or a class as `4xx`.
    code: Box<str>,
    method: Box<str>,
    effect: Box<str>,
}

/// What a response means for one method: the text of the code, else that of its class.
///
/// `None` outside 100 to 699 and for methods other than [`METHODS_WITH_EFFECTS`].
pub(in crate::reference) fn method_effect(code: u16, method: &str) -> Option<&'static str> {
    let text_of = |wanted: &str| {
        EFFECTS
            .iter()
            .find(|row| *row.code == *wanted && row.method.eq_ignore_ascii_case(method))
            .map(|row| &*row.effect)
    };
    text_of(&code.to_string()).or_else(|| text_of(&format!("{}xx", code / 100)))
}

/// How a code differs from codes that are easily taken for it, one sentence for each comparison.
pub(in crate::reference) fn comparisons(code: u16) -> impl Iterator<Item = &'static str> {
    let wanted = code.to_string();
    include_str!("data/comparisons.txt").lines().filter_map(move |line| {
        let (codes, text) = line.split_once(": ")?;
        codes.split(' ').any(|one| one == wanted).then_some(text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::ResponseCode;

    #[test]
    fn every_class_has_an_effect_for_every_method() {
        for entry in ResponseCode::all() {
            for method in METHODS_WITH_EFFECTS {
                assert!(method_effect(entry.code, method).is_some(), "{}", entry.code);
            }
        }
        assert!(method_effect(699, "bye").is_some());
        assert!(method_effect(700, "BYE").is_none());
    }

    #[test]
    fn the_code_goes_before_its_class() {
        let own = method_effect(481, "BYE").expect("481 to BYE is described");
        let class = method_effect(484, "BYE").expect("4xx to BYE is described");
        assert_ne!(own, class);
    }

    #[test]
    fn compared_codes_are_known_ones() {
        for line in include_str!("data/comparisons.txt").lines() {
            let (codes, text) = line.split_once(": ").expect("codes stand before the colon");
            assert!(!text.is_empty());
            for code in codes.split(' ') {
                let number = code.parse().expect("a code is a number");
                assert!(ResponseCode::find(number).is_some(), "{code}");
            }
        }
    }

    #[test]
    fn codes_that_are_often_confused_are_compared() {
        for (one, other) in [
            (480, 486),
            (401, 407),
            (404, 604),
            (488, 606),
            (408, 504),
            (500, 503),
            (403, 401),
            (486, 600),
            (600, 603),
            (302, 305),
            (603, 607),
            (607, 608),
            (502, 504),
            (413, 513),
            (420, 421),
            (406, 415),
            (415, 488),
        ] {
            let both = include_str!("data/comparisons.txt").lines().any(|line| {
                let codes = line.split(':').next().unwrap_or_default();
                codes.contains(&one.to_string()) && codes.contains(&other.to_string())
            });
            assert!(both, "{one} and {other}");
            assert!(comparisons(one).next().is_some());
        }
    }
}
