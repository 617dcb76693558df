//! What docs/architecture.md and docs/adding-a-rule.md say is never done, and nothing else holds.
