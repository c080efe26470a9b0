//! An upload of what is made while it is sent. Bytes are taken into memory, a part's worth at a time; a part
//! goes once a byte follows it, or at the end, so that the last one is never empty: the service refuses that.

use super::UploadParams;
use super::content::Content;
use super::crew::{Crew, Sent};
use super::journal::Journal;
use super::plan::Sizes;
use super::progress::{Inherited, Listener};
use super::run::{Piece, Run, Uploaded, make_of};
use crate::answer::body::Body;
use crate::call::options::CallOptions;
use crate::client::Client;
use crate::error::{Error, Outcome};
use crate::process;
use crate::wait::Wait;
use crate::wait::deadline::Deadline;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

/// An upload in progress, between calls too.
pub(crate) struct Stream {
    client: Arc<Client>,
    journal: Journal,
    most_parts: u32,
    /// Which part is being filled, from 1.
    number: u32,
    part: Part,
    /// Parts before it that were handed over to threads and are not confirmed, by their numbers.
    handed_over: BTreeMap<u32, Part>,
    /// The threads, once there are any.
    crew: Option<Crew>,
    stage: Stage,
}

/// A part that is kept until the service has confirmed it.
#[derive(Default)]
struct Part {
    bytes: Arc<Vec<u8>>,
    /// Whether a thread is to send it, or does.
    is_under_way: bool,
    /// Whether the service may have it all the same.
    is_in_doubt: bool,
}

impl Part {
    fn piece(&self, number: u32, is_last: bool) -> Piece {
        let content = Content::Memory(self.bytes.clone());
        Piece { number, content, is_last, may_be_there: self.is_in_doubt }
    }
}

/// What may be done with it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Taking,
    /// The last part may have been sent as such: nothing can be added.
    Finishing,
    Finished,
    /// It failed in a way that leaves nothing to go on from.
    Lost,
}

impl Stream {
    /// Begins, or goes on from a state. Nothing is sent.
    pub fn begin(
        client: Arc<Client>,
        params: &UploadParams<'_>,
        sizes: &Sizes,
    ) -> Result<Self, Error> {
        params.check()?;
        let journal = Journal::of_stream(&client, params, sizes)?;
        let number = (1..).find(|number| !journal.confirmed.contains(*number)).unwrap_or(1);
        Ok(Stream {
            client,
            journal,
            most_parts: sizes.most_parts,
            number,
            part: Part::default(),
            handed_over: BTreeMap::new(),
            crew: None,
            stage: Stage::Taking,
        })
    }

    /// How many bytes have been taken, from the beginning of the stream: where to go on.
    pub fn offset(&self) -> u64 {
        self.journal.plan.range(self.number).start + self.part.bytes.len() as u64
    }

    /// Takes bytes, and sends the parts that become full by them.
    pub fn write(
        &mut self,
        mut bytes: &[u8],
        options: &CallOptions,
        listener: &Rc<dyn Listener>,
    ) -> Result<(), Error> {
        self.must_be_ours()?;
        self.must_be(&[Stage::Taking])?;
        while !bytes.is_empty() {
            let room = self.room()?;
            if room == 0 {
                self.send_full_part(options, listener)?;
                continue;
            }
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.buffer()?.extend_from_slice(now);
            bytes = later;
        }
        // Threads may have something to tell.
        self.wait_for_threads(self.at_once(), options, listener)
    }

