//! A request that its receiver could not read: 400, 414, 416, 505, or no answer to a broken one.
//!
//! Sources: RFC 3261 sections 7, 8, 21.4.1, 21.4.12, 21.4.14, 21.5.6 and 25; RFC 4475 (what is lawful although odd).

use crate::call::{EndpointId, Message, RequestDefect};
use crate::diagnose::context::call_context::CallContext;
use crate::diagnose::finding::{Confidence, Observation, Proof};
use crate::sip::{DefectKind, HeaderName, Scheme, Uri, Warning};

/// Defects that most servers read past: alone they are no likely reason.
const HARMLESS: [DefectKind; 6] = [
    DefectKind::MissingMaxForwards,
    DefectKind::EmptyParameter,
    DefectKind::BareLineFeed,
    DefectKind::StartLineBlanks,
    DefectKind::JunkBeforeStart,
    DefectKind::MissingContentType,
];
/// Parts of a message as phrases and the words for defects name them, both without case and punctuation.
const PARTS: [&str; 9] =
    ["contentlength", "cseq", "maxforwards", "callid", "requesturi", "contenttype", "contact", "branch", "version"];
/// Short names, which must stand as words of their own.
const SHORT_PARTS: [&str; 5] = ["via", "from", "to", "tag", "date"];

/// Phrases and warnings of one refusal that are read.
const WORDS_MAX: usize = 3;
/// Characters of a Request-URI that servers take, as a rule: of a shorter one the code alone says that it is too long.
const URI_USUAL_MAX: usize = 255;

/// A request that was refused as malformed, or not answered because it is.
pub fn msg_malformed(context: &CallContext<'_>) -> Option<Observation> {
    if !context.outcome().is_failure() || context.outcome().is_answered() {
        return None;
    }
    match context.refusal_code() {
        400 | 505 => refused(context),
        414 => too_long(context),
        416 => scheme(context),
        480 if warns(context, &[380, 381]) => scheme(context),
        0 => ignored(context),
        _ => None,
    }
}

/// The defect most likely to matter.
fn defect(context: &CallContext<'_>, request: &Message, refuser: EndpointId) -> Option<RequestDefect> {
    let node = context.capture.node(refuser);
    let defects = context.capture.defects(request).iter().copied();
    let suspect = defects.filter(|defect| !context.capture.tolerates(node, defect.kind));
    suspect.min_by_key(|defect| is_harmless(defect.kind))
}

fn is_harmless(kind: DefectKind) -> bool {
    HARMLESS.contains(&kind)
}

fn refused(context: &CallContext<'_>) -> Option<Observation> {
    let (refuser, refusal, request) = (context.refuser()?, context.refusal()?, context.refused_request()?);
    let who = context.name(refuser);
    let code = context.refusal_code();
    let words = own_words(context, refusal);
    let Some(RequestDefect { kind, sentence }) = defect(context, request, refuser) else {
        return Some(without_defect(context, &who, words));
    };
    let sentence = context.tables().text(sentence);
    let named = words.iter().any(|words| name_same_part(words, kind));
    let (confidence, proof) = match (named, is_harmless(kind)) {
        (true, _) => (Confidence::Certain, Proof::OwnWords),
        (false, false) => (Confidence::Likely, Proof::Protocol),
        (false, true) => (Confidence::Possible, Proof::CodeMeaning),
    };
    let said = words.first().map_or(String::new(), |words| format!(" ({words})"));
    let writer = writer_of(context, kind);
    let damaged = match writer.1 {
        Some(sound) => format!(
            " {} received it without that fault in frame {}, so {} damaged it.",
            context.name(writer.0),
            sound.at.frame,
            context.name(writer.0)
        ),
        None => String::new(),
    };
    Some(
        Observation::new(confidence, proof)
            .titled(format!("Malformed request: {}", kind.words()))
            .happened(format!("{who} refused the INVITE with {code}{said},"))
            .because(format!("it is malformed: {sentence}.{damaged}"))
            .remedy(format!(
                "{}: write this part of the INVITE as RFC 3261 has it; where a router or firewall on the way rewrites SIP, switch that off.",
                context.name(writer.0)
            ))
            .shown_by(context.shows(request, sentence.to_owned()))
            .shown_by(context.shows(refusal, "the refusal"))
            .at(writer.0, kind.words()),
    )
}

