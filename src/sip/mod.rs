//! Deliveries become SIP messages and session descriptions.
