//! Messages become transactions, hops, dialogs and calls: what happened.
