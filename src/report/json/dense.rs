//! Writes a value as JSON on one line. Calls are written by the hundred thousand, so names of fields, which are ours, are
//! not looked through for what must be escaped, and texts are looked through once.
//!
//! Texts with something to escape, and numbers, are left to `serde_json`.

use std::fmt::Display;
use std::io::Write;

use serde::ser::{self, Impossible, Serialize};

use crate::report::json::layout::Lines;
use crate::report::json::text::{Text, is_plain};

/// A writer of values, which appends to `out`.
pub(super) struct Dense<'a> {
    out: &'a mut Text,
}

impl<'a> Dense<'a> {
    pub(super) fn into(out: &'a mut Text) -> Self {
        Self { out }
    }

    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), serde_json::Error> {
        value.serialize(Dense { out: self.out })
    }

    /// The general way.
    fn carefully<T: Serialize + ?Sized>(self, value: &T) -> Result<(), serde_json::Error> {
        let lines = Lines::inside();
        value.serialize(&mut serde_json::Serializer::with_formatter(self.out, lines))
    }

    fn open(self, bracket: u8, close: u8) -> Members<'a> {
        self.out.put(&[bracket]);
        Members { to: self, close, is_first: true }
    }
}

/// Thousandths above which a number has more digits than are sure to come back: 15.
const THOUSANDTHS_END: f64 = 1e15;

/// The thousandths of a number that has no smaller part, as nearly all numbers of the report are rounded; `None` of others.
fn thousandths(number: f64) -> Option<u64> {
    let count = (number * 1000.0).round();
    let is_sure = count < THOUSANDTHS_END && number.is_sign_positive() && count / 1000.0 == number;
    is_sure.then_some(count as u64)
}

/// A list or an object that is being written.
pub(super) struct Members<'a> {
    to: Dense<'a>,
    close: u8,
    is_first: bool,
}

impl Members<'_> {
    fn comma(&mut self) {
        if !self.is_first {
            self.to.out.put(b",");
        }
        self.is_first = false;
    }

    fn finish(self) {
        self.to.out.put(&[self.close]);
    }
}

macro_rules! numbers {
    ($($method:ident: $number:ty),*) => {
        $(fn $method(self, number: $number) -> Result<(), serde_json::Error> {
            self.carefully(&number)
        })*
    };
}

impl<'a> ser::Serializer for Dense<'a> {
    type Ok = ();
    type Error = serde_json::Error;
    type SerializeSeq = Members<'a>;
    type SerializeTuple = Members<'a>;
    type SerializeTupleStruct = Impossible<(), serde_json::Error>;
    type SerializeTupleVariant = Impossible<(), serde_json::Error>;
    type SerializeMap = Members<'a>;
    type SerializeStruct = Members<'a>;
    type SerializeStructVariant = Impossible<(), serde_json::Error>;

    numbers!(serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64, serialize_u8: u8,
        serialize_u16: u16, serialize_u32: u32, serialize_u64: u64, serialize_f32: f32, serialize_char: char);

    fn serialize_f64(self, number: f64) -> Result<(), Self::Error> {
        let Some(thousandths) = thousandths(number) else {
            return self.carefully(&number);
        };
        let out = self.out;
        Dense::into(out).serialize_u64(thousandths / 1000)?;
        let digits = [100, 10, 1].map(|unit| b'0' + (thousandths / unit % 10) as u8);
        match digits {
            [tenths, b'0', b'0'] => out.put(&[b'.', tenths]),
            [tenths, hundredths, b'0'] => out.put(&[b'.', tenths, hundredths]),
            [tenths, hundredths, rest] => out.put(&[b'.', tenths, hundredths, rest]),
        }
        Ok(())
    }

    fn serialize_bool(self, value: bool) -> Result<(), Self::Error> {
        match value {
            true => self.out.put(b"true"),
            false => self.out.put(b"false"),
        }
        Ok(())
    }

