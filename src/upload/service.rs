//! A service for the tests of uploads: it keeps what it is sent by the rules of the real one, over real
//! sockets, and does wrong what a test asks it to.

use crate::client::{Client, ClientConfig, Origin};
use crate::trace::Tracer;
use crate::wait::cancel::Cancel;
use crate::wait::lock;
use std::collections::{BTreeMap, VecDeque};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// What it does wrong with one request.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// Nothing.
    None,
    /// It hangs up before it has read anything.
    HangUp,
    /// It stops reading after so many bytes of the body, and does not hang up.
    StallAt(usize),
    /// It hangs up after so many bytes of the body.
    CutAt(usize),
    /// It answers so after so many bytes of the body, and reads no more.
    AnswerAt(usize, u16, &'static str),
    /// It keeps nothing, and does not answer.
    Lose,
    /// It keeps the part, and does not answer.
    KeepAndLose,
    /// It keeps nothing, and answers so.
    Answer(u16, &'static str),
    /// The same, once it has seen so many requests in all: then the others are under way.
    AnswerAmong(usize, u16, &'static str),
    /// It keeps the part, and answers so.
    KeepAndAnswer(u16, &'static str),
    /// It keeps the part, and answers these bytes.
    KeepAndSay(&'static [u8]),
    /// It keeps the part, and cancels the call instead of answering.
    KeepAndCancel(Arc<Cancel>),
    /// It keeps the part, and holds its answer back for ever.
    KeepAndHold,
}

/// What it has seen and kept.
#[derive(Default)]
pub(crate) struct Ledger {
    pub requests: Vec<Seen>,
    pub videos: BTreeMap<String, Video>,
}

/// A request, as far as it came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub head: String,
    pub part: String,
    pub video_id: Option<String>,
    pub file_name: String,
    pub bytes: Vec<u8>,
}

/// A video, and its parts by number.
#[derive(Default)]
pub(crate) struct Video {
    pub parts: BTreeMap<u32, Vec<u8>>,
    pub is_whole: bool,
}

impl Ledger {
    /// The contents of all videos that are whole.
    pub fn whole(&self) -> Vec<Vec<u8>> {
        let whole = self.videos.values().filter(|video| video.is_whole);
        whole.map(|video| video.parts.values().flatten().copied().collect()).collect()
    }

    /// What each request said of its part.
    pub fn parts(&self) -> Vec<&str> {
        self.requests.iter().map(|seen| seen.part.as_str()).collect()
    }

    /// Keeps a part, and tells what is answered to that.
    fn keep(&mut self, seen: &Seen) -> (u16, String) {
        let refused = |slug: &str| {
            let kind = format!("https://docs.api.video/reference/{slug}");
            (400, format!(r#"{{"type":"{kind}","title":"Refused.","status":400}}"#))
        };
        let (number, count) = seen.part["part ".len()..].split_once('/').expect("a part");
        // Of what has no end yet it is a star.
        let (number, count): (u32, Option<usize>) =
            (number.parse().expect("n"), count.parse().ok());
        let id = seen.video_id.clone().unwrap_or_else(|| format!("vi{}", self.videos.len() + 1));
        let video = self.videos.entry(id.clone()).or_default();
        if video.is_whole {
            return refused("video-source-already-uploaded");
        }
        if video.parts.contains_key(&number) {
            return refused("video-content-range-by-part-part-already-sent");
        }
        video.parts.insert(number, seen.bytes.clone());
        video.is_whole = Some(video.parts.len()) == count;
        match video.is_whole {
            true => {
                (201, format!(r#"{{"videoId":"{id}","title":"T","assets":{{"hls":"https://h"}}}}"#))
            }
            false => (201, format!(r#"{{"videoId":"{id}"}}"#)),
        }
    }
}

/// A service on a port of its own.
pub(crate) struct Service {
    pub url: String,
    pub ledger: Arc<Mutex<Ledger>>,
    faults: Arc<Mutex<VecDeque<Fault>>>,
}

impl Service {
    /// One that does these things wrong, request by request, and nothing after them.
    pub fn with(faults: impl IntoIterator<Item = Fault>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let (ledger, faults) = (Arc::default(), Arc::new(Mutex::new(faults.into_iter().collect())));
        let service = Service { url, ledger, faults };
        let (ledger, faults) = (service.ledger.clone(), service.faults.clone());
        thread::spawn(move || {
            let held = Arc::<Mutex<Vec<TcpStream>>>::default();
            for connection in listener.incoming() {
                let connection = connection.expect("a connection");
                let fault = lock(&faults).pop_front().unwrap_or(Fault::None);
                let (ledger, held) = (ledger.clone(), held.clone());
                thread::spawn(move || {
                    let open = serve(connection, fault, &ledger);
                    lock(&held).extend(open);
                });
            }
        });
        service
    }

    /// From now on it does these things wrong.
    pub fn goes_on_with(&self, faults: impl IntoIterator<Item = Fault>) {
        *lock(&self.faults) = faults.into_iter().collect();
    }

    /// A client of it that has no credential.
    pub fn client(&self) -> Client {
        self.client_tracing(Tracer::off())
    }

    pub fn client_tracing(&self, tracer: Tracer) -> Client {
        let nobody = Origin { name: None, version: None };
        let client = Client::new(ClientConfig {
            credential: None,
            base_url: Some(&self.url),
            app: nobody,
            sdk: nobody,
            ca_file: None,
            proxy_url: Some(""),
            timeout: None,
            connect_timeout: None,
            attempt_timeout: None,
            max_attempts: None,
            tracer,
            allow_plain_http: false,
        });
        client.expect("a client")
    }
}

/// Serves one request; a connection that is held back is returned.
fn serve(mut connection: TcpStream, fault: Fault, ledger: &Mutex<Ledger>) -> Option<TcpStream> {
    if matches!(fault, Fault::HangUp) {
        lock(ledger).requests.push(Seen::default());
        return None;
    }
    let most = match fault {
        Fault::CutAt(most) | Fault::StallAt(most) | Fault::AnswerAt(most, ..) => most,
        _ => usize::MAX,
    };
    let (seen, is_all) = receive(&mut connection, most);
    let all = ledger;
    let mut ledger = lock(all);
    ledger.requests.push(seen.clone());
    if matches!(fault, Fault::StallAt(_)) {
        return Some(connection);
    }
    if let Fault::AnswerAt(_, status, body) = fault {
        answer(&mut connection, status, body);
        return Some(connection);
    }
    if !is_all {
        return None;
    }
    let (status, body) = match fault {
        Fault::Answer(status, body) => (status, body.to_owned()),
        Fault::AnswerAmong(count, status, body) => {
            drop(ledger);
            wait_for_requests(count, all);
            answer(&mut connection, status, body);
            return None;
        }
        Fault::Lose | Fault::HangUp | Fault::CutAt(_) => return None,
        _ => ledger.keep(&seen),
    };
    drop(ledger);
    let (status, body) = match fault {
        Fault::KeepAndLose => return None,
        Fault::KeepAndHold => return Some(connection),
        Fault::KeepAndCancel(cancel) => {
            cancel.trigger();
            return Some(connection);
        }
        Fault::KeepAndSay(bytes) => {
            let _ = connection.write_all(bytes);
            return None;
        }
        Fault::KeepAndAnswer(status, body) => (status, body.to_owned()),
        _ => (status, body),
    };
    answer(&mut connection, status, &body);
    None
}

/// Waits until so many requests were seen, or for so long that they will not come any more.
fn wait_for_requests(count: usize, ledger: &Mutex<Ledger>) {
    let begin = Instant::now();
    while lock(ledger).requests.len() < count && begin.elapsed() < Duration::from_secs(10) {
        thread::yield_now();
    }
}

/// Answers, and says that it will close the connection.
fn answer(connection: &mut TcpStream, status: u16, body: &str) {
    // Of a status that says where or when, so that it is understood.
    let more = match status {
        429 => "X-RateLimit-Retry-After: 1\r\n",
        300..=399 => "Location: https://elsewhere.example/upload\r\n",
        _ => "",
    };
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 {status} So\r\nContent-Length: {length}\r\n{more}Connection: close\r\n\r\n{body}"
    );
    let _ = connection.write_all(answer.as_bytes());
}

/// Reads a request, no more than `most` bytes of its body, and whether that is all.
fn receive(connection: &mut TcpStream, most: usize) -> (Seen, bool) {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") && connection.read(&mut byte).unwrap_or(0) == 1 {
        head.push(byte[0]);
    }
    if !head.ends_with(b"\r\n\r\n") {
        return (Seen::default(), false);
    }
    let head = String::from_utf8(head).expect("ASCII");
    let header = |name: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
    };
    let length: usize = header("content-length").and_then(|it| it.parse().ok()).unwrap_or(0);
    let mut body = Vec::new();
    let _ = connection.take(length.min(most) as u64).read_to_end(&mut body);
    let mut seen = Seen {
        part: header("content-range").unwrap_or_default(),
        head: head.clone(),
        ..Seen::default()
    };
    if body.len() < length {
        return (seen, false);
    }
    let content_type = header("content-type").expect("a type");
    let (_, boundary) = content_type.split_once("boundary=").expect("a boundary");
    let separator = format!("--{boundary}\r\n").into_bytes();
    let end = format!("\r\n--{boundary}--\r\n").into_bytes();
    let mut rest = body.strip_suffix(&end[..]).expect("the end of the form");
    while let Some(field) = rest.strip_prefix(&separator[..]) {
        let at = field.windows(4).position(|it| it == b"\r\n\r\n").expect("a field's head");
        let (head, content) = (String::from_utf8_lossy(&field[..at]), &field[at + 4..]);
        if let Some((_, name)) = head.split_once("filename=\"") {
            seen.file_name = name.split('"').next().unwrap_or_default().to_owned();
            seen.bytes = content.to_vec();
            break;
        }
        let at = content.windows(2).position(|it| it == b"\r\n").expect("its end");
        seen.video_id = Some(String::from_utf8_lossy(&content[..at]).into_owned());
        rest = &content[at + 2..];
    }
    (seen, true)
}
