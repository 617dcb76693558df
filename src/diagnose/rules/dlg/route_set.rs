//! Requests inside a call that leave out the proxies which asked to stay in the path, or miss the peer's Contact.
//!
//! Source: RFC 3261 sections 12.1 (how the route set is made), 12.2.1.1 (how it is used), 16.12.

use crate::call::detail::target;
use crate::diagnose::context::call_context::CallContext;
use crate::diagnose::finding::{Confidence, Evidence, Observation, Proof, Steps};
use crate::diagnose::rules::dlg::agreed_path::{Consequence, Departure, PathFault, departure};
use crate::sip::HeaderName;

/// A party's request ignores the agreed path, and comes to nothing.
pub(super) fn dlg_route_set_lost(context: &CallContext<'_>) -> Option<Observation> {
    let departure = departure(context)?;
    let Departure { request, fault, given_in, given_whole_in, .. } = &departure;
    let to = context.capture.name(request.destination);
    let (confidence, agreed_in, signature) = fault.judged();
    let routes = target::uris(context.tables(), request, HeaderName::Route);
    let used = (!routes.is_empty())
        .then(|| Evidence::seen(request.at, format!("Route: {}", routes.join(", ")), "the path that was used"));
    let observation = Observation::new(confidence, Proof::Protocol)
        .titled(format!("{} leaves the agreed path of the call", context.capture.name(request.source)))
        .happened(story(context, &departure, &to))
        .remedy(remedy(context, &departure))
        .shown_by(context.shows(request, format!("to {to}: {}", departure.consequence.words())))
        .shown_by(context.shows_header(given_in, agreed_in, "the path that was agreed"))
        .at(request.source, signature)
        .maybe_shown_by(
            given_whole_in
                .map(|before| context.shows_header(before, HeaderName::RecordRoute, "the path before it was left out")),
        )
        .maybe_shown_by(used);
    Some(observation)
}

impl PathFault {
    /// How sure, which header gave the path, and what makes it the same problem elsewhere.
    fn judged(&self) -> (Confidence, HeaderName, &'static str) {
        match self {
            Self::NoRoute => (Confidence::Certain, HeaderName::RecordRoute, "no route"),
            Self::OtherRoute => (Confidence::Likely, HeaderName::RecordRoute, "other route"),
            Self::OppositeRoute => (Confidence::Likely, HeaderName::RecordRoute, "opposite route"),
            Self::PartRoute(_) => (Confidence::Likely, HeaderName::RecordRoute, "part of the route"),
            Self::OtherTarget(_) => (Confidence::Likely, HeaderName::Contact, "other target"),
            Self::NotPassedOn(_) => (Confidence::Certain, HeaderName::Contact, "not told"),
        }
    }
}

impl Consequence {
    fn words(&self) -> String {
        match self {
            Self::AckMissed(sends) => format!("the callee never got it and sent its 200 {sends} times"),
            Self::Refused(code) => format!("it was answered {code}"),
            Self::Unanswered(sends) => format!("it was sent {sends} times and never answered"),
        }
    }
}

fn story(context: &CallContext<'_>, departure: &Departure<'_>, to: &str) -> String {
    let Departure { request, method, fault, consequence, given_in, .. } = departure;
    let (who, method, frame) = (context.name(request.source), method.text(), given_in.at.frame);
    let consequence = consequence.words();
    match fault {
        PathFault::NoRoute => format!(
            "{who} ignored the path given in Record-Route (frame {frame}): its {method} went to {to} without Route, so {consequence}."
        ),
        PathFault::OtherRoute => format!(
            "{who} used another path than the one in Record-Route (frame {frame}): the Route of its {method} names none of those proxies, so {consequence}."
        ),
        PathFault::OppositeRoute => format!(
            "{who} uses the path given in Record-Route (frame {frame}) in the opposite order: its {method} went to {to} first, so {consequence}."
        ),
        PathFault::PartRoute(left_out) => format!(
            "{who} leaves {left_out} out of the path given in Record-Route (frame {frame}): the Route of its {method} does not name it, so {consequence}."
        ),
        PathFault::OtherTarget(contact) => format!(
            "{who} sent its {method} for {} although the other side's Contact is {contact} (frame {frame}), and {consequence}.",
            context.tables().text(request.line)
        ),
        PathFault::NotPassedOn(before) => format!(
            "The Record-Route of the answer (frame {}) was left out on its way to {who} (frame {frame}): its {method} went to {to} without Route, so {consequence}.",
            before.frame
        ),
    }
}

fn remedy(context: &CallContext<'_>, departure: &Departure<'_>) -> Steps {
    let address = context.tables().endpoint(departure.request.source).address;
    match departure.fault {
        PathFault::OtherTarget(_) => format!(
            "{address}: send requests inside a call to the Contact of the other side, not to the address that was dialled."
        )
        .into(),
        PathFault::NotPassedOn(_) => Steps::from([
            format!(
                "{}: pass Record-Route on in responses; what it put into the INVITE has to reach the caller in the 200.",
                context.tables().endpoint(departure.given_in.source).address
            ),
            "Re-test: ACK and BYE carry a Route.".to_owned(),
        ]),
        PathFault::OppositeRoute => Steps::from([
            format!(
                "{address}: the side that called has to turn the Record-Route of the answer round for its Route, the side that was called has to keep the order of the INVITE (RFC 3261 section 12.1; firmware)."
            ),
            "Re-test: ACK and BYE go to the nearest proxy first.".to_owned(),
        ]),
        PathFault::NoRoute | PathFault::OtherRoute | PathFault::PartRoute(_) => Steps::from([
            format!(
                "{address}: copy Record-Route into Route for every request inside the call (an outbound proxy setting must not replace it; firmware)."
            ),
            "Re-test: ACK and BYE carry a Route.".to_owned(),
        ]),
    }
}
