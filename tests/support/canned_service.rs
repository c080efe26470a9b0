//! A service that answers as it is told, for what the stand-in never answers, and when it is told: a
//! test can have it hold an answer back, and so act while a request is under way, for however long
//! either side takes.

#![allow(dead_code, reason = "each test file uses its own part")]

use crate::request::read_request;
use serde_json::Value;
use std::io::Write;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

pub struct CannedService {
    pub url: String,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// There is another request.
    came: Condvar,
}

#[derive(Default)]
struct State {
    requests: Vec<String>,
    /// How the requests begin whose answers are held back.
    held: Option<String>,
    /// Those answers.
    held_back: Vec<(TcpStream, String)>,
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

    /// These tokens, each a JSON object, on one page, until they are deleted.
    pub fn keeping(tokens: &[String]) -> Self {
        let mut kept = tokens.to_vec();
        Self::sending(move |request| match request.strip_prefix("DELETE /upload-tokens/") {
            None => answer("200 OK", &page(&kept)),
            Some(id) => {
                kept.retain(|token| serde_json::from_str::<Value>(token).unwrap()["token"] != id);
                answer("204 No Content", "")
            }
        })
    }

    /// From now on it does what a request asks for that begins like this, but holds its answer back,
    /// and goes on to serve others.
    pub fn hold(&self, request: &str) {
        self.shared.state.lock().unwrap().held = Some(request.to_owned());
    }

    /// Waits until it holds an answer back.
    #[track_caller]
    pub fn wait_until_held(&self) {
        let state = self.shared.state.lock().unwrap();
        let is_none_held = |state: &mut State| state.held_back.is_empty();
        let (state, _) =
            self.shared.came.wait_timeout_while(state, LONG, is_none_held).expect("no panic");
        assert!(!state.held_back.is_empty(), "only these have come: {:?}", state.requests);
    }

    /// Gives the answers that it has held back, and holds back no more.
    pub fn let_go(&self) {
        let mut state = self.shared.state.lock().unwrap();
        state.held = None;
        for (stream, answer) in state.held_back.drain(..) {
            send(&stream, &answer);
        }
    }

    /// The method and target of each request so far, such as `GET /upload-tokens`.
    pub fn requests(&self) -> Vec<String> {
        self.shared.state.lock().unwrap().requests.clone()
    }

    fn sending(mut answer: impl FnMut(&str) -> String + Send + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let shared = Arc::new(Shared::default());
        let service = Arc::clone(&shared);
        // It ends with the process of the test.
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let Ok(Some(request)) = read_request(&stream) else { continue };
                let request = format!("{} {}", request.method, request.target);
                let answer = answer(&request);
                let mut state = service.state.lock().unwrap();
                if state.held.as_ref().is_some_and(|held| request.starts_with(held)) {
                    state.held_back.push((stream, answer));
                    service.came.notify_all();
                } else {
                    send(&stream, &answer);
                }
                state.requests.push(request);
            }
        });
        Self { url, shared }
    }
}

/// For how long a test waits before it fails instead of hanging.
const LONG: Duration = Duration::from_secs(60);

fn send(mut stream: &TcpStream, answer: &str) {
    // Whoever hangs up early misses its answer.
    let _ = stream.write_all(answer.as_bytes());
}

fn answer(status: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
}

fn page(tokens: &[impl AsRef<str>]) -> String {
    let tokens: Vec<&str> = tokens.iter().map(AsRef::as_ref).collect();
    let pagination = r#"{"currentPage":1,"pagesTotal":1}"#;
    format!(r#"{{"data":[{}],"pagination":{pagination}}}"#, tokens.join(","))
}
