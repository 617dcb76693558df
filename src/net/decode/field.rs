//! Numbers at an offset of untrusted bytes, `None` where the bytes end first.

/// The byte at `offset`.
#[inline]
pub(super) fn u8_at(bytes: &[u8], offset: usize) -> Option<u8> {
    bytes.get(offset).copied()
}

/// The big-endian 16-bit number at `offset`.
#[inline]
pub(super) fn u16_at(bytes: &[u8], offset: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*bytes.get(offset..)?.first_chunk()?))
}

/// The big-endian 32-bit number at `offset`.
#[inline]
pub(super) fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(offset..)?.first_chunk()?))
}

/// The little-endian 16-bit number at `offset`.
pub(super) fn u16_le_at(bytes: &[u8], offset: usize) -> Option<u16> {
    u16_at(bytes, offset).map(u16::swap_bytes)
}

/// The little-endian 32-bit number at `offset`.
pub(super) fn u32_le_at(bytes: &[u8], offset: usize) -> Option<u32> {
    u32_at(bytes, offset).map(u32::swap_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_needs_all_its_bytes() {
        let bytes = [1, 2, 3, 4, 5];
        assert_eq!(Some(0x0203), u16_at(&bytes, 1));
        assert_eq!(Some(0x0302), u16_le_at(&bytes, 1));
        assert_eq!(Some(0x0203_0405), u32_at(&bytes, 1));
        assert_eq!(Some(0x0403_0201), u32_le_at(&bytes, 0));
        assert_eq!(None, u16_at(&bytes, 4));
        assert_eq!(None, u32_at(&bytes, 2));
        assert_eq!(None, u8_at(&bytes, 5));
        assert_eq!(None, u16_at(&bytes, usize::MAX));
    }
}
