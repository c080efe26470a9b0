//! What a request to upload brings: one file, or a part of one, hashed as it comes and never held
//! whole, and perhaps the video that it is for. Which parts go together is in `source.rs`.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http_body_util::BodyExt;
use hyper::StatusCode;
use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use hyper::http::request::Parts;
use ring::digest::{Context, SHA256};

use crate::content_range::ContentRange;
use crate::multipart::{self, Disposition, Event, Reader};
use crate::problem::{Problem, Violation};
use crate::range_problem;
use crate::sizes::Sizes;
use crate::spool::{Slot, Spool};

/// A longer name is none of ours.
const LONGEST_VIDEO_ID: usize = 1024;
const MALFORMED: &str = "The multipart body is malformed, or ends before its last boundary.";

pub struct Upload {
    pub range: ContentRange,
    pub video_id: Option<String>,
    pub file_name: String,
    pub content: Content,
}

pub struct Content {
    pub tally: Tally,
    pub digest: Context,
    /// Where its bytes are, unless nothing can come before them.
    pub slot: Option<Slot>,
}

/// Bytes that were received. They were so in vain unless they are kept.
pub struct Tally {
    bytes: u64,
    in_vain: Arc<AtomicU64>,
}

impl Tally {
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    pub fn keep(mut self) {
        self.bytes = 0;
    }
}

/// Also where a client hangs up: what reads its request is just dropped.
impl Drop for Tally {
    fn drop(&mut self) {
        self.in_vain.fetch_add(self.bytes, Ordering::Relaxed);
    }
}

/// What receives: limits, the spool, and the count of what it received in vain.
pub struct Receiver {
    sizes: Sizes,
    spool: Arc<Spool>,
    in_vain: Arc<AtomicU64>,
}

impl Receiver {
    pub fn new(sizes: Sizes) -> io::Result<Self> {
        let spool = Arc::new(Spool::new(sizes.largest_part)?);
        Ok(Self { sizes, spool, in_vain: Arc::default() })
    }

    pub fn bytes_in_vain(&self) -> u64 {
        self.in_vain.load(Ordering::Relaxed)
    }

    /// Reads to the end of the body, even where it is clear before that nothing comes of it: who is
    /// still sending would not look for an answer.
    pub async fn receive(&self, request: &Parts, mut body: Incoming) -> Result<Upload, Problem> {
        let range = ContentRange::of(&request.headers);
        let may_wait = range.as_ref().is_ok_and(|range| !range.is_first());
        let content_type = request.headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok());
        let mut reader = content_type.and_then(multipart::boundary).map(|it| Reader::new(&it));
        let mut form = Form::new(self, may_wait);
        while let Some(frame) = body.frame().await {
            let Ok(frame) = frame else {
                return Err(Problem::invalid_payload(
                    StatusCode::BAD_REQUEST,
                    "The payload ends before its announced length.",
                ));
            };
            if let (Some(bytes), Some(reader)) = (frame.data_ref(), &mut reader)
                && !form.is_malformed
            {
                form.is_malformed = reader.read(bytes, |event| form.take(event)).is_err();
            }
        }
        form.is_malformed |= reader.is_some_and(|reader| !reader.is_complete());
        form.finish(range)
    }

    fn tally(&self) -> Tally {
        Tally { bytes: 0, in_vain: Arc::clone(&self.in_vain) }
    }
}

/// A multipart body, part by part.
struct Form<'a> {
    receiver: &'a Receiver,
    may_wait: bool,
    current: Current,
    file: Option<(String, Content)>,
    /// Of all files but the first.
    others: Tally,
    has_others: bool,
    video_id: Option<Vec<u8>>,
    is_malformed: bool,
    failure: Option<io::Error>,
}

enum Current {
    File,
    OtherFile,
    VideoId,
    OtherField,
}

