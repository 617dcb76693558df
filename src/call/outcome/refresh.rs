//! Session timers: the interval that a dialog agreed on, who was to refresh it, and endings by a timer that ran out.
//!
//! Source: RFC 4028 sections 7 (negotiation), 9 (who refreshes) and 10 (when a side hangs up).

use std::time::Duration;

use crate::call::store::string_arena::TextId;
use crate::call::transaction::call_transactions::{CallTransactions, TransactionView};
use crate::call::transaction::dialog::Dialog;
use crate::call::transaction::pairing::{MessageIndex, Transaction, TransactionIndex};
use crate::capture::Timestamp;
use crate::sip::{HeaderName, Method, Refresher, SessionExpires};

/// Slack around the moments at which a session timer ends a call.
const SLACK: Duration = Duration::from_secs(3);
/// How long before the end of the interval a side that waits in vain hangs up at most; else it is a third of it (RFC 4028 section 10).
const EARLY_MAX: Duration = Duration::from_secs(32);
/// How soon a side hangs up once its refresh was refused.
const GIVE_UP_WAIT: Duration = Duration::from_secs(3);
/// How soon it hangs up where nothing answered its refresh: 64 × T1 and some slack.
const SILENT_WAIT: Duration = Duration::from_secs(40);
/// Sends of a refresh without any answer that count as a failure.
const SILENT_SENDS: u32 = 3;

/// What a dialog agreed on last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    /// Seconds until the session ends unless refreshed.
    pub seconds: u32,
    /// The 2xx that set it, or refreshed it last.
    pub set_by: MessageIndex,
    /// Tag of the party that was to refresh, where the 2xx says.
    pub refresher: Option<TextId>,
}

impl Interval {
    /// Whether a side that waits for the refresh in vain hangs up so long after the interval was set.
    pub fn ends_after(&self, since: Duration) -> bool {
        let whole = Duration::from_secs(u64::from(self.seconds));
        let early = whole - (whole / 3).min(EARLY_MAX);
        let near = |moment: Duration| since.abs_diff(moment) <= SLACK;
        near(early) || near(whole)
    }
}

/// The interval in force at a moment; `None` where the dialog has no timer.
pub fn interval_at(transactions: &CallTransactions<'_>, dialog: &Dialog, at: Timestamp) -> Option<Interval> {
    let mut interval = read(transactions, dialog.answer);
    for refresh in refreshes(transactions, dialog) {
        let answer = refresh.final_response.filter(|answer| transactions.message(*answer).time <= at);
        let Some(answer) = answer.filter(|_| refresh.is_success()) else {
            continue;
        };
        // A 2xx without the header switches the timer off only on paper: most stacks keep the interval.
        interval = read(transactions, answer).or(interval.map(|known| Interval { set_by: answer, ..known }));
    }
    interval
}

/// Requests inside the dialog that refresh it when they are answered.
pub fn is_refresh(transactions: &CallTransactions<'_>, dialog: &Dialog, t: &Transaction) -> bool {
    matches!(t.method, Method::Invite | Method::Update)
        && t.request.is_some_and(|request| request > dialog.answer && !transactions.message(request).to_tag.is_absent())
}

fn refreshes<'t, 'm>(
    transactions: &'t CallTransactions<'m>,
    dialog: &'t Dialog,
) -> impl Iterator<Item = TransactionView<'t, 'm>> {
    transactions.all().filter(|hop| is_refresh(transactions, dialog, hop))
}

/// The interval that a 2xx sets; `None` where it sets none.
pub fn read(transactions: &CallTransactions<'_>, answer: MessageIndex) -> Option<Interval> {
    let message = transactions.message(answer);
    let value = transactions.tables.header(message, HeaderName::SessionExpires)?;
    let parsed = SessionExpires::parse(value.as_bytes())?;
    let refresher = parsed.refresher.map(|side| match side {
        Refresher::Uac => message.from_tag,
        Refresher::Uas => message.to_tag,
    });
    Some(Interval { seconds: u32::try_from(parsed.seconds).ok()?, set_by: answer, refresher })
}

/// The interval at the end of which a call was hung up, without a refresh in the whole of it.
pub(in crate::call) fn expired_interval(transactions: &CallTransactions<'_>, dialog: &Dialog) -> Option<Interval> {
    let bye = transactions.hop(dialog.bye?).request()?;
    let interval = interval_at(transactions, dialog, bye.time)?;
    let since = bye.time.since(transactions.message(interval.set_by).time);
    interval.ends_after(since).then_some(interval)
}

/// A refresh that was refused or never answered, after which its sender hung up.
pub(in crate::call) fn failed_refresh(
    transactions: &CallTransactions<'_>,
    dialog: &Dialog,
) -> Option<TransactionIndex> {
    let bye = transactions.hop(dialog.bye?).request()?;
    let last = refreshes(transactions, dialog).last()?;
    let request = last.request()?;
    let has_timer = transactions.tables.header(request, HeaderName::SessionExpires).is_some();
    if !has_timer || request.from_tag != bye.from_tag || request.time > bye.time {
        return None;
    }
    let has_failed = match last.final_response() {
        // Challenges, longer timers and glare are tried again.
        Some(answer) => {
            let code = answer.status()?.0;
            code >= 300 && !matches!(code, 401 | 407 | 422 | 491) && bye.time.since(answer.time) <= GIVE_UP_WAIT
        }
        None => {
            let is_silent = last.sends >= SILENT_SENDS && last.trying.is_none();
            is_silent && bye.time.since(request.time) <= SILENT_WAIT
        }
    };
    has_failed.then_some(last.index())
}