/// Who put the fault in: the sender of the first hop that has it, with the sound message that it had received.
fn writer_of<'a>(context: &CallContext<'a>, kind: DefectKind) -> (EndpointId, Option<&'a Message>) {
    let mut sound = None;
    for (index, _) in context.path() {
        let hop = context.transactions.transaction(*index);
        let Some(request) = hop.last_request.and_then(|request| context.message(request)) else {
            continue;
        };
        if context.capture.defects(request).iter().any(|defect| defect.kind == kind) {
            return (hop.source, sound);
        }
        sound = Some(request);
    }
    let root = context.root().map(|(_, root)| root.source);
    (root.unwrap_or(context.call.source), None)
}

/// The phrase, where it says more than the code does, and the texts of Warning headers.
fn own_words(context: &CallContext<'_>, refusal: &Message) -> Vec<String> {
    let phrase = context.tables().text(refusal.line).trim();
    let is_plain = ["bad request", "version not supported", ""].iter().any(|plain| phrase.eq_ignore_ascii_case(plain));
    let warnings = context
        .tables()
        .header_values(refusal, HeaderName::Warning)
        .map(|value| String::from_utf8_lossy(Warning::parse(value.as_bytes()).text).into_owned());
    let mut words: Vec<String> = warnings.filter(|text| !text.is_empty()).collect();
    if !is_plain {
        words.insert(0, phrase.to_owned());
    }
    words.truncate(WORDS_MAX);
    words
}

fn name_same_part(words: &str, kind: DefectKind) -> bool {
    let plain = |text: &str| -> String {
        text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
    };
    let has_word = |text: &str, word: &str| {
        text.split(|c: char| !c.is_ascii_alphanumeric()).any(|part| part.eq_ignore_ascii_case(word))
    };
    let (said, fault) = (plain(words), plain(kind.words()));
    PARTS.iter().any(|part| said.contains(part) && fault.contains(part))
        || SHORT_PARTS.iter().any(|part| has_word(words, part) && has_word(kind.words(), part))
}

fn without_defect(context: &CallContext<'_>, who: &str, words: Vec<String>) -> Observation {
    let code = context.refusal_code();
    let (proof, confidence) = match words.is_empty() {
        true => (Proof::CodeMeaning, Confidence::Possible),
        false => (Proof::CodeMeaning, Confidence::Likely),
    };
    let said =
        words.first().map_or("does not say what is wrong with it".to_owned(), |words| format!("says \"{words}\""));
    let observation = Observation::new(confidence, proof)
        .titled(format!("Refused as malformed ({code})"))
        .happened(format!(
            "{who} refused the INVITE with {code} and {said}. The INVITE breaks no rule of RFC 3261 that can be checked, so this may be a policy of {who} rather than a fault of the sender."
        ))
        .remedy(format!("Read the log of {who} for this call: it knows which part it refused."))
        .remedy("Compare this INVITE with one that it accepts.")
        .maybe_shown_by(
            context.refused_request().map(|request| context.shows(request, "the INVITE, without a visible fault")),
        )
        .maybe_shown_by(context.refusal().map(|refusal| context.shows(refusal, "the refusal")));
    let origin = context.refuser().unwrap_or(context.call.destination);
    observation.at(origin, words.first().map_or("", String::as_str))
}

fn too_long(context: &CallContext<'_>) -> Option<Observation> {
    let (refuser, refusal, request) = (context.refuser()?, context.refusal()?, context.refused_request()?);
    let length = context.tables().text(request.line).len();
    let is_long = length > URI_USUAL_MAX;
    let (title, doubt) = match is_long {
        true => ("The Request-URI is too long".to_owned(), ""),
        false => (
            format!("{} calls the Request-URI too long", context.capture.name(refuser)),
            ", which most servers take: it may limit the number or name in it instead, or use the code for another reason",
        ),
    };
    Some(Observation::new(if is_long { Confidence::Certain } else { Confidence::Possible }, Proof::OwnWords)
        .titled(title)
        .happened(format!(
            "{} refused the INVITE with 414: its Request-URI has {length} characters{doubt}.",
            context.name(refuser)
        ))
        .remedy(format!(
            "{}: shorten the Request-URI; parameters and headers that only it needs belong into headers of their own.",
            context.capture.name(request.source)
        ))
        .shown_by(context.shows(request, format!("a Request-URI of {length} characters")))
        .shown_by(context.shows(refusal, "the refusal"))
        .at(refuser, "414"))
}

fn warns(context: &CallContext<'_>, codes: &[u16]) -> bool {
    context.refusal().is_some_and(|refusal| {
        context
            .tables()
            .header_values(refusal, HeaderName::Warning)
            .filter_map(|value| Warning::parse(value.as_bytes()).code)
            .any(|code| codes.contains(&code))
    })
}

