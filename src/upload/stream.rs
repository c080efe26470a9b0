//! An upload of what is made while it is sent. Bytes are taken into memory, a part's worth at a time; a part
//! goes once a byte follows it, or at the end, so that the last one is never empty: the service refuses that.

use super::UploadParams;
use super::content::Content;
use super::crew::{Crew, Sent};
use super::journal::Journal;
use super::plan::Sizes;
use super::progress::{Inherited, Listener, Progress};
use super::run::{Piece, Run, Uploaded, make_of, worse};
use crate::answer::body::Body;
use crate::block::Block;
use crate::call::options::CallOptions;
use crate::client::Client;
use crate::error::{Error, Failure, Outcome};
use crate::process;
use crate::wait::deadline::Deadline;
use crate::wait::{Interruption, Wait};
use std::io;
use std::rc::Rc;
use std::sync::Arc;

/// An upload in progress, between calls too.
pub(crate) struct Stream {
    client: Arc<Client>,
    journal: Journal,
    most_parts: u32,
    /// The part that is being filled.
    part: Part,
    /// Its first byte, until another one follows: the part before it may leave its memory until then.
    first: Option<u8>,
    /// Those before it.
    kept: Kept,
    /// The threads, once they were asked for; of which the system may have allowed none.
    crew: Option<Crew>,
    stage: Stage,
    /// Whether it was told from where it goes on.
    has_told: bool,
}

/// A part, until the service has confirmed it.
struct Part {
    /// Its number, from 1.
    number: u32,
    /// What there is of it; none until a byte comes.
    block: Option<Arc<Block>>,
    /// Whether a thread is to send it, or does.
    is_under_way: bool,
    /// Whether the service may have it all the same.
    is_in_doubt: bool,
}

impl Part {
    /// The empty one with this number.
    fn new(number: u32) -> Self {
        Part { number, block: None, is_under_way: false, is_in_doubt: false }
    }

    fn length(&self) -> usize {
        self.block.as_ref().map_or(0, |block| block.bytes().len())
    }

    fn piece(&self, is_last: bool) -> Piece {
        let content = Content::Memory(self.block.clone());
        Piece { number: self.number, content, is_last, may_be_there: self.is_in_doubt }
    }
}

/// Parts until the service has confirmed them.
#[derive(Default)]
struct Kept {
    /// Those that it has not, in their order.
    parts: Vec<Part>,
    /// The memory of those that it has, for parts to come.
    spare: Vec<Block>,
}

impl Kept {
    /// Takes what has come of a part: it is not kept any longer, or is not under way any more.
    fn take(&mut self, sent: Sent) -> Result<(), Error> {
        let at = self.parts.iter().position(|part| part.number == sent.number);
        match (at, &sent.result) {
            (Some(at), Ok(_)) => self.is_confirmed(at),
            (Some(at), Err(_)) => {
                self.parts[at].is_under_way = false;
                self.parts[at].is_in_doubt |= sent.is_in_doubt;
            }
            (None, _) => debug_assert!(false, "nobody's part"),
        }
        sent.result.map(drop)
    }

