//! Numbers, texts and lists as bytes, little endian; nothing is believed on the way back.

use bytes::{Buf, BufMut, Bytes as Buffer};

/// Bytes that are not what the protocol says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the other side broke the protocol: {0}")]
pub struct Garbled(pub String);

pub(super) fn garbled<T>(what: impl Into<String>) -> Result<T, Garbled> {
    Err(Garbled(what.into()))
}

/// Texts are names and error messages: longer ones are cut on the way out, refused on the way in.
const MAX_TEXT: usize = 4096;
/// Lists are of names.
const MAX_ITEMS: u32 = 1024;

/// A value with one form on the wire.
pub(super) trait Wire: Sized {
    /// Appends it.
    fn put(&self, out: &mut Vec<u8>);
    /// Takes it off the front.
    fn take(from: &mut Buffer) -> Result<Self, Garbled>;
}

fn need(from: &Buffer, bytes: usize) -> Result<(), Garbled> {
    if from.remaining() < bytes { garbled("a frame ends early") } else { Ok(()) }
}

macro_rules! numbers {
    ($($number:ty => $put:ident, $get:ident;)+) => {$(
        impl Wire for $number {
            fn put(&self, out: &mut Vec<u8>) {
                out.$put(*self);
            }
            fn take(from: &mut Buffer) -> Result<Self, Garbled> {
                need(from, size_of::<$number>())?;
                Ok(from.$get())
            }
        }
    )+};
}
numbers! {
    u8 => put_u8, get_u8;
    u16 => put_u16_le, get_u16_le;
    u32 => put_u32_le, get_u32_le;
    u64 => put_u64_le, get_u64_le;
    i32 => put_i32_le, get_i32_le;
    f32 => put_f32_le, get_f32_le;
    f64 => put_f64_le, get_f64_le;
}

/// So many, one after the other: a colour, two sides.
impl<T: Wire + Copy + Default, const N: usize> Wire for [T; N] {
    fn put(&self, out: &mut Vec<u8>) {
        self.iter().for_each(|item| item.put(out));
    }
    fn take(from: &mut Buffer) -> Result<Self, Garbled> {
        let mut items = [T::default(); N];
        for item in &mut items {
            *item = T::take(from)?;
        }
        Ok(items)
    }
}

impl Wire for bool {
    fn put(&self, out: &mut Vec<u8>) {
        out.put_u8(u8::from(*self));
    }
    fn take(from: &mut Buffer) -> Result<Self, Garbled> {
        match u8::take(from)? {
            0 => Ok(false),
            1 => Ok(true),
            other => garbled(format!("{other} for yes or no")),
        }
    }
}

impl Wire for String {
    fn put(&self, out: &mut Vec<u8>) {
        let mut end = self.len().min(MAX_TEXT);
        while !self.is_char_boundary(end) {
            end -= 1;
        }
        (end as u32).put(out);
        out.extend_from_slice(&self.as_bytes()[..end]);
    }
    fn take(from: &mut Buffer) -> Result<Self, Garbled> {
        let len = u32::take(from)? as usize;
        if len > MAX_TEXT {
            return garbled("a text is too long");
        }
        need(from, len)?;
        match String::from_utf8(from.split_to(len).to_vec()) {
            Ok(text) => Ok(text),
            Err(_) => garbled("a text is not UTF-8"),
        }
    }
}

/// A blob. Its length is bounded by that of the frame around it.
impl Wire for Buffer {
    fn put(&self, out: &mut Vec<u8>) {
        (self.len() as u64).put(out);
        out.extend_from_slice(self);
    }
    fn take(from: &mut Buffer) -> Result<Self, Garbled> {
        let len = usize::try_from(u64::take(from)?).unwrap_or(usize::MAX);
        need(from, len)?;
        Ok(from.split_to(len))
    }
}

impl<T: Wire> Wire for Box<T> {
    fn put(&self, out: &mut Vec<u8>) {
        (**self).put(out);
    }
    fn take(from: &mut Buffer) -> Result<Self, Garbled> {
        T::take(from).map(Self::new)
    }
}

impl<T: Wire> Wire for Option<T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.is_some().put(out);
        if let Some(value) = self {
            value.put(out);
        }
    }
    fn take(from: &mut Buffer) -> Result<Self, Garbled> {
        Ok(if bool::take(from)? { Some(T::take(from)?) } else { None })
    }
}

impl<T: Wire> Wire for Vec<T> {
    fn put(&self, out: &mut Vec<u8>) {
        let items = self.len().min(MAX_ITEMS as usize);
        (items as u32).put(out);
        for item in &self[..items] {
            item.put(out);
        }
    }
    fn take(from: &mut Buffer) -> Result<Self, Garbled> {
        let len = u32::take(from)?;
        if len > MAX_ITEMS {
            return garbled("a list is too long");
        }
        (0..len).map(|_| T::take(from)).collect()
    }
}

/// All of a frame, and nothing behind it.
pub(super) fn whole<T: Wire>(mut frame: Buffer) -> Result<T, Garbled> {
    let value = T::take(&mut frame)?;
    if frame.has_remaining() { garbled("bytes are left over in a frame") } else { Ok(value) }
}

/// Structs field by field, in the order given.
macro_rules! structs {
    ($($name:path { $($field:ident),+ $(,)? })+) => {$(
        impl Wire for $name {
            fn put(&self, out: &mut Vec<u8>) {
                $(self.$field.put(out);)+
            }
            fn take(from: &mut Buffer) -> Result<Self, Garbled> {
                Ok(Self { $($field: Wire::take(from)?),+ })
            }
        }
    )+};
}

/// Enums without fields, by number.
macro_rules! choices {
    ($($name:ident { $($number:literal => $variant:ident),+ $(,)? })+) => {$(
        impl Wire for $name {
            fn put(&self, out: &mut Vec<u8>) {
                let number: u8 = match self { $(Self::$variant => $number),+ };
                number.put(out);
            }
            fn take(from: &mut Buffer) -> Result<Self, Garbled> {
                match u8::take(from)? {
                    $($number => Ok(Self::$variant),)+
                    other => garbled(format!("no {} {other}", stringify!($name))),
                }
            }
        }
    )+};
}

/// Enums with fields: the number, then the fields in the order given.
macro_rules! variants {
    ($($name:ident {
        $($number:literal => $variant:ident $({ $($field:ident),+ })? $(($only:ident))?),+ $(,)?
    })+) => {$(
        impl Wire for $name {
            fn put(&self, out: &mut Vec<u8>) {
                match self {$(
                    Self::$variant $({ $($field),+ })? $(($only))? => {
                        let number: u8 = $number;
                        number.put(out);
                        $($($field.put(out);)+)?
                        $($only.put(out);)?
                    }
                )+}
            }
            fn take(from: &mut Buffer) -> Result<Self, Garbled> {
                match u8::take(from)? {
                    $($number => {
                        $($(let $field = Wire::take(from)?;)+)?
                        $(let $only = Wire::take(from)?;)?
                        Ok(Self::$variant $({ $($field),+ })? $(($only))?)
                    })+
                    other => garbled(format!("no {} {other}", stringify!($name))),
                }
            }
        }
    )+};
}
pub(super) use {choices, structs, variants};
