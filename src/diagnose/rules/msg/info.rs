//! INFO of a package that its receiver did not say it takes: 469.
//!
//! Source: RFC 6086 sections 4.2.2 (469 and Recv-Info) and 5.2.

use crate::call::Message;
use crate::diagnose::context::call_context::CallContext;
use crate::diagnose::finding::{Confidence, Observation, Proof};
use crate::sip::{HeaderName, Method, StatusCode};

/// The first INFO of a call that was refused for its package; the call goes on without what it was to tell.
pub(super) fn bad_info_package(context: &CallContext<'_>) -> Option<Observation> {
    let transactions = &context.transactions;
    let (_, info) = transactions
        .each()
        .find(|(_, t)| t.method == Method::Info && transactions.final_status(t) == Some(StatusCode(469)))?;
    let (request, refusal) = (context.message(info.request?)?, context.message(info.final_response?)?);
    let who = context.name(info.destination);
    let sender = context.capture.name(info.source);
    let package = context.header(request, HeaderName::InfoPackage);
    let what = match package {
        Some(package) => format!("package `{}`", name_of(package)),
        None => "no package".to_owned(),
    };
    let taken = taken(context, refusal);
    let takes = match taken.map(str::trim) {
        Some("" | "nil") => "It takes none.".to_owned(),
        Some(taken) => format!("It takes `{taken}`."),
        None => "It does not say which it takes.".to_owned(),
    };
    let mut observation = Observation::new(Confidence::Certain, Proof::OwnWords)
        .warn()
        .beside()
        .titled("INFO is refused for its package")
        .happened(format!(
            "{who} refused the INFO with {what} that {sender} sent {:.1} s into the call (469). {takes} The call went on; what the INFO was to tell did not arrive.",
            context.seconds_in(request)
        ))
        .remedy(format!("{sender}: send INFO only of packages that the other side lists in Recv-Info."))
        .remedy(format!(
            "Or let {who} take {what}. Where the INFO carries key presses: use telephone-event (RFC 4733) instead."
        ))
        .shown_by(context.shows(refusal, "the refusal"));
    observation = match package {
        Some(_) => observation.shown_by(context.shows_header(
            request,
            HeaderName::InfoPackage,
            "the package that is not taken",
        )),
        None => observation.shown_by(context.shows(request, "an INFO that names no package")),
    };
    Some(observation.at(info.destination, package.map_or("", name_of)))
}

/// The packages that the refuser takes: by its 469, else by what it last said before in this call.
fn taken<'a>(context: &CallContext<'a>, refusal: &Message) -> Option<&'a str> {
    let own = context.header(refusal, HeaderName::RecvInfo);
    own.or_else(|| {
        let node = context.capture.node(refusal.source);
        let mut before = context
            .transactions
            .messages
            .iter()
            .rev()
            .filter(|message| message.time < refusal.time && context.capture.node(message.source) == node);
        before.find_map(|message| context.header(message, HeaderName::RecvInfo))
    })
}

/// `infoPackage` of `infoPackage;param=value`.
fn name_of(package: &str) -> &str {
    package.split(';').next().unwrap_or(package).trim()
}
