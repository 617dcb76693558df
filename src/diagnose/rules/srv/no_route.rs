//! Missing routes: a node that refuses certain numbers always and others never.
//!
//! Source: RFC 3398 section 7.2.4.1 (which codes gateways make of ISUP causes).

use std::time::Duration;

use crate::diagnose::background::refusal_causes::{Blocked, RefusalCause};
use crate::diagnose::context::capture_context::CaptureContext;
use crate::diagnose::finding::words::{counted, duration, was};
use crate::diagnose::finding::{Confidence, Observation, Proof, Steps};
use crate::diagnose::rule::Claim;
use crate::diagnose::rules::srv::refusals::{Refusals, list};

/// A node without a route to some numbers.
pub fn srv_no_route(capture: &CaptureContext<'_>) -> Vec<Claim> {
    let mut claims = Vec::new();
    for (destination, explained) in capture.refusal_causes() {
        for explained in explained {
            if let RefusalCause::NoRoute(blocked) = &explained.cause {
                let refusals = Refusals { capture, destination, places: &explained.places };
                claims.push(refusals.claim(observation(&refusals, blocked)));
            }
        }
    }
    claims
}

/// What a node lacks for some numbers.
enum Lack {
    /// Gateways: it carried calls to these numbers in this capture, and has put everything there out of use.
    Gateways,
    /// A route, as its own words say.
    StatedRoute,
    /// A route, as a comparison with other numbers shows.
    Route,
}

impl Lack {
    fn of(blocked: &Blocked) -> Self {
        match blocked.is_stated {
            _ if blocked.same_taken > 0 => Self::Gateways,
            true => Self::StatedRoute,
            false => Self::Route,
        }
    }
}

fn observation(refusals: &Refusals<'_>, blocked: &Blocked) -> Observation {
    let name = refusals.capture.name(refusals.destination.endpoint);
    let lack = Lack::of(blocked);
    let numbers = match blocked.prefix.as_str() {
        "" => "these numbers",
        prefix => prefix,
    };
    let title = match lack {
        Lack::Gateways => format!("{name} has no gateway left for {numbers}"),
        Lack::StatedRoute | Lack::Route => format!("{name} has no route to {numbers}"),
    };
    let doubt = match blocked.confidence {
        Confidence::Possible => " So few calls may also meet a fault of another kind, such as a short overload.",
        _ => "",
    };
    let says_so = blocked.is_stated;
    let observation = Observation::new(blocked.confidence, if says_so { Proof::OwnWords } else { Proof::Comparison })
        .titled(title)
        .happened(explanation(&lack, refusals, blocked, &name, numbers) + doubt)
        .remedy(remedy(&lack, refusals, &name, numbers))
        .at(refusals.destination.endpoint, &blocked.prefix)
        .maybe_shown_by(refusals.evidence("refused: no route"));
    if says_so {
        return observation;
    }
    observation.not("srv-overload", "calls to other numbers were taken around the same time")
}

fn explanation(lack: &Lack, refusals: &Refusals<'_>, blocked: &Blocked, name: &str, numbers: &str) -> String {
    let (count, codes) = (refusals.places.len(), refusals.codes());
    match lack {
        Lack::Gateways => format!(
            "{name} refused {count} calls to {numbers} with {codes} and says that it has no route there, although it carried {} there in this capture: it knows the route, and has put everything at its end out of use.",
            counted(blocked.same_taken, "call")
        ),
        Lack::StatedRoute => format!(
            "{name} refused {} to {numbers} with {codes} and says that it has no route there.",
            counted(count as u32, "call")
        ),
        Lack::Route => {
            let slowest = refusals.attempts().filter_map(|attempt| attempt.final_ms).fold(0.0, f32::max);
            format!(
                "{name} has no working route for {numbers}: all {count} calls to it got {codes} within {}, while {} to other numbers {} taken around the same time.",
                duration(Duration::from_secs_f32(slowest / 1000.0)),
                counted(blocked.others_taken, "call"),
                was(blocked.others_taken as usize)
            )
        }
    }
}

fn remedy(lack: &Lack, refusals: &Refusals<'_>, name: &str, numbers: &str) -> Steps {
    let reroute = || {
        let others = refusals.others_with_room();
        let elsewhere = if others.is_empty() { "elsewhere".to_owned() } else { format!("to {}", list(&others)) };
        format!("Add or repair the route for {numbers} at {name}, or send these numbers {elsewhere}.")
    };
    match lack {
        Lack::Gateways => Steps::from([
            format!(
                "{name}: see which gateways of this route it has taken out of use and why, such as OPTIONS that they do not answer."
            ),
            "Bring those gateways back.".to_owned(),
        ]),
        Lack::StatedRoute => reroute().into(),
        Lack::Route => format!(
            "{} Ask its operator for 404 with Q.850 cause 3, so that senders can tell a missing route from load.",
            reroute()
        )
        .into(),
    }
}