    /// A part is not kept any longer, but for its memory.
    fn is_confirmed(&mut self, at: usize) {
        self.spare.extend(self.parts.remove(at).block.and_then(Arc::into_inner));
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
            part: Part::new(number),
            first: None,
            kept: Kept::default(),
            crew: None,
            stage: Stage::Taking,
            has_told: false,
        })
    }

    /// How many bytes have been taken, from the beginning of the stream: where to go on.
    pub fn offset(&self) -> u64 {
        if self.stage == Stage::Finished {
            return self.journal.progress.bytes_total;
        }
        self.journal.plan.range(self.part.number).start + self.length() as u64
    }

    /// What another one can go on from; none before the video is known, and at the end.
    pub fn state(&self) -> Option<String> {
        match self.stage {
            Stage::Taking | Stage::Finishing => self.journal.state(),
            Stage::Finished | Stage::Lost => None,
        }
    }

    /// How many bytes there are of the part that is being filled.
    fn length(&self) -> usize {
        self.part.length() + usize::from(self.first.is_some())
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
        let call = Call { options, listener, wait: Run::wait_of(options) };
        // What a call before has left, or threads have to tell.
        self.deliver(self.at_once(), &call)?;
        while let Some((first, rest)) = bytes.split_first() {
            let room = self.room();
            if room == 0 {
                self.close_part(&call)?;
                self.first = Some(*first);
                bytes = rest;
                self.deliver(self.at_once(), &call)?;
                continue;
            }
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.block()?.append(now);
            bytes = later;
        }
        self.deliver(self.at_once(), &call)
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
        if self.length() == 0 {
            return Err(Error::invalid_argument(match self.part.number {
                1 => "nothing was written, of which no video is made",
                _ => "nothing was written from av_upload_offset() on: the last part would be empty",
            }));
        }
        if self.journal.confirmed.numbers().any(|number| number >= self.part.number) {
            return Err(self.journal.with_rest(Error::invalid_argument(
                "fewer bytes were written than params.resume tells to be there",
            )));
        }
        let call = Call { options, listener, wait: Run::wait_of(options) };
        self.deliver(0, &call)?;
        self.crew = None;
        self.block()?;
        let body = self.send_last(&call)?;
        self.stage = Stage::Finished;
        self.part.block = None;
        self.kept.spare.clear();
        Ok(make_of(&self.journal, body.as_deref(), self.offset(), make))
    }

    /// Ends the part that is full, since a byte follows it: it is no longer the last one, whatever comes of
    /// that.
    fn close_part(&mut self, call: &Call<'_>) -> Result<(), Error> {
        if self.part.number >= self.most_parts {
            let (most, size) = (self.most_parts, self.journal.plan.part());
            // What was taken before has been sent.
            return Err(Error::before_sending(
                Failure::InvalidArgument,
                format!(
                    "invalid argument: data is more than fits into {most} parts of {size} bytes: \
                     params.part_bytes must be larger for what is so long"
                ),
            ));
        }
        // Until a thread has its hands free.
        self.deliver(self.at_once().saturating_sub(1), call)?;
        self.block()?;
        let next = Part::new(self.part.number + 1);
        let full = std::mem::replace(&mut self.part, next);
        if !self.journal.confirmed.contains(full.number) {
            self.kept.parts.push(full);
        }
        Ok(())
    }

    /// Sends the last part, and returns the answer that confirms it, if one does.
    fn send_last(&mut self, call: &Call<'_>) -> Result<Option<Body>, Error> {
        let (total, piece) = (self.offset(), self.part.piece(true));
        let mut run =
            Run::new(&self.client, &mut self.journal, call.listener.clone(), call.options);
        run.wait = call.wait.clone();
        let sent = run.send(&piece, Some(total));
        self.part.is_in_doubt |= run.was_left_in_doubt;
        run.end();
        if let Err(error) = &sent
            && error.outcome() != Outcome::NotApplied
        {
            // Without a state: sent once more, it could be a second video.
            let has_state = error.unfinished.as_ref().is_some_and(|it| it.state.is_some());
            self.stage = if has_state { Stage::Finishing } else { Stage::Lost };
        }
        if sent.is_err() && self.stage == Stage::Taking {
            // More may be written: how much it will be is not known any more.
            let progress = self.journal.progress;
            self.journal.progress = Progress { bytes_total: 0, parts_total: 0, ..progress };
        }
        sent
    }

    /// Has the parts sent that are not confirmed, and waits until there are no more than `most` of them.
    fn deliver(&mut self, most: usize, call: &Call<'_>) -> Result<(), Error> {
        if self.kept.parts.is_empty() && self.has_told {
            return Ok(());
        }
        self.has_told = true;
        if !self.kept.parts.iter().any(|part| part.is_under_way) {
            self.journal.pulse.beat();
        }
        let (client, listener, wait) =
            (self.client.clone(), call.listener.clone(), call.wait.clone());
        let mut run = Run::within(&client, &mut self.journal, listener, call.options, wait);
        let (crew, kept) = (&mut self.crew, &mut self.kept);
        let done = Delivery { crew, kept, client: &client }.make(&mut run, most);
        run.end();
        if self.journal.is_somebody_elses {
            self.stage = Stage::Lost;
        }
        done
    }

    /// How many parts may be sent at once by threads.
    fn at_once(&self) -> usize {
        self.journal.parallel_parts as usize
    }

    /// How much more fits into the part.
    fn room(&self) -> usize {
        let length = usize::try_from(self.journal.plan.length(self.part.number));
        length.unwrap_or(usize::MAX).saturating_sub(self.length())
    }

    /// What takes the part's bytes, with room for all that any part has: so its memory does for others, too.
    fn block(&mut self) -> Result<&mut Block, Error> {
        if self.part.block.is_none() {
            let block = match self.kept.spare.pop() {
                Some(mut spare) => {
                    spare.clear();
                    spare
                }
                None => {
                    let size = usize::try_from(self.journal.plan.part()).unwrap_or(usize::MAX);
                    Block::new(size).map_err(|error| self.no_memory(error))?
                }
            };
            self.part.block = Some(Arc::new(block));
        }
        let first = self.first.take();
        let block = self.part.block.as_mut().and_then(Arc::get_mut);
        let block = block.ok_or_else(|| Error::internal("a part that is sent is being filled"))?;
        if let Some(first) = first {
            block.append(&[first]);
        }
        Ok(block)
    }

    /// There is none for a part, of which nothing was sent yet.
    #[cold]
    fn no_memory(&self, error: io::Error) -> Error {
        let message = format_args!("there is no memory for a part: {error}");
        let error = Error::before_sending(Failure::Internal, message.to_string());
        // What is gone on with may have been whole but for an answer.
        let outcome = if self.journal.last_may_be_there { Outcome::Unknown } else { error.outcome };
        self.journal.with_rest(Error { outcome, is_retryable: true, ..error })
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
        let (outcome, what) = match self.stage {
            Stage::Taking | Stage::Finishing => (
                Outcome::Unknown,
                "upload may be complete: nothing can be added, av_upload_finish() goes on",
            ),
            Stage::Finished => (Outcome::Applied, "upload is finished: begin another one"),
            Stage::Lost => (
                Outcome::Unknown,
                "upload has failed for good: look for the video before you begin another one",
            ),
        };
        let error = Error { outcome, ..Error::invalid_argument(what) };
        Err(match self.stage {
            Stage::Taking | Stage::Finishing => self.journal.with_rest(error),
            Stage::Finished | Stage::Lost => self.journal.with_video(error),
        })
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if let Some(crew) = self.crew.take() {
            crew.leave();
        }
    }
}

