//! Pages: how the service hands out a collection, whatever its items are, and how to go through
//! all of it while it changes.

use crate::answer::json::{self, Field, JsonPath, Object, ObjectSeed, Text};
use crate::answer::plain;
use crate::limits::ITEMS_REMEMBERED;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::collections::HashSet;
use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::BuildHasher;
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
    fn from_map<A: MapAccess<'de>>(mut map: A, _: &JsonPath) -> Result<Self, A::Error> {
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
    let path = JsonPath::default();
    json::decode(text, &path, PageSeed { path: &path, sink, item: PhantomData })
}

static DATA: Field = Field { name: "data", expected: "an array" };
static PAGINATION: Field = Field { name: "pagination", expected: "an object" };

struct PageSeed<'p, Item, S> {
    path: &'p JsonPath,
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
        let path = self.path;
        let (mut data, mut pagination) = (None, None);
        while let Some(Text(field)) = map.next_key()? {
            match field.as_ref() {
                "data" => {
                    self.sink.clear();
                    let seed = DataSeed { path, sink: &mut *self.sink, item: PhantomData };
                    data = Some(path.read_with(&mut map, &DATA, seed)?);
                }
                "pagination" => {
                    let seed = ObjectSeed::new(path);
                    pagination = Some(path.read_with(&mut map, &PAGINATION, seed)?);
                }
                _ => json::skip(&mut map)?,
            }
        }
        path.require(&DATA, data)?;
        path.require(&PAGINATION, pagination)
    }
}

