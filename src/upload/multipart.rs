//! What stands around the bytes of a part in a request: multipart/form-data (RFC 7578), with the video's id,
//! once that is known, before the file. The service asks for no more than these two fields.

use crate::error::Error;
use ring::rand::{SecureRandom, SystemRandom};
use std::fmt::Write;
use ureq::http::HeaderValue;

/// What parts the fields: nothing that stands in a video, but by a chance of 1 in 2^128.
#[derive(Clone)]
pub(crate) struct Boundary(String);

impl Boundary {
    /// A new one.
    pub fn random() -> Result<Self, Error> {
        let mut bytes = [0; 16];
        SystemRandom::new()
            .fill(&mut bytes)
            .map_err(|_| Error::internal("the system has no random numbers"))?;
        Ok(Boundary(format!("apivideo-{}", hexadecimal(&bytes))))
    }

    /// The type of a payload that it parts.
    pub fn content_type(&self) -> Result<HeaderValue, Error> {
        HeaderValue::try_from(format!("multipart/form-data; boundary={}", self.0))
            .map_err(|error| Error::internal(format_args!("the boundary is no header: {error}")))
    }
}

/// Bytes as text, two digits each.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// What stands before the bytes of a part, and after them.
pub(crate) struct Frame {
    pub head: String,
    pub tail: String,
}

impl Frame {
    /// The frame of a part of a file with this name, which the service makes the title of a new video.
    pub fn new(Boundary(boundary): &Boundary, video_id: Option<&str>, file_name: &str) -> Self {
        let mut head = String::new();
        if let Some(video_id) = video_id {
            head = format!(
                "--{boundary}\r\n\
                 Content-Disposition: form-data; name=\"videoId\"\r\n\r\n\
                 {video_id}\r\n"
            );
        }
        head += &format!(
            "--{boundary}\r\n\
             Content-Disposition: form-data; name=\"file\"; filename=\"{}\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n",
            escaped(file_name)
        );
        Frame { head, tail: format!("\r\n--{boundary}--\r\n") }
    }
}

/// A name between quotes, as browsers write it (the HTML standard, "multipart form data").
fn escaped(name: &str) -> String {
    let mut escaped = String::with_capacity(name.len());
    for character in name.chars() {
        match character {
            '"' => escaped += "%22",
            '\r' => escaped += "%0D",
            '\n' => escaped += "%0A",
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A boundary that is known.
    pub(crate) fn known() -> Boundary {
        Boundary("BOUNDARY".into())
    }

    #[test]
    fn a_part_of_a_new_video_is_the_file_alone() {
        let frame = Frame::new(&known(), None, "film.mp4");
        assert_eq!(
            frame.head,
            "--BOUNDARY\r\n\
             Content-Disposition: form-data; name=\"file\"; filename=\"film.mp4\"\r\n\
             Content-Type: application/octet-stream\r\n\
             \r\n"
        );
        assert_eq!(frame.tail, "\r\n--BOUNDARY--\r\n");
    }

    #[test]
    fn the_video_stands_before_the_file() {
        let frame = Frame::new(&known(), Some("vi4k0jvEUuaTdRAEjQ4Jfrgz"), "film.mp4");
        assert_eq!(
            frame.head,
            "--BOUNDARY\r\n\
             Content-Disposition: form-data; name=\"videoId\"\r\n\
             \r\n\
             vi4k0jvEUuaTdRAEjQ4Jfrgz\r\n\
             --BOUNDARY\r\n\
             Content-Disposition: form-data; name=\"file\"; filename=\"film.mp4\"\r\n\
             Content-Type: application/octet-stream\r\n\
             \r\n"
        );
    }

    #[test]
    fn a_name_ends_neither_its_quotes_nor_its_line() {
        let frame = Frame::new(&known(), None, "a \"b\"\r\nc/é.mp4");
        assert!(frame.head.contains("filename=\"a %22b%22%0D%0Ac/é.mp4\"\r\n"), "{}", frame.head);
    }

    #[test]
    fn no_two_boundaries_are_the_same() {
        let boundary = || Boundary::random().expect("random numbers");
        let (one, other) = (boundary(), boundary());
        assert_ne!(one.0, other.0);
        let content_type = one.content_type().expect("a header");
        assert_eq!(content_type, format!("multipart/form-data; boundary={}", one.0).as_str());
        assert!(one.0.len() <= 70, "RFC 2046 allows no more");
    }
}
