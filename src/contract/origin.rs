//! Where a rule comes from, as text and as one of three kinds.
//!
//! A source is a text: places on pages, `Title › Section › Row` or `observed`, joined by `; `, and at its end what of
//! it is assumed, after `assumed: `. Violations and reports carry this text, so that one function tells the kinds apart.

use std::fmt;

/// The kind of place that a rule comes from.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Basis {
    /// One of the pages that the contract is about.
    Pages,
    /// Another page of the vendor, another edition of a page, or what was observed.
    Vendor,
    /// Nothing says it.
    Assumed,
}

/// Where one rule comes from, when it is not from where its schema comes.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Origin {
    /// The places that say it; empty when none does.
    pub source: String,
    /// Why it is assumed.
    pub assumed: Option<String>,
}

impl Basis {
    /// Its name in options and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Assumed => "assumed",
            Self::Pages => "pages",
            Self::Vendor => "vendor",
        }
    }

    /// The kind of a source, for a contract that is about these pages; with none, every page that is named counts.
    pub(super) fn of(source: &str, pages: &[String]) -> Self {
        let (places, assumed) = split(source);
        if assumed.is_some() || places.is_empty() {
            return Self::Assumed;
        }
        let is_page = |place: &str| {
            let title = title(place);
            title != "observed" && (pages.is_empty() || pages.iter().any(|page| page == title))
        };
        if self::places(places).any(is_page) { Self::Pages } else { Self::Vendor }
    }
}

impl fmt::Display for Basis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)?;
        match &self.assumed {
            Some(why) if self.source.is_empty() => write!(f, "assumed: {why}"),
            Some(why) => write!(f, "; assumed: {why}"),
            None => Ok(()),
        }
    }
}

/// The places of a source, and why it is assumed.
pub(crate) fn split(source: &str) -> (&str, Option<&str>) {
    if let Some(why) = source.strip_prefix("assumed: ") {
        return ("", Some(why));
    }
    source.split_once("; assumed: ").map_or((source, None), |(places, why)| (places, Some(why)))
}

/// The places that a source lists.
pub(crate) fn places(places: &str) -> impl Iterator<Item = &str> {
    places.split("; ").filter(|place| !place.is_empty())
}

/// The title of the page of a place.
pub(crate) fn title(place: &str) -> &str {
    place.split(" › ").next().unwrap_or(place)
}

/// Those places of a source that are on the page `page`; all of them when none is.
pub(crate) fn on_page(source: &str, page: &str) -> String {
    let own: Vec<_> = places(source).filter(|place| title(place) == page).collect();
    if own.is_empty() { source.to_owned() } else { own.join("; ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_of_the_pages_the_vendors_or_assumed() {
        let pages = ["A page".to_owned(), "Another (v2)".to_owned()];
        let cases = [
            ("A page › Table › row", Basis::Pages),
            ("Another (v2)", Basis::Pages),
            ("Elsewhere › Table › row; A page › Sample Request", Basis::Pages),
            ("Another (v2, older edition) › Table › row", Basis::Vendor),
            ("observed", Basis::Vendor),
            ("A page › Table › row; assumed: it is like that; or so", Basis::Assumed),
            ("assumed: nothing says it", Basis::Assumed),
            ("", Basis::Assumed),
        ];
        for (source, basis) in cases {
            assert_eq!(Basis::of(source, &pages), basis, "{source}");
        }
        assert_eq!(Basis::of("Elsewhere › row", &[]), Basis::Pages);
        assert_eq!(Basis::of("observed", &[]), Basis::Vendor);
    }

    #[test]
    fn the_places_of_one_page_are_picked_out_when_there_are_any() {
        let source = "A › auth; B › Headers › auth; B › Authorization";
        assert_eq!(on_page(source, "B"), "B › Headers › auth; B › Authorization");
        assert_eq!(on_page(source, "C"), source);
    }
}
