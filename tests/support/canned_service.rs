//! A service that answers as it is told, for what the stand-in never answers.

use crate::request::read_request;
use std::io::Write;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, Mutex};
use std::thread;

pub struct CannedService {
    pub url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl CannedService {
    /// Answers every request with this status and body.
    pub fn answering(status: &str, body: &str) -> Self {
        let answer = answer(status, body);
        Self::sending(move |_| answer.clone())
    }

    /// Takes every request and hangs up.
    pub fn hanging_up() -> Self {
        Self::sending(|_| String::new())
    }

    /// A page with just these tokens, each a JSON object.
    pub fn listing(tokens: &[&str]) -> Self {
        Self::answering("200 OK", &page(tokens))
    }

    /// A page with just these tokens, and for each deletion the status that `status_of` has for the
    /// token; where that is "", it hangs up.
    pub fn deleting(
        tokens: &[&str],
        status_of: impl Fn(&str) -> &'static str + Send + 'static,
    ) -> Self {
        Self::deleting_with(tokens, move |token| match status_of(token) {
            // As the service says it.
            status if status.starts_with("404") => {
                (status, r#"{"title":"The requested resource was not found.","status":404}"#)
            }
            status => (status, ""),
        })
    }

    /// The same with the status and the body that `answer_of` has for the token.
    pub fn deleting_with(
        tokens: &[&str],
        answer_of: impl Fn(&str) -> (&'static str, &'static str) + Send + 'static,
    ) -> Self {
        let page = answer("200 OK", &page(tokens));
        Self::sending(move |request| match request.strip_prefix("DELETE /upload-tokens/") {
            None => page.clone(),
            Some(token) => match answer_of(token) {
                ("", _) => String::new(),
                (status, body) => answer(status, body),
            },
        })
    }

    /// The method and target of each request so far, such as `GET /upload-tokens`.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    fn sending(answer: impl Fn(&str) -> String + Send + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        // It ends with the process of the test.
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let Ok(Some(request)) = read_request(&stream) else { continue };
                let request = format!("{} {}", request.method, request.target);
                let answer = answer(&request);
                seen.lock().unwrap().push(request);
                // Whoever hangs up early misses its answer.
                let _ = (&stream).write_all(answer.as_bytes());
            }
        });
        Self { url, requests }
    }
}

fn answer(status: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
}

fn page(tokens: &[&str]) -> String {
    let pagination = r#"{"currentPage":1,"pagesTotal":1}"#;
    format!(r#"{{"data":[{}],"pagination":{pagination}}}"#, tokens.join(","))
}