fn scheme(context: &CallContext<'_>) -> Option<Observation> {
    let (refuser, refusal, request) = (context.refuser()?, context.refusal()?, context.refused_request()?);
    let uri = context.tables().text(request.line);
    let scheme = uri.split(':').next().unwrap_or_default();
    let kind = Uri::parse(uri.as_bytes()).scheme;
    if kind == Scheme::Sip {
        return Some(plain_scheme(context, refuser, refusal, request));
    }
    let reading = match kind {
        Scheme::Sips => "sips, which demands TLS on every hop",
        Scheme::Tel => "tel, which this server cannot route",
        _ => "none that SIP routes",
    };
    Some(
        Observation::new(Confidence::Certain, Proof::OwnWords)
            .titled(format!("Addresses with `{scheme}:` are refused"))
            .happened(format!( "{} refused the INVITE with {}", context.name(refuser), context.refusal_code() ))
            .because(format!("of the scheme of its Request-URI, `{uri}`: {reading}."))
            .remedy(format!(
                "{}: send a sip: URI to this server (for a number, `sip:number@domain;user=phone`), or set up TLS where sips is wanted.",
                context.capture.name(request.source)
            ))
            .shown_by(context.shows(request, "the Request-URI"))
            .shown_by(context.shows(refusal, "the refusal"))
            .at(refuser, scheme),
    )
}

/// A plain sip: URI whose scheme was refused: its server wants sips, or means something else.
fn plain_scheme(context: &CallContext<'_>, refuser: EndpointId, refusal: &Message, request: &Message) -> Observation {
    let (name, uri) = (context.name(refuser), context.tables().text(request.line));
    let code = context.refusal_code();
    let (title, why, remedy, confidence) = if warns(context, &[381]) {
        (
            "Only sips: is taken".to_owned(),
            "says in Warning 381 that it wants sips, which demands TLS on every hop",
            format!(
                "On {}: call {name} with a sips: URI over TLS. Or on {name}: allow the scheme sip as well.",
                context.capture.name(request.source)
            ),
            Confidence::Certain,
        )
    } else {
        (
            format!("{} refuses a plain sip: address", context.capture.name(refuser)),
            "must know the scheme sip: it possibly means another part of the address, or a scheme in another header",
            format!(
                "Look up the Call-ID {} in the log of {name}: it knows which address it refused.",
                context.tables().call_id(request)
            ),
            Confidence::Possible,
        )
    };
    Observation::new(confidence, Proof::OwnWords)
        .titled(title)
        .happened(format!("{name} refused the INVITE to `{uri}` with {code}, and {why}."))
        .remedy(remedy)
        .shown_by(context.shows(request, "the Request-URI"))
        .shown_by(context.shows(refusal, "the refusal"))
        .at(refuser, "sip")
}

/// No answer at all to a broken INVITE, from a node that answers others.
fn ignored(context: &CallContext<'_>) -> Option<Observation> {
    let (_, root) = context.root()?;
    let request = context.refused_request()?;
    let node = context.capture.node(root.destination);
    let is_silent = root.trying.is_none() && root.alerting.is_none() && root.final_response.is_none();
    let RequestDefect { kind, sentence } = defect(context, request, root.destination)?;
    let sentence = context.tables().text(sentence);
    let from = context.capture.node(root.source);
    if !is_silent
        || is_harmless(kind)
        || !context.capture.replies(node)
        || context.capture.is_one_directional(from, node)
    {
        return None;
    }
    let writer = writer_of(context, kind);
    Some(
        Observation::new(Confidence::Possible, Proof::Comparison)
            .titled("A malformed INVITE was not answered")
            .happened(format!("{} answers other INVITEs but not this one,", context.name(root.destination)))
            .because(format!("it is malformed: {sentence}."))
            .remedy(format!(
                "{}: write this part of the INVITE as RFC 3261 has it, and call again.",
                context.name(writer.0)
            ))
            .shown_by(context.shows(request, sentence.to_owned()))
            .at(writer.0, kind.words()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phrase_names_the_defect_when_both_speak_of_one_part() {
        let kind = DefectKind::BodyTooShort;
        assert!(name_same_part("Content-Length mis-match", kind));
        assert!(name_same_part("Bad content length", kind));
        assert!(!name_same_part("Missing CSeq", kind));
        assert!(name_same_part("Missing Via header", DefectKind::MissingBranch));
        assert!(!name_same_part("Bad Request", DefectKind::MissingFromTag));
    }
}
