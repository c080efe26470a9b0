//! What else the official clients, and pages in browsers, find at the stand-in service: bearers for
//! an hour, the first requests as each client words them, and what lets a page of another origin
//! call. The clients themselves go through everything in `tests/official_clients`, where a registry
//! has them.

#[path = "support/local_api.rs"]
mod local_api;
#[path = "support/plain_http.rs"]
mod plain_http;

use std::collections::HashSet;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use local_api::LocalApi;
use plain_http::{Answer, Connection};
use serde_json::{Value, json};

const KEY: &str = "key-of-the-tests";
const JSON: &str = "Content-Type: application/json";
const REFERENCE: &str = "https://docs.api.video/reference/";
const LOG_IN: &str = "/auth/api-key";
const REFRESH: &str = "/auth/refresh";

// Bearers

#[test]
fn a_key_is_given_a_bearer_for_an_hour_and_a_token_to_refresh_it() {
    let api = start(&[]);
    let answer = post(&api, LOG_IN, &json!({ "apiKey": KEY }));
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let grant = answer.json();
    assert_eq!(field_names(&grant), ["access_token", "expires_in", "refresh_token", "token_type"]);
    assert_eq!(grant["token_type"], "Bearer");
    assert_eq!(grant["expires_in"], 3600);
    for (name, lifetime) in [("access_token", Some(3600)), ("refresh_token", None)] {
        let claims = claims(&grant[name]);
        let told = claims["exp"].as_i64().zip(claims["iat"].as_i64()).map(|(exp, iat)| exp - iat);
        assert_eq!(told, lifetime, "{name}");
    }
}

#[test]
fn a_refresh_token_is_given_another_bearer_and_the_first_stays_good() {
    let api = start(&[]);
    let first = log_in(&api);
    let answer = post(&api, REFRESH, &json!({ "refreshToken": first["refresh_token"] }));
    assert_eq!(answer.status, 200);
    let second = answer.json();
    assert_eq!(field_names(&second), field_names(&first));
    let again = post(&api, REFRESH, &json!({ "refreshToken": second["refresh_token"] })).json();
    let grants = [&first, &second, &again];
    for grant in grants {
        assert_eq!(list_as(&api, &bearer(&grant["access_token"])).status, 200);
    }
    let given = grants.iter().flat_map(|grant| [&grant["access_token"], &grant["refresh_token"]]);
    assert_eq!(given.collect::<HashSet<_>>().len(), 6);
}

