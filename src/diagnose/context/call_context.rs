//! What a rule over calls sees: one call taken apart, and the capture that it happened in.

use std::cell::OnceCell;

use crate::call::outcome::negotiation::{Exchange, exchange};
use crate::call::{
    Call, CallTransactions, Dialog, EndpointId, Message, MessageIndex, Outcome, Step, Tables, Transaction,
    TransactionIndex, dialogs, own_software, path, transactions_of,
};
use crate::diagnose::context::capture_context::CaptureContext;
use crate::diagnose::context::media_refusal::MediaRefusal;
use crate::diagnose::finding::Evidence;
use crate::sip::{HeaderName, StatusCode};

/// One call taken apart.
pub struct CallContext<'a> {
    /// Where it happened.
    pub capture: &'a CaptureContext<'a>,
    /// Its index in [`DiagnosisInput::calls`](crate::diagnose::DiagnosisInput::calls).
    pub index: usize,
    /// What is kept of it.
    pub call: &'a Call,
    /// Its messages, transactions and hops.
    pub transactions: CallTransactions<'a>,
    /// Its confirmed dialogs, the one that carried it first.
    pub dialogs: Vec<Dialog>,
    path: OnceCell<Vec<(TransactionIndex, Step)>>,
    opening: OnceCell<Option<Exchange>>,
    /// What the refusal of its session came to, where it was refused; each rule about media needs to know, and weighing
    /// their explanations against each other costs more than all else that is asked of a call.
    pub media: OnceCell<Option<MediaRefusal>>,
}

impl<'a> CallContext<'a> {
    /// Takes the call at an index apart.
    pub fn new(capture: &'a CaptureContext<'a>, index: usize) -> Self {
        let call = &capture.calls[index];
        let transactions = transactions_of(capture.store, &call.legs);
        let dialogs = dialogs(&transactions);
        Self {
            capture,
            index,
            call,
            transactions,
            dialogs,
            path: OnceCell::new(),
            opening: OnceCell::new(),
            media: OnceCell::new(),
        }
    }

    /// Look-up of every id.
    pub fn tables(&self) -> &'a Tables {
        &self.capture.store.tables
    }

    /// How it ended.
    pub fn outcome(&self) -> Outcome {
        self.call.outcome
    }

    /// The code that the caller saw last; 0 where none.
    pub fn code(&self) -> u16 {
        self.call.final_code.map_or(0, |code| code.0)
    }

    /// From the hop next to the caller to the one where the failure began; empty where no INVITE was captured.
    pub fn path(&self) -> &[(TransactionIndex, Step)] {
        self.path.get_or_init(|| path(&self.transactions))
    }

    /// What the INVITE of the dialog that carried the call did about the session, next to the caller.
    pub fn opening(&self) -> Option<Exchange> {
        *self.opening.get_or_init(|| {
            let dialog = self.dialogs.first()?;
            Some(exchange(&self.transactions, dialog.invite))
        })
    }

    /// Whether any of its requests has a header that is kept.
    pub fn requests_have(&self, name: HeaderName) -> bool {
        self.have(name, |message| message.method().is_some())
    }

    /// Whether any of its responses has a header that is kept.
    pub fn responses_have(&self, name: HeaderName) -> bool {
        self.have(name, |message| message.status().is_some())
    }

    fn have(&self, name: HeaderName, is_meant: impl Fn(&Message) -> bool) -> bool {
        let messages = self.transactions.messages.iter();
        let meant = messages.filter(|message| is_meant(message));
        let lists = meant.map(|message| message.headers);
        self.tables().headers.any_has(lists, name)
    }

    /// The hop where the failure began.
    pub fn root(&self) -> Option<(TransactionIndex, &Transaction)> {
        let (index, _) = self.path().last()?;
        Some((*index, self.transactions.transaction(*index)))
    }

    /// The node at which the failure began.
    pub fn refuser(&self) -> Option<EndpointId> {
        self.root().map(|(_, root)| root.destination)
    }

    /// The final response where the failure began.
    pub fn refusal(&self) -> Option<&'a Message> {
        self.message(self.root()?.1.final_response?)
    }

    /// The last request that was sent where the failure began.
    pub fn refused_request(&self) -> Option<&'a Message> {
        self.message(self.root()?.1.last_request?)
    }

    /// The status where the failure began; 0 where none came.
    pub fn refusal_code(&self) -> u16 {
        self.refusal().and_then(Message::status).map_or(0, |status: StatusCode| status.0)
    }

    /// The message at an index.
    pub fn message(&self, index: MessageIndex) -> Option<&'a Message> {
        self.transactions.messages.get(index.0 as usize).copied()
    }

    /// The first value of a header of a message.
    pub fn header(&self, message: &Message, name: HeaderName) -> Option<&'a str> {
        self.tables().header(message, name)
    }

    /// How a reader knows an endpoint, with its product the first time: `10.0.0.5:5060 (Asterisk 18.2)`.
    pub fn name(&self, endpoint: EndpointId) -> String {
        let name = self.capture.name(endpoint);
        match self.software(endpoint) {
            Some(software) => format!("{name} ({software})"),
            None => name,
        }
    }

    /// The product at an endpoint, as a message of this call says that the node made itself.
    pub fn software(&self, endpoint: EndpointId) -> Option<&'a str> {
        let software = own_software(&self.transactions, endpoint);
        (!software.is_absent()).then(|| self.tables().text(software))
    }

    /// Evidence in one message: its frame, and its start line as sent.
    pub fn shows(&self, message: &Message, shows: impl Into<String>) -> Evidence {
        Evidence::seen(message.at, self.start_line(message), shows)
    }

    /// Evidence in one header of a message.
    pub fn shows_header(&self, message: &Message, name: HeaderName, shows: impl Into<String>) -> Evidence {
        let value = self.header(message, name).unwrap_or_default();
        Evidence::seen(message.at, format!("{}: {value}", name.text()), shows)
    }

    /// The start line of a message as sent.
    pub fn start_line(&self, message: &Message) -> String {
        start_line(self.tables(), message)
    }

    /// Seconds from the first INVITE of the call to a message.
    pub fn seconds_in(&self, message: &Message) -> f64 {
        message.time.millis_since(self.call.milestones.invited.unwrap_or(self.call.started)) / 1000.0
    }
}

/// The start line of a message as sent.
pub fn start_line(tables: &Tables, message: &Message) -> String {
    match (message.method(), message.status()) {
        (Some(method), _) => format!("{method} {} SIP/2.0", tables.text(message.line)),
        (None, Some(status)) => format!("SIP/2.0 {} {}", status.0, tables.text(message.line)),
        (None, None) => String::new(),
    }
}
