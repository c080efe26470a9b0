//! Pages: how the service hands out a collection, whatever its items are, and how to go through
//! all of it while it changes.

use crate::json::{self, Field, Object, ObjectSeed, Place, Text};
use crate::plain;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::collections::HashSet;
use std::fmt;
use std::marker::PhantomData;

/// What takes the items of a page as they are decoded.
pub(crate) trait Sink<Item> {
    /// Forgets all items: the page told its data a second time, and the last one counts.
    fn clear(&mut self);
    /// Takes the next item.
    fn push(&mut self, item: Item);
}

/// What a page tells of its collection; 0 is not told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pagination {
    /// The number of this page, from 1.
    pub current_page: u32,
    /// How many pages there are.
    pub pages_total: u32,
    /// How many items a page holds at most.
    pub page_size: u32,
    /// How many items there are on all pages.
    pub items_total: u64,
}

/// Decodes a page and hands its items to `sink`.
pub(crate) fn decode<'de, Item, S>(text: &'de str, sink: &mut S) -> Result<Pagination, String>
where
    Item: Object<'de>,
    S: Sink<Item>,
{
    if let Some(pagination) = decode_plain(text, sink) {
        return Ok(pagination);
    }
    sink.clear();
    decode_any(text, sink)
}

/// Decodes a page whose items, and what stands before them, have the plain form.
pub(crate) fn decode_plain<'de, Item, S>(text: &'de str, sink: &mut S) -> Option<Pagination>
where
    Item: Object<'de>,
    S: Sink<Item>,
{
    let items = text.strip_prefix(r#"{"data":["#)?;
    let rest = plain::array(items, Item::from_plain, |item| sink.push(item))?;
    // What is left, as a page whose items are decoded already.
    let rest = [r#"{"data":[]"#, rest].concat();
    let mut arrays = Arrays(0);
    let pagination = decode_any::<Decoded, _>(&rest, &mut arrays).ok()?;
    // A second array of items would count in the place of the first.
    (arrays.0 == 1).then_some(pagination)
}

/// An item that was decoded already.
struct Decoded;

impl<'de> Object<'de> for Decoded {
    fn from_map<A: MapAccess<'de>>(mut map: A, _: &Place) -> Result<Self, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Decoded)
    }
}

/// Counts the arrays of items.
struct Arrays(u32);

impl Sink<Decoded> for Arrays {
    fn clear(&mut self) {
        self.0 += 1;
    }
    fn push(&mut self, _: Decoded) {}
}

/// Decodes any page.
pub(crate) fn decode_any<'de, Item, S>(text: &'de str, sink: &mut S) -> Result<Pagination, String>
where
    Item: Object<'de>,
    S: Sink<Item>,
{
    let place = Place::default();
    json::decode(text, &place, PageSeed { place: &place, sink, item: PhantomData })
}

/// How many items a page can hold at most, told from its text alone.
pub(crate) fn most_items(text: &str) -> usize {
    /// An item takes at least its braces and a field: `{"a":0}`.
    const SHORTEST_ITEM: usize = 7;
    let objects = memchr::memchr_iter(b'{', text.as_bytes()).count();
    objects.min(text.len() / SHORTEST_ITEM + 1)
}

static DATA: Field = Field { name: "data", expected: "an array" };
static PAGINATION: Field = Field { name: "pagination", expected: "an object" };

struct PageSeed<'p, Item, S> {
    place: &'p Place,
    sink: &'p mut S,
    item: PhantomData<Item>,
}

impl<'de, Item: Object<'de>, S: Sink<Item>> DeserializeSeed<'de> for PageSeed<'_, Item, S> {
    type Value = Pagination;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Pagination, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, Item: Object<'de>, S: Sink<Item>> Visitor<'de> for PageSeed<'_, Item, S> {
    type Value = Pagination;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a page")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pagination, A::Error> {
        let place = self.place;
        let (mut data, mut pagination) = (None, None);
        while let Some(Text(field)) = map.next_key()? {
            match field.as_ref() {
                "data" => {
                    self.sink.clear();
                    let seed = DataSeed { place, sink: &mut *self.sink, item: PhantomData };
                    data = Some(place.read_with(&mut map, &DATA, seed)?);
                }
                "pagination" => {
                    let seed = ObjectSeed::new(place);
                    pagination = Some(place.read_with(&mut map, &PAGINATION, seed)?);
                }
                _ => json::skip(&mut map)?,
            }
        }
        place.require(&DATA, data)?;
        place.require(&PAGINATION, pagination)
    }
}

struct DataSeed<'p, Item, S> {
    place: &'p Place,
    sink: &'p mut S,
    item: PhantomData<Item>,
}

impl<'de, Item: Object<'de>, S: Sink<Item>> DeserializeSeed<'de> for DataSeed<'_, Item, S> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, Item: Object<'de>, S: Sink<Item>> Visitor<'de> for DataSeed<'_, Item, S> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        self.place.descend();
        for index in 0.. {
            self.place.enter_item(Some(index));
            match items.next_element_seed(ObjectSeed::new(self.place))? {
                Some(item) => self.sink.push(item),
                None => break,
            }
        }
        self.place.enter_item(None);
        Ok(())
    }
}

/// A field of the pagination that counts.
const fn count(name: &'static str) -> Field {
    Field { name, expected: "an integer from 0 to 4294967295" }
}