#[test]
fn a_bearer_is_as_good_as_the_key_for_every_operation() {
    let api = start(&[]);
    let headers = [bearer(&log_in(&api)["access_token"]), JSON.to_owned()];
    let created = send(&api, "POST", "/upload-tokens", &headers, r#"{"ttl":60}"#);
    assert_eq!(created.status, 200);
    let path = format!("/upload-tokens/{}", created.json()["token"].as_str().unwrap());
    assert_eq!(send(&api, "GET", &path, &headers, "").status, 200);
    assert_eq!(
        send(&api, "GET", "/upload-tokens", &headers, "").json()["data"],
        json!([created.json()])
    );
    assert_eq!(send(&api, "DELETE", &path, &headers, "").status, 204);
}

#[test]
fn a_bearer_ends_with_its_lifetime_and_is_refreshed_after_it() {
    let api = start(&["--access-token-lifetime", "1"]);
    let asked = Instant::now();
    let grant = log_in(&api);
    assert_eq!(grant["expires_in"], 1);
    let old = bearer(&grant["access_token"]);
    let refused = loop {
        let answer = list_as(&api, &old);
        if answer.status != 200 {
            break answer;
        }
        assert!(asked.elapsed() < Duration::from_secs(10), "it has not expired");
        std::thread::sleep(Duration::from_millis(20));
    };
    assert!(asked.elapsed() >= Duration::from_secs(1), "it expired too early");
    assert_unauthorized_bearer(&refused);
    // Another one ends as soon, and may have ended before it is used.
    let refreshed =
        || post(&api, REFRESH, &json!({ "refreshToken": grant["refresh_token"] })).json();
    let serves = |_| list_as(&api, &bearer(&refreshed()["access_token"])).status == 200;
    assert!((0..20).any(serves), "none is good");
}

#[test]
fn the_access_token_of_the_options_has_no_lifetime() {
    let api = start(&["--access-token-lifetime", "1", "--access-token", "secret"]);
    let grant = log_in(&api);
    let started = Instant::now();
    while list_as(&api, &bearer(&grant["access_token"])).status == 200 {
        assert!(started.elapsed() < Duration::from_secs(10), "it has not expired");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(list_as(&api, &bearer(&json!("secret"))).status, 200);
}

#[test]
fn a_refresh_token_is_no_bearer_and_a_bearer_refreshes_nothing() {
    let api = start(&[]);
    let grant = log_in(&api);
    assert_unauthorized_bearer(&list_as(&api, &bearer(&grant["refresh_token"])));
    let answer = post(&api, REFRESH, &json!({ "refreshToken": grant["access_token"] }));
    assert_incorrect_credentials(&answer);
}

#[test]
fn bad_credentials_are_a_400_of_their_own_kind() {
    let api = start(&["--access-token", "secret"]);
    for key in ["another", "", &KEY.to_uppercase(), "secret"] {
        assert_incorrect_credentials(&post(&api, LOG_IN, &json!({ "apiKey": key })));
    }
    for token in ["another", "", KEY, "secret"] {
        assert_incorrect_credentials(&post(&api, REFRESH, &json!({ "refreshToken": token })));
    }
}

#[test]
fn what_is_no_credential_at_all_is_a_400_that_says_why() {
    let api = start(&[]);
    for (path, field) in [(LOG_IN, "apiKey"), (REFRESH, "refreshToken")] {
        for (body, name, detail) in [
            (json!({}), field, "This field is missing."),
            (json!({ field: null }), field, "This value must be of type string."),
            (json!({ field: 1 }), field, "This value must be of type string."),
            (json!({ field: "x", "other": 1 }), "other", "This field was not expected."),
        ] {
            let problem = post(&api, path, &body).json();
            assert_eq!(problem["status"], 400, "{body}");
            assert_eq!(problem["title"], "An attribute is invalid.", "{body}");
            assert_eq!(problem["name"], name, "{body}");
            assert_eq!(problem["detail"], detail, "{body}");
        }
        for body in ["", "apiKey=demo", "[]", "{"] {
            let answer = send(&api, "POST", path, &[], body);
            assert_eq!(answer.status, 400, "{body}");
            assert_eq!(answer.json()["title"], "The payload is invalid.", "{body}");
        }
        for method in ["GET", "DELETE", "PUT"] {
            let answer = send(&api, method, path, &[], "");
            assert_eq!(answer.status, 405, "{method}");
            assert_eq!(answer.header("allow"), Some("POST"), "{method}");
        }
    }
    for path in ["/auth", "/auth/", "/auth/api-key/", "/auth/other"] {
        let answer = post(&api, path, &json!({ "apiKey": KEY }));
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.json()["title"], "Unrecognized request URL.", "{path}");
    }
}

#[test]
fn authentication_is_not_limited_and_tells_no_limit() {
    let api = start(&["--rate-limit", "1"]);
    for _ in 0..5 {
        let answer = post(&api, LOG_IN, &json!({ "apiKey": KEY }));
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("x-ratelimit-limit"), None);
        let refresh_token = &answer.json()["refresh_token"];
        let answer = post(&api, REFRESH, &json!({ "refreshToken": refresh_token }));
        assert_eq!(answer.status, 200);
    }
    let headers = [bearer(&log_in(&api)["access_token"]), JSON.to_owned()];
    let statuses = [(); 2].map(|()| send(&api, "POST", "/upload-tokens", &headers, "{}").status);
    assert_eq!(statuses, [200, 429]);
}

#[test]
fn a_lost_bearer_is_no_lost_create() {
    let api = start(&["--drop-rate", "100"]);
    let mut connection = Connection::open(&api.url);
    connection.send_only("POST", LOG_IN, &[JSON.to_owned()], &json!({ "apiKey": KEY }).to_string());
    assert_eq!(connection.read_to_close(), "");
    let ledger = send(&api, "GET", "/local-api/ledger", &[], "").json();
    assert_eq!(ledger["requests"], 1);
    assert_eq!(ledger["created"], 0);
    assert_eq!(
        ledger["answers_lost"],
        json!({ "create": 0, "delete": 0, "part": 0, "read": 1, "video": 0 })
    );
}

// Clients that are not to be had from a registry here

/// The requests of a client's first create, as it words them: those in Go and PHP as they were seen on the
/// wire, the others after their sources and what these send with.
struct Wording {
    client: &'static str,
    log_in: &'static [&'static str],
    create: &'static [&'static str],
    body: &'static str,
}

