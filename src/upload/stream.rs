//! An upload of what is made while it is sent. Bytes are taken into memory, a part's worth at a time; a part
//! goes once a byte follows it, or at the end, so that the last one is never empty: the service refuses that.

use super::UploadParams;
use super::content::Content;
use super::journal::Journal;
use super::plan::Sizes;
use super::progress::{Inherited, Listener};
use super::run::{Piece, Run, Uploaded, make_of};
use crate::answer::body::Body;
use crate::call::options::CallOptions;
use crate::client::Client;
use crate::error::{Error, Outcome};
use crate::process;
use std::rc::Rc;
use std::sync::Arc;

/// An upload in progress, between calls too.
pub(crate) struct Stream {
    client: Arc<Client>,
    journal: Journal,
    most_parts: u32,
    /// Which part is being filled, from 1.
    number: u32,
    /// What there is of it.
    bytes: Arc<Vec<u8>>,
    stage: Stage,
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
        let (most_parts, bytes, stage) = (sizes.most_parts, Arc::default(), Stage::Taking);
        Ok(Stream { client, journal, most_parts, number, bytes, stage })
    }

    /// How many bytes have been taken, from the beginning of the stream: where to go on.
    pub fn offset(&self) -> u64 {
        self.journal.plan.range(self.number).start + self.bytes.len() as u64
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
        Ok(())
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
        if self.bytes.is_empty() {
            return Err(Error::invalid_argument(match self.number {
                1 => "nothing was written, of which no video is made",
                _ => "nothing was written from av_upload_offset() on: the last part would be empty",
            }));
        }
        let body = self.send(true, options, listener)?;
        self.stage = Stage::Finished;
        let bytes = self.offset();
        self.bytes = Arc::default();
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
        if !self.journal.confirmed.contains(self.number) {
            self.send(false, options, listener)?;
        }
        self.number += 1;
        self.buffer()?.clear();
        Ok(())
    }

    /// Sends the part, and returns the answer that confirms it, if one does.
    fn send(
        &mut self,
        is_last: bool,
        options: &CallOptions,
        listener: &Rc<dyn Listener>,
    ) -> Result<Option<Body>, Error> {
        if self.journal.video_id.is_none() && std::mem::take(&mut self.journal.was_left_in_doubt) {
            // Of which nobody can tell whether it was begun.
            self.journal.videos_abandoned += 1;
        }
        let total = self.offset();
        let content = Content::Memory(self.bytes.clone());
        let piece = Piece { number: self.number, content, is_last };
        let mut run = Run::new(&self.client, &mut self.journal, listener.clone(), options);
        let sent = run.send(&piece, is_last.then_some(total));
        run.end();
        match &sent {
            Ok(_) => self.journal.was_left_in_doubt = false,
            Err(error) if error.outcome() == Outcome::NotApplied => {}
            Err(error) if has_state(error) => self.stage = Stage::Finishing,
            // Sent once more, it could be a second video.
            Err(_) => self.stage = Stage::Lost,
        }
        sent
    }

    /// How much more fits into the part.
    fn room(&self) -> Result<usize, Error> {
        let length = usize::try_from(self.journal.plan.length(self.number)).map_err(|_| {
            Error::invalid_argument("params.part_bytes is more than there is memory for")
        })?;
        Ok(length.saturating_sub(self.bytes.len()))
    }

    /// What takes the part's bytes, with room for all of them.
    fn buffer(&mut self) -> Result<&mut Vec<u8>, Error> {
        let room = self.room()?;
        let buffer = Arc::get_mut(&mut self.bytes)
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

/// Whether an error tells what to go on from.
fn has_state(error: &Error) -> bool {
    error.unfinished.as_ref().is_some_and(|it| it.state.is_some())
}
