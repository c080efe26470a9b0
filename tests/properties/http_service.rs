//! HTTP as the services of these tests need it, and one that answers what it is told.

pub use crate::request::{Request, read_request};
use std::io::Write;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::{Arc, Mutex};

/// A whole answer, with these lines in its head.
pub fn answer(status: &str, lines: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n{lines}\r\n{body}", body.len())
}

/// A service that answers every request with the same, until told otherwise.
pub struct Canned {
    pub url: String,
    state: Arc<Mutex<(String, Request)>>,
}

impl Canned {
    pub fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let state = Arc::<Mutex<(String, Request)>>::default();
        let shared = state.clone();
        // It ends with the process of the test.
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                stream.set_nodelay(true).expect("a TCP connection");
                while let Ok(Some(request)) = read_request(&stream) {
                    let mut state = shared.lock().expect("no panic there");
                    state.1 = request;
                    let answer = state.0.clone();
                    drop(state);
                    (&stream).write_all(answer.as_bytes()).expect("the client waits for it");
                }
            }
        });
        Canned { url, state }
    }

    /// From now on it answers with this.
    pub fn tell(&self, status: &str, body: &str) {
        self.state.lock().expect("no panic there").0 = answer(status, "", body);
    }

    /// The last request.
    pub fn request(&self) -> Request {
        self.state.lock().expect("no panic there").1.clone()
    }
}
