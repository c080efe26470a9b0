//! The tokens: made, found until they expire or are deleted, and put in order for a page.

use std::collections::HashMap;

use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};

use crate::date::atom_utc;
use crate::list_query::{ListQuery, SortBy, SortOrder};

#[derive(Clone, Debug)]
pub struct Token {
    value: String,
    /// In seconds; 0 never expires.
    ttl: u32,
    created_at: OffsetDateTime,
    /// The order of creation, also of what was created at the same moment.
    sequence: u64,
}

impl Token {
    fn expires_at(&self) -> Option<OffsetDateTime> {
        (self.ttl > 0).then(|| self.created_at + Duration::seconds(self.ttl.into()))
    }

    fn is_active(&self, now: OffsetDateTime) -> bool {
        self.expires_at().is_none_or(|expiry| now < expiry)
    }

    pub fn to_json(&self) -> Value {
        let mut token = json!({
            "token": self.value,
            "ttl": self.ttl,
            "createdAt": atom_utc(self.created_at),
        });
        if let Some(expiry) = self.expires_at() {
            token["expiresAt"] = json!(atom_utc(expiry));
        }
        token
    }
}

pub struct Page {
    pub tokens: Vec<Token>,
    pub items_total: u64,
    pub pages_total: u64,
}

#[derive(Default)]
pub struct Store {
    tokens: HashMap<String, Token>,
    created: u64,
}

impl Store {
    /// The last token was made just now, each of the others a second before the next. Every third
    /// never expires; what remains to the rest, a day to a month, is in no order.
    pub fn seeded(count: u32) -> Self {
        const DAY: u32 = 24 * 60 * 60;
        let mut store = Self::default();
        let now = OffsetDateTime::now_utc();
        for age in (0..count).rev() {
            let ttl = if age % 3 == 0 { 0 } else { age + DAY * (1 + age % 30 * 7 % 30) };
            store.add(ttl, now - Duration::seconds(age.into()));
        }
        store
    }

    pub fn create(&mut self, ttl: u32) -> Token {
        self.add(ttl, OffsetDateTime::now_utc())
    }

    fn add(&mut self, ttl: u32, created_at: OffsetDateTime) -> Token {
        let token = Token { value: new_value(), ttl, created_at, sequence: self.created };
        self.created += 1;
        self.tokens.insert(token.value.clone(), token.clone());
        token
    }

    pub fn find(&self, value: &str) -> Option<&Token> {
        let now = OffsetDateTime::now_utc();
        self.tokens.get(value).filter(|token| token.is_active(now))
    }

    /// Whether there was such a token, and it had not expired.
    pub fn delete(&mut self, value: &str) -> bool {
        let now = OffsetDateTime::now_utc();
        self.tokens.remove(value).is_some_and(|token| token.is_active(now))
    }

    /// The values of all that there are now, oldest first.
    pub fn values(&mut self) -> Vec<&str> {
        let mut tokens = self.active();
        tokens.sort_by_key(|token| token.sequence);
        tokens.into_iter().map(|token| token.value.as_str()).collect()
    }

    /// In no order.
    fn active(&mut self) -> Vec<&Token> {
        let now = OffsetDateTime::now_utc();
        self.tokens.retain(|_, token| token.is_active(now));
        self.tokens.values().collect()
    }

    pub fn page(&mut self, query: &ListQuery) -> Page {
        let mut tokens = self.active();
        match query.sort_by {
            SortBy::CreatedAt => tokens.sort_by_key(|token| token.sequence),
            SortBy::Ttl => tokens.sort_by_key(|token| {
                // By what remains, which is the order of expiry; what never expires comes last.
                let expiry = token.expires_at();
                (expiry.is_none(), expiry, token.sequence)
            }),
        }
        if query.sort_order == SortOrder::Descending {
            tokens.reverse();
        }
        let items_total = tokens.len() as u64;
        let before = (query.current_page - 1).saturating_mul(query.page_size);
        Page {
            tokens: tokens
                .into_iter()
                .skip(before.try_into().unwrap_or(usize::MAX))
                .take(query.page_size as usize)
                .cloned()
                .collect(),
            items_total,
            pages_total: items_total.div_ceil(query.page_size),
        }
    }
}

/// Like the published samples: `to` and 22 letters of either case and digits.
fn new_value() -> String {
    let random = std::iter::repeat_with(fastrand::alphanumeric).take(22);
    "to".chars().chain(random).collect()
}
