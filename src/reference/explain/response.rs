//! The explanation of one response code.

use crate::reference::comparison::{METHODS_WITH_EFFECTS, comparisons, method_effect};
use crate::reference::explain::explanation::{Explanation, Topic, bullets};
use crate::reference::{Blame, Cause, Failure, MidDialog, ResponseClass, ResponseCode, Standing};

/// The code with its meaning, what it does to each method and within a call, and its neighbours; `None` outside 100 to 699.
pub(super) fn response(code: u16) -> Option<Explanation> {
    let class = ResponseClass::of(code)?;
    let Some(entry) = ResponseCode::find(code) else {
        return unknown(code, class);
    };
    let mut said = Explanation::new(Topic::ResponseCode, format!("{code} {}", entry.phrase), &*entry.meaning);
    said.fact("Class", class_line(class));
    said.fact("Source", source(entry));
    said.fact("Usually up to", blame(entry.blame));
    said.fact("A failed call", failure(entry.is_failure_for_invite));
    said.section("Usual cause", &*entry.usual_cause);
    said.section("What to check", &*entry.what_to_check);
    said.section("Trying again", &*entry.retry_advice);
    said.section("For each method", by_method(code));
    said.section("Within a call", entry.mid_dialog.map_or("", within_a_call));
    said.section("Q.850", q850(entry));
    said.section("Not to be confused", bullets(comparisons(code)));
    said.section("Notes", &*entry.notes);
    said.see_also = entry.rules.split_whitespace().map(str::to_owned).collect();
    said.see_also.push(format!("{}xx", class.digit()));
    Some(said)
}

/// A number that no table lists: what a client must take it for. Source: RFC 3261 section 8.1.3.2.
fn unknown(code: u16, class: ResponseClass) -> Option<Explanation> {
    let default = ResponseCode::treated_as(code)?;
    let mut said = Explanation::new(
        Topic::ResponseCode,
        format!("{code} (not registered)"),
        format!(
            "No RFC defines {code}; a client handles it as {} {} (RFC 3261 section 8.1.3.2).",
            default.code, default.phrase
        ),
    );
    said.fact("Class", class_line(class));
    said.section("Meaning", &*default.meaning);
    said.section("What to check", "Read the reason phrase and the Server header: the meaning is the vendor's own.");
    said.section("For each method", by_method(code));
    said.see_also = vec![default.code.to_string(), format!("{}xx", class.digit())];
    Some(said)
}

fn class_line(class: ResponseClass) -> String {
    format!("{}xx {}", class.digit(), class.name())
}

fn source(entry: &ResponseCode) -> String {
    match entry.standing {
        Standing::Registered => entry.reference.to_string(),
        Standing::Deprecated => format!("{}; deprecated", entry.reference),
        Standing::Obsolete => format!("{}; not registered today", entry.reference),
        Standing::Vendor => format!("{}; never registered", entry.reference),
        Standing::Unregistered => "none; never registered".to_owned(),
    }
}

fn blame(blame: Blame) -> &'static str {
    match blame {
        Blame::Nobody => "nobody: nothing went wrong",
        Blame::Caller => "the sender of the request",
        Blame::Callee => "the called user or device",
        Blame::Policy => "a policy somebody configured",
        Blame::Network => "the path or the next hop",
        Blame::Server => "the server that answered, or one behind it",
        Blame::Media => "offer and answer",
    }
}

fn failure(failure: Failure) -> &'static str {
    match failure {
        Failure::Yes => "yes",
        Failure::No => "no",
        Failure::Depends => "only where nobody acts on it",
    }
}

fn by_method(code: u16) -> String {
    bullets(METHODS_WITH_EFFECTS.iter().filter_map(|method| {
        let effect = method_effect(code, method)?;
        Some(format!("{method}: {effect}"))
    }))
}

fn within_a_call(effect: MidDialog) -> &'static str {
    match effect {
        MidDialog::Transaction => {
            "In answer to a re-INVITE or another request of a call, only that request fails: the call stays as it was \
             (RFC 5057)."
        }
        MidDialog::Usage => {
            "In answer to a request of a call it ends the call, in answer to one of a subscription the subscription; \
             anything else in the dialog lives on (RFC 5057)."
        }
        MidDialog::Dialog => "In answer to a request of a call it ends the dialog with everything in it (RFC 5057).",
    }
}

fn q850(entry: &ResponseCode) -> String {
    let named = |number: u16| {
        let name = Cause::q850(number).map_or("", |cause| &*cause.name);
        format!("{number} ({name})")
    };
    let sent = entry.q850_sent().map(|number| {
        let condition = match entry.to_q850.split_once(' ') {
            Some((_, condition)) => format!(" {condition}"),
            None => String::new(),
        };
        format!("A gateway sends {}{condition} for it towards the telephone network.", named(number))
    });
    let received: Vec<String> = entry.q850_received().map(named).collect();
    let received = match &received[..] {
        [] => None,
        [one] => Some(format!("A gateway sends it for cause {one}.")),
        many => Some(format!("A gateway sends it for causes {}.", many.join(", "))),
    };
    bullets(sent.into_iter().chain(received))
}