struct DataSeed<'p, Item, S> {
    path: &'p JsonPath,
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
        self.path.descend();
        for index in 0.. {
            self.path.enter_item(Some(index));
            match items.next_element_seed(ObjectSeed::new(self.path))? {
                Some(item) => self.sink.push(item),
                None => break,
            }
        }
        self.path.enter_item(None);
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
    fn from_map<A: MapAccess<'de>>(mut map: A, path: &JsonPath) -> Result<Self, A::Error> {
        let mut told = Pagination::default();
        while let Some(Text(field)) = map.next_key()? {
            match field.as_ref() {
                "currentPage" => {
                    told.current_page = path.read(&mut map, &CURRENT_PAGE, count_of)?
                }
                "pagesTotal" => told.pages_total = path.read(&mut map, &PAGES_TOTAL, count_of)?,
                "pageSize" => told.page_size = path.read(&mut map, &PAGE_SIZE, count_of)?,
                "itemsTotal" => told.items_total = path.read(&mut map, &ITEMS_TOTAL, count_of)?,
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

impl Pagination {
    /// The last page, if that is told, and has not less room than there are items.
    fn last_page(&self) -> Option<u32> {
        let room = u64::from(self.pages_total) * u64::from(self.page_size);
        let is_told = self.pages_total != 0 && (self.page_size == 0 || room >= self.items_total);
        is_told.then_some(self.pages_total)
    }
}

/// The way through all pages of a collection, which may change meanwhile. It ends at the last page that
/// is told, by each page anew, or at an empty one where none is told; what contradicts that is a
/// complaint, not an end.
#[derive(Debug)]
pub(crate) struct Pager {
    /// The page to ask for; 0 is the service's first.
    next: u32,
    /// How many pages lie before the first.
    left_out: u32,
    /// How many items the pages so far held.
    passed: u64,
    /// How many of them came again since the last new one.
    repeated: usize,
    told: Told,
    /// How many items there are on all pages, as told last.
    items_total: u64,
    finished: bool,
}

impl Pager {
    /// A pager that begins at page `first`, or at the service's first if that is 0.
    pub fn starting_at(first: u32) -> Self {
        Pager {
            next: first,
            left_out: first.max(1) - 1,
            passed: 0,
            repeated: 0,
            told: Told::default(),
            items_total: 0,
            finished: false,
        }
    }

    /// The page to ask for, or `None` at the end. It stays the same until a page has been taken.
    pub fn next_page(&self) -> Option<u32> {
        (!self.finished).then_some(self.next)
    }

    /// How many items there are on all pages, as the last page told; 0 is not told.
    pub fn items_total(&self) -> u64 {
        self.items_total
    }

    /// Takes the page that was asked for and tells for each of its items, known by `keys`, whether
    /// it is a new one; or what is wrong with the page, and nothing is taken.
    pub fn take(&mut self, pagination: &Pagination, keys: &[&str]) -> Result<Vec<bool>, String> {
        let asked = self.next.max(1);
        let told = pagination.current_page;
        if told != 0 && told != asked {
            return Err(format!(
                "pagination.currentPage must be {asked}, the page that was asked for, not {told}"
            ));
        }
        let last = pagination.last_page();
        let is_last = last.is_some_and(|last| asked >= last) || asked == u32::MAX;
        let passed = self.passed + keys.len() as u64;
        let is_short = self.leaves_items_out(passed, pagination);
        if keys.is_empty() && !is_last && (last.is_some() || is_short) {
            return Err(format!("data must not be empty: page {asked} is not the last"));
        }
        let is_new: Vec<bool> = keys.iter().map(|key| self.told.add(key)).collect();
        self.repeated = if is_new.contains(&true) { 0 } else { self.repeated + keys.len() };
        // Items that moved on from one page to the next come again once each; and more than once where
        // as many are made meanwhile, but then there are others behind them.
        let most = if is_short { ITEMS_REMEMBERED } else { self.told.count() };
        if self.repeated > most && !is_last {
            self.repeated = 0;
            return Err("data must bring new items at last: the same come again and again".into());
        }
        self.passed = passed;
        self.items_total = pagination.items_total;
        self.finished = is_last || keys.is_empty();
        self.next = asked.saturating_add(1);
        Ok(is_new)
    }

    /// Whether there are more items than have `passed`, and lie before the first page.
    fn leaves_items_out(&self, passed: u64, pagination: &Pagination) -> bool {
        let before = u64::from(self.left_out) * u64::from(pagination.page_size);
        let is_known = self.left_out == 0 || pagination.page_size != 0;
        is_known && before.saturating_add(passed) < pagination.items_total
    }
}

/// What was told: fingerprints of the last items, at least [`ITEMS_REMEMBERED`], in memory that does not
/// grow beyond two generations of them.
#[derive(Debug, Default)]
struct Told {
    /// Keyed by chance, so that nobody can make a new item look like a known one.
    keys: RandomState,
    recent: HashSet<u64>,
    before: HashSet<u64>,
}

impl Told {
    /// Adds an item, and tells whether it is a new one.
    fn add(&mut self, key: &str) -> bool {
        if self.recent.len() >= ITEMS_REMEMBERED {
            std::mem::swap(&mut self.recent, &mut self.before);
            self.recent.clear();
        }
        let fingerprint = self.keys.hash_one(key);
        self.recent.insert(fingerprint) && !self.before.contains(&fingerprint)
    }

    /// How many items are remembered at most.
    fn count(&self) -> usize {
        self.recent.len() + self.before.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(number: u32, total: u32) -> Pagination {
        Pagination { current_page: number, pages_total: total, ..Pagination::default() }
    }

    fn take(pager: &mut Pager, pagination: Pagination, keys: &[&str]) -> Vec<bool> {
        pager.take(&pagination, keys).expect("a page in its place")
    }

    fn complaint(pager: &mut Pager, pagination: Pagination, keys: &[&str]) -> String {
        pager.take(&pagination, keys).expect_err("a page out of place")
    }

    #[test]
    fn a_pager_goes_to_the_last_page_told() {
        let mut pager = Pager::starting_at(0);
        assert_eq!(pager.next_page(), Some(0));
        assert_eq!(take(&mut pager, page(1, 2), &["a", "b"]), [true, true]);
        assert_eq!(pager.next_page(), Some(2));
        assert_eq!(take(&mut pager, page(2, 2), &["c"]), [true]);
        assert_eq!(pager.next_page(), None);
    }

    #[test]
    fn the_last_page_is_told_by_each_page_anew() {
        let mut pager = Pager::starting_at(0);
        take(&mut pager, page(1, 9), &["a"]);
        take(&mut pager, page(2, 3), &["b"]);
        assert_eq!(pager.next_page(), Some(3));
        // What was to follow has been deleted meanwhile.
        assert!(take(&mut pager, page(3, 2), &[]).is_empty());
        assert_eq!(pager.next_page(), None);
    }

    #[test]
    fn without_a_total_it_ends_on_an_empty_page() {
        let mut pager = Pager::starting_at(3);
        take(&mut pager, page(3, 0), &["a"]);
        assert_eq!(pager.next_page(), Some(4));
        take(&mut pager, page(4, 0), &[]);
        assert_eq!(pager.next_page(), None);
    }

    #[test]
    fn an_empty_page_before_the_last_is_wrong_and_is_asked_for_again() {
        let mut pager = Pager::starting_at(0);
        take(&mut pager, page(1, 3), &["a"]);
        assert_eq!(
            complaint(&mut pager, page(2, 3), &[]),
            "data must not be empty: page 2 is not the last"
        );
        assert_eq!(pager.next_page(), Some(2));
        assert_eq!(take(&mut pager, page(2, 3), &["b"]), [true]);
    }

    #[test]
    fn an_empty_page_is_wrong_too_where_only_the_items_are_told_to_be_more() {
        let told =
            |number, items_total| Pagination { page_size: 2, items_total, ..page(number, 0) };
        let mut pager = Pager::starting_at(0);
        take(&mut pager, told(1, 3), &["a", "b"]);
        complaint(&mut pager, told(2, 3), &[]);
        take(&mut pager, told(2, 3), &["c"]);
        take(&mut pager, told(3, 3), &[]);
        assert_eq!(pager.next_page(), None);
        // However many a page holds.
        let told = |number, items_total| Pagination { items_total, ..page(number, 0) };
        let mut pager = Pager::starting_at(0);
        take(&mut pager, told(1, 3), &["a", "b"]);
        complaint(&mut pager, told(2, 3), &[]);
        take(&mut pager, told(2, 2), &[]);
        assert_eq!(pager.next_page(), None);
    }

    #[test]
    fn what_lies_before_the_page_that_a_pager_begins_at_counts_if_it_is_known() {
        let told = |number, page_size| Pagination { page_size, items_total: 3, ..page(number, 0) };
        for page_size in [0, 2] {
            let mut pager = Pager::starting_at(2);
            take(&mut pager, told(2, page_size), &["c"]);
            take(&mut pager, told(3, page_size), &[]);
            assert_eq!(pager.next_page(), None, "{page_size}");
        }
    }

    #[test]
    fn a_last_page_that_comes_before_all_items_have_is_none() {
        let told = |number| Pagination { page_size: 1, items_total: 3, ..page(number, 1) };
        let mut pager = Pager::starting_at(0);
        for (number, key) in [(1, "a"), (2, "b"), (3, "c")] {
            take(&mut pager, told(number), &[key]);
            assert_eq!(pager.next_page(), Some(number + 1));
        }
        take(&mut pager, told(4), &[]);
        assert_eq!(pager.next_page(), None);
    }

    #[test]
    fn items_that_moved_on_from_an_earlier_page_are_dropped() {
        let mut pager = Pager::starting_at(0);
        take(&mut pager, page(1, 9), &["a", "b"]);
        assert_eq!(take(&mut pager, page(2, 9), &["b", "c"]), [false, true]);
        assert_eq!(take(&mut pager, page(3, 9), &["a", "d", "d"]), [false, true, false]);
        assert_eq!(pager.next_page(), Some(4));
    }

    #[test]
    fn a_page_with_nothing_new_is_passed_over() {
        let mut pager = Pager::starting_at(0);
        take(&mut pager, Pagination::default(), &["a", "b"]);
        assert_eq!(take(&mut pager, Pagination::default(), &["b", "a"]), [false, false]);
        assert_eq!(pager.next_page(), Some(3));
    }

    #[test]
    fn pages_that_move_on_as_fast_as_they_are_asked_for_are_passed_over_while_items_are_to_come() {
        let told =
            |number, items_total| Pagination { page_size: 2, items_total, ..page(number, 9) };
        let mut pager = Pager::starting_at(0);
        take(&mut pager, told(1, 4), &["a", "b"]);
        // As many are made, newest first, before each page; then no more.
        for number in 2..=6 {
            let again = take(&mut pager, told(number, 2 * u64::from(number) + 2), &["a", "b"]);
            assert_eq!(again, [false, false], "{number}");
        }
        assert_eq!(take(&mut pager, told(7, 14), &["c", "d"]), [true, true]);
    }

    #[test]
    fn items_that_never_come_are_not_waited_for_for_ever() {
        let told =
            |number| Pagination { page_size: 100, items_total: u64::MAX, ..page(number, u32::MAX) };
        let mut pager = Pager::starting_at(0);
        let pages = (1..).take_while(|number| pager.take(&told(*number), &["a"; 100]).is_ok());
        assert_eq!(pages.count(), ITEMS_REMEMBERED / 100 + 1);
    }

    #[test]
    fn a_service_that_sends_the_same_for_ever_is_found_out() {
        let mut pager = Pager::starting_at(0);
        take(&mut pager, Pagination::default(), &["a", "b"]);
        take(&mut pager, Pagination::default(), &["a", "b"]);
        complaint(&mut pager, Pagination::default(), &["a", "b"]);
        assert_eq!(pager.next_page(), Some(3));
        assert_eq!(take(&mut pager, Pagination::default(), &["c"]), [true]);
    }

    #[test]
    fn another_page_than_the_one_asked_for_is_wrong_and_nothing_of_it_is_taken() {
        let mut pager = Pager::starting_at(7);
        let why = complaint(&mut pager, page(2, 9), &["a"]);
        assert_eq!(why, "pagination.currentPage must be 7, the page that was asked for, not 2");
        assert_eq!(pager.next_page(), Some(7));
        assert_eq!(take(&mut pager, page(7, 7), &["a"]), [true]);
        assert_eq!(pager.next_page(), None);
    }

    #[test]
    fn how_many_items_there_are_is_told_as_the_last_page_has_it() {
        let told = |number, items_total| Pagination { items_total, ..page(number, 0) };
        let mut pager = Pager::starting_at(0);
        assert_eq!(pager.items_total(), 0);
        take(&mut pager, told(1, 7), &["a"]);
        assert_eq!(pager.items_total(), 7);
        take(&mut pager, told(2, 8), &["b"]);
        assert_eq!(pager.items_total(), 8);
    }

    #[test]
    fn what_was_told_is_remembered_for_a_generation_in_bounded_memory() {
        let mut told = Told::default();
        let key = |number: usize| format!("to{number}");
        let all = 5 * ITEMS_REMEMBERED;
        for number in 0..all {
            assert!(told.add(&key(number)), "{number}");
            let oldest = (number + 1).saturating_sub(ITEMS_REMEMBERED);
            assert!(number % 1000 != 0 || !told.add(&key(oldest)), "{oldest} of {number}");
            assert!(told.count() <= 2 * ITEMS_REMEMBERED);
        }
        for set in [&told.recent, &told.before] {
            assert!(set.capacity() <= 14_336, "{}", set.capacity());
        }
    }
}
