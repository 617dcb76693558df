//! A refusal of media: who refused which offer of whom, in which words, and what else the refuser is known to take.
//!
//! Sources: RFC 3261 sections 20.43 (Warning), 21.4.13, 21.4.26 and 21.6.4; RFC 3398 section 8.2.6.1 (Q.850 causes).

use crate::call::outcome::negotiation::{is_whole, used};
use crate::call::{Cause, EndpointId, Message, Outcome};
use crate::diagnose::background::media_capabilities::{Fact, FactKind, Try};
use crate::diagnose::context::call_context::CallContext;
use crate::diagnose::context::media_refusal::Dimension;
use crate::diagnose::finding::Evidence;
use crate::diagnose::finding::words::duration;
use crate::diagnose::rules::sdp::offer::{self, Gravity};
use crate::sip::sdp::{Media, MediaKind};
use crate::sip::{HeaderName, MediaType, Sdp, Warning};

/// A caller that tries again with another offer does so within this time.
const RETRY_WAIT: std::time::Duration = std::time::Duration::from_secs(30);

/// What a refusal says in words.
#[derive(Debug, Default)]
pub struct Words {
    /// Codes of the Warning headers.
    pub warnings: Vec<u16>,
    /// Texts of Warning headers, lower case.
    pub text: String,
    /// Q.850 cause.
    pub q850: Option<u16>,
}

/// One refusal, at the hop where it began.
pub struct Refusal<'c, 'a> {
    /// The call.
    pub context: &'c CallContext<'a>,
    /// Who refused.
    pub refuser: EndpointId,
    /// Who sent the offer on that hop.
    pub offerer: EndpointId,
    /// The INVITE.
    pub request: &'a Message,
    /// Its final response.
    pub response: &'a Message,
    /// Status code of that.
    pub code: u16,
    /// The offer; `None` where the INVITE had none or is not whole.
    pub offer: Option<&'a Sdp>,
    /// Whether the INVITE was captured whole and had no body at all.
    pub lacks_offer: bool,
    /// The description that the refusal carries.
    pub listed: Option<&'a Sdp>,
    /// What the refusal says.
    pub words: Words,
    /// What is known of the refuser, as far as it is the same product.
    pub facts: Vec<&'a Fact>,
    /// The next try of the same caller that was accepted.
    pub retry: Option<&'a Try>,
}

impl<'c, 'a> Refusal<'c, 'a> {
    /// The refusal of a call that failed over its media, or may have.
    pub fn of(context: &'c CallContext<'a>) -> Option<Self> {
        if !is_refused(context) {
            return None;
        }
        let code = context.refusal_code();
        if !matches!(code, 400 | 403 | 406 | 415 | 480 | 488 | 500 | 501 | 503 | 606) {
            return None;
        }
        let (_, root) = context.root()?;
        let (request, response) = (context.refused_request()?, context.refusal()?);
        let tables = context.tables();
        let is_readable = is_whole(request);
        let shape = |message: &'a Message| {
            (!message.session.is_absent() && is_whole(message)).then(|| tables.sessions.shape(message.session))
        };
        let refusal = Self {
            context,
            refuser: root.destination,
            offerer: root.source,
            request,
            response,
            code,
            offer: shape(request),
            lacks_offer: is_readable && !request.flags.has_body() && request.session.is_absent(),
            listed: shape(response).filter(|_| request.session != response.session),
            words: words(context, response),
            facts: facts(context, root.destination, response),
            retry: retry(context, root.destination, request),
        };
        (refusal.is_about_media() || refusal.lacks_offer || refusal.may_be_syntax()).then_some(refusal)
    }

    /// Whether the refusal itself says that it is about media.
    pub fn is_about_media(&self) -> bool {
        let text = &self.words.text;
        let phrase = self.context.tables().text(self.response.line).to_ascii_lowercase();
        matches!(self.code, 488 | 606)
            || matches!(self.code, 415 | 406) && self.request_is_sdp()
            || self.words.warnings.iter().any(|code| is_media_warning(*code))
            || matches!(self.words.q850, Some(65 | 70 | 79 | 88))
            || self.listed.is_some()
            || [text.as_str(), phrase.as_str()].iter().any(|text| {
                ["codec", "sdp", "srtp", "media type", "media format", "session description"]
                    .iter()
                    .any(|word| text.contains(word))
            })
    }

    /// A bare 400 to a request whose session description cannot be read, and in which nothing else is wrong.
    fn may_be_syntax(&self) -> bool {
        let is_sound = !self.context.capture.store.defects.contains_key(&self.request.digest);
        self.code == 400
            && is_sound
            && self
                .offer
                .is_some_and(|offer| offer.defects.iter().any(|defect| offer::gravity(defect.kind) == Gravity::Grave))
    }

    fn request_is_sdp(&self) -> bool {
        self.context
            .header(self.request, HeaderName::ContentType)
            .is_some_and(|value| MediaType::parse(value.as_bytes()).is_sdp())
    }

    /// Facts of one kind.
    pub fn known(&self, kind: FactKind) -> impl Iterator<Item = &'a Fact> {
        self.facts.iter().copied().filter(move |fact| fact.kind == kind)
    }

    /// The description at a session id.
    pub fn shape(&self, id: crate::call::SessionId) -> Option<&'a Sdp> {
        (!id.is_absent()).then(|| self.context.tables().sessions.shape(id))
    }

    /// The main line of the offer: voice, or else the first.
    pub fn main_line(&self) -> Option<&'a Media> {
        main_line(self.offer?)
    }

    /// Offers that the refuser accepted and that differ from the refused one in these dimensions at most, with the answers.
    pub fn accepted_but_for(&self, allowed: &'c [Dimension]) -> impl Iterator<Item = (&'a Fact, &'a Sdp, &'a Sdp)> {
        self.known(FactKind::Accepted).filter_map(move |fact| {
            let (theirs, answer) = (self.shape(fact.offer)?, self.shape(fact.answer)?);
            let found = offer::differences(self.offer, Some(theirs));
            offer::differs_only_in(&found, allowed).then_some((fact, theirs, answer))
        })
    }

    /// The dimensions in which the accepted retry differs; empty where there was none.
    pub fn retry_differences(&self) -> Vec<Dimension> {
        let Some(retry) = self.retry else {
            return Vec::new();
        };
        offer::differences(self.offer, self.shape(retry.offer))
    }

    /// Whether a retry that differed in this dimension alone was accepted.
    pub fn is_cured_by(&self, dimension: Dimension) -> bool {
        let found = self.retry_differences();
        found.contains(&dimension) && offer::differs_only_in(&found, &[dimension])
    }

    /// Who made the offer: the sender of the first hop on which it has the same codecs.
    pub fn offer_maker(&self) -> EndpointId {
        let codecs = |sdp: Option<&Sdp>| -> Option<Vec<String>> {
            let line = main_line(sdp?)?;
            let mut names: Vec<String> = line.real_codecs().map(|codec| codec.common_name().to_owned()).collect();
            names.sort_unstable();
            Some(names)
        };
        let own = codecs(self.offer);
        let transactions = &self.context.transactions;
        let hops = self.context.path().iter().map(|(hop, _)| transactions.transaction(*hop));
        let first = hops.into_iter().find(|hop| {
            let request = hop.last_request.and_then(|request| self.context.message(request));
            request.is_some_and(|request| own.is_some() && codecs(self.shape(request.session)) == own)
        });
        first.map_or(self.offerer, |hop| hop.source)
    }

    /// How a reader knows the refuser, with its product.
    pub fn refuser_name(&self) -> String {
        self.context.name(self.refuser)
    }

    /// How long the refuser took: `40 ms`, `2.3 s`.
    pub fn delay(&self) -> String {
        duration(self.response.time.since(self.request.time))
    }

    /// Evidence: the media lines that were offered.
    pub fn shows_offer(&self, shows: impl Into<String>) -> Evidence {
        let tables = self.context.tables();
        let quote = match self.offer {
            Some(_) => offer::media_lines(tables, self.request.session),
            None => self.context.start_line(self.request),
        };
        Evidence::seen(self.request.at, quote, shows)
    }

    /// Evidence: the refusal with its Warning where it has one.
    pub fn shows_refusal(&self) -> Evidence {
        let name = HeaderName::Warning;
        let context = self.context;
        match context.header(self.response, name) {
            Some(_) => context.shows_header(self.response, name, format!("the {} says why", self.code)),
            None => context.shows(self.response, "the refusal, without a Warning"),
        }
    }

    /// Evidence: the media lines of a description in another message.
    pub fn shows_session(
        &self,
        at: crate::capture::FrameRef,
        session: crate::call::SessionId,
        shows: impl Into<String>,
    ) -> Evidence {
        Evidence::seen(at, offer::media_lines(self.context.tables(), session), shows)
    }
}

