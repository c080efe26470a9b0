//! One part as a request carries it: its frame, and between the two halves of that the bytes of the file,
//! read straight into the transport's buffer.

use super::content::Content;
use super::multipart::Frame;
use super::progress::Meter;
use crate::call::payload::Source;
use crate::transport::http::{Delivery, Sent};
use crate::wait::Interruption;
use std::io::{self, ErrorKind, Read};
use std::rc::Rc;
use std::time::Duration;
use ureq::http::HeaderValue;

/// How often it is asked at least how far a part has come, however seldom that is told: for how long nothing
/// has got through must be known.
const LONGEST_INTERVAL: Duration = Duration::from_millis(250);

/// A part of a file or a stream.
pub(crate) struct Part {
    content: Content,
    frame: Frame,
    content_type: HeaderValue,
    delivery: Delivery,
    meter: Rc<Meter>,
}

impl Part {
    /// A part that is sent as `delivery` says, and whose progress `meter` is told.
    pub fn new(
        content: Content,
        frame: Frame,
        content_type: HeaderValue,
        delivery: Delivery,
        meter: Rc<Meter>,
    ) -> Self {
        let mut part = Part { content, frame, content_type, delivery, meter };
        let (whole, head, length) =
            (part.length(), part.frame.head.len() as u64, part.content.length());
        let meter = part.meter.clone();
        part.delivery.observer = Some(Rc::new(move |sent: Sent| {
            let bytes = sent.acknowledged.saturating_sub(head).min(length);
            let told = meter.got_through(bytes, sent.acknowledged == whole);
            // In a child there is nothing to go on with.
            told.map_err(|_| Interruption::Cancelled)
        }));
        part.delivery.interval = part.delivery.interval.min(LONGEST_INTERVAL);
        part
    }

    /// Takes how far an attempt has come in the end, and whether all has arrived.
    pub fn has_ended(&self, sent: Sent) -> bool {
        let head = self.frame.head.len() as u64;
        let is_all = sent.acknowledged == self.length();
        self.meter.count(sent.acknowledged.saturating_sub(head).min(self.content.length()), is_all);
        is_all
    }
}

impl Source for Part {
    fn content_type(&self) -> HeaderValue {
        self.content_type.clone()
    }

    fn length(&self) -> u64 {
        let frame = self.frame.head.len() + self.frame.tail.len();
        frame as u64 + self.content.length()
    }

    fn delivery(&self) -> Delivery {
        self.delivery.clone()
    }

    fn open(&self) -> io::Result<Box<dyn Read + '_>> {
        self.meter.must_be_ours().map_err(io::Error::other)?;
        self.meter.has_passed_gate();
        self.content.must_be_unchanged()?;
        Ok(Box::new(Reader { part: self, at: 0 }))
    }
}

/// Reads a part from its beginning.
struct Reader<'p> {
    part: &'p Part,
    /// How much has been read.
    at: u64,
}

impl Read for Reader<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        self.part.meter.must_be_ours().map_err(io::Error::other)?;
        let mut filled = 0;
        while filled < room.len() {
            match self.read_some(&mut room[filled..]) {
                Ok(0) => break,
                Ok(count) => {
                    self.at += count as u64;
                    filled += count;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }
}

impl Reader<'_> {
    /// Reads some of what comes next.
    fn read_some(&self, room: &mut [u8]) -> io::Result<usize> {
        let part = self.part;
        let (head, tail) = (part.frame.head.as_bytes(), part.frame.tail.as_bytes());
        let head_end = head.len() as u64;
        let content_end = head_end + part.content.length();
        if self.at < head_end {
            return Ok(copy(head, self.at, room));
        }
        if self.at >= content_end {
            return Ok(copy(tail, self.at - content_end, room));
        }
        let count = part.content.read_at(room, self.at - head_end)?;
        if self.at + count as u64 == content_end {
            // Before the end of the part goes, without which the service does not take it.
            part.content.must_be_unchanged()?;
        }
        Ok(count)
    }
}

