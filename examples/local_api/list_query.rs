//! What a list may ask for: a page, its size and an order; and the links to the other pages, which
//! repeat what was asked.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::integer;
use crate::problem::{Problem, Violation};

const DEFAULT_PAGE_SIZE: u64 = 25;
const LARGEST_PAGE_SIZE: i128 = 100;
const LARGEST_PAGE: i128 = i64::MAX as i128;

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SortBy {
    CreatedAt,
    Ttl,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SortOrder {
    Ascending,
    Descending,
}

#[derive(Debug)]
pub struct ListQuery {
    pub current_page: u64,
    pub page_size: u64,
    pub sort_by: SortBy,
    pub sort_order: SortOrder,
    /// The parameters that say in which order, as they came.
    order_parameters: Vec<String>,
}

impl ListQuery {
    pub fn parse(query: &str) -> Result<Self, Problem> {
        let mut parsed = Self {
            current_page: 1,
            page_size: DEFAULT_PAGE_SIZE,
            sort_by: SortBy::CreatedAt,
            sort_order: SortOrder::Descending,
            order_parameters: Vec::new(),
        };
        // By name: one that is repeated counts the last time, and is one violation at most.
        let parameters: BTreeMap<String, &str> = query
            .split('&')
            .filter(|parameter| !parameter.is_empty())
            .map(|parameter| (decode(split(parameter).0), parameter))
            .collect();
        Problem::refuse(
            parameters.iter().filter_map(|(name, parameter)| parsed.set(name, parameter).err()),
        )?;
        Ok(parsed)
    }

    fn set(&mut self, name: &str, parameter: &str) -> Result<(), Violation> {
        let value = decode(split(parameter).1);
        match name {
            "currentPage" => self.current_page = current_page(&value)?,
            "pageSize" => self.page_size = page_size(&value)?,
            "sortBy" => self.sort_by = sort_by(&value)?,
            "sortOrder" => self.sort_order = sort_order(&value)?,
            _ => {
                let detail = "This field was not expected.";
                return Err(Violation::invalid_query_parameter(name, detail));
            }
        }
        if matches!(name, "sortBy" | "sortOrder") {
            self.order_parameters.push(parameter.to_owned());
        }
        Ok(())
    }

    /// As published: an array, relative, and without `previous` and `next` at the edges.
    pub fn links(&self, pages_total: u64) -> Value {
        let last = pages_total.max(1);
        let mut links = vec![self.link("self", self.current_page), self.link("first", 1)];
        if self.current_page > 1 {
            // From far beyond the end, back to where there are tokens.
            links.push(self.link("previous", (self.current_page - 1).min(last)));
        }
        if self.current_page < last {
            links.push(self.link("next", self.current_page + 1));
        }
        links.push(self.link("last", last));
        Value::Array(links)
    }

    fn link(&self, relation: &str, page: u64) -> Value {
        let mut parameters = self.order_parameters.clone();
        parameters.push(format!("currentPage={page}"));
        parameters.push(format!("pageSize={}", self.page_size));
        json!({ "rel": relation, "uri": format!("/upload-tokens?{}", parameters.join("&")) })
    }
}

/// The published errors call `currentPage` "page".
fn current_page(value: &str) -> Result<u64, Violation> {
    let page = integer("currentPage", value)?;
    if page < 1 {
        return Err(Violation::out_of_range("page", json!({ "min": 1 })));
    }
    if page > LARGEST_PAGE {
        return Err(Violation::out_of_range("page", json!({ "min": 1, "max": LARGEST_PAGE })));
    }
    Ok(page as u64)
}

fn page_size(value: &str) -> Result<u64, Violation> {
    let size = integer("pageSize", value)?;
    if !(1..=LARGEST_PAGE_SIZE).contains(&size) {
        let range = json!({ "min": 1, "max": LARGEST_PAGE_SIZE });
        return Err(Violation::out_of_range("pageSize", range));
    }
    Ok(size as u64)
}

fn sort_by(value: &str) -> Result<SortBy, Violation> {
    match value {
        "createdAt" => Ok(SortBy::CreatedAt),
        "ttl" => Ok(SortBy::Ttl),
        _ => Err(Violation::invalid_attribute(
            "sortBy",
            r#"This value is invalid. Use one of "createdAt", "ttl"."#,
        )),
    }
}

fn sort_order(value: &str) -> Result<SortOrder, Violation> {
    match value {
        "asc" => Ok(SortOrder::Ascending),
        "desc" => Ok(SortOrder::Descending),
        _ => Err(Violation::invalid_attribute(
            "sortOrder",
            r#"This value is invalid. Use one of "asc", "desc"."#,
        )),
    }
}

fn integer(name: &str, value: &str) -> Result<i128, Violation> {
    integer::parse(value).ok_or_else(|| {
        Violation::invalid_query_parameter(name, "This value must be of type integer.")
    })
}

/// That of the parameter of this name; one that is repeated counts the last time.
pub fn value(query: &str, name: &str) -> Option<String> {
    let mut parameters = query.split('&').rev().map(split);
    parameters.find(|(known, _)| decode(known) == name).map(|(_, value)| decode(value))
}

fn split(parameter: &str) -> (&str, &str) {
    parameter.split_once('=').unwrap_or((parameter, ""))
}

fn decode(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}
