//! The TCP connection that carried a request which nothing answered, seen from who sent it.
//!
//! Source: RFC 9293 section 3.8 (what TCP delivers).

use std::time::Duration;

use crate::call::{Message, Transaction};
use crate::diagnose::context::call_context::CallContext;
use crate::diagnose::finding::Evidence;
use crate::net::{Close, Connection, Endpoint};

/// A request on its connection.
pub(super) struct Carried<'a> {
    /// The request.
    pub request: &'a Message,
    /// Who sent it.
    pub source: Endpoint,
    /// Who it was sent to.
    pub destination: Endpoint,
    /// The connection.
    pub connection: &'a Connection,
}

impl<'a> Carried<'a> {
    /// The newest connection that was there when a transaction's request was sent.
    pub fn of(context: &CallContext<'a>, t: &Transaction) -> Option<Self> {
        let request = context.message(t.request?)?;
        let tables = context.tables();
        let (source, destination) = (tables.endpoint(t.source), tables.endpoint(t.destination));
        let connection = context
            .capture
            .connections_between(source, destination)
            .filter(|connection| connection.first_seen.time <= request.time)
            .last()?;
        Some(Self { request, source, destination, connection })
    }

    /// Bytes of the sender that the receiver's last acknowledgement leaves out; `None` where none was captured.
    pub fn unacknowledged_bytes(&self) -> Option<u64> {
        match self.connection.flow.source == self.source {
            true => self.connection.client_unacknowledged_bytes,
            false => self.connection.server_unacknowledged_bytes,
        }
    }

    /// Segments by which the receiver said that it can take no more bytes.
    pub fn closed_windows(&self) -> u32 {
        match self.connection.flow.source == self.source {
            true => self.connection.server_zero_windows,
            false => self.connection.client_zero_windows,
        }
    }

    /// The end of the connection, where it came after the request; a reset before a close.
    pub fn end(&self) -> Option<Close> {
        let ends = [self.connection.reset, self.connection.fin];
        let mut late = ends.into_iter().flatten();
        late.find(|close| close.sighting.time >= self.request.time)
    }

    /// How long the capture went on after the request.
    pub fn watched(&self, context: &CallContext<'_>) -> Duration {
        context.capture.watched_since(self.request.time)
    }

    /// That something did not come after the request.
    pub fn misses(&self, context: &CallContext<'_>, expected: String) -> Evidence {
        Evidence::Missing { expected, after: self.request.at, watched: self.watched(context) }
    }
}