    /// Sends the last part, and hands the video to `make`.
    pub fn finish<T>(
        &mut self,
        options: &CallOptions,
        listener: &Rc<dyn Listener>,
        make: impl FnOnce(&Uploaded<'_>) -> T,
    ) -> Result<T, Error> {
        self.must_be_ours()?;
        self.must_be(&[Stage::Taking, Stage::Finishing])?;
        if self.part.bytes.is_empty() {
            return Err(Error::invalid_argument(match self.number {
                1 => "nothing was written, of which no video is made",
                _ => "nothing was written from av_upload_offset() on: the last part would be empty",
            }));
        }
        self.wait_for_threads(0, options, listener)?;
        self.crew = None;
        let body = self.send(true, options, listener)?;
        self.stage = Stage::Finished;
        let bytes = self.offset();
        self.part = Part::default();
        Ok(make_of(&self.journal, body.as_deref(), bytes, make))
    }

    /// Sends the part that is full, unless a state tells that it is there.
    fn send_full_part(
        &mut self,
        options: &CallOptions,
        listener: &Rc<dyn Listener>,
    ) -> Result<(), Error> {
        if self.number >= self.most_parts {
            return Err(Error::invalid_argument(format_args!(
                "data is more than fits into {} parts of {} bytes: params.part_bytes must be larger for what \
                 is so long; nothing of it was taken that av_upload_offset() does not tell of",
                self.most_parts,
                self.journal.plan.part()
            )));
        }
        if self.journal.confirmed.contains(self.number) {
            self.buffer()?.clear();
        } else if self.at_once() == 0 || self.journal.video_id.is_none() {
            self.send(false, options, listener)?;
            self.buffer()?.clear();
        } else {
            // Until one of them has its hands free.
            self.wait_for_threads(self.at_once() - 1, options, listener)?;
            self.handed_over.insert(self.number, std::mem::take(&mut self.part));
        }
        self.number += 1;
        Ok(())
    }

    /// Sends the part, and returns the answer that confirms it, if one does.
    fn send(
        &mut self,
        is_last: bool,
        options: &CallOptions,
        listener: &Rc<dyn Listener>,
    ) -> Result<Option<Body>, Error> {
        if self.journal.video_id.is_none() && std::mem::take(&mut self.part.is_in_doubt) {
            // Of which nobody can tell whether it was begun.
            self.journal.videos_abandoned += 1;
        }
        let total = self.offset();
        let piece = self.part.piece(self.number, is_last);
        let mut run = Run::new(&self.client, &mut self.journal, listener.clone(), options);
        let sent = run.send(&piece, is_last.then_some(total));
        self.part.is_in_doubt = sent.is_err() && run.was_left_in_doubt;
        run.end();
        self.note(&sent);
        sent
    }

    /// Has threads send what was handed over to them, and waits until no more than `most` of it is left.
    fn wait_for_threads(
        &mut self,
        most: usize,
        options: &CallOptions,
        listener: &Rc<dyn Listener>,
    ) -> Result<(), Error> {
        if self.handed_over.is_empty() {
            return Ok(());
        }
        if !self.handed_over.values().any(|part| part.is_under_way) {
            self.journal.pulse.beat();
        }
        let wait = Run::wait_of(options);
        let (client, listener) = (self.client.clone(), listener.clone());
        let mut run = Run::within(&client, &mut self.journal, listener, options, wait);
        let mut threads =
            Threads { crew: &mut self.crew, parts: &mut self.handed_over, client: &client };
        let done = threads.send(&mut run, most);
        run.end();
        self.note(&done);
        done
    }

    /// Takes what has come of sending.
    fn note<T>(&mut self, result: &Result<T, Error>) {
        match result {
            Ok(_) => {}
            Err(error) if error.outcome() == Outcome::NotApplied => {}
            Err(error) if has_state(error) => self.stage = Stage::Finishing,
            // Sent once more, it could be a second video.
            Err(_) => self.stage = Stage::Lost,
        }
    }

    /// How many parts may be sent at once by threads.
    fn at_once(&self) -> usize {
        self.journal.parallel_parts as usize
    }

    /// How much more fits into the part.
    fn room(&self) -> Result<usize, Error> {
        let length = usize::try_from(self.journal.plan.length(self.number)).map_err(|_| {
            Error::invalid_argument("params.part_bytes is more than there is memory for")
        })?;
        Ok(length.saturating_sub(self.part.bytes.len()))
    }

    /// What takes the part's bytes, with room for all of them.
    fn buffer(&mut self) -> Result<&mut Vec<u8>, Error> {
        let room = self.room()?;
        let buffer = Arc::get_mut(&mut self.part.bytes)
            .ok_or_else(|| Error::internal("a part that is sent is still being filled"))?;
        match buffer.try_reserve_exact(room) {
            Ok(()) => Ok(buffer),
            Err(_) => Err(Error::internal("there is no memory for a part: take smaller ones")),
        }
    }

    fn must_be_ours(&self) -> Result<(), Error> {
        match process::generation() == self.journal.generation {
            true => Ok(()),
            false => Err(Error::invalid_argument(Inherited)),
        }
    }

    fn must_be(&self, stages: &[Stage]) -> Result<(), Error> {
        if stages.contains(&self.stage) {
            return Ok(());
        }
        Err(Error::invalid_argument(match self.stage {
            Stage::Taking => "upload has not ended",
            Stage::Finishing => {
                "upload may be complete: nothing can be added, av_upload_finish() goes on"
            }
            Stage::Finished => "upload is finished: begin another one",
            Stage::Lost => "upload has failed for good: begin another one",
        }))
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if let Some(crew) = self.crew.take() {
            crew.leave();
        }
    }
}

/// The threads of a stream, and the parts that are theirs.
struct Threads<'s> {
    crew: &'s mut Option<Crew>,
    parts: &'s mut BTreeMap<u32, Part>,
    client: &'s Arc<Client>,
}

