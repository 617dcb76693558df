//! The layout of the document: one line for each key, and for each element of a list; and no control character in it.

use std::io::{self, Write};

use serde_json::ser::Formatter;

use crate::report::escape::is_hostile;

/// Levels of nesting that begin on lines of their own: the document's keys, and the elements of its lists.
const LINE_DEPTH: u32 = 2;

/// Breaks lines at the outer levels and writes the inner ones densely.
#[derive(Debug, Default)]
pub(in crate::report) struct Lines {
    depth: u32,
    /// Whether the list or object that was begun last has a member yet.
    has_value: bool,
}

impl Lines {
    /// For an element of a list, which is written on one line.
    pub(super) fn inside() -> Self {
        Self { depth: LINE_DEPTH, has_value: false }
    }

    fn open<W: ?Sized + Write>(&mut self, out: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth += 1;
        self.has_value = false;
        out.write_all(bracket)
    }

    fn close<W: ?Sized + Write>(&mut self, out: &mut W, bracket: &[u8]) -> io::Result<()> {
        if self.depth <= LINE_DEPTH && self.has_value {
            out.write_all(b"\n")?;
        }
        self.depth -= 1;
        self.has_value = true;
        out.write_all(bracket)
    }

    fn begin<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        if !first {
            out.write_all(b",")?;
        }
        if self.depth <= LINE_DEPTH {
            out.write_all(b"\n")?;
        }
        Ok(())
    }
}

impl Formatter for Lines {
    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.open(out, b"[")
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.close(out, b"]")
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.begin(out, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.has_value = true;
        Ok(())
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.open(out, b"{")
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.close(out, b"}")
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.begin(out, first)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.has_value = true;
        Ok(())
    }

    /// serde_json escapes C0 controls alone; people print reports on terminals, so the others are escaped too.
    fn write_string_fragment<W: ?Sized + Write>(&mut self, out: &mut W, fragment: &str) -> io::Result<()> {
        // Nearly all text is plain ASCII, which shows faster by bytes than by characters.
        let is_odd = |byte: u8| u8::from(!(0x20..0x7f).contains(&byte));
        // Without a way out of the loop, many bytes are looked at at a time.
        if fragment.bytes().fold(0, |odd, byte| odd | is_odd(byte)) == 0 {
            return out.write_all(fragment.as_bytes());
        }
        let mut rest = fragment;
        while let Some(place) = rest.find(is_hostile) {
            let (clean, hostile) = rest.split_at(place);
            out.write_all(clean.as_bytes())?;
            let mut characters = hostile.chars();
            if let Some(character) = characters.next() {
                let mut units = [0; 2];
                for unit in character.encode_utf16(&mut units) {
                    write!(out, "\\u{unit:04x}")?;
                }
            }
            rest = characters.as_str();
        }
        out.write_all(rest.as_bytes())
    }
}
