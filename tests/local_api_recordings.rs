//! What official clients of five languages sent to upload with a token, recorded, is taken by the
//! stand-in service as it is: in the published sizes, each byte but those of the files, and the
//! names that a service gives. Where they make several videos of one file, so do they here.

#[path = "support/local_api.rs"]
mod local_api;
#[path = "support/plain_http.rs"]
mod plain_http;

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use local_api::LocalApi;
use plain_http::{Answer, Connection};
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};

const RECORDINGS: &str = include_str!("data/recorded_uploads.md");
const KEY: &str = "demo";
/// As it was recorded; the stand-in gives its own.
const TOKEN: &str = "toABC";
const GIVEN_VIDEO: &str = "viGiven";
const RECORDED_VIDEO: &str = "viRecordedVideo";

/// What becomes of each recorded file.
enum Outcome {
    OneVideo,
    /// The client does not say which video its second part is of.
    AVideoForEachPart,
    /// What makes a video and then uploads to it.
    TheGivenVideo,
}

use Outcome::{AVideoForEachPart, OneVideo, TheGivenVideo};

const OUTCOMES: [(&str, Outcome); 29] = [
    ("node-12MiB-nokey", AVideoForEachPart),
    ("node-3MiB-nokey", OneVideo),
    ("node-5MiB-nokey", OneVideo),
    ("node-3MiB-withkey", OneVideo),
    ("node-12MiB-progressive", OneVideo),
    ("python-12MiB-nokey", AVideoForEachPart),
    ("python-3MiB-nokey", OneVideo),
    ("python-5MiB-nokey", OneVideo),
    ("python-12MiB-progressive", OneVideo),
    ("python-12MiB-progressive-videoId", TheGivenVideo),
    ("python-3MiB-withkey", OneVideo),
    ("go-12MiB-nokey", AVideoForEachPart),
    ("go-3MiB-nokey", OneVideo),
    ("go-12MiB-progressive", OneVideo),
    ("go-3MiB-withkey", OneVideo),
    ("php-12MiB-nokey", OneVideo),
    ("php-3MiB-nokey", OneVideo),
    // It does not send the video that it is given.
    ("php-12MiB-videoId", OneVideo),
    ("php-12MiB-progressive", OneVideo),
    ("php-3MiB-withkey", OneVideo),
    ("ts-jsdom-12MiB", OneVideo),
    ("ts-jsdom-3MiB", OneVideo),
    ("ts-jsdom-12MiB-videoId", TheGivenVideo),
    ("ts-jsdom-progressive", OneVideo),
    ("ts-chromium-12MiB", OneVideo),
    ("ts-chromium-3MiB", OneVideo),
    ("ts-chromium-3MiB-videoName", OneVideo),
    ("ts-chromium-12MiB-videoId", TheGivenVideo),
    ("ts-chromium-progressive", OneVideo),
];

#[test]
fn every_recorded_upload_is_taken_as_it_is() {
    let api = LocalApi::start(&["--api-key", KEY]);
    let token = create(&api, "/upload-tokens", "{}", "token");
    let recordings: Vec<(&str, Vec<&str>)> = recordings().collect();
    let names: Vec<&str> = recordings.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, OUTCOMES.map(|(name, _)| name));
    for ((name, requests), (_, outcome)) in recordings.iter().zip(OUTCOMES) {
        let known = videos(&api).len();
        let mut video = match outcome {
            TheGivenVideo => create(&api, "/videos", r#"{"title":"given"}"#, "videoId"),
            _ => String::new(),
        };
        let mut contents = Vec::new();
        for (number, request) in requests.iter().enumerate() {
            let request = Request::recorded(request, &token, &video, number as u64);
            let answer = request.send(&api);
            let expected = match request.method() {
                "OPTIONS" => 204,
                _ if request.content.is_empty() => 200,
                _ => 201,
            };
            assert_eq!(answer.status, expected, "{name}, request {number}: {}", answer.body);
            match expected {
                204 => assert_preflight_allows(&answer, &request),
                201 => {
                    video = answer.json()["videoId"].as_str().expect("a video").to_owned();
                    contents.push(request.content);
                }
                _ => {}
            }
        }
        let made = &videos(&api)[known..];
        match outcome {
            AVideoForEachPart => {
                assert_eq!(made.len(), contents.len(), "{name}");
                for (video, content) in made.iter().zip(&contents) {
                    assert_eq!(video["whole"], false, "{name}");
                    assert_eq!(video["parts"][0]["sha256"], sha256(content), "{name}");
                }
            }
            OneVideo | TheGivenVideo => {
                assert_eq!(made.len(), 1, "{name}");
                assert_eq!(made[0]["whole"], true, "{name}");
                assert_eq!(made[0]["sha256"], sha256(&contents.concat()), "{name}");
                assert_eq!(made[0]["title"], title(name), "{name}");
            }
        }
    }
}

