//! HTTP as the services of these tests need it, and one that answers what it is told.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A request, read whole.
#[derive(Clone, Debug, Default)]
pub struct Request {
    pub method: String,
    pub target: String,
    pub body: Vec<u8>,
}

/// Reads the next request, or `None` at the end of the connection.
pub fn read_request(stream: &TcpStream) -> io::Result<Option<Request>> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split(' ').map(str::to_owned);
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line == "\r\n" {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Some(Request { method, target, body }))
}

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
                    let mut state = shared.lock().unwrap();
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
        self.state.lock().unwrap().0 = answer(status, "", body);
    }

    /// The last request.
    pub fn request(&self) -> Request {
        self.state.lock().unwrap().1.clone()
    }
}