const WORDINGS: [Wording; 5] = [
    Wording {
        client: "go",
        log_in: &[
            "User-Agent: Go-http-client/1.1",
            "Accept: application/json",
            "Av-Origin-Client: go:1.4.5",
            "Content-Type: application/json",
            "Accept-Encoding: gzip",
        ],
        create: &[
            "User-Agent: Go-http-client/1.1",
            "Accept: application/json",
            "Av-Origin-Client: go:1.4.5",
            "Content-Type: application/json",
            "Accept-Encoding: gzip",
        ],
        body: "{\"ttl\":3600}\n",
    },
    // A new connection for each request, and no type of its own for JSON: what sends it adds one.
    Wording {
        client: "php",
        log_in: &[
            "Connection: close",
            "Accept: application/json",
            "Content-Type: application/json",
            "AV-Origin-Client: php:1.4.5",
            "Accept-Encoding: gzip",
            "User-Agent: Symfony HttpClient/Native",
        ],
        create: &[
            "Connection: close",
            "Accept: application/json",
            "AV-Origin-Client: php:1.4.5",
            "Content-Type: application/x-www-form-urlencoded",
            "Accept-Encoding: gzip",
            "User-Agent: Symfony HttpClient/Native",
        ],
        body: r#"{"ttl":3600}"#,
    },
    Wording {
        client: "java",
        log_in: &[
            "Content-Type: application/json; charset=utf-8",
            "AV-Origin-Client: java:1.4.5",
            "Connection: Keep-Alive",
            "Accept-Encoding: gzip",
            "User-Agent: okhttp/4.9.1",
        ],
        create: &[
            "Accept: application/json",
            "AV-Origin-Client: java:1.4.5",
            "Content-Type: application/json; charset=utf-8",
            "Connection: Keep-Alive",
            "Accept-Encoding: gzip",
            "User-Agent: okhttp/4.9.1",
        ],
        body: r#"{"ttl":3600}"#,
    },
    Wording {
        client: "csharp",
        log_in: &[
            "AV-Origin-Client: csharp:1.6.5",
            "Accept: application/json",
            "User-Agent: RestSharp/106.11.4.0",
            "Content-Type: application/json",
            "Accept-Encoding: gzip, deflate",
        ],
        create: &[
            "AV-Origin-Client: csharp:1.6.5",
            "Accept: application/json",
            "User-Agent: RestSharp/106.11.4.0",
            "Content-Type: application/json",
            "Accept-Encoding: gzip, deflate",
        ],
        body: "{\r\n  \"ttl\": 3600\r\n}",
    },
    Wording {
        client: "swift",
        log_in: &[
            "Content-Type: application/json",
            "AV-Origin-Client: swift:1.3.7",
            "Accept: */*",
            "User-Agent: xctest (unknown version) curl/7.81.0",
            "Accept-Encoding: deflate, gzip",
        ],
        create: &[
            "Content-Type: application/json",
            "AV-Origin-Client: swift:1.3.7",
            "Accept: */*",
            "User-Agent: xctest (unknown version) curl/7.81.0",
            "Accept-Encoding: deflate, gzip",
        ],
        body: "{\n  \"ttl\" : 3600\n}",
    },
];

#[test]
fn each_official_client_connects_and_creates_as_it_words_it() {
    let api = start(&[]);
    for Wording { client, log_in, create, body } in WORDINGS {
        let lines =
            |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
        let grant =
            send(&api, "POST", LOG_IN, &lines(log_in), &json!({ "apiKey": KEY }).to_string());
        assert_eq!(grant.status, 200, "{client}");
        let mut headers = lines(create);
        headers.push(bearer(&grant.json()["access_token"]));
        let created = send(&api, "POST", "/upload-tokens", &headers, body);
        assert_eq!(created.status, 200, "{client}: {}", created.body);
        assert_eq!(created.json()["ttl"], 3600, "{client}");
    }
}

// Pages in browsers

#[test]
fn a_preflight_needs_no_credential_and_allows_what_the_clients_send() {
    let api = start(&[]);
    for (path, methods) in [
        ("/upload-tokens", "GET, POST"),
        ("/upload-tokens/unknown", "GET, DELETE"),
        (LOG_IN, "POST"),
        (REFRESH, "POST"),
        ("/upload?token=unknown", "POST"),
        ("/videos", "POST"),
        ("/videos/unknown", "GET"),
        ("/videos/unknown/status", "GET"),
    ] {
        let answer = preflight(&api, path);
        assert_eq!(answer.status, 204, "{path}");
        assert_eq!(answer.body, "", "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{path}");
        assert_eq!(answer.header("access-control-allow-methods"), Some(methods), "{path}");
        let allowed = answer.header("access-control-allow-headers").expect("a list").to_lowercase();
        let allowed: Vec<&str> = allowed.split(", ").collect();
        for header in [
            "authorization",
            "content-type",
            "content-range",
            "av-origin-client",
            "av-origin-app",
            "av-origin-sdk",
        ] {
            assert!(allowed.contains(&header), "{path}: {header}");
        }
        assert!(answer.number("access-control-max-age") > 0, "{path}");
    }
}

/// A page is told of a 404 only if the preflight before it is not refused.
#[test]
fn a_preflight_of_an_unknown_path_is_answered_too() {
    let api = start(&[]);
    let answer = preflight(&api, "/unknown");
    assert_eq!(answer.status, 204);
    assert_eq!(answer.header("access-control-allow-methods"), Some("GET, POST, DELETE"));
}

