//! HTTP/1.1 at its plainest, so that what the stand-in service answers is seen as it is, with
//! nothing added, followed or repeated.

#![allow(dead_code, reason = "each test file uses its own part")]

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

pub struct Answer {
    pub status: u16,
    headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub fn number(&self, name: &str) -> u64 {
        let value = self.header(name).unwrap_or_else(|| panic!("no {name}"));
        value.parse().unwrap_or_else(|_| panic!("{name}: {value}"))
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

/// One connection, for as many requests as the server keeps it open for.
pub struct Connection {
    stream: BufReader<Box<dyn Stream>>,
}

pub trait Stream: Read + Write {}

impl<S: Read + Write> Stream for S {}

/// The scheme is not looked at.
pub fn connect(url: &str) -> TcpStream {
    let (_, address) = url.split_once("://").expect("a URL");
    let stream = TcpStream::connect(address).expect("the server accepts connections");
    // A server that never answers fails the test instead of hanging it.
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout can be set");
    stream
}

impl Connection {
    pub fn open(url: &str) -> Self {
        Self::over(connect(url))
    }

    pub fn over(stream: impl Stream + 'static) -> Self {
        Self { stream: BufReader::new(Box::new(stream)) }
    }

    /// `headers` are whole lines without their ends; `Host` and `Content-Length` are added.
    pub fn send(&mut self, method: &str, target: &str, headers: &[String], body: &str) -> Answer {
        self.send_only(method, target, headers, body);
        self.read_answer()
    }

    /// The same with a body of any bytes.
    pub fn send_bytes(
        &mut self,
        method: &str,
        target: &str,
        headers: &[String],
        body: &[u8],
    ) -> Answer {
        self.send_request(method, target, headers, body);
        self.read_answer()
    }

    /// Does not wait for the answer.
    pub fn send_only(&mut self, method: &str, target: &str, headers: &[String], body: &str) {
        self.send_request(method, target, headers, body.as_bytes());
    }

    fn send_request(&mut self, method: &str, target: &str, headers: &[String], body: &[u8]) {
        let mut request = format!("{method} {target} HTTP/1.1\r\nHost: localhost\r\n");
        for header in headers {
            request += &format!("{header}\r\n");
        }
        request += &format!("Content-Length: {}\r\n\r\n", body.len());
        let request = [request.as_bytes(), body].concat();
        self.stream.get_mut().write_all(&request).expect("the request is sent");
    }

    /// What still arrives until the server closes the connection, in whatever way.
    pub fn read_to_close(&mut self) -> String {
        let mut rest = Vec::new();
        if let Err(error) = self.stream.read_to_end(&mut rest) {
            let closed = [io::ErrorKind::ConnectionReset, io::ErrorKind::UnexpectedEof];
            assert!(closed.contains(&error.kind()), "{error}");
        }
        String::from_utf8(rest).expect("an answer is UTF-8")
    }

    pub fn read_answer(&mut self) -> Answer {
        let status_line = self.read_line();
        let status = status_line
            .strip_prefix("HTTP/1.1 ")
            .and_then(|rest| rest.get(..3)?.parse().ok())
            .unwrap_or_else(|| panic!("not a status line: {status_line:?}"));
        let mut answer = Answer { status, headers: Vec::new(), body: String::new() };
        loop {
            let line = self.read_line();
            let Some((name, value)) = line.split_once(": ") else {
                break;
            };
            answer.headers.push((name.to_owned(), value.to_owned()));
        }
        if answer.header("content-length").is_some() {
            let mut body = vec![0; answer.number("content-length") as usize];
            self.stream.read_exact(&mut body).expect("the body is complete");
            answer.body = String::from_utf8(body).expect("the body is UTF-8");
        }
        answer
    }

    fn read_line(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).expect("the answer arrives");
        line.trim_end().to_owned()
    }
}
