//! Digests: one number for a whole state, so that copies of it can be compared.
//!
//! Each part is written in a form that depends on nothing but its value: integers with a fixed width, lists with their length,
//! and maps without regard to the order in which they happen to lie in memory. A struct takes itself apart without `..`, so a
//! field that somebody adds does not compile until it is part of the digest.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::hash::Hasher as _;
use std::sync::Arc;
// An address is a number here; nothing of the network is used.
use core::net::IpAddr;

use bytes::Bytes;
use chatterbox_proto::{Capabilities, Username};
use siphasher::sip::SipHasher13;

/// Collects the parts of a digest.
#[derive(Debug, Default)]
pub(crate) struct Digester(SipHasher13);

/// Something that a digest can be made of.
pub(crate) trait Digest {
    /// Adds all that it is.
    fn digest(&self, to: &mut Digester);
}

/// The digest of something.
pub(crate) fn digest_of(what: &(impl Digest + ?Sized)) -> u64 {
    let mut digester = Digester::default();
    what.digest(&mut digester);
    digester.0.finish()
}

impl Digester {
    /// Adds something.
    pub(crate) fn add(&mut self, what: &(impl Digest + ?Sized)) -> &mut Self {
        what.digest(self);
        self
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.0.write(&(bytes.len() as u64).to_le_bytes());
        self.0.write(bytes);
    }

    fn list<'a, T: Digest + 'a>(&mut self, parts: impl ExactSizeIterator<Item = &'a T>) {
        self.add(&parts.len());
        for part in parts {
            self.add(part);
        }
    }

    /// Adds parts that have no order.
    /// A map by names, whose spelling does not count.
    pub(crate) fn names<V: Digest>(&mut self, map: &HashMap<Username, V>) -> &mut Self {
        self.set(map.iter().map(|(name, value)| (name.key(), value)));
        self
    }

    fn set<T: Digest>(&mut self, parts: impl ExactSizeIterator<Item = T>) {
        self.add(&parts.len());
        let sum = parts.fold(0_u64, |sum, part| sum.wrapping_add(digest_of(&part)));
        self.add(&sum);
    }
}

macro_rules! integers {
    ($($integer:ty),*) => {
        $(impl Digest for $integer {
            fn digest(&self, to: &mut Digester) {
                to.0.write(&self.to_le_bytes());
            }
        })*
    };
}
integers!(u8, u64, u128, i64);

impl Digest for usize {
    fn digest(&self, to: &mut Digester) {
        // Not all machines have integers of the same size.
        to.add(&(*self as u64));
    }
}

impl Digest for bool {
    fn digest(&self, to: &mut Digester) {
        to.add(&u8::from(*self));
    }
}

impl Digest for str {
    fn digest(&self, to: &mut Digester) {
        to.bytes(self.as_bytes());
    }
}

impl Digest for String {
    fn digest(&self, to: &mut Digester) {
        to.add(self.as_str());
    }
}

impl Digest for Bytes {
    fn digest(&self, to: &mut Digester) {
        to.bytes(self);
    }
}

impl Digest for Username {
    fn digest(&self, to: &mut Digester) {
        to.add(self.as_str()).add(self.key());
    }
}

impl Digest for Capabilities {
    fn digest(&self, to: &mut Digester) {
        to.add(&self.to_string());
    }
}

impl Digest for IpAddr {
    fn digest(&self, to: &mut Digester) {
        match self {
            Self::V4(address) => to.bytes(&address.octets()),
            Self::V6(address) => to.bytes(&address.octets()),
        }
    }
}

impl<T: Digest + ?Sized> Digest for &T {
    fn digest(&self, to: &mut Digester) {
        (**self).digest(to);
    }
}

impl<T: Digest + ?Sized> Digest for Box<T> {
    fn digest(&self, to: &mut Digester) {
        (**self).digest(to);
    }
}

impl<T: Digest + ?Sized> Digest for Arc<T> {
    fn digest(&self, to: &mut Digester) {
        (**self).digest(to);
    }
}

impl<T: Digest> Digest for Option<T> {
    fn digest(&self, to: &mut Digester) {
        to.add(&self.is_some());
        if let Some(what) = self {
            to.add(what);
        }
    }
}

impl<A: Digest, B: Digest> Digest for (A, B) {
    fn digest(&self, to: &mut Digester) {
        let (a, b) = self;
        to.add(a).add(b);
    }
}

impl<T: Digest> Digest for Vec<T> {
    fn digest(&self, to: &mut Digester) {
        to.list(self.iter());
    }
}

impl<T: Digest> Digest for VecDeque<T> {
    fn digest(&self, to: &mut Digester) {
        to.list(self.iter());
    }
}

impl<T: Digest> Digest for BTreeSet<T> {
    fn digest(&self, to: &mut Digester) {
        to.list(self.iter());
    }
}

impl<K: Digest, V: Digest> Digest for BTreeMap<K, V> {
    fn digest(&self, to: &mut Digester) {
        to.add(&self.len());
        for entry in self {
            to.add(&entry);
        }
    }
}

impl<T: Digest> Digest for HashSet<T> {
    fn digest(&self, to: &mut Digester) {
        to.set(self.iter());
    }
}

impl<K: Digest, V: Digest> Digest for HashMap<K, V> {
    fn digest(&self, to: &mut Digester) {
        to.set(self.iter());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_tells_apart_what_is_not_the_same() {
        let name = |text: &str| Username::parse(text).unwrap();
        let digests = [
            digest_of(&vec!["ab".to_owned(), "c".to_owned()]),
            digest_of(&vec!["a".to_owned(), "bc".to_owned()]),
            digest_of(&vec!["abc".to_owned()]),
            digest_of(&Some(0_u64)),
            digest_of(&None::<u64>),
            digest_of(&(vec![1_u64], Vec::<u64>::new())),
            digest_of(&(Vec::<u64>::new(), vec![1_u64])),
            digest_of(&name("ann")),
            digest_of(&name("Ann")),
            digest_of(&"192.0.2.1".parse::<IpAddr>().unwrap()),
            digest_of(&"::ffff:192.0.2.1".parse::<IpAddr>().unwrap()),
        ];
        let distinct: HashSet<_> = digests.into_iter().collect();
        assert_eq!(distinct.len(), digests.len());
    }

    #[test]
    fn the_order_in_memory_is_no_difference() {
        let forwards: HashMap<u64, bool> = (0..1000).map(|n| (n, n % 3 == 0)).collect();
        let backwards: HashMap<u64, bool> = (0..1000).rev().map(|n| (n, n % 3 == 0)).collect();
        assert_eq!(digest_of(&forwards), digest_of(&backwards));
        let other: HashMap<u64, bool> = (0..1000).map(|n| (n, n % 3 == 1)).collect();
        assert_ne!(digest_of(&forwards), digest_of(&other));
    }

    #[test]
    fn it_is_the_same_number_everywhere() {
        // Nodes of different builds compare it, so it is written down here.
        assert_eq!(digest_of("ann"), 0x9757_97d3_ad63_d4cd);
        assert_eq!(digest_of(&7_u64), digest_of(&7_usize));
    }
}
