//! Headers, as many as a request may have, in as little memory as they take.

use std::fmt;

/// A list of headers in one buffer: names in lower case, values as bytes, in the order they were pushed in. Of what a
/// server received, those of one name stand together where the first of them was.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Headers {
    buffer: Vec<u8>,
    /// End of the name and end of the value in `buffer`, for each header.
    ends: Vec<(u32, u32)>,
}

impl Headers {
    /// Room for `count` headers of `bytes` bytes in all.
    pub fn with_capacity(count: usize, bytes: usize) -> Self {
        Self { buffer: Vec::with_capacity(bytes), ends: Vec::with_capacity(count) }
    }

    /// Adds a header at the end; the name is lower-cased.
    ///
    /// # Panics
    ///
    /// When all names and values together exceed 4 GiB.
    pub fn push(&mut self, name: &str, value: &[u8]) {
        let start = self.buffer.len();
        self.buffer.extend_from_slice(name.as_bytes());
        self.buffer[start..].make_ascii_lowercase();
        self.end(value);
    }

    /// Adds the header at a position of another list, with this value.
    ///
    /// # Panics
    ///
    /// When there is none, and as [`Headers::push`] does.
    pub(crate) fn push_like(&mut self, other: &Self, position: usize, value: &[u8]) {
        let start = position.checked_sub(1).map_or(0, |before| other.ends[before].1);
        self.buffer.extend_from_slice(&other.buffer[start as usize..other.ends[position].0 as usize]);
        self.end(value);
    }

    /// The name is there; the value comes.
    fn end(&mut self, value: &[u8]) {
        let name_end = u32::try_from(self.buffer.len()).expect("headers fit into 4 GiB");
        self.buffer.extend_from_slice(value);
        let value_end = u32::try_from(self.buffer.len()).expect("headers fit into 4 GiB");
        self.ends.push((name_end, value_end));
    }

    /// Names and values, in order.
    #[allow(clippy::missing_panics_doc)] // names are pushed as str
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.bytes().map(|(name, value)| (std::str::from_utf8(name).expect("names are pushed as str"), value))
    }

    /// The same with the names as bytes, which nobody has to look at.
    pub(crate) fn bytes(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let mut start = 0;
        self.ends.iter().map(move |&(name_end, value_end)| {
            let name = &self.buffer[start..name_end as usize];
            let value = &self.buffer[name_end as usize..value_end as usize];
            start = value_end as usize;
            (name, value)
        })
    }

    /// Every value of the header `name` (in lower case), in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.bytes().filter(move |(n, _)| *n == name.as_bytes()).map(|(_, value)| value)
    }

    /// How many headers there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The sizes of the two blocks of memory that the list takes.
    pub(crate) fn blocks(&self) -> [usize; 2] {
        [self.buffer.capacity(), self.ends.capacity() * size_of::<(u32, u32)>()]
    }
}

impl fmt::Debug for Headers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.iter().map(|(name, value)| (name, value.escape_ascii().to_string())))
            .finish()
    }
}

impl<N: AsRef<str>, V: AsRef<[u8]>> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(headers: I) -> Self {
        let mut list = Self::default();
        for (name, value) in headers {
            list.push(name.as_ref(), value.as_ref());
        }
        list
    }
}
