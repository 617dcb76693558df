//! What is wrong with the TOML of a policy, so that who wrote it knows what to write instead.

/// Characters quoted of the line that is wrong.
const QUOTE_CHARACTERS_MAX: usize = 20;

/// The message of the TOML reader, with what it is about; `rest` begins where the policy is wrong.
pub(super) fn syntax(message: &str, rest: &str) -> String {
    let line = rest.lines().next().unwrap_or_default().trim_end();
    let quote: String = line.chars().take(QUOTE_CHARACTERS_MAX).collect();
    let word: String = line.chars().take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '-')).collect();
    let message = message.trim_end().replace('\n', "; ");
    if message == "duplicate key" {
        return format!("\"{word}\" is there a second time; keep one");
    }
    if message.contains("recurs") {
        return "is nested too deeply for a policy".to_owned();
    }
    if message.starts_with("key with no value") {
        return "a key without a value; write key = value".to_owned();
    }
    let hint = if message.contains("quoted") || message.contains("float") || message.contains("key or value") {
        "; a number is written alone, as 95.0, a text in quotes, a day as 2026-12-31"
    } else {
        ""
    };
    if quote.is_empty() {
        format!("is no TOML at the end of this line: {message}{hint}")
    } else {
        format!("is no TOML from \"{quote}\" on: {message}{hint}")
    }
}