/// What the parts of a stream have to do with during a call.
struct Call<'c> {
    options: &'c CallOptions,
    listener: &'c Rc<dyn Listener>,
    wait: Wait,
}

/// The parts of a stream that are to be sent, and the threads that may do so.
struct Delivery<'s> {
    crew: &'s mut Option<Crew>,
    kept: &'s mut Kept,
    client: &'s Arc<Client>,
}

impl Delivery<'_> {
    /// Has them sent, and waits until no more than `most` are left.
    fn make(&mut self, run: &mut Run<'_>, most: usize) -> Result<(), Error> {
        if self.kept.parts.is_empty() {
            // It begins here.
            return run.tell();
        }
        let at_once = run.journal.parallel_parts as usize;
        if at_once == 0 || run.journal.video_id.is_none() {
            return self.send_here(run);
        }
        if matches!(run.wait.check(), Err(Interruption::Cancelled)) {
            return self.stop(run);
        }
        let crew = match self.crew {
            Some(crew) => crew,
            None => self.crew.insert(run.crew(at_once, self.client, Deadline::NEVER)?),
        };
        if crew.size() == 0 {
            return self.send_here(run);
        }
        for part in self.kept.parts.iter_mut().filter(|part| !part.is_under_way) {
            part.is_under_way = true;
            crew.order(part.piece(false), run.max_attempts_of_call());
        }
        let mut failed = None;
        loop {
            let news = match crew.news_by_now() {
                Some(news) => news,
                // All that have failed by now are told by one error, and sent again by the next call.
                None if failed.is_some() => break,
                None if self.kept.parts.len() <= most => return Ok(()),
                None => match crew.news(&run.wait) {
                    Ok(news) => news,
                    Err(Interruption::Cancelled) => return self.stop(run),
                    // What is under way is not in vain for that.
                    Err(_) => return Err(run.timed_out()),
                },
            };
            if let Some(sent) = run.hear(crew, news)? {
                let is_somebody_elses = sent.is_somebody_elses;
                if let Err(error) = self.kept.take(sent) {
                    failed = Some(worse(failed.take(), error, is_somebody_elses));
                }
            }
        }
        failed.map_or(Ok(()), |error| Err(run.with_all_that_is_known(error)))
    }

    /// Ends what is under way: the call was cancelled.
    #[cold]
    fn stop(&mut self, run: &mut Run<'_>) -> Result<(), Error> {
        if let Some(mut crew) = self.crew.take() {
            let left = crew.stop();
            for part in self.kept.parts.iter_mut().filter(|part| left.contains(&part.number)) {
                part.is_under_way = false;
            }
            let wait = Wait::new(Deadline::NEVER, None);
            while self.kept.parts.iter().any(|part| part.is_under_way) {
                let Ok(news) = crew.news(&wait) else { continue };
                let sent = run.hear(&mut crew, news)?;
                // That it was ended is no news.
                let _ = sent.map(|sent| self.kept.take(sent));
            }
        }
        // The first of what is left says so.
        self.send_here(run)
    }

    /// Sends the parts one after the other on the calling thread.
    fn send_here(&mut self, run: &mut Run<'_>) -> Result<(), Error> {
        while let Some(part) = self.kept.parts.first_mut() {
            if run.journal.video_id.is_none() && std::mem::take(&mut part.is_in_doubt) {
                // Of which nobody can tell whether it was begun.
                run.journal.videos_abandoned += 1;
            }
            let sent = run.send(&part.piece(false), None);
            part.is_in_doubt |= sent.is_err() && run.was_left_in_doubt;
            sent?;
            self.kept.is_confirmed(0);
        }
        Ok(())
    }
}
