//! Byte order: numbers as the capturing machine wrote them.

/// Which end of a number comes first in a capture file or section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::capture) enum ByteOrder {
    Little,
    Big,
}

impl ByteOrder {
    /// The two bytes at `at`; `None` where `bytes` ends before.
    pub(in crate::capture) fn u16(self, bytes: &[u8], at: usize) -> Option<u16> {
        let number = *bytes.get(at..)?.first_chunk::<2>()?;
        Some(match self {
            Self::Little => u16::from_le_bytes(number),
            Self::Big => u16::from_be_bytes(number),
        })
    }

    /// The four bytes at `at`; `None` where `bytes` ends before.
    pub(in crate::capture) fn u32(self, bytes: &[u8], at: usize) -> Option<u32> {
        let number = *bytes.get(at..)?.first_chunk::<4>()?;
        Some(match self {
            Self::Little => u32::from_le_bytes(number),
            Self::Big => u32::from_be_bytes(number),
        })
    }

    /// The eight bytes at `at`; `None` where `bytes` ends before.
    pub(in crate::capture) fn u64(self, bytes: &[u8], at: usize) -> Option<u64> {
        let number = *bytes.get(at..)?.first_chunk::<8>()?;
        Some(match self {
            Self::Little => u64::from_le_bytes(number),
            Self::Big => u64::from_be_bytes(number),
        })
    }
}