impl<'a> Form<'a> {
    fn new(receiver: &'a Receiver, may_wait: bool) -> Self {
        Self {
            receiver,
            may_wait,
            current: Current::OtherField,
            file: None,
            others: receiver.tally(),
            has_others: false,
            video_id: None,
            is_malformed: false,
            failure: None,
        }
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Part(disposition) => self.begin(disposition),
            Event::Content(bytes) => self.add(bytes),
        }
    }

    /// The file's field may have any name: one client calls it after the file.
    fn begin(&mut self, Disposition { name, file_name }: Disposition) {
        self.current = match file_name {
            Some(_) if self.file.is_some() => {
                self.has_others = true;
                Current::OtherFile
            }
            Some(file_name) => {
                self.file = Some((file_name, self.content()));
                Current::File
            }
            None if name == "videoId" => {
                self.video_id = Some(Vec::new());
                Current::VideoId
            }
            None => Current::OtherField,
        };
    }

    fn content(&self) -> Content {
        Content {
            tally: self.receiver.tally(),
            digest: Context::new(&SHA256),
            slot: self.may_wait.then(|| Slot::of(&self.receiver.spool)),
        }
    }

    fn add(&mut self, bytes: &[u8]) {
        match self.current {
            Current::File => {
                let content = self.file.as_mut().map(|(_, content)| content);
                let added = content.map_or(Ok(()), |it| it.add(bytes, &self.receiver.sizes));
                self.failure = self.failure.take().or(added.err());
            }
            Current::OtherFile => self.others.bytes += bytes.len() as u64,
            Current::VideoId => {
                if let Some(video_id) = &mut self.video_id
                    && video_id.len() <= LONGEST_VIDEO_ID
                {
                    video_id.extend_from_slice(bytes);
                }
            }
            Current::OtherField => {}
        }
    }

    fn finish(self, range: Result<ContentRange, Violation>) -> Result<Upload, Problem> {
        if let Some(error) = &self.failure {
            eprintln!("cannot spool a part: {error}");
            return Err(Problem::server_error());
        }
        let sizes = &self.receiver.sizes;
        let about_file = self.wrong_file();
        let (range, about_range) = match range {
            Ok(range) => (Some(range), range.violations(sizes)),
            Err(violation) => (None, vec![violation]),
        };
        Problem::refuse(about_range.into_iter().chain(about_file))?;
        let (Some(range), Some((file_name, content))) = (range, self.file) else {
            unreachable!("what is missing has been refused");
        };
        if let Some(said) = range.bytes()
            && said != content.tally.bytes
        {
            return Err(Problem::refused(
                range_problem::range_mismatch(content.tally.bytes, said),
                [],
            ));
        }
        // What is not UTF-8 is no video's either.
        let video_id = self.video_id.map(|it| String::from_utf8_lossy(&it).into_owned());
        Ok(Upload { range, video_id, file_name, content })
    }

    fn wrong_file(&self) -> Option<Violation> {
        let sizes = &self.receiver.sizes;
        match &self.file {
            _ if self.is_malformed => Some(
                Violation::uploaded_file("invalid-file", "The uploaded file is invalid.")
                    .with_detail(MALFORMED.to_owned()),
            ),
            None => Some(Violation::uploaded_file(
                "no-file",
                "There is no uploaded file in the request.",
            )),
            Some(_) if self.has_others => Some(Violation::uploaded_file(
                "multiple-files",
                "There is more than one uploaded file in the request.",
            )),
            Some((_, content)) if content.tally.bytes == 0 => {
                Some(Violation::uploaded_file("empty", "The uploaded file is empty."))
            }
            Some((_, content)) if content.tally.bytes > sizes.largest_part => {
                Some(Violation::file_too_large("a file", sizes.largest_part))
            }
            Some(_) => None,
        }
    }
}

impl Content {
    /// Beyond the largest size bytes are counted and no more.
    fn add(&mut self, bytes: &[u8], sizes: &Sizes) -> io::Result<()> {
        let before = self.tally.bytes;
        self.tally.bytes += bytes.len() as u64;
        if self.tally.bytes > sizes.largest_part {
            return Ok(());
        }
        self.digest.update(bytes);
        self.slot.as_ref().map_or(Ok(()), |slot| slot.write(bytes, before))
    }
}