#[test]
fn a_preflight_is_not_counted_limited_failed_or_dropped() {
    for options in [
        &["--rate-limit", "0"][..],
        &["--fail-rate", "100"],
        &["--drop-rate", "100"],
        &["--latency-ms", "60000"],
    ] {
        let api = start(options);
        for path in ["/upload-tokens", "/upload?token=unknown"] {
            assert_eq!(preflight(&api, path).status, 204, "{options:?}");
        }
        let ledger = send(&api, "GET", "/local-api/ledger", &[], "").json();
        assert_eq!(ledger["requests"], 0, "{options:?}");
    }
}

#[test]
fn every_answer_may_be_read_by_a_page_of_any_origin() {
    let api = start(&["--rate-limit", "5"]);
    let failing = start(&["--fail-rate", "100"]);
    let headers = [bearer(&log_in(&api)["access_token"]), JSON.to_owned()];
    let big = " ".repeat(64 * 1024 + 1);
    for (status, answer) in [
        (200, send(&api, "GET", "/upload-tokens", &headers, "")),
        (200, send(&api, "POST", "/upload-tokens", &headers, "{}")),
        (200, send(&api, "GET", "/local-api/ledger", &[], "")),
        (200, post(&api, LOG_IN, &json!({ "apiKey": KEY }))),
        (400, post(&api, LOG_IN, &json!({ "apiKey": "another" }))),
        (400, send(&api, "POST", "/upload-tokens", &headers, "")),
        (401, list_as(&api, "X-Nothing: 1")),
        (401, send(&api, "POST", "/upload", &[], "")),
        (404, send(&api, "DELETE", "/upload-tokens/unknown", &headers, "")),
        (404, send(&api, "GET", "/unknown", &headers, "")),
        (405, send(&api, "PUT", "/upload-tokens", &headers, "")),
        (413, send(&api, "POST", "/upload-tokens", &headers, &big)),
        (429, send(&api, "POST", "/upload-tokens", &headers, "{}")),
        (500, list_as(&failing, &headers[0])),
    ] {
        assert_eq!(answer.status, status, "{}", answer.body);
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{status}");
        let exposed = answer.header("access-control-expose-headers").expect("a list");
        let exposed = exposed.to_lowercase();
        let exposed: Vec<&str> = exposed.split(", ").collect();
        for header in
            ["x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-retry-after", "retry-after"]
        {
            assert!(exposed.contains(&header), "{status}: {header}");
        }
    }
}

// Calling

fn start(options: &[&str]) -> LocalApi {
    LocalApi::start(&[&["--api-key", KEY], options].concat())
}

fn send(api: &LocalApi, method: &str, target: &str, headers: &[String], body: &str) -> Answer {
    Connection::open(&api.url).send(method, target, headers, body)
}

fn post(api: &LocalApi, path: &str, body: &Value) -> Answer {
    send(api, "POST", path, &[JSON.to_owned()], &body.to_string())
}

fn list_as(api: &LocalApi, header: &str) -> Answer {
    send(api, "GET", "/upload-tokens", &[header.to_owned()], "")
}

fn log_in(api: &LocalApi) -> Value {
    let answer = post(api, LOG_IN, &json!({ "apiKey": KEY }));
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()
}

fn bearer(access_token: &Value) -> String {
    format!("Authorization: Bearer {}", access_token.as_str().expect("a text"))
}

fn preflight(api: &LocalApi, path: &str) -> Answer {
    let headers = [
        "Origin: https://example.com",
        "Access-Control-Request-Method: POST",
        "Access-Control-Request-Headers: authorization,av-origin-client,content-type",
    ];
    send(api, "OPTIONS", path, &headers.map(str::to_owned), "")
}

// Looking at answers

/// What a JWT says, unverified.
fn claims(token: &Value) -> Value {
    let parts: Vec<&str> = token.as_str().expect("a text").split('.').collect();
    assert_eq!(parts.len(), 3, "{token}");
    let decoded = URL_SAFE_NO_PAD.decode(parts[1]).expect("base64url");
    serde_json::from_slice(&decoded).expect("JSON")
}

fn field_names(object: &Value) -> Vec<&str> {
    let mut names: Vec<&str> =
        object.as_object().expect("an object").keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

fn assert_unauthorized_bearer(answer: &Answer) {
    assert_eq!(answer.status, 401);
    assert_eq!(
        answer.json(),
        json!({
            "type": format!("{REFERENCE}authentication-invalid-access-token"),
            "title": "The access token is invalid or expired.",
            "status": 401,
        })
    );
}

fn assert_incorrect_credentials(answer: &Answer) {
    assert_eq!(answer.status, 400);
    assert_eq!(
        answer.json(),
        json!({
            "type": format!("{REFERENCE}authentication-invalid-user-credentials"),
            "title": "The user credentials were incorrect.",
            "name": "",
            "status": 400,
        })
    );
}
