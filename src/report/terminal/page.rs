//! Lines for a terminal: coloured spans of harmless text, wrapped to the width.

use std::borrow::Cow;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use unicode_width::UnicodeWidthStr;

use crate::report::escape;

/// Columns of the label that opens a paragraph, `  Why     `.
pub(super) const LABEL_COLUMNS: usize = 10;

/// What a span means; words always say it too, so that nothing is lost without colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ink {
    /// Running text.
    Plain,
    /// Headings and labels.
    Strong,
    /// Answered.
    Good,
    /// Failed.
    Bad,
    /// Degraded.
    Caution,
    /// Unknown, or of less weight.
    Faint,
}

impl Ink {
    fn style(self) -> Style {
        let colour = |colour: AnsiColor| Style::new().fg_color(Some(colour.into()));
        match self {
            Self::Plain => Style::new(),
            Self::Strong => Style::new().bold(),
            Self::Good => colour(AnsiColor::Green),
            Self::Bad => colour(AnsiColor::Red).bold(),
            Self::Caution => colour(AnsiColor::Yellow),
            Self::Faint => Style::new().dimmed(),
        }
    }
}

/// Text with a meaning; made harmless when it is made, so that no text can reach the terminal raw.
#[derive(Debug, Clone)]
pub(super) struct Span<'a> {
    ink: Ink,
    text: Cow<'a, str>,
}

impl<'a> Span<'a> {
    pub(super) fn new(ink: Ink, text: impl Into<Cow<'a, str>>) -> Self {
        let text = match text.into() {
            Cow::Borrowed(text) => escape::terminal(text),
            Cow::Owned(text) => match escape::terminal(&text) {
                Cow::Owned(escaped) => Cow::Owned(escaped),
                Cow::Borrowed(_) => Cow::Owned(text),
            },
        };
        Self { ink, text }
    }

    /// Columns that it takes.
    pub(super) fn width(&self) -> usize {
        self.text.width()
    }

    /// The same cut to `columns`, with an ellipsis in place of what is left out.
    pub(super) fn cut(self, columns: usize) -> Self {
        if self.width() <= columns {
            return self;
        }
        Self { ink: self.ink, text: Cow::Owned(cut(&self.text, columns)) }
    }
}

/// Running text.
pub(super) fn plain<'a>(text: impl Into<Cow<'a, str>>) -> Span<'a> {
    Span::new(Ink::Plain, text)
}

/// A heading.
pub(super) fn strong<'a>(text: impl Into<Cow<'a, str>>) -> Span<'a> {
    Span::new(Ink::Strong, text)
}

/// Something of less weight.
pub(super) fn faint<'a>(text: impl Into<Cow<'a, str>>) -> Span<'a> {
    Span::new(Ink::Faint, text)
}

/// Text cut to `columns`, with an ellipsis in place of what is left out.
pub(super) fn cut(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut kept = String::new();
    for character in text.chars() {
        kept.push(character);
        if kept.width() + 1 > columns {
            kept.pop();
            break;
        }
    }
    if columns > 0 {
        kept.push('…');
    }
    kept
}

/// What lines are written to.
pub(super) struct Page<'w> {
    out: &'w mut dyn Write,
    width: usize,
}

impl<'w> Page<'w> {
    pub(super) fn new(out: &'w mut dyn Write, width: usize) -> Self {
        Self { out, width }
    }

    /// Columns of a line.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// An empty line.
    pub(super) fn blank(&mut self) -> io::Result<()> {
        self.out.write_all(b"\n")
    }

    /// One line, cut at the width.
    pub(super) fn line<'a>(&mut self, spans: impl IntoIterator<Item = Span<'a>>) -> io::Result<()> {
        let mut left = self.width;
        let mut pending = 0;
        for span in spans {
            if left == 0 {
                break;
            }
            let span = span.cut(left);
            left -= span.width().min(left);
            // Spaces wait for what follows them, so that no line ends in one.
            let shown = span.text.trim_end_matches(' ');
            if !shown.is_empty() {
                self.spaces(pending)?;
                pending = 0;
                self.ink(span.ink, shown)?;
            }
            pending += span.text.len() - shown.len();
        }
        self.blank()
    }

    /// Running text behind a label, wrapped at the width; further lines stand below the text.
    pub(super) fn labelled<'a>(&mut self, label: &str, spans: impl IntoIterator<Item = Span<'a>>) -> io::Result<()> {
        let first = format!("  {label:<width$}", width = LABEL_COLUMNS - 2);
        self.wrapped(strong(first), LABEL_COLUMNS, spans)
    }

    /// Running text behind `first`, wrapped at the width; further lines are indented by `indent`.
    pub(super) fn wrapped<'a>(
        &mut self,
        first: Span<'_>,
        indent: usize,
        spans: impl IntoIterator<Item = Span<'a>>,
    ) -> io::Result<()> {
        let mut column = first.width();
        self.ink(first.ink, first.text.trim_end())?;
        // Spaces are written before words alone, so that no line ends in one.
        let mut pending = column - first.text.trim_end().width();
        let mut is_fresh = true;
        for span in spans {
            for (place, word) in span.text.split(' ').enumerate() {
                if place > 0 && !is_fresh {
                    pending += 1;
                    column += 1;
                }
                if word.is_empty() {
                    continue;
                }
                let width = word.width();
                if column + width > self.width && (!is_fresh || column > indent) {
                    self.blank()?;
                    (column, pending) = (indent, indent);
                }
                self.spaces(pending)?;
                pending = 0;
                column = self.word(span.ink, word, column, indent)?;
                is_fresh = false;
            }
        }
        self.blank()
    }

    /// One word at `column`, broken where a line cannot hold it; says where it ended.
    fn word(&mut self, ink: Ink, word: &str, column: usize, indent: usize) -> io::Result<usize> {
        let mut column = column;
        let mut rest = word;
        while column + rest.width() > self.width && self.width > indent + 8 {
            let room = self.width.saturating_sub(column);
            let end = rest
                .char_indices()
                .map(|(place, character)| place + character.len_utf8())
                .take_while(|end| rest.get(..*end).is_some_and(|part| part.width() <= room))
                .last()
                .unwrap_or(0);
            let (part, after) = rest.split_at(end);
            if part.is_empty() && column <= indent {
                break;
            }
            self.ink(ink, part)?;
            self.blank()?;
            self.spaces(indent)?;
            column = indent;
            rest = after;
        }
        self.ink(ink, rest)?;
        Ok(column + rest.width())
    }

    fn spaces(&mut self, count: usize) -> io::Result<()> {
        write!(self.out, "{:count$}", "")
    }

    fn ink(&mut self, ink: Ink, text: &str) -> io::Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        if ink == Ink::Plain || text.trim().is_empty() {
            return self.out.write_all(text.as_bytes());
        }
        let style = ink.style();
        write!(self.out, "{style}{text}{style:#}")
    }
}
