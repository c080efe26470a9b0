//! Plain ureq and serde: an agent as it comes, derived decoders, dates left as text. No deadline: with
//! one, ureq starts a thread for each call.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::ffi::{CStr, c_char};
use std::sync::Arc;
use ureq::Agent;
use ureq::tls::{PemItem, RootCerts, TlsConfig};

const TOKEN: &str = "to1tcmSFHeYY5KzyhO000000";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code)] // what a program would read
struct Token {
    token: String,
    ttl: Option<i32>,
    created_at: Option<String>,
    expires_at: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code)]
struct Pagination {
    current_page: Option<u32>,
    page_size: Option<u32>,
    pages_total: Option<u32>,
    items_total: Option<u64>,
}

#[derive(Deserialize)]
#[allow(dead_code)]
struct Page {
    data: Vec<Token>,
    pagination: Pagination,
}

pub struct Caller {
    agent: Agent,
    url: String,
}

fn agent() -> Agent {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = TlsConfig::builder().unversioned_rustls_crypto_provider(provider);
    if let Some(file) = std::env::var_os("SSL_CERT_FILE") {
        let pem = std::fs::read(file).expect("SSL_CERT_FILE can be read");
        let certificates = ureq::tls::parse_pem(&pem).filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        });
        tls = tls.root_certs(RootCerts::from(certificates));
    }
    Agent::config_builder().proxy(None).tls_config(tls.build()).build().into()
}

impl Caller {
    fn call<T: DeserializeOwned>(&self, path: &str) -> T {
        let answer = self
            .agent
            .get(format!("{}/upload-tokens{path}", self.url))
            .header("Authorization", "Basic S0VZOg==")
            .header("Accept", "application/json")
            .call()
            .expect("an answer");
        let body = answer.into_body().read_to_vec().expect("a body");
        serde_json::from_slice(&body).expect("JSON")
    }
}

/// # Safety
/// As benches/caller.h tells.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn caller_open(url: *const c_char, sharing: Option<&Caller>) -> Box<Caller> {
    let url = unsafe { CStr::from_ptr(url) }.to_str().expect("UTF-8").to_owned();
    Box::new(Caller { agent: sharing.map_or_else(agent, |other| other.agent.clone()), url })
}

#[unsafe(no_mangle)]
pub extern "C" fn caller_get(it: &Caller) {
    let token: Token = it.call(&format!("/{TOKEN}"));
    assert_eq!(token.token.len(), TOKEN.len());
}

#[unsafe(no_mangle)]
pub extern "C" fn caller_list(it: &Caller) {
    let page: Page = it.call("?currentPage=1&pageSize=100");
    assert_eq!(page.data.len(), 100);
}

#[unsafe(no_mangle)]
pub extern "C" fn caller_close(it: Box<Caller>) {
    drop(it);
}

#[unsafe(no_mangle)]
pub extern "C" fn caller_version() -> *const c_char {
    c"ureq 3.5.2, serde_json 1".as_ptr()
}
