//! Via stacks kept once, as lists that share their tails: a hop's stack is its parent's with one value on top.
//!
//! Source: RFC 3261 sections 8.1.1.7, 16.6 step 8 and 17.2.3. `received` and `rport` are left out, so that a response has the
//! stack of its request.

use crate::call::store::id_table::{IdTable, Packed};
use crate::call::store::string_arena::TextId;

/// A Via stack in [`ViaStacks`]; the default is the empty stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ViaId(u32);

impl Packed<1> for ViaId {
    fn pack(self) -> [u32; 1] {
        [self.0]
    }

    fn unpack([number]: [u32; 1]) -> Self {
        Self(number)
    }
}

impl ViaId {
    /// Whether the message had no Via that could be read.
    pub(in crate::call) fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Its place among all stacks; the numbers are dense.
    pub fn place(self) -> usize {
        self.0 as usize
    }
}

/// One Via value on top of the stack below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ViaValue {
    /// Hash of branch and sent-by: the transaction's key on its hop (RFC 3261 section 17.2.3).
    pub key: u64,
    /// `host` or `host:port` as sent.
    pub sent_by: TextId,
    /// The rest of the stack.
    pub below: ViaId,
    /// Values in the whole stack.
    pub depth: u8,
}

/// What a Via value says beside its key.
#[derive(Debug, Clone, Copy)]
struct ViaRest {
    sent_by: TextId,
    below: ViaId,
    depth: u8,
}

/// Every distinct Via stack of a run.
#[derive(Debug)]
pub struct ViaStacks {
    /// Keys of the top values: that of each message is asked for, the rest hardly ever.
    keys: Vec<u64>,
    rests: Vec<ViaRest>,
    /// Stacks by [`hash_of`].
    table: IdTable<ViaId>,
}

/// The hash of a stack from the keys of its values, the lowest first: what lies below a value has a hash of its own on the way.
pub(in crate::call) fn hash_of(keys: impl Iterator<Item = u64>) -> u64 {
    keys.fold(0, mixed)
}

impl Default for ViaStacks {
    fn default() -> Self {
        let empty = ViaRest { sent_by: TextId::default(), below: ViaId(0), depth: 0 };
        Self { keys: vec![0], rests: vec![empty], table: IdTable::default() }
    }
}

impl ViaStacks {
    /// Gives back the memory that finding what is known takes; nothing may be added afterwards.
    pub(in crate::call) fn freeze(&mut self) {
        self.table = IdTable::default();
        self.keys.shrink_to_fit();
        self.rests.shrink_to_fit();
    }

    /// Makes room to find `times` as many stacks as there are.
    pub(in crate::call) fn reserve_factor(&mut self, times: usize) {
        self.table.reserve_factor(times);
    }

    /// The stacks with the hashes of some items, where they are known.
    pub(in crate::call) fn get_all<T>(&self, items: &[(u64, T)]) -> Vec<Option<ViaId>> {
        self.table.get_all(items)
    }

    /// Reads ahead for stacks that will be put together next, by the keys of their values, the lowest first.
    pub(in crate::call) fn prefetch(&self, stacks: impl Iterator<Item = impl Iterator<Item = u64>>) {
        let tails = stacks.flat_map(|keys| {
            keys.scan(0, |hash, key| {
                *hash = mixed(*hash, key);
                Some(*hash)
            })
        });
        self.table.prefetch(tails);
    }

    /// The stack of values with their keys and sent-by, the lowest first.
    pub(in crate::call) fn stack(&mut self, values: impl Iterator<Item = (u64, TextId)>) -> ViaId {
        let (mut hash, mut below) = (0, ViaId::default());
        for (key, sent_by) in values {
            hash = mixed(hash, key);
            let known = self.table.get(hash);
            below = known.unwrap_or_else(|| self.push(hash, key, sent_by, below));
        }
        below
    }

    fn push(&mut self, hash: u64, key: u64, sent_by: TextId, below: ViaId) -> ViaId {
        let depth = self.get(below).depth.saturating_add(1);
        let id = ViaId(self.keys.len() as u32);
        self.keys.push(key);
        self.rests.push(ViaRest { sent_by, below, depth });
        self.table.insert(hash, id);
        id
    }

    /// The top value of a stack; the empty value for the empty stack.
    #[inline]
    pub fn get(&self, id: ViaId) -> ViaValue {
        let place = if id.place() < self.keys.len() { id.place() } else { 0 };
        let rest = &self.rests[place];
        ViaValue { key: self.keys[place], sent_by: rest.sent_by, below: rest.below, depth: rest.depth }
    }

    /// The key of the top value of a stack; 0 for the empty stack.
    #[inline]
    pub fn key(&self, id: ViaId) -> u64 {
        self.keys.get(id.place()).copied().unwrap_or(0)
    }

    /// The values of a stack from the top down.
    pub fn values(&self, id: ViaId) -> impl Iterator<Item = ViaValue> {
        let mut next = id;
        std::iter::from_fn(move || {
            if next.is_empty() {
                return None;
            }
            let value = self.get(next);
            next = value.below;
            Some(value)
        })
    }

    /// How many values lie on top of `ancestor` in `id`; `None` where `ancestor` is no tail of it.
    pub fn above(&self, id: ViaId, ancestor: ViaId) -> Option<u8> {
        let mut next = id;
        let mut count = 0;
        while next != ancestor {
            if next.is_empty() {
                return None;
            }
            next = self.get(next).below;
            count += 1;
        }
        Some(count)
    }
}

/// Folds keyed hashes into one that depends on their order; they need no hashing again.
pub(in crate::call) fn mixed(hash: u64, next: u64) -> u64 {
    hash.rotate_left(7).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ next
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxied_request_stands_on_the_stack_it_came_with() {
        let mut stacks = ViaStacks::default();
        let mut of = |keys: &[u64]| stacks.stack(keys.iter().map(|key| (*key, TextId::default())));
        let second = of(&[1, 2, 3]);
        let (caller, proxy) = (of(&[1]), of(&[1, 2]));
        assert_eq!(second, of(&[1, 2, 3]));
        assert_ne!(proxy, of(&[2, 1]));
        assert_eq!(Some(1), stacks.above(second, proxy));
        assert_eq!(vec![Some(proxy)], stacks.get_all(&[(hash_of([1, 2].into_iter()), ())]));
        assert_eq!(Some(2), stacks.above(second, caller));
        assert_eq!(Some(0), stacks.above(caller, caller));
        assert_eq!(None, stacks.above(caller, second));
        assert_eq!(3, stacks.get(second).depth);
        assert_eq!(vec![3, 2, 1], stacks.values(second).map(|value| value.key).collect::<Vec<_>>());
    }
}