/// Whether the call failed without ever being answered; who gave up or was busy did not fail over media.
pub fn is_refused(context: &CallContext<'_>) -> bool {
    context.outcome().is_failure() && context.outcome() != Outcome::Dropped
}

/// The line for voice that is in use, or else the first line in use.
pub fn main_line(sdp: &Sdp) -> Option<&Media> {
    used(sdp).find(|media| media.kind == MediaKind::Audio).or_else(|| used(sdp).next())
}

/// Every value of a list header.
pub fn values(context: &CallContext<'_>, message: &Message, name: HeaderName) -> Vec<String> {
    let lines = context.tables().header_values(message, name);
    let values = lines.flat_map(|line| line.split(','));
    values.map(|value| value.trim().to_owned()).filter(|value| !value.is_empty()).collect()
}

/// Warnings about session descriptions, RFC 3261 section 20.43.
pub fn is_media_warning(code: u16) -> bool {
    matches!(code, 300..=307 | 330 | 331 | 370)
}

fn words(context: &CallContext<'_>, response: &Message) -> Words {
    let tables = context.tables();
    let mut words = Words { q850: Cause::of(tables, response).q850, ..Words::default() };
    for value in tables.header_values(response, HeaderName::Warning) {
        let warning = Warning::parse(value.as_bytes());
        words.warnings.extend(warning.code);
        words.text.push_str(&String::from_utf8_lossy(warning.text).to_ascii_lowercase());
        words.text.push(' ');
    }
    let phrase = tables.text(response.line).to_ascii_lowercase();
    if !matches!(phrase.as_str(), "not acceptable here" | "not acceptable" | "unsupported media type") {
        words.text.push_str(&phrase);
    }
    words
}

fn facts<'a>(context: &CallContext<'a>, refuser: EndpointId, response: &Message) -> Vec<&'a Fact> {
    let tables = context.tables();
    let software = tables.header(response, HeaderName::Server);
    let known = context.capture.media_capabilities().of(refuser).iter();
    let same = known.filter(|fact| match software {
        // Another product at the same address is another device behind it.
        Some(own) => fact.software.is_absent() || tables.text(fact.software) == own,
        None => true,
    });
    same.collect()
}

fn retry<'a>(context: &CallContext<'a>, refuser: EndpointId, request: &Message) -> Option<&'a Try> {
    let tries = context.capture.media_capabilities().tries(refuser, request);
    tries
        .iter()
        .find(|once| once.is_accepted && once.time > request.time && once.time.since(request.time) <= RETRY_WAIT)
}