    fn serialize_str(self, text: &str) -> Result<(), Self::Error> {
        if !is_plain(text.as_bytes()) {
            return self.carefully(text);
        }
        self.out.put(b"\"");
        self.out.put(text.as_bytes());
        self.out.put(b"\"");
        Ok(())
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<(), Self::Error> {
        let start = self.out.len();
        self.out.put(b"\"");
        // Writing to memory does not fail.
        let _ = write!(self.out, "{value}");
        if !is_plain(self.out.since(start + 1)) {
            self.out.cut(start);
            return self.carefully(&value.to_string());
        }
        self.out.put(b"\"");
        Ok(())
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<(), Self::Error> {
        self.carefully(bytes)
    }

    fn serialize_none(self) -> Result<(), Self::Error> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Self::Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Self::Error> {
        self.out.put(b"null");
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Self::Error> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Self::Error> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), Self::Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Self::Error> {
        Err(unused())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, Self::Error> {
        Ok(self.open(b'[', b']'))
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, Self::Error> {
        Ok(self.open(b'[', b']'))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeTupleStruct, Self::Error> {
        Err(unused())
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Self::Error> {
        Err(unused())
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, Self::Error> {
        Ok(self.open(b'{', b'}'))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeStruct, Self::Error> {
        Ok(self.open(b'{', b'}'))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Self::Error> {
        Err(unused())
    }
}

/// The report has no variants with fields.
fn unused() -> serde_json::Error {
    ser::Error::custom("a variant with fields has no place in the report")
}

impl ser::SerializeSeq for Members<'_> {
    type Ok = ();
    type Error = serde_json::Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Self::Error> {
        self.comma();
        self.to.value(value)
    }

    fn end(self) -> Result<(), Self::Error> {
        self.finish();
        Ok(())
    }
}

impl ser::SerializeTuple for Members<'_> {
    type Ok = ();
    type Error = serde_json::Error;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Self::Error> {
        ser::SerializeSeq::serialize_element(self, value)
    }

    fn end(self) -> Result<(), Self::Error> {
        ser::SerializeSeq::end(self)
    }
}

impl ser::SerializeMap for Members<'_> {
    type Ok = ();
    type Error = serde_json::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Self::Error> {
        self.comma();
        let start = self.to.out.len();
        self.to.value(key)?;
        // Only texts are keys.
        let written = self.to.out.since(start);
        if !written.starts_with(b"\"") {
            let number = written.to_vec();
            self.to.out.cut(start);
            self.to.out.put(b"\"");
            self.to.out.put(&number);
            self.to.out.put(b"\"");
        }
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Self::Error> {
        self.to.out.put(b":");
        self.to.value(value)
    }

    fn end(self) -> Result<(), Self::Error> {
        self.finish();
        Ok(())
    }
}

impl ser::SerializeStruct for Members<'_> {
    type Ok = ();
    type Error = serde_json::Error;

    // Where it is part of its caller, the length of the name is known, and the name written at one go.
    #[inline(always)]
    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Self::Error> {
        self.comma();
        let out = &mut *self.to.out;
        out.put(b"\"");
        out.put(name.as_bytes());
        out.put(b"\":");
        self.to.value(value)
    }

    fn end(self) -> Result<(), Self::Error> {
        self.finish();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde::Serialize;

    #[derive(Serialize)]
    struct Line<'a> {
        text: &'a str,
        code: Option<u16>,
        ms: Option<f64>,
        list: Vec<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        left_out: Option<u8>,
        pair: (i64, bool),
        map: std::collections::BTreeMap<&'a str, f64>,
        counts: std::collections::BTreeMap<u16, u32>,
    }

    fn both(text: &str, number: f64, code: Option<u16>) -> (Vec<u8>, Vec<u8>) {
        let line = Line {
            text,
            code,
            ms: Some(number),
            list: vec!["", text, "INVITE"],
            left_out: None,
            pair: (-7, true),
            map: [(text, number), ("a", 0.5)].into(),
            counts: [(404, 2), (503, 1)].into(),
        };
        let (mut dense, mut general) = (Text::with_room(0), Vec::new());
        line.serialize(Dense::into(&mut dense)).expect("to memory");
        let lines = Lines::inside();
        let mut serializer = serde_json::Serializer::with_formatter(&mut general, lines);
        line.serialize(&mut serializer).expect("to memory");
        (dense.into_bytes(), general)
    }

    #[test]
    fn texts_that_must_be_escaped_are() {
        let (dense, general) = both("a\"b\\c\u{1b}[31m\u{202e}\n", 1.0, None);
        assert_eq!(dense, general);
        assert!(!dense.contains(&0x1b));
    }

    #[test]
    fn what_prints_itself_is_escaped_too() {
        let mut text = Text::with_room(0);
        ser::Serializer::collect_str(Dense::into(&mut text), &"a\"\u{1b}").expect("to memory");
        assert_eq!(text.into_bytes(), br#""a\"\u001b""#);
    }

    proptest! {
        #[test]
        fn every_value_reads_as_the_general_way_writes_it(
            text in any::<String>(), number in any::<f64>(), code in any::<Option<u16>>()
        ) {
            let (dense, general) = both(&text, number, code);
            prop_assert_eq!(dense, general);
        }

        #[test]
        fn thousandths_read_as_the_general_way_writes_them(count in any::<u64>(), bits in 0_u32..64) {
            let (dense, general) = both("", (count >> bits) as f64 / 1000.0, None);
            prop_assert_eq!(dense, general);
        }
    }
}