/// Copies as much as there is room for of what stands in `text` from `at` on.
fn copy(text: &[u8], at: u64, room: &mut [u8]) -> usize {
    let rest = usize::try_from(at).ok().and_then(|at| text.get(at..)).unwrap_or_default();
    let count = rest.len().min(room.len());
    room[..count].copy_from_slice(&rest[..count]);
    count
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::generation;
    use crate::upload::file::SourceFile;
    use crate::upload::file::tests::{bytes, file_of};
    use crate::upload::multipart::tests::known;
    use crate::upload::progress::Progress;
    use crate::upload::progress::tests::Told;
    use std::fs::OpenOptions;
    use std::ops::Range;
    use std::path::Path;
    use std::sync::Arc;
    use std::time::Duration;

    /// Runs `work` on the part of the file at `path` that `range` is.
    fn with_part<R>(path: &Path, range: Range<u64>, work: impl FnOnce(&Part, &Told) -> R) -> R {
        let told = Rc::new(Told::default());
        let file = Arc::new(SourceFile::open(path).expect("a file"));
        let total = Progress { bytes_total: file.size(), parts_total: 1, ..Progress::default() };
        let meter =
            Rc::new(Meter::new(told.clone(), Duration::ZERO, total, Arc::default(), generation()));
        let frame = Frame::new(&known(), Some("vi1"), "film.mp4");
        let content_type = known().content_type().expect("a header");
        let delivery = Delivery { interval: Duration::MAX, ..Delivery::default() };
        let content = Content::File { file, range };
        work(&Part::new(content, frame, content_type, delivery, meter), &told)
    }

    #[test]
    fn a_part_is_its_frame_and_its_bytes_whatever_room_there_is() {
        let content = bytes(100_000);
        let (_directory, path) = file_of(&content);
        for range in [0..100_000_u64, 0..1, 99_999..100_000, 1234..70_001] {
            with_part(&path, range.clone(), |part, _| {
                let inside = &content[range.start as usize..range.end as usize];
                let (head, tail) = (part.frame.head.as_bytes(), part.frame.tail.as_bytes());
                let expected = [head, inside, tail].concat();
                assert_eq!(part.length(), expected.len() as u64);
                for room in [1, 7, 1000, 16 * 1024, 1 << 20] {
                    if room == 1 && range.end - range.start > 1000 {
                        continue;
                    }
                    let mut read = Vec::new();
                    let mut reader = part.open().expect("it opens");
                    let mut piece = vec![0; room];
                    loop {
                        match reader.read(&mut piece).expect("a piece") {
                            0 => break,
                            count => read.extend_from_slice(&piece[..count]),
                        }
                    }
                    assert!(read == expected, "{range:?} by {room}");
                }
            });
        }
    }

    #[test]
    fn of_what_got_through_the_file_alone_is_told() {
        let (_directory, path) = file_of(&bytes(1000));
        with_part(&path, 0..1000, |part, told| {
            let delivery = part.delivery();
            assert_eq!(delivery.interval, LONGEST_INTERVAL);
            let (head, whole) = (part.frame.head.len() as u64, part.length());
            for acknowledged in [0, head, head + 1, head + 1000, whole - 1, whole] {
                let sent = Sent { acknowledged, is_whole: acknowledged == whole };
                let tell = delivery.observer.as_ref().expect("an observer");
                tell(sent).expect("the process that began");
                assert_eq!(part.has_ended(sent), acknowledged == whole);
            }
            let sent: Vec<_> = told.progress.borrow().iter().map(|it| it.bytes_sent).collect();
            assert_eq!(sent, [0, 0, 1, 1000, 1000, 1000]);
        });
    }

    #[test]
    fn a_part_beyond_the_end_of_its_file_fails_instead_of_going_on_for_ever() {
        let (_directory, path) = file_of(&bytes(10));
        with_part(&path, 0..11, |part, _| {
            let read = part.open().expect("it opens").read_to_end(&mut Vec::new());
            let error = read.expect_err("there is no eleventh byte");
            assert_eq!(error.to_string(), "the file ends at byte 10");
        });
    }

    /// What reading a part of ten bytes says once `change` was made to the file after the opening; and how
    /// much had been read by then.
    fn changed(change: fn(&std::fs::File)) -> (String, usize) {
        let (_directory, path) = file_of(&bytes(10));
        with_part(&path, 0..10, |part, _| {
            let mut reader = part.open().expect("it opens");
            change(&OpenOptions::new().write(true).open(&path).expect("a file"));
            let mut read = 0;
            let error = loop {
                match reader.read(&mut [0]) {
                    Ok(count) => read += count,
                    Err(error) => break error,
                }
            };
            (error.to_string(), read - part.frame.head.len())
        })
    }

    #[test]
    fn the_end_of_a_part_does_not_go_if_the_file_has_changed() {
        let (said, read) = changed(|file| file.set_len(11).expect("it grows"));
        assert!(said.contains("it had 10 bytes when the upload began, and has 11"), "{said}");
        assert_eq!(read, 9, "all but the last byte");
        let (said, read) = changed(|file| file.set_len(4).expect("it shrinks"));
        assert!(said.contains("and has 4"), "{said}");
        assert_eq!(read, 4);
    }

    #[test]
    fn a_part_of_a_file_that_has_changed_is_not_opened() {
        let (_directory, path) = file_of(&bytes(10));
        with_part(&path, 0..10, |part, _| {
            OpenOptions::new().write(true).open(&path).and_then(|it| it.set_len(4)).expect("cut");
            assert!(part.open().is_err());
        });
    }
}