impl Threads<'_> {
    /// Has them send the parts, and waits until no more than `most` are left.
    fn send(&mut self, run: &mut Run<'_>, most: usize) -> Result<(), Error> {
        if self.crew.is_none() {
            let at_once = run.journal.parallel_parts as usize;
            *self.crew = run.crew(at_once, self.client, Deadline::NEVER);
        }
        let Some(crew) = self.crew else { return self.send_without(run) };
        for (number, part) in self.parts.iter_mut().filter(|(_, part)| !part.is_under_way) {
            part.is_under_way = true;
            crew.order(part.piece(*number, false));
        }
        loop {
            let news = match crew.news_by_now() {
                Some(news) => news,
                None if self.parts.len() <= most => return Ok(()),
                None => match crew.news(&run.wait) {
                    Ok(news) => news,
                    Err(_) => return self.stop(run),
                },
            };
            if let Some(sent) = run.hear(crew, news)? {
                take(self.parts, sent).map_err(|error| run.with_all_that_is_known(error))?;
            }
        }
    }

    /// Ends what is under way, for the call ends: by a cancel, or since its time is over.
    fn stop(&mut self, run: &mut Run<'_>) -> Result<(), Error> {
        if let Some(mut crew) = self.crew.take() {
            for number in crew.stop() {
                self.parts.entry(number).and_modify(|part| part.is_under_way = false);
            }
            let wait = Wait::new(Deadline::NEVER, None);
            while self.parts.values().any(|part| part.is_under_way) {
                let Ok(news) = crew.news(&wait) else { continue };
                if let Some(sent) = run.hear(&mut crew, news)? {
                    // That it was ended is no news.
                    let _ = take(self.parts, sent);
                }
            }
        }
        // The first of what is left says what it was ended by.
        self.send_without(run)
    }

    /// Sends the parts one after the other on the calling thread.
    fn send_without(&mut self, run: &mut Run<'_>) -> Result<(), Error> {
        while let Some((number, part)) = self.parts.first_key_value() {
            let number = *number;
            if let Err(error) = run.send(&part.piece(number, false), None) {
                let is_in_doubt = run.was_left_in_doubt;
                self.parts.entry(number).and_modify(|part| part.is_in_doubt |= is_in_doubt);
                return Err(error);
            }
            self.parts.remove(&number);
        }
        Ok(())
    }
}

/// Takes what has come of a part: it is not kept any longer, or is not under way any more.
fn take(parts: &mut BTreeMap<u32, Part>, sent: Sent) -> Result<(), Error> {
    if sent.result.is_ok() {
        parts.remove(&sent.number);
    } else {
        parts.entry(sent.number).and_modify(|part| {
            part.is_under_way = false;
            part.is_in_doubt |= sent.is_in_doubt;
        });
    }
    sent.result
}

/// Whether an error tells what to go on from.
fn has_state(error: &Error) -> bool {
    error.unfinished.as_ref().is_some_and(|it| it.state.is_some())
}
