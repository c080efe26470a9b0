//! What the stand-in service promises, sentence by sentence: users test their own programs against
//! it, so it has to be as strict as what api.video publishes.

#[path = "support/local_api.rs"]
mod local_api;
#[path = "support/plain_http.rs"]
mod plain_http;

use std::collections::HashSet;
use std::io::{self, BufRead, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use local_api::LocalApi;
use plain_http::{Answer, Connection};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{
    ClientConfig, ClientConnection, HandshakeKind, RootCertStore, StreamOwned,
    SupportedProtocolVersion,
};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

const KEY: &str = "key-of-the-tests";
const JSON: &str = "Content-Type: application/json";
const REFERENCE: &str = "https://docs.api.video/reference/";
const OUT_OF_RANGE: &str = "This parameter is out of the allowed range of values.";

// The four operations

#[test]
fn a_created_token_is_answered_with_200_and_its_four_fields() {
    let api = start(&[]);
    let before = now();
    let answer = post(&api, r#"{"ttl":3600}"#);
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let token = answer.json();
    assert_eq!(field_names(&token), ["createdAt", "expiresAt", "token", "ttl"]);
    assert_eq!(token["ttl"], 3600);
    assert_eq!(date(&token["expiresAt"]) - date(&token["createdAt"]), 3600);
    assert!((before..=now()).contains(&date(&token["createdAt"])), "{token}");
}

#[test]
fn a_token_is_to_and_22_alphanumerics_and_each_is_another() {
    let api = start(&[]);
    let tokens: Vec<String> = (0..50).map(|_| create(&api, 0)).collect();
    for token in &tokens {
        let random = token.strip_prefix("to").expect("it starts with `to`");
        assert_eq!(random.len(), 22, "{token}");
        assert!(random.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{token}");
    }
    assert_eq!(tokens.iter().collect::<HashSet<_>>().len(), 50);
}

#[test]
fn dates_are_in_whole_seconds_with_the_offset_in_figures() {
    let api = start(&[]);
    let token = post(&api, r#"{"ttl":60}"#).json();
    for name in ["createdAt", "expiresAt"] {
        let date = token[name].as_str().unwrap();
        assert_eq!(date.len(), "2020-12-02T10:13:19+00:00".len(), "{date}");
        assert!(date.ends_with("+00:00"), "{date}");
    }
}

#[test]
fn a_token_without_ttl_never_expires_and_has_no_expiry_date() {
    let api = start(&[]);
    for body in ["{}", r#"{"ttl":0}"#] {
        let token = post(&api, body).json();
        assert_eq!(field_names(&token), ["createdAt", "token", "ttl"]);
        assert_eq!(token["ttl"], 0);
    }
}

#[test]
fn a_token_is_found_as_it_was_created() {
    let api = start(&[]);
    let created = post(&api, r#"{"ttl":3600}"#).json();
    let answer = get(&api, &path_of(&created));
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json(), created);
}

#[test]
fn a_token_is_found_by_its_percent_encoded_name_too() {
    let api = start(&[]);
    let token = create(&api, 0);
    let encoded: String = token.bytes().map(|byte| format!("%{byte:02x}")).collect();
    assert_eq!(get(&api, &format!("/upload-tokens/{encoded}")).status, 200);
}

#[test]
fn a_token_is_not_found_in_other_case() {
    let api = start(&[]);
    let token = create(&api, 0);
    let answer = get(&api, &format!("/upload-tokens/{}", token.to_uppercase()));
    assert_token_not_found(&answer);
}

#[test]
fn a_deleted_token_is_answered_with_204_and_no_body_and_is_gone() {
    let api = start(&[]);
    let path = format!("/upload-tokens/{}", create(&api, 0));
    let answer = delete(&api, &path);
    assert_eq!(answer.status, 204);
    assert_eq!(answer.body, "");
    assert_eq!(answer.header("content-type"), None);
    assert_token_not_found(&get(&api, &path));
    assert_token_not_found(&delete(&api, &path));
    assert_eq!(listed(&api, "").len(), 0);
}

#[test]
fn a_list_has_the_tokens_as_they_were_created() {
    let api = start(&[]);
    let first = post(&api, r#"{"ttl":3600}"#).json();
    let second = post(&api, "{}").json();
    let answer = get(&api, "/upload-tokens");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["data"], json!([second, first]));
}

#[test]
fn one_connection_serves_many_requests() {
    let api = start(&[]);
    let mut connection = Connection::open(&api.url);
    let headers = [basic(KEY), JSON.to_owned()];
    assert_eq!(connection.send("POST", "/upload-tokens", &headers, "{}").status, 200);
    assert_eq!(connection.send("POST", "/upload-tokens", &headers, "").status, 400);
    assert_eq!(connection.send("POST", "/upload-tokens", &[], "{}").status, 401);
    assert_eq!(connection.send("DELETE", "/upload-tokens/to", &headers, "").status, 404);
    assert_eq!(connection.send("GET", "/upload-tokens", &headers, "").status, 200);
}

// Who may call

#[test]
fn basic_is_the_key_with_an_empty_password() {
    let api = start(&[]);
    for authorization in [basic(KEY), basic(KEY).replace("Basic", "bASIC")] {
        assert_eq!(list_as(&api, &[authorization]).status, 200);
    }
}

#[test]
fn bearer_is_the_access_token() {
    let api = start(&["--access-token", "secret"]);
    assert_eq!(list_as(&api, &[bearer("secret")]).status, 200);
    assert_eq!(list_as(&api, &[basic(KEY)]).status, 200);
}

#[test]
fn no_authorization_is_a_401() {
    let api = start(&[]);
    assert_unauthorized(
        &list_as(&api, &[]),
        "authentication-missing-authorization-header",
        r#"The "Authorization" header is missing."#,
    );
}

#[test]
fn an_authorization_that_is_not_as_published_is_a_401() {
    let api = start(&["--access-token", "secret"]);
    let header = |scheme: &str, value: &str| format!("Authorization: {scheme} {value}");
    let refused = [
        vec!["Authorization: Basic".to_owned()],
        vec![header("Basic", "not-base64!")],
        vec![header("Basic", &STANDARD.encode(KEY))],
        vec![header("Basic", &STANDARD.encode(format!("{KEY}:password")))],
        vec![header("Basic", &STANDARD.encode(b"\xff\xfe:"))],
        vec![header("Digest", "username=key")],
        vec![header("", KEY)],
        vec![basic(KEY), basic(KEY)],
    ];
    for headers in refused {
        assert_unauthorized(
            &list_as(&api, &headers),
            "authentication-invalid-authorization-header-value",
            r#"The "Authorization" header value is invalid."#,
        );
    }
}

#[test]
fn another_key_is_a_401() {
    let api = start(&[]);
    for key in ["another", "", &KEY.to_uppercase()] {
        assert_unauthorized(
            &list_as(&api, &[basic(key)]),
            "authentication-invalid-api-key",
            "The API key is invalid.",
        );
    }
}

#[test]
fn another_access_token_is_a_401_and_any_is_without_the_option() {
    let without = start(&[]);
    let with = start(&["--access-token", "secret"]);
    for answer in [
        list_as(&without, &[bearer(KEY)]),
        list_as(&with, &[bearer("another")]),
        list_as(&with, &[bearer(KEY)]),
    ] {
        assert_unauthorized(
            &answer,
            "authentication-invalid-access-token",
            "The access token is invalid or expired.",
        );
    }
}

#[test]
fn without_credentials_nothing_is_told_or_done() {
    let api = start(&[]);
    let token = create(&api, 0);
    let path = format!("/upload-tokens/{token}");
    let refused = [
        ("GET", "/upload-tokens", ""),
        ("POST", "/upload-tokens", "{}"),
        ("PATCH", "/upload-tokens", ""),
        ("GET", &path, ""),
        ("DELETE", &path, ""),
        ("GET", "/upload-tokens/unknown", ""),
    ];
    for (method, target, body) in refused {
        assert_eq!(send(&api, method, target, &[], body).status, 401, "{method} {target}");
    }
    assert_eq!(listed(&api, ""), [token]);
}

// Expiry by real time

#[test]
fn an_expired_token_is_neither_found_nor_listed_nor_deleted() {
    let api = start(&[]);
    let lasting = create(&api, 3600);
    let path = format!("/upload-tokens/{}", create(&api, 2));
    let expiry = date(&get(&api, &path).json()["expiresAt"]);
    until_true("it has expired", || get(&api, &path).status == 404);
    assert!(now() >= expiry, "it expired too early");
    assert_token_not_found(&get(&api, &path));
    assert_token_not_found(&delete(&api, &path));
    assert_eq!(listed(&api, ""), [lasting]);
}

#[test]
fn an_expired_token_is_not_counted_either() {
    let api = start(&[]);
    create(&api, 1);
    create(&api, 0);
    until_true("it has expired", || {
        get(&api, "/upload-tokens").json()["pagination"]["itemsTotal"] == 1
    });
}

// Sorting

#[test]
fn by_creation_the_newest_comes_first_unless_asked_otherwise() {
    let api = start(&[]);
    // All within a second, most likely: the order holds for the same date too.
    let oldest_first: Vec<String> = (0..5).map(|_| create(&api, 0)).collect();
    let newest_first: Vec<String> = oldest_first.iter().rev().cloned().collect();
    assert_eq!(listed(&api, ""), newest_first);
    assert_eq!(listed(&api, "?sortBy=createdAt&sortOrder=desc"), newest_first);
    assert_eq!(listed(&api, "?sortBy=createdAt&sortOrder=asc"), oldest_first);
    assert_eq!(listed(&api, "?sortOrder=asc"), oldest_first);
}

#[test]
fn by_ttl_the_next_to_expire_comes_first_and_what_never_expires_last() {
    let api = start(&[]);
    let [day, never, hour, month, never_either] =
        [86_400, 0, 3_600, 2_592_000, 0].map(|ttl| create(&api, ttl));
    let ascending = [hour, day, month, never, never_either];
    let descending: Vec<String> = ascending.iter().rev().cloned().collect();
    assert_eq!(listed(&api, "?sortBy=ttl&sortOrder=asc"), ascending);
    assert_eq!(listed(&api, "?sortBy=ttl&sortOrder=desc"), descending);
}

#[test]
fn by_ttl_means_by_what_remains_of_it() {
    let api = start(&["--seed", "200"]);
    let tokens = data(&api, "?sortBy=ttl&sortOrder=asc&pageSize=100");
    let expiries: Vec<i64> = tokens
        .iter()
        .take_while(|token| token["ttl"] != 0)
        .map(|token| date(&token["expiresAt"]))
        .collect();
    let ttls: Vec<u64> = tokens.iter().filter_map(|token| token["ttl"].as_u64()).collect();
    assert!(expiries.len() > 20);
    assert!(expiries.is_sorted());
    assert!(!ttls[..expiries.len()].is_sorted(), "the seed cannot tell the two apart");
}

// Pages

#[test]
fn a_page_is_of_25_unless_asked_otherwise() {
    let api = start(&["--seed", "30"]);
    let page = get(&api, "/upload-tokens").json();
    assert_eq!(page["data"].as_array().unwrap().len(), 25);
    assert_eq!(
        without_links(&page),
        json!({
            "currentPage": 1,
            "currentPageItems": 25,
            "pageSize": 25,
            "pagesTotal": 2,
            "itemsTotal": 30,
        })
    );
}

#[test]
fn the_pages_together_are_the_whole_list() {
    let api = start(&["--seed", "10"]);
    let whole = listed(&api, "");
    let mut together = Vec::new();
    for page in 1..=4 {
        together.extend(listed(&api, &format!("?pageSize=3&currentPage={page}")));
    }
    assert_eq!(whole.len(), 10);
    assert_eq!(together, whole);
}

#[test]
fn the_smallest_and_the_largest_page_size_are_1_and_100() {
    let api = start(&["--seed", "120"]);
    assert_eq!(listed(&api, "?pageSize=1").len(), 1);
    assert_eq!(listed(&api, "?pageSize=100").len(), 100);
}

#[test]
fn links_lead_to_the_other_pages() {
    let api = start(&["--seed", "10"]);
    let link = |page| format!("/upload-tokens?currentPage={page}&pageSize=3");
    assert_eq!(
        links(&api, "?currentPage=2&pageSize=3"),
        [
            ("self".to_owned(), link(2)),
            ("first".to_owned(), link(1)),
            ("previous".to_owned(), link(1)),
            ("next".to_owned(), link(3)),
            ("last".to_owned(), link(4)),
        ]
    );
}

#[test]
fn at_the_edges_there_is_no_previous_and_no_next() {
    let api = start(&["--seed", "10"]);
    let relations = |query| -> Vec<String> {
        links(&api, query).into_iter().map(|(relation, _)| relation).collect()
    };
    assert_eq!(relations(""), ["self", "first", "last"]);
    assert_eq!(relations("?pageSize=3"), ["self", "first", "next", "last"]);
    assert_eq!(relations("?pageSize=3&currentPage=4"), ["self", "first", "previous", "last"]);
}

#[test]
fn links_carry_the_parameters_of_the_request() {
    let api = start(&["--seed", "10"]);
    let query = "?sortBy=%74tl&pageSize=3&sortOrder=asc";
    for (_, uri) in links(&api, query) {
        for parameter in ["sortBy=%74tl", "pageSize=3", "sortOrder=asc"] {
            assert!(uri[1..].split(['?', '&']).any(|part| part == parameter), "{uri}");
        }
    }
}

#[test]
fn following_next_visits_every_token_once() {
    let api = start(&["--seed", "10"]);
    let mut visited = Vec::new();
    let mut next = Some("?pageSize=4&sortBy=ttl".to_owned());
    while let Some(query) = next {
        visited.extend(listed(&api, &query));
        next = links(&api, &query)
            .into_iter()
            .find(|(relation, _)| relation == "next")
            .map(|(_, uri)| uri["/upload-tokens".len()..].to_owned());
    }
    assert_eq!(visited, listed(&api, "?sortBy=ttl"));
}

#[test]
fn beyond_the_last_page_is_an_empty_page() {
    let api = start(&["--seed", "10"]);
    for page in ["5", "1000000", "9223372036854775807"] {
        let query = format!("?pageSize=3&currentPage={page}");
        let answer = get(&api, &format!("/upload-tokens{query}"));
        assert_eq!(answer.status, 200);
        let list = answer.json();
        assert_eq!(list["data"], json!([]));
        assert_eq!(list["pagination"]["currentPage"].to_string(), page);
        assert_eq!(list["pagination"]["currentPageItems"], 0);
        assert_eq!(list["pagination"]["pagesTotal"], 4);
        assert_eq!(list["pagination"]["itemsTotal"], 10);
        let links = links(&api, &query);
        assert!(!links.iter().any(|(relation, _)| relation == "next"));
        assert!(links.contains(&(
            "previous".to_owned(),
            "/upload-tokens?currentPage=4&pageSize=3".to_owned()
        )));
    }
}

#[test]
fn a_list_of_nothing_is_an_empty_page() {
    let api = start(&[]);
    let page = get(&api, "/upload-tokens").json();
    assert_eq!(page["data"], json!([]));
    assert_eq!(
        without_links(&page),
        json!({
            "currentPage": 1,
            "currentPageItems": 0,
            "pageSize": 25,
            "pagesTotal": 0,
            "itemsTotal": 0,
        })
    );
}

// A list asked for wrongly

#[test]
fn page_values_out_of_range_are_a_400_with_their_range() {
    let api = start(&[]);
    let page = json!({ "title": OUT_OF_RANGE, "name": "page", "range": { "min": 1 } });
    let mut largest_page = page.clone();
    largest_page["range"]["max"] = json!(i64::MAX);
    let digits = "9".repeat(400);
    let size =
        json!({ "title": OUT_OF_RANGE, "name": "pageSize", "range": { "min": 1, "max": 100 } });
    for (query, problems) in [
        ("currentPage=0", vec![&page]),
        ("currentPage=-1", vec![&page]),
        ("pageSize=0", vec![&size]),
        ("pageSize=101", vec![&size]),
        ("pageSize=-9223372036854775808", vec![&size]),
        ("pageSize=18446744073709551616", vec![&size]),
        (&format!("pageSize=-{digits}"), vec![&size]),
        ("currentPage=-9223372036854775809", vec![&page]),
        ("currentPage=9223372036854775808", vec![&largest_page]),
        (&format!("currentPage={digits}"), vec![&largest_page]),
        ("currentPage=0&pageSize=101", vec![&page, &size]),
    ] {
        let mut expected = problems[0].clone();
        expected["status"] = json!(400);
        expected["problems"] = json!(problems);
        let answer = get(&api, &format!("/upload-tokens?{query}"));
        assert_eq!(answer.status, 400, "{query}");
        assert_eq!(answer.json(), expected, "{query}");
    }
}

#[test]
fn page_values_that_are_no_integers_are_a_400_that_names_them() {
    let api = start(&[]);
    for name in ["currentPage", "pageSize"] {
        for value in ["", "one", "1.0", "0x1", "%201", "1e1"] {
            assert_refused_parameter(
                &get(&api, &format!("/upload-tokens?{name}={value}")),
                "request-invalid-query-parameter",
                "A query parameter is invalid.",
                name,
                "This value must be of type integer.",
            );
        }
    }
}

#[test]
fn an_order_that_is_not_published_is_a_400_that_names_it() {
    let api = start(&[]);
    for (name, value, detail) in [
        ("sortBy", "expiresAt", r#"This value is invalid. Use one of "createdAt", "ttl"."#),
        ("sortBy", "TTL", r#"This value is invalid. Use one of "createdAt", "ttl"."#),
        ("sortBy", "", r#"This value is invalid. Use one of "createdAt", "ttl"."#),
        ("sortOrder", "up", r#"This value is invalid. Use one of "asc", "desc"."#),
        ("sortOrder", "ASC", r#"This value is invalid. Use one of "asc", "desc"."#),
    ] {
        assert_refused_parameter(
            &get(&api, &format!("/upload-tokens?{name}={value}")),
            "invalid-attribute",
            "An attribute is invalid.",
            name,
            detail,
        );
    }
}

#[test]
fn everything_wrong_with_a_list_is_among_its_problems() {
    let api = start(&[]);
    let query = "currentPage=x&pageSize=0&sortBy=y&sortOrder=z&other=1";
    let problem = get(&api, &format!("/upload-tokens?{query}")).json();
    assert_eq!(
        names(&problem["problems"]),
        ["currentPage", "other", "pageSize", "sortBy", "sortOrder"]
    );
}

#[test]
fn a_repeated_parameter_counts_the_last_time_and_is_one_problem() {
    let api = start(&["--seed", "5"]);
    assert_eq!(listed(&api, "?pageSize=null&pageSize=2").len(), 2);
    for query in
        ["pageSize=null&pageSize=null", "pageSize=0&pageSize=null", "pageSize=null&%70ageSize=x"]
    {
        assert_refused_parameter(
            &get(&api, &format!("/upload-tokens?{query}")),
            "request-invalid-query-parameter",
            "A query parameter is invalid.",
            "pageSize",
            "This value must be of type integer.",
        );
    }
    let problem = get(&api, "/upload-tokens?other=1&pageSize=null&other=2&pageSize=null").json();
    assert_eq!(names(&problem["problems"]), ["other", "pageSize"]);
}

#[test]
fn a_parameter_that_is_not_published_is_a_400_that_names_it() {
    let api = start(&["--seed", "3"]);
    for (query, name) in [
        ("other=1", "other"),
        ("other", "other"),
        ("page=1", "page"),
        ("PageSize=3", "PageSize"),
        ("pageSize=3&a%26b=%3D&sortBy=ttl", "a&b"),
    ] {
        assert_refused_parameter(
            &get(&api, &format!("/upload-tokens?{query}")),
            "request-invalid-query-parameter",
            "A query parameter is invalid.",
            name,
            "This field was not expected.",
        );
    }
}

// A token asked for wrongly

#[test]
fn the_largest_ttl_is_2147483647() {
    let api = start(&[]);
    assert_eq!(post(&api, r#"{"ttl":2147483647}"#).json()["ttl"], 2_147_483_647);
}

#[test]
fn a_ttl_of_minus_0_is_0() {
    let api = start(&[]);
    assert_eq!(post(&api, r#"{"ttl":-0}"#).json()["ttl"], 0);
}

#[test]
fn a_ttl_out_of_range_is_a_400_with_the_range() {
    let api = start(&[]);
    let digits = "9".repeat(400);
    for ttl in [
        "-1",
        "2147483648",
        "4294967296",
        "18446744073709551615",
        "18446744073709551616",
        "-9223372036854775809",
        &digits,
        &format!("-{digits}"),
    ] {
        let answer = post(&api, &format!(r#"{{"ttl":{ttl}}}"#));
        let range = json!({ "min": 0, "max": 2_147_483_647 });
        assert_eq!(answer.status, 400, "{ttl}");
        assert_eq!(
            answer.json(),
            json!({
                "title": OUT_OF_RANGE,
                "name": "ttl",
                "status": 400,
                "range": range,
                "problems": [{ "title": OUT_OF_RANGE, "name": "ttl", "range": range }],
            }),
            "{ttl}"
        );
    }
    assert_eq!(listed(&api, "").len(), 0);
}

#[test]
fn a_ttl_that_is_no_integer_is_a_400_that_names_it() {
    let api = start(&[]);
    for ttl in ["null", "true", r#""3600""#, "1.5", "60.0", "1e1", "1e400", "-1E999", "[]", "{}"] {
        assert_refused_parameter(
            &post(&api, &format!(r#"{{"ttl":{ttl}}}"#)),
            "invalid-attribute",
            "An attribute is invalid.",
            "ttl",
            "This value must be of type integer.",
        );
    }
}

#[test]
fn a_field_that_is_not_published_is_a_400_that_names_it() {
    let api = start(&[]);
    for name in ["TTL", "expiresAt", ""] {
        assert_refused_parameter(
            &post(&api, &format!(r#"{{"{name}":1}}"#)),
            "invalid-attribute",
            "An attribute is invalid.",
            name,
            "This field was not expected.",
        );
    }
}

#[test]
fn everything_wrong_with_a_token_is_among_its_problems() {
    let api = start(&[]);
    let problem = post(&api, r#"{"ttl":-1,"name":"a","public":true}"#).json();
    assert_eq!(names(&problem["problems"]), ["name", "public", "ttl"]);
}

#[test]
fn a_payload_that_is_no_json_object_is_a_400() {
    let api = start(&[]);
    for body in ["", " ", "{", r#"{"ttl":1}}"#, "ttl=1", "{'ttl':1}", "[]", "null", "3600", "\"\""]
    {
        assert_invalid_payload(&post(&api, body), 400);
    }
    assert_eq!(listed(&api, "").len(), 0);
}

#[test]
fn a_payload_is_json_whatever_type_it_is_said_to_be_of() {
    let api = start(&[]);
    let post_as = |content_type: &[String], body| {
        let headers = [&[basic(KEY)], content_type].concat();
        send(&api, "POST", "/upload-tokens", &headers, body)
    };
    let said = |content_type| vec![format!("Content-Type: {content_type}")];
    for content_type in [
        said("application/json; charset=utf-8"),
        said("Application/JSON"),
        said("application/x-www-form-urlencoded"),
        said("text/plain"),
        said(""),
        vec![],
    ] {
        let answer = post_as(&content_type, r#"{"ttl":60}"#);
        assert_eq!(answer.status, 200, "{content_type:?}");
        assert_eq!(answer.json()["ttl"], 60, "{content_type:?}");
        assert_invalid_payload(&post_as(&content_type, "ttl=60"), 400);
    }
}

#[test]
fn a_payload_beyond_64_kib_is_a_413() {
    let api = start(&[]);
    let padded = |length: usize| format!("{}{{}}", " ".repeat(length - 2));
    assert_eq!(post(&api, &padded(64 * 1024)).status, 200);
    assert_invalid_payload(&post(&api, &padded(64 * 1024 + 1)), 413);
}

// What is not there

#[test]
fn an_unknown_token_is_a_404() {
    let api = start(&["--seed", "3"]);
    for token in ["unknown", "a%2Fb", "%FF", "%"] {
        let path = format!("/upload-tokens/{token}");
        assert_token_not_found(&get(&api, &path));
        assert_token_not_found(&delete(&api, &path));
    }
}

#[test]
fn an_unknown_path_is_a_404_of_its_own_kind() {
    let api = start(&["--seed", "3"]);
    for path in ["/", "/players", "/upload-tokens/", "/upload-tokensX", "/upload-tokens/a/b"] {
        for method in ["GET", "POST", "DELETE"] {
            let answer = send(&api, method, path, &[basic(KEY)], "");
            assert_eq!(answer.status, 404, "{method} {path}");
            assert_eq!(
                answer.json(),
                json!({
                    "type": format!("{REFERENCE}unrecognized-request-url"),
                    "title": "Unrecognized request URL.",
                    "status": 404,
                })
            );
        }
    }
}

#[test]
fn another_method_is_a_405_that_names_those_allowed() {
    let api = start(&[]);
    for (method, path, allowed) in [
        ("PUT", "/upload-tokens", "GET, POST"),
        ("PATCH", "/upload-tokens", "GET, POST"),
        ("DELETE", "/upload-tokens", "GET, POST"),
        ("POST", "/upload-tokens/unknown", "GET, DELETE"),
        ("PATCH", "/upload-tokens/unknown", "GET, DELETE"),
    ] {
        let answer = send(&api, method, path, &[basic(KEY)], "");
        assert_eq!(answer.status, 405, "{method} {path}");
        assert_eq!(answer.header("allow"), Some(allowed));
        assert_eq!(
            answer.json(),
            json!({
                "type": format!("{REFERENCE}method-not-allowed"),
                "title": "Method is not allowed for this route.",
                "status": 405,
            })
        );
    }
}

#[test]
fn head_is_a_get_without_a_body() {
    let api = start(&["--seed", "1", "--rate-limit", "5"]);
    let path = path_of(&data(&api, "")[0]);
    for (target, status) in
        [("/upload-tokens", 200), (path.as_str(), 200), ("/upload-tokens/unknown", 404), ("/", 404)]
    {
        let mut connection = Connection::open(&api.url);
        let headers = [basic(KEY), "Connection: close".to_owned()];
        connection.send_only("HEAD", target, &headers, "");
        let answer = connection.read_to_close();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{target}: {answer}");
        assert!(answer.contains("\r\ncontent-type: application/json\r\n"), "{target}: {answer}");
        assert!(answer.ends_with("\r\n\r\n"), "{target}: {answer}");
    }
    // They counted as reads.
    assert_eq!(get(&api, "/upload-tokens").status, 429);
    assert_eq!(post(&api, "{}").status, 200);
}

// Rate limits

#[test]
fn every_answer_has_the_three_headers() {
    let api = start(&["--rate-limit", "1000"]);
    let path = format!("/upload-tokens/{}", create(&api, 0));
    for answer in [
        get(&api, "/upload-tokens"),
        get(&api, "/upload-tokens?pageSize=0"),
        get(&api, "/unknown"),
        list_as(&api, &[]),
        post(&api, "{}"),
        delete(&api, &path),
        delete(&api, &path),
        send(&api, "PUT", "/upload-tokens", &[basic(KEY)], ""),
    ] {
        assert_eq!(answer.number("X-RateLimit-Limit"), 1000);
        assert!((990..1000).contains(&answer.number("X-RateLimit-Remaining")));
        assert!((1..=60).contains(&answer.number("X-RateLimit-Retry-After")));
        assert_eq!(answer.header("Retry-After"), None);
    }
}

#[test]
fn what_remains_counts_down_to_a_429() {
    let api = start(&["--rate-limit", "3"]);
    for remaining in [2, 1, 0] {
        let answer = get(&api, "/upload-tokens");
        assert_eq!(answer.status, 200);
        assert_eq!(answer.number("X-RateLimit-Remaining"), remaining);
    }
    let answer = get(&api, "/upload-tokens");
    assert_eq!(answer.status, 429);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.number("X-RateLimit-Limit"), 3);
    assert_eq!(answer.number("X-RateLimit-Remaining"), 0);
    assert_eq!(
        answer.json(),
        json!({
            "type": format!("{REFERENCE}too-many-requests"),
            "title": "Too many requests.",
            "status": 429,
        })
    );
}

#[test]
fn reads_and_writes_are_limited_apart() {
    let api = start(&["--rate-limit", "1"]);
    assert_eq!(get(&api, "/upload-tokens").status, 200);
    assert_eq!(get(&api, "/upload-tokens").status, 429);
    assert_eq!(post(&api, "{}").status, 200);
    assert_eq!(post(&api, "{}").status, 429);
    assert_eq!(delete(&api, "/upload-tokens/unknown").status, 429);
}

#[test]
fn a_request_that_is_over_the_limit_does_nothing() {
    let api = start(&["--rate-limit", "2"]);
    let statuses = [(); 3].map(|()| post(&api, "{}").status);
    assert_eq!(statuses, [200, 200, 429]);
    assert_eq!(listed(&api, "").len(), 2);
}

#[test]
fn who_waits_as_long_as_told_is_served_again() {
    let api = start(&["--rate-limit", "1/1"]);
    let refused = loop {
        let answer = get(&api, "/upload-tokens");
        if answer.status == 429 {
            break answer;
        }
    };
    let seconds = refused.number("X-RateLimit-Retry-After");
    assert_eq!(seconds, 1);
    std::thread::sleep(Duration::from_secs(seconds));
    assert_eq!(get(&api, "/upload-tokens").status, 200);
}

#[test]
fn without_the_option_the_limit_is_out_of_reach() {
    let api = start(&[]);
    let answer = get(&api, "/upload-tokens");
    assert!(answer.number("X-RateLimit-Remaining") >= 1_000_000);
    assert!(answer.number("X-RateLimit-Limit") > answer.number("X-RateLimit-Remaining"));
}

// Faults

#[test]
fn a_failed_request_is_answered_with_500_and_its_work_is_not_done() {
    let api = start(&["--fail-rate", "100", "--seed", "1"]);
    let tokens = ledger(&api)["tokens"].clone();
    let path = format!("/upload-tokens/{}", tokens[0].as_str().unwrap());
    for answer in [post(&api, "{}"), delete(&api, &path), get(&api, &path), list_as(&api, &[])] {
        assert_eq!(answer.status, 500);
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert!(answer.number("X-RateLimit-Remaining") > 0);
        assert_eq!(
            answer.json(),
            json!({
                "type": format!("{REFERENCE}server-error"),
                "title": "Server error",
                "status": 500,
            })
        );
    }
    let ledger = ledger(&api);
    assert_eq!(ledger["tokens"], tokens);
    assert_eq!(ledger["created"], 0);
    assert_eq!(ledger["deleted"], 0);
    assert_eq!(ledger["failed"], 4);
}

#[test]
fn a_failed_request_leaves_its_connection_open() {
    let api = start(&["--fail-rate", "100"]);
    let mut connection = Connection::open(&api.url);
    for length in [2, 64 * 1024, 2] {
        let body = format!("{}{{}}", " ".repeat(length - 2));
        let headers = [basic(KEY), JSON.to_owned()];
        assert_eq!(connection.send("POST", "/upload-tokens", &headers, &body).status, 500);
    }
}

#[test]
fn a_dropped_request_is_done_and_its_connection_closed_without_an_answer() {
    let api = start(&["--drop-rate", "100"]);
    lose(&api, "POST", "/upload-tokens", "{}");
    lose(&api, "POST", "/upload-tokens", "{}");
    let after_creation = ledger(&api);
    assert_eq!(after_creation["created"], 2);
    assert_eq!(after_creation["tokens"].as_array().unwrap().len(), 2);
    assert_eq!(after_creation["answers_lost"], answers_lost(2, 0, 0));

    let path = format!("/upload-tokens/{}", after_creation["tokens"][0].as_str().unwrap());
    lose(&api, "GET", &path, "");
    lose(&api, "DELETE", &path, "");
    let after_deletion = ledger(&api);
    assert_eq!(after_deletion["deleted"], 1);
    assert_eq!(after_deletion["tokens"], json!([after_creation["tokens"][1]]));
    assert_eq!(after_deletion["answers_lost"], answers_lost(2, 1, 1));
}

#[test]
fn a_lost_answer_counts_as_a_create_or_delete_only_if_there_was_one() {
    let api = start(&["--drop-rate", "100"]);
    lose(&api, "POST", "/upload-tokens", "");
    lose(&api, "DELETE", "/upload-tokens/unknown", "");
    let ledger = ledger(&api);
    assert_eq!(ledger["answers_lost"], answers_lost(0, 0, 2));
    assert_eq!(ledger["created"], 0);
    assert_eq!(ledger["deleted"], 0);
}

#[test]
fn a_dropped_answer_takes_its_time_too() {
    let api = start(&["--drop-rate", "100", "--latency-ms", "300"]);
    let started = Instant::now();
    lose(&api, "POST", "/upload-tokens", "{}");
    assert!(started.elapsed() >= Duration::from_millis(300));
}

#[test]
fn rates_of_0_change_nothing() {
    let api = start(&["--fail-rate", "0", "--drop-rate", "0%", "--random-seed", "1"]);
    assert!(outcomes(&api, 300).iter().all(|outcome| *outcome == Outcome::Answered));
}

#[test]
fn rates_are_in_percent_with_or_without_the_sign_and_in_fractions() {
    for (rate, expected) in [("20", 150..=250), ("20%", 150..=250), ("2.5", 10..=45)] {
        let seeded = ["--random-seed", "7"];
        let failing = start(&[&["--fail-rate", rate], &seeded[..]].concat());
        let failed = count(&outcomes(&failing, 1000), Outcome::Failed);
        assert!(expected.contains(&failed), "--fail-rate {rate}: {failed} of 1000");

        let dropping = start(&[&["--drop-rate", rate], &seeded[..]].concat());
        let dropped = count(&outcomes(&dropping, 1000), Outcome::Dropped);
        assert!(expected.contains(&dropped), "--drop-rate {rate}: {dropped} of 1000");
    }
}

#[test]
fn a_random_seed_repeats_the_faults_and_another_does_not() {
    let with = |seed| {
        let api = start(&["--fail-rate", "30", "--drop-rate", "30", "--random-seed", seed]);
        outcomes(&api, 200)
    };
    let first = with("1");
    assert_eq!(with("1"), first);
    assert_ne!(with("2"), first);
}

#[test]
fn without_a_random_seed_no_run_is_like_another() {
    let run = || outcomes(&start(&["--fail-rate", "50"]), 200);
    assert_ne!(run(), run());
}

// The ledger

#[test]
fn the_ledger_starts_empty_but_for_what_is_seeded() {
    let api = start(&["--seed", "3"]);
    let mut ledger = ledger(&api);
    let tokens = ledger.as_object_mut().unwrap().remove("tokens").unwrap();
    assert_eq!(
        ledger,
        json!({
            "requests": 0,
            "connections": 0,
            "rate_limited": 0,
            "failed": 0,
            "created": 0,
            "deleted": 0,
            "answers_lost": answers_lost(0, 0, 0),
            "uploads": {
                "videos": [],
                "unfinished": [],
                "bytes_in_vain": 0,
                "with_authorization": 0,
            },
        })
    );
    assert_eq!(tokens, json!(listed(&api, "?sortOrder=asc")));
}

#[test]
fn the_ledger_needs_no_credentials_and_is_not_affected_by_anything() {
    for options in [
        &["--fail-rate", "100"][..],
        &["--drop-rate", "100"],
        &["--rate-limit", "0"],
        &["--latency-ms", "60000"],
    ] {
        let api = start(options);
        for _ in 0..3 {
            assert_eq!(ledger(&api)["requests"], 0, "{options:?}");
        }
    }
}

#[test]
fn the_ledger_of_a_stand_in_can_be_asked_for_by_the_program_itself() {
    let api = start(&["--seed", "2"]);
    let printed = |url: &str| {
        let asked = Command::new(local_api::program()).args(["--ledger", url]).output();
        asked.expect("it can be started")
    };
    let told = printed(&api.url);
    assert!(told.status.success(), "{told:?}");
    let told: Value = serde_json::from_slice(&told.stdout).expect("JSON");
    assert_eq!(told, ledger(&api));
    assert!(!printed("http://127.0.0.1:1").status.success());
}

#[test]
fn the_ledger_counts_what_was_done_and_what_was_not() {
    let api = start(&["--rate-limit", "4"]);
    let tokens = [(); 3].map(|()| create(&api, 0));
    let path = format!("/upload-tokens/{}", tokens[1]);
    assert_eq!(delete(&api, &path).status, 204);
    assert_eq!(post(&api, "{}").status, 429);
    for status in [404, 404, 404, 404, 429, 429] {
        assert_eq!(get(&api, &path).status, status);
    }
    let ledger = ledger(&api);
    assert_eq!(ledger["requests"], 11);
    assert_eq!(ledger["rate_limited"], 3);
    assert_eq!(ledger["created"], 3);
    assert_eq!(ledger["deleted"], 1);
    assert_eq!(ledger["tokens"], json!([tokens[0], tokens[2]]));
}

#[test]
fn the_ledger_counts_connections_that_brought_a_request() {
    let api = start(&[]);
    let _idle = Connection::open(&api.url);
    for _ in 0..3 {
        let mut connection = Connection::open(&api.url);
        for _ in 0..4 {
            connection.send("GET", "/upload-tokens", &[basic(KEY)], "");
        }
    }
    let ledger = ledger(&api);
    assert_eq!(ledger["requests"], 12);
    assert_eq!(ledger["connections"], 3);
}

#[test]
fn the_ledger_has_no_expired_tokens_and_does_not_call_them_deleted() {
    let api = start(&[]);
    create(&api, 1);
    let lasting = create(&api, 0);
    until_true("it has expired", || ledger(&api)["tokens"] == json!([lasting]));
    assert_eq!(ledger(&api)["created"], 2);
    assert_eq!(ledger(&api)["deleted"], 0);
}

#[test]
fn what_clients_saw_and_what_was_lost_add_up_to_what_was_done() {
    let api = start(&["--fail-rate", "20", "--drop-rate", "20", "--random-seed", "3"]);
    let seen: Vec<Outcome> = std::thread::scope(|scope| {
        let clients = [(); 4].map(|()| scope.spawn(|| outcomes(&api, 100)));
        clients.into_iter().flat_map(|client| client.join().expect("no panic")).collect()
    });
    let ledger = ledger(&api);
    let [answered, failed, dropped] =
        [Outcome::Answered, Outcome::Failed, Outcome::Dropped].map(|kind| count(&seen, kind));
    assert!(answered > 0 && failed > 0 && dropped > 0);
    assert_eq!(ledger["requests"], 400);
    assert_eq!(ledger["failed"], failed);
    assert_eq!(ledger["answers_lost"]["create"], dropped);
    assert_eq!(ledger["created"], answered + dropped);
    assert_eq!(ledger["tokens"].as_array().unwrap().len(), answered + dropped);
}

#[test]
fn the_ledgers_path_is_unknown_to_other_methods() {
    let api = start(&[]);
    let answer = send(&api, "DELETE", "/local-api/ledger", &[basic(KEY)], "");
    assert_eq!(answer.status, 404);
    assert_eq!(ledger(&api)["requests"], 1);
}

// TLS

#[test]
fn a_client_that_trusts_the_ca_file_gets_answers() {
    let (api, ca_file) = start_tls("trusts", &[]);
    assert!(api.url.starts_with("https://127.0.0.1:"), "{}", api.url);
    for version in rustls::ALL_VERSIONS {
        let config = trusting(&ca_file, version);
        for host in ["127.0.0.1", "localhost", "::1"] {
            let mut connection = Connection::over(handshake(&api, host, &config).unwrap());
            let headers = [basic(KEY), JSON.to_owned()];
            assert_eq!(connection.send("POST", "/upload-tokens", &headers, "{}").status, 200);
            assert_eq!(connection.send("GET", "/upload-tokens", &headers, "").status, 200);
        }
    }
}

#[test]
fn a_client_that_does_not_trust_it_or_asks_for_another_host_gets_none() {
    let (api, ca_file) = start_tls("distrusts", &[]);
    let (_another, another_ca_file) = start_tls("another", &[]);
    let version = &rustls::version::TLS13;
    let nobody = config(RootCertStore::empty(), version);
    for (host, config) in [
        ("127.0.0.1", nobody),
        ("127.0.0.1", trusting(&another_ca_file, version)),
        ("ws.api.video", trusting(&ca_file, version)),
    ] {
        let error = handshake(&api, host, &config).expect_err("the handshake fails");
        assert!(error.to_string().contains("invalid peer certificate"), "{error}");
    }
    // They did not take the server with them.
    assert!(handshake(&api, "127.0.0.1", &trusting(&ca_file, version)).is_ok());
}

#[test]
fn sessions_resume() {
    let (api, ca_file) = start_tls("resumes", &[]);
    for version in rustls::ALL_VERSIONS {
        let config = trusting(&ca_file, version);
        for kind in [HandshakeKind::Full, HandshakeKind::Resumed, HandshakeKind::Resumed] {
            let stream = handshake(&api, "localhost", &config).unwrap();
            assert_eq!(stream.conn.handshake_kind(), Some(kind), "{version:?}");
            // Tickets arrive with the answer.
            Connection::over(stream).send("GET", "/upload-tokens", &[basic(KEY)], "");
        }
    }
}

#[test]
fn over_tls_too_a_dropped_request_is_done_and_its_connection_closed() {
    let (api, ca_file) = start_tls("drops", &["--drop-rate", "100"]);
    let config = trusting(&ca_file, &rustls::version::TLS13);
    let mut connection = Connection::over(handshake(&api, "localhost", &config).unwrap());
    connection.send_only("POST", "/upload-tokens", &[basic(KEY), JSON.to_owned()], "{}");
    assert_eq!(connection.read_to_close(), "");
    let mut connection = Connection::over(handshake(&api, "localhost", &config).unwrap());
    let ledger = connection.send("GET", "/local-api/ledger", &[], "").json();
    assert_eq!(ledger["answers_lost"]["create"], 1);
    assert_eq!(ledger["connections"], 1);
}

#[test]
fn over_tls_too_an_upload_is_taken_piece_by_piece() {
    let (api, ca_file) = start_tls("uploads", &["--seed", "1"]);
    let config = trusting(&ca_file, &rustls::version::TLS13);
    let mut connection = Connection::over(handshake(&api, "localhost", &config).unwrap());
    let token = connection.send("GET", "/local-api/ledger", &[], "").json()["tokens"][0].clone();
    let content = vec![b'x'; 1024 * 1024];
    let opening = b"--boundary\r\nContent-Disposition: form-data; name=file; filename=v\r\n\r\n";
    let body = [opening, content.as_slice(), b"\r\n--boundary--\r\n"].concat();
    let target = format!("/upload?token={}", token.as_str().unwrap());
    let form_type = "Content-Type: multipart/form-data; boundary=boundary".to_owned();
    assert_eq!(connection.send_bytes("POST", &target, &[form_type], &body).status, 201);
    let ledger = connection.send("GET", "/local-api/ledger", &[], "").json();
    assert_eq!(ledger["uploads"]["videos"][0]["bytes"], content.len());
}

#[test]
fn who_does_not_speak_tls_is_not_served_and_does_no_harm() {
    let (api, ca_file) = start_tls("plain", &[]);
    let _silent = plain_http::connect(&api.url);
    let mut plain = Connection::open(&api.url);
    plain.send_only("GET", "/upload-tokens", &[basic(KEY)], "");
    let mut alert = Vec::new();
    let mut garbage = plain_http::connect(&api.url);
    garbage.write_all(&[0x16, 3, 1, 0, 4, 1, 2, 3, 4]).unwrap();
    let _ = garbage.read_to_end(&mut alert);
    assert!(!alert.starts_with(b"HTTP"));
    let config = trusting(&ca_file, &rustls::version::TLS13);
    let mut connection = Connection::over(handshake(&api, "localhost", &config).unwrap());
    assert_eq!(connection.send("GET", "/upload-tokens", &[basic(KEY)], "").status, 200);
}

#[test]
fn the_ca_file_is_in_the_temporary_directory_and_gone_at_the_end() {
    for signal in ["INT", "TERM"] {
        let mut api = start(&["--tls"]);
        let ca_file = second_line(&mut api);
        let pem = std::fs::read_to_string(&ca_file).expect("the file is there");
        assert!(ca_file.starts_with(std::env::temp_dir()), "{}", ca_file.display());
        assert!(pem.starts_with("-----BEGIN CERTIFICATE-----"));
        assert!(!pem.contains("PRIVATE"));
        assert!(end(&mut api, signal).success());
        assert!(!ca_file.exists(), "SIG{signal}");
    }
}

#[test]
fn a_ca_file_of_the_users_choice_stays() {
    let (mut api, ca_file) = start_tls("chosen", &[]);
    assert!(end(&mut api, "INT").success());
    assert!(ca_file.exists());
}

// The command line

#[test]
fn latency_delays_every_answer_but_not_the_other_connections() {
    let api = start(&["--latency-ms", "1000"]);
    let started = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..30 {
            scope.spawn(|| {
                assert_eq!(get(&api, "/upload-tokens").status, 200);
                assert!(started.elapsed() >= Duration::from_millis(1000));
            });
        }
    });
    // Not the 30 s of one after the other.
    assert!(started.elapsed() < Duration::from_secs(15));
}

#[test]
fn with_latency_the_work_is_done_before_the_answer() {
    let ten_minutes = "600000";
    let api = start(&["--latency-ms", ten_minutes]);
    let mut creation = Connection::open(&api.url);
    creation.send_only("POST", "/upload-tokens", &[basic(KEY), JSON.to_owned()], "{}");
    // The ledger is told at once.
    until_true("it is created", || ledger(&api)["created"] == 1);
}

#[test]
fn seed_makes_tokens_a_second_apart_of_which_some_never_expire() {
    let api = start(&["--seed", "60"]);
    let tokens = data(&api, "?pageSize=100&sortOrder=asc");
    assert_eq!(tokens.len(), 60);
    let dates: Vec<i64> = tokens.iter().map(|token| date(&token["createdAt"])).collect();
    assert!(dates.windows(2).all(|pair| pair[1] - pair[0] == 1), "{dates:?}");
    let lasting = tokens.iter().filter(|token| token["ttl"] == 0).count();
    assert_eq!(lasting, 20);
    let now = date(&post(&api, "{}").json()["createdAt"]);
    for token in tokens.iter().filter(|token| token["ttl"] != 0) {
        assert!(date(&token["expiresAt"]) - now > 3600, "{token}");
    }
}

#[test]
fn seeded_tokens_are_found_and_deleted_like_any_other() {
    let api = start(&["--seed", "2"]);
    for token in data(&api, "") {
        assert_eq!(get(&api, &path_of(&token)).json(), token);
        assert_eq!(delete(&api, &path_of(&token)).status, 204);
    }
    assert_eq!(listed(&api, "").len(), 0);
}

#[test]
fn the_only_thing_it_prints_is_its_url() {
    let mut api = start(&[]);
    let port = api.url.strip_prefix("http://127.0.0.1:").expect("a URL on this machine only");
    assert!(port.parse::<u16>().is_ok_and(|port| port > 0), "{}", api.url);
    get(&api, "/upload-tokens");
    end(&mut api, "INT");
    let mut rest = String::new();
    api.output.read_to_string(&mut rest).expect("stdout is readable");
    assert_eq!(rest, "");
}

#[test]
fn ctrl_c_and_a_termination_end_it_with_success() {
    for signal in ["INT", "TERM"] {
        let mut api = start(&[]);
        assert!(end(&mut api, signal).success(), "SIG{signal}");
    }
}

#[test]
fn it_ends_while_connections_are_open_and_requests_are_waiting() {
    let mut api = start(&["--latency-ms", "60000"]);
    let _idle = Connection::open(&api.url);
    let mut waiting = Connection::open(&api.url);
    waiting.send_only("GET", "/upload-tokens", &[basic(KEY)], "");
    assert!(end(&mut api, "INT").success());
}

#[test]
fn a_command_line_it_does_not_understand_is_refused() {
    for arguments in [
        &[][..],
        &["--api-key", ""],
        &["--api-key", KEY, "--rate-limit", "many"],
        &["--api-key", KEY, "--rate-limit", "10/0"],
        &["--api-key", KEY, "--rate-limit", "10/"],
        &["--api-key", KEY, "--upload-rate-limit", "10/0"],
        &["--api-key", KEY, "--part-minimum", "0"],
        &["--api-key", KEY, "--part-maximum", "5MiB"],
        &["--api-key", KEY, "--source-maximum", "0"],
        &["--api-key", KEY, "--seed", "-1"],
        &["--api-key", KEY, "--access-token-lifetime", "0"],
        &["--api-key", KEY, "--access-token-lifetime", "an hour"],
        &["--api-key", KEY, "--fail-rate", "101"],
        &["--api-key", KEY, "--fail-rate=-1"],
        &["--api-key", KEY, "--fail-rate", "NaN"],
        &["--api-key", KEY, "--drop-rate", "often"],
        &["--api-key", KEY, "--drop-rate", "%"],
        &["--api-key", KEY, "--fail-rate", "60", "--drop-rate", "60"],
        &["--api-key", KEY, "--random-seed", "dice"],
        &["--api-key", KEY, "--tls-ca-file", "ca.pem"],
        &["--api-key", KEY, "--tls", "--tls-ca-file", "/nowhere/ca.pem"],
        &["--api-key", KEY, "--unknown"],
    ] {
        let output =
            Command::new(local_api::program()).args(arguments).output().expect("it can be started");
        assert!(!output.status.success(), "{arguments:?}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
}

// Calling

fn start(options: &[&str]) -> LocalApi {
    LocalApi::start(&[&["--api-key", KEY], options].concat())
}

/// The CA file is of this name, in the build directory.
fn start_tls(name: &str, options: &[&str]) -> (LocalApi, PathBuf) {
    let ca_file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("local_api-{name}.pem"));
    let place = ca_file.to_str().expect("a path in UTF-8");
    let mut api = start(&[&["--tls", "--tls-ca-file", place], options].concat());
    assert_eq!(second_line(&mut api), ca_file);
    (api, ca_file)
}

fn second_line(api: &mut LocalApi) -> PathBuf {
    let mut line = String::new();
    api.output.read_line(&mut line).expect("stdout is readable");
    let path = line.strip_prefix("CA file: ").and_then(|rest| rest.strip_suffix('\n'));
    PathBuf::from(path.unwrap_or_else(|| panic!("not the CA file's line: {line:?}")))
}

fn send(api: &LocalApi, method: &str, target: &str, headers: &[String], body: &str) -> Answer {
    Connection::open(&api.url).send(method, target, headers, body)
}

fn get(api: &LocalApi, target: &str) -> Answer {
    send(api, "GET", target, &[basic(KEY)], "")
}

fn delete(api: &LocalApi, target: &str) -> Answer {
    send(api, "DELETE", target, &[basic(KEY)], "")
}

fn post(api: &LocalApi, body: &str) -> Answer {
    send(api, "POST", "/upload-tokens", &[basic(KEY), JSON.to_owned()], body)
}

fn list_as(api: &LocalApi, headers: &[String]) -> Answer {
    send(api, "GET", "/upload-tokens", headers, "")
}

fn basic(key: &str) -> String {
    format!("Authorization: Basic {}", STANDARD.encode(format!("{key}:")))
}

fn bearer(access_token: &str) -> String {
    format!("Authorization: Bearer {access_token}")
}

fn create(api: &LocalApi, ttl: u32) -> String {
    let answer = post(api, &json!({ "ttl": ttl }).to_string());
    assert_eq!(answer.status, 200, "{}", answer.body);
    value_of(&answer.json())
}

/// The tokens of the answer to this query, whole.
fn data(api: &LocalApi, query: &str) -> Vec<Value> {
    let answer = get(api, &format!("/upload-tokens{query}"));
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()["data"].as_array().expect("a list").clone()
}

/// The same by their values alone.
fn listed(api: &LocalApi, query: &str) -> Vec<String> {
    data(api, query).iter().map(value_of).collect()
}

fn links(api: &LocalApi, query: &str) -> Vec<(String, String)> {
    let page = get(api, &format!("/upload-tokens{query}")).json();
    let links = page["pagination"]["links"].as_array().expect("a list");
    let text = |link: &Value, name| link[name].as_str().expect("a text").to_owned();
    links.iter().map(|link| (text(link, "rel"), text(link, "uri"))).collect()
}

fn end(api: &mut LocalApi, signal: &str) -> ExitStatus {
    let process = api.process.id().to_string();
    let kill = Command::new("kill").args([&format!("-{signal}"), &process]).status();
    assert!(kill.is_ok_and(|status| status.success()));
    let mut ended = || api.process.try_wait().expect("the process can be asked");
    until_true("it has ended", || ended().is_some());
    ended().expect("it has ended")
}

/// Waits for what is to come soon.
#[track_caller]
fn until_true(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(60), "still not so: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// In Unix seconds.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock that is set");
    since.as_secs() as i64
}

fn ledger(api: &LocalApi) -> Value {
    let answer = send(api, "GET", "/local-api/ledger", &[], "");
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()
}

/// In the ledger, where nothing was uploaded.
fn answers_lost(creates: u64, deletes: u64, reads: u64) -> Value {
    json!({ "create": creates, "delete": deletes, "part": 0, "read": reads, "video": 0 })
}

/// Sends a request whose answer does not arrive.
fn lose(api: &LocalApi, method: &str, target: &str, body: &str) {
    let mut connection = Connection::open(&api.url);
    connection.send_only(method, target, &[basic(KEY), JSON.to_owned()], body);
    assert_eq!(connection.read_to_close(), "");
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Outcome {
    Answered,
    Failed,
    Dropped,
}

/// Of so many creates, one after another.
fn outcomes(api: &LocalApi, requests: usize) -> Vec<Outcome> {
    let headers = [basic(KEY), JSON.to_owned(), "Connection: close".to_owned()];
    let outcome = || {
        let mut connection = Connection::open(&api.url);
        connection.send_only("POST", "/upload-tokens", &headers, "{}");
        match connection.read_to_close().split_whitespace().nth(1) {
            Some("200") => Outcome::Answered,
            Some("500") => Outcome::Failed,
            Some(status) => panic!("{status}"),
            None => Outcome::Dropped,
        }
    };
    std::iter::repeat_with(outcome).take(requests).collect()
}

fn count(outcomes: &[Outcome], kind: Outcome) -> usize {
    outcomes.iter().filter(|outcome| **outcome == kind).count()
}

fn trusting(ca_file: &Path, version: &'static SupportedProtocolVersion) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca_file).expect("a certificate")).expect("a CA");
    config(roots, version)
}

fn config(roots: RootCertStore, version: &'static SupportedProtocolVersion) -> Arc<ClientConfig> {
    let config = ClientConfig::builder_with_protocol_versions(&[version]);
    Arc::new(config.with_root_certificates(roots).with_no_client_auth())
}

fn handshake(
    api: &LocalApi,
    host: &str,
    config: &Arc<ClientConfig>,
) -> io::Result<StreamOwned<ClientConnection, TcpStream>> {
    let host = ServerName::try_from(host.to_owned()).expect("a host");
    let mut tls = ClientConnection::new(Arc::clone(config), host).expect("a TLS connection");
    let mut stream = plain_http::connect(&api.url);
    while tls.is_handshaking() {
        tls.complete_io(&mut stream)?;
    }
    Ok(StreamOwned::new(tls, stream))
}

// Looking at answers

fn value_of(token: &Value) -> String {
    token["token"].as_str().expect("a token").to_owned()
}

fn path_of(token: &Value) -> String {
    format!("/upload-tokens/{}", value_of(token))
}

fn date(value: &Value) -> i64 {
    let text = value.as_str().expect("a date");
    OffsetDateTime::parse(text, &Rfc3339).expect("a date").unix_timestamp()
}

fn field_names(object: &Value) -> Vec<&str> {
    let mut names: Vec<&str> =
        object.as_object().expect("an object").keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

/// Of problems, in alphabetical order: which comes first is nowhere published.
fn names(problems: &Value) -> Vec<&str> {
    let problems = problems.as_array().expect("a list");
    let mut names: Vec<&str> =
        problems.iter().filter_map(|problem| problem["name"].as_str()).collect();
    names.sort_unstable();
    names
}

fn without_links(page: &Value) -> Value {
    let mut pagination = page["pagination"].clone();
    pagination.as_object_mut().expect("an object").remove("links");
    pagination
}

fn assert_unauthorized(answer: &Answer, page: &str, title: &str) {
    assert_eq!(answer.status, 401);
    assert_eq!(
        answer.json(),
        json!({ "type": format!("{REFERENCE}{page}"), "title": title, "status": 401 })
    );
}

fn assert_token_not_found(answer: &Answer) {
    assert_eq!(answer.status, 404);
    assert_eq!(
        answer.json(),
        json!({
            "type": format!("{REFERENCE}resource-not-found"),
            "title": "The requested resource was not found.",
            "name": "uploadToken",
            "status": 404,
        })
    );
}

fn assert_invalid_payload(answer: &Answer, status: u16) {
    assert_eq!(answer.status, status);
    let problem = answer.json();
    assert_eq!(problem["type"], format!("{REFERENCE}invalid-payload"));
    assert_eq!(problem["title"], "The payload is invalid.");
    assert_eq!(problem["status"], status);
    assert!(problem["detail"].is_string());
}

/// One parameter is wrong: the answer says so itself, and as its only problem.
fn assert_refused_parameter(answer: &Answer, page: &str, title: &str, name: &str, detail: &str) {
    let problem = json!({
        "type": format!("{REFERENCE}{page}"),
        "title": title,
        "name": name,
        "detail": detail,
    });
    let mut expected = problem.clone();
    expected["status"] = json!(400);
    expected["problems"] = json!([problem]);
    assert_eq!(answer.status, 400);
    assert_eq!(answer.json(), expected);
}