/// The file's name, unless the video was made before, or the caller said another.
fn title(name: &str) -> &'static str {
    match name {
        "php-12MiB-videoId" => "video12.mp4",
        "ts-chromium-3MiB-videoName" => "my video",
        _ if name.ends_with("-videoId") => "given",
        _ if name.starts_with("ts") && name.ends_with("-progressive") => "file",
        _ if name.ends_with("-progressive") || name.contains("5MiB") => "part1.bin",
        _ if name.contains("12MiB") => "video12.mp4",
        _ => "video3.mp4",
    }
}

// The recordings

/// Of each file its name and requests.
fn recordings() -> impl Iterator<Item = (&'static str, Vec<&'static str>)> {
    RECORDINGS.split("\n## ").skip(1).map(|section| {
        let (name, requests) = section.split_once('\n').expect("a name");
        let requests = requests.split("```http\n").skip(1);
        (name, requests.map(|it| it.split_once("```").expect("its end").0).collect())
    })
}

struct Request {
    head: String,
    body: Vec<u8>,
    /// Of the file, if there is one.
    content: Vec<u8>,
}

impl Request {
    /// With the names that are good here, and a content of this seed.
    fn recorded(text: &str, token: &str, video: &str, seed: u64) -> Self {
        let (head, rest) = text.split_once("\n\n").unwrap_or((text.trim_end(), ""));
        let mut request = Self {
            head: head.replace('\n', "\r\n").replace(TOKEN, token) + "\r\n\r\n",
            body: Vec::new(),
            content: Vec::new(),
        };
        if rest.starts_with('{') {
            // One client ends its JSON with the line.
            request.body = rest.bytes().take(request.length()).collect();
            return request;
        }
        let mut names_given_video = false;
        for line in rest.lines() {
            if let Some(size) = content_size(line) {
                request.content = content(seed, size);
                request.body.extend_from_slice(&request.content);
            } else if line == GIVEN_VIDEO || line.starts_with(RECORDED_VIDEO) {
                names_given_video = line == GIVEN_VIDEO;
                request.body.extend(video.bytes());
            } else {
                request.body.extend(line.bytes());
            }
            request.body.extend(b"\r\n");
        }
        if names_given_video {
            // The one name that is of another length.
            let longer = video.len() - GIVEN_VIDEO.len();
            let length = format!("Content-Length: {}\r\n", request.body.len());
            let recorded = format!("Content-Length: {}\r\n", request.body.len() - longer);
            assert!(request.head.contains(&recorded), "{}", request.head);
            request.head = request.head.replace(&recorded, &length);
        }
        request
    }

    fn method(&self) -> &str {
        self.head.split(' ').next().expect("a method")
    }

    fn header(&self, name: &str) -> Option<&str> {
        let of_name = |line: &&str| line.to_lowercase().starts_with(&format!("{name}:"));
        Some(self.head.lines().find(of_name)?.split_once(':')?.1.trim())
    }

    fn length(&self) -> usize {
        self.header("content-length").map_or(0, |it| it.parse().expect("a number"))
    }

    /// On a connection of its own: two of these clients keep none either.
    fn send(&self, api: &LocalApi) -> Answer {
        assert_eq!(self.body.len(), self.length(), "as recorded: {}", self.head);
        let mut connection = plain_http::connect(&api.url);
        connection.write_all(self.head.as_bytes()).expect("the head is sent");
        connection.write_all(&self.body).expect("the body is sent");
        Connection::over(connection).read_answer()
    }
}

/// Of a line in brackets that stands for a file's content.
fn content_size(line: &str) -> Option<usize> {
    line.strip_prefix('(')?.strip_suffix(" bytes)")?.parse().ok()
}

fn content(seed: u64, size: usize) -> Vec<u8> {
    // A short piece again and again: what is random to the end takes long in a debug build.
    let mut piece = [0; 1021];
    fastrand::Rng::with_seed(seed).fill(&mut piece);
    let mut content = piece.repeat(size / piece.len() + 1);
    content.truncate(size);
    content
}

// Looking at answers

fn assert_preflight_allows(answer: &Answer, request: &Request) {
    let allowed = answer.header("access-control-allow-headers").expect("a list").to_lowercase();
    let allowed: Vec<&str> = allowed.split(", ").collect();
    for asked in request.header("access-control-request-headers").expect("a list").split(',') {
        assert!(allowed.contains(&asked.trim().to_lowercase().as_str()), "{asked}");
    }
    assert_eq!(answer.header("access-control-allow-methods"), Some("POST"));
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
}

/// What the stand-in calls what it makes.
fn create(api: &LocalApi, path: &str, body: &str, field: &str) -> String {
    let key = format!("Authorization: Basic {}", STANDARD.encode(format!("{KEY}:")));
    let answer = Connection::open(&api.url).send("POST", path, &[key], body);
    answer.json()[field].as_str().unwrap_or_else(|| panic!("{}", answer.body)).to_owned()
}

fn videos(api: &LocalApi) -> Vec<Value> {
    let ledger = Connection::open(&api.url).send("GET", "/local-api/ledger", &[], "").json();
    ledger["uploads"]["videos"].as_array().expect("a list").clone()
}

fn sha256(bytes: &[u8]) -> Value {
    let digest = digest(&SHA256, bytes);
    json!(digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}