static CURRENT_PAGE: Field = count("pagination.currentPage");
static PAGES_TOTAL: Field = count("pagination.pagesTotal");
static PAGE_SIZE: Field = count("pagination.pageSize");
static ITEMS_TOTAL: Field =
    Field { name: "pagination.itemsTotal", expected: "an integer from 0 to 18446744073709551615" };

impl<'de> Object<'de> for Pagination {
    fn from_map<A: MapAccess<'de>>(mut map: A, place: &Place) -> Result<Self, A::Error> {
        let mut told = Pagination::default();
        while let Some(Text(field)) = map.next_key()? {
            match field.as_ref() {
                "currentPage" => {
                    told.current_page = place.read(&mut map, &CURRENT_PAGE, count_of)?
                }
                "pagesTotal" => told.pages_total = place.read(&mut map, &PAGES_TOTAL, count_of)?,
                "pageSize" => told.page_size = place.read(&mut map, &PAGE_SIZE, count_of)?,
                "itemsTotal" => told.items_total = place.read(&mut map, &ITEMS_TOTAL, count_of)?,
                // The links were published in two shapes, and say nothing that the numbers don't.
                _ => json::skip(&mut map)?,
            }
        }
        Ok(told)
    }
}

/// A count that may be absent: 0 is not told.
fn count_of<N: Default + TryFrom<u64>>(value: &RawValue) -> Option<N> {
    match value.get() {
        "null" => Some(N::default()),
        value => N::try_from(json::whole(value)?).ok(),
    }
}

/// The way through all pages of a collection, which may change meanwhile.
#[derive(Debug)]
pub(crate) struct Walk {
    /// The page to ask for; 0 is the service's first.
    next: u32,
    /// What stood on the page before, which moves on to the next page when items are added.
    seen: HashSet<String>,
    finished: bool,
}

impl Walk {
    /// A walk that begins at page `first`, or at the service's first if that is 0.
    pub fn starting_at(first: u32) -> Self {
        Walk { next: first, seen: HashSet::new(), finished: false }
    }

    /// The page to ask for, or `None` at the end. It stays the same until a page has been taken.
    pub fn next_page(&self) -> Option<u32> {
        (!self.finished).then_some(self.next)
    }

    /// Takes the page that was asked for and tells for each of its items, known by `keys`, whether
    /// it is a new one.
    pub fn take(&mut self, pagination: &Pagination, keys: &[&str]) -> Vec<bool> {
        let asked = self.next.max(1);
        let told = pagination.current_page;
        if told != 0 && told != asked {
            // The service answers another page than it was asked for, such as the last one again.
            self.finished = true;
            return vec![false; keys.len()];
        }
        let is_new: Vec<bool> = keys.iter().map(|key| !self.seen.contains(*key)).collect();
        let is_last = pagination.pages_total != 0 && asked >= pagination.pages_total;
        self.finished = is_last || !is_new.contains(&true) || asked == u32::MAX;
        self.next = asked.saturating_add(1);
        self.seen = keys.iter().map(|&key| key.to_owned()).collect();
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(number: u32, total: u32) -> Pagination {
        Pagination { current_page: number, pages_total: total, ..Pagination::default() }
    }

    fn take(walk: &mut Walk, pagination: Pagination, keys: &[&str]) -> Vec<bool> {
        walk.take(&pagination, keys)
    }

    #[test]
    fn a_walk_goes_to_the_last_page_told() {
        let mut walk = Walk::starting_at(0);
        assert_eq!(walk.next_page(), Some(0));
        assert_eq!(take(&mut walk, page(1, 2), &["a", "b"]), [true, true]);
        assert_eq!(walk.next_page(), Some(2));
        assert_eq!(take(&mut walk, page(2, 2), &["c"]), [true]);
        assert_eq!(walk.next_page(), None);
    }

    #[test]
    fn without_a_total_it_ends_on_an_empty_page() {
        let mut walk = Walk::starting_at(3);
        take(&mut walk, page(3, 0), &["a"]);
        assert_eq!(walk.next_page(), Some(4));
        take(&mut walk, page(4, 0), &[]);
        assert_eq!(walk.next_page(), None);
    }

    #[test]
    fn items_that_moved_on_from_the_page_before_are_dropped() {
        let mut walk = Walk::starting_at(0);
        take(&mut walk, page(1, 9), &["a", "b"]);
        assert_eq!(take(&mut walk, page(2, 9), &["b", "c"]), [false, true]);
        assert_eq!(walk.next_page(), Some(3));
    }

    #[test]
    fn a_page_with_nothing_new_is_the_end() {
        let mut walk = Walk::starting_at(0);
        take(&mut walk, Pagination::default(), &["a", "b"]);
        assert_eq!(take(&mut walk, Pagination::default(), &["b", "a"]), [false, false]);
        assert_eq!(walk.next_page(), None);
    }

    #[test]
    fn another_page_than_the_one_asked_for_is_the_end() {
        let mut walk = Walk::starting_at(7);
        assert_eq!(take(&mut walk, page(2, 9), &["a"]), [false]);
        assert_eq!(walk.next_page(), None);
    }

    #[test]
    fn the_bound_on_items_is_never_too_low() {
        for (text, items) in [("", 0), ("{}", 0), (r#"{"data":[{"a":0},{"a":0}]}"#, 2)] {
            assert!(most_items(text) >= items, "{text}");
        }
        assert!(most_items(&"{".repeat(70_000)) <= 10_001);
    }
}
