//! Names in JSON pointers (RFC 6901).

use std::borrow::Cow;

/// A name as a segment of a pointer.
pub(crate) fn escape(name: &str) -> Cow<'_, str> {
    if name.contains(['~', '/']) { name.replace('~', "~0").replace('/', "~1").into() } else { name.into() }
}

/// The name that a segment of a pointer is.
pub(crate) fn unescape(segment: &str) -> Cow<'_, str> {
    if segment.contains('~') { segment.replace("~1", "/").replace("~0", "~").into() } else { segment.into() }
}

/// The names that a pointer leads through; none for the pointer to all of a value.
pub(crate) fn names(pointer: &str) -> impl Iterator<Item = Cow<'_, str>> {
    pointer.split('/').skip(1).map(unescape)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_segment_and_a_segment_its_name() {
        for (name, segment) in
            [("a", "a"), ("", ""), ("a/b", "a~1b"), ("~", "~0"), ("~1", "~01"), ("/~/", "~1~0~1")]
        {
            assert_eq!((escape(name).as_ref(), unescape(segment).as_ref()), (segment, name));
        }
    }

    #[test]
    fn a_pointer_leads_through_its_names() {
        for (pointer, expected) in [("", &[][..]), ("/", &[""]), ("/a~1b/0", &["a/b", "0"])] {
            assert_eq!(names(pointer).collect::<Vec<_>>(), expected, "{pointer}");
        }
    }
}
