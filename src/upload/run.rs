//! The run of an upload: the parts in order, the last one last, and the attempts at each, for as long as they
//! get on. What follows a failed attempt says the table (`repeat.rs`); an attempt is made as any call makes
//! one (`call/run.rs`).

use super::attempts::Attempts;
use super::content::Content;
use super::crew::{self, Crew, News};
use super::ending::Ending;
use super::file::SourceFile;
use super::journal::Journal;
use super::multipart::Frame;
use super::part::Part;
use super::plan::Sizes;
use super::progress::{Activity, Inherited, Listener, Meter};
use super::repeat::{self, Next, Situation, Stop};
use super::video::Video;
use super::{UPLOAD, UploadParams};
use crate::answer::body::Body;
use crate::answer::{self, Answer, json};
use crate::call::gate;
use crate::call::options::{CallOptions, CallTimeout};
use crate::call::payload::Payload;
use crate::call::report::{self, Report};
use crate::call::request::Request;
use crate::call::retry::{self, Trouble};
use crate::call::run::{Series, Tried, try_once};
use crate::call::verdict::Verdict;
use crate::client::{Client, DEFAULT_MAX_ATTEMPTS};
use crate::error::{Error, Failure, Outcome};
use crate::trace::Level;
use crate::transport::http::{Attempt, Delivery, Sent};
use crate::wait::Wait;
use crate::wait::deadline::Deadline;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// A video that was uploaded whole, and what the service says of it.
pub(crate) struct Uploaded<'a> {
    pub video_id: &'a str,
    /// How many bytes it is.
    pub bytes: u64,
    /// How many unfinished videos this upload has left behind.
    pub videos_abandoned: u32,
    /// The answer to the last part; `None` if only its refusal proved that all is there.
    pub answer: Option<(Video<'a>, &'a str)>,
}

/// Uploads the file at `path`, and hands the video to `make`.
pub(crate) fn upload_file<T>(
    client: &Arc<Client>,
    path: &Path,
    params: &UploadParams<'_>,
    options: &CallOptions,
    make: impl FnOnce(&Uploaded<'_>) -> T,
) -> Result<T, Error> {
    upload(client, path, params, options, &Sizes::OF_THE_SERVICE, make)
}

/// The same, with parts of other sizes.
fn upload<T>(
    client: &Arc<Client>,
    path: &Path,
    params: &UploadParams<'_>,
    options: &CallOptions,
    sizes: &Sizes,
    make: impl FnOnce(&Uploaded<'_>) -> T,
) -> Result<T, Error> {
    params.check()?;
    let mut journal = Journal::of_file(client, path, params, sizes)?;
    let file = journal.file.clone().ok_or_else(|| Error::internal("an upload without its file"))?;
    let listener = params.listener.clone();
    let body = Run::new(client, &mut journal, listener, options).send_file(client, &file)?;
    Ok(make_of(&journal, body.as_deref(), file.size(), make))
}

/// Hands the video of `journal`, which is whole, to `make`.
pub(crate) fn make_of<T>(
    journal: &Journal,
    body: Option<&[u8]>,
    bytes: u64,
    make: impl FnOnce(&Uploaded<'_>) -> T,
) -> T {
    let text = body.and_then(|body| std::str::from_utf8(body).ok());
    let answer = text.and_then(|text| Some((Video::parse(text).ok()?, text)));
    make(&Uploaded {
        video_id: journal.video_id.as_deref().unwrap_or_default(),
        bytes,
        videos_abandoned: journal.videos_abandoned,
        answer,
    })
}

/// A part that is to be sent.
pub(crate) struct Piece {
    /// Its number, from 1.
    pub number: u32,
    pub content: Content,
    pub is_last: bool,
    /// Whether it may be there already: an attempt of an earlier call was in doubt.
    pub may_be_there: bool,
}

/// An upload for the length of one call.
pub(crate) struct Run<'u> {
    client: &'u Client,
    options: &'u CallOptions,
    pub journal: &'u mut Journal,
    pub wait: Wait,
    meter: Rc<Meter>,
    series: Series,
    /// Whether the part that failed may be there all the same.
    pub was_left_in_doubt: bool,
}

impl<'u> Run<'u> {
    pub fn new(
        client: &'u Client,
        journal: &'u mut Journal,
        listener: Rc<dyn Listener>,
        options: &'u CallOptions,
    ) -> Self {
        journal.pulse.beat();
        Run::within(client, journal, listener, options, Run::wait_of(options))
    }

    /// How long a call with these options may take.
    pub fn wait_of(options: &CallOptions) -> Wait {
        let timeout = match options.timeout {
            // That of the client is for calls of a moment.
            CallTimeout::Client => None,
            CallTimeout::Own(timeout) => timeout,
        };
        Wait::new(options.begin.deadline(timeout), options.cancel.clone())
    }

    /// The same, for as long as `wait` allows.
    pub fn within(
        client: &'u Client,
        journal: &'u mut Journal,
        listener: Rc<dyn Listener>,
        options: &'u CallOptions,
        wait: Wait,
    ) -> Self {
        let (interval, progress) = (journal.progress_interval, journal.progress);
        let (pulse, generation) = (journal.pulse.clone(), journal.generation);
        let meter = Meter::new(listener, interval, progress, pulse, generation);
        Run {
            client,
            options,
            journal,
            wait,
            meter: Rc::new(meter),
            series: Series::default(),
            was_left_in_doubt: false,
        }
    }

    /// The call ends: what it has come to is kept, and what was sent and not confirmed is in vain. Returns
    /// how many attempts were made.
    pub fn end(self) -> u32 {
        self.meter.sent_in_vain();
        self.journal.progress = self.meter.progress();
        self.series.attempts
    }

    /// Sends what is missing of a file, and returns the answer to the last part, if there was one.
    fn send_file(
        &mut self,
        client: &Arc<Client>,
        file: &Arc<SourceFile>,
    ) -> Result<Option<Body>, Error> {
        self.tell()?;
        let plan = self.journal.plan;
        let count = plan.count().unwrap_or(u32::MAX);
        let piece = |number| {
            let content = Content::File { file: file.clone(), range: plan.range(number) };
            Piece { number, content, is_last: number == count, may_be_there: false }
        };
        if self.journal.parallel_parts > 0 && count > 1 {
            if self.journal.video_id.is_none() {
                // Its answer tells which video it is.
                self.send(&piece(1), None)?;
            }
            let missing = self.journal.missing(count).map(piece).collect();
            self.send_side_by_side(client, missing)?;
        }
        // All, or what is left of them where there were no threads, or after a cancel.
        for number in self.journal.missing(count).collect::<Vec<_>>() {
            self.send(&piece(number), None)?;
        }
        self.send(&piece(count), None)
    }

    /// Sends a part until it is confirmed, tells that it is, and returns the answer that confirms it, if one
    /// does. Of the last one of a stream it is told with how many bytes that ends.
    pub fn send(&mut self, piece: &Piece, total: Option<u64>) -> Result<Option<Body>, Error> {
        if let Some(total) = total {
            self.meter.has_ended(total, piece.number);
        }
        let body = self.send_part(piece)?;
        if piece.is_last {
            self.tell()?;
            return Ok(body);
        }
        self.journal.confirmed.insert(piece.number);
        self.journal.last_may_be_there &= body.is_none();
        self.tell()?;
        self.tell_state()?;
        Ok(body)
    }

    /// Tells what to go on from.
    fn tell_state(&self) -> Result<(), Error> {
        let state = self.journal.state();
        state.map_or(Ok(()), |state| self.meter.tell_state(&state)).map_err(inherited)
    }

    /// Has parts sent by threads, several at once, until all are confirmed, or one fails for good: then the
    /// others end, too. Without a thread they are left, and after a cancel.
    fn send_side_by_side(&mut self, client: &Arc<Client>, pieces: Vec<Piece>) -> Result<(), Error> {
        let most = pieces.len().min(self.journal.parallel_parts as usize);
        let mut crew = self.crew(most, client, self.wait.end())?;
        if crew.size() == 0 {
            return Ok(());
        }
        let mut left = pieces.len();
        pieces.into_iter().for_each(|piece| crew.order(piece, self.options.max_attempts));
        let mut failed = None;
        let mut wait = Wait::new(Deadline::NEVER, self.options.cancel.clone());
        while left > 0 {
            match crew.news(&wait) {
                Ok(news) => {
                    let Some(sent) = self.hear(&mut crew, news)? else { continue };
                    left -= 1;
                    if let Err(error) = sent.result {
                        failed = Some(worse(failed.take(), error, sent.is_somebody_elses));
                        // Those under way are let through: it is not their failure.
                        left -= crew.leave_out().len();
                    }
                }
                // The caller's cancel: that is what each of them will say.
                Err(_) => {
                    left -= crew.stop().len();
                    wait = Wait::new(Deadline::NEVER, None);
                }
            }
        }
        failed.map_or(Ok(()), |error| Err(self.with_all_that_is_known(error)))
    }

    /// Threads for so many parts at once, or as many as the system allows, which may be none.
    pub fn crew(
        &self,
        most: usize,
        client: &Arc<Client>,
        deadline: Deadline,
    ) -> Result<Crew, Error> {
        let crew = Crew::start(most, client, self.journal, deadline);
        let size = crew.size();
        if size < most {
            self.client.tracer().write(Level::Error, || {
                format!("{size} threads for {most} parts at once: the system allows no more")
            });
        }
        self.meter.must_be_ours().map_err(inherited)?;
        Ok(crew)
    }

    /// The error of a call whose time is over while parts are under way, which go on.
    #[cold]
    pub fn timed_out(&self) -> Error {
        self.journal.with_rest(Error {
            failure: Failure::Timeout,
            outcome: Outcome::NotApplied,
            attempts: self.series.attempts,
            message: "the call's time is over, and parts are still under way".into(),
            is_retryable: true,
            retry_after: None,
            reply: None,
            sent: Sent::default(),
            unfinished: None,
        })
    }

    /// Takes what a thread tells, and passes it on to the caller. Returns what has come of its part, if it is
    /// done with that.
    pub fn hear(&mut self, crew: &mut Crew, news: News) -> Result<Option<crew::Sent>, Error> {
        let (hand, sent) = match news {
            News::Line(level, line) => {
                self.client.tracer().write(level, || line);
                self.meter.must_be_ours().map_err(inherited)?;
                return Ok(None);
            }
            News::Progress(hand, progress) => {
                crew.parts[hand] = Some(progress);
                self.meter.tell_of(&crew.parts, false).map_err(inherited)?;
                return Ok(None);
            }
            News::Sent(hand, sent) => (hand, sent),
        };
        crew.parts[hand] = None;
        self.series.attempts += sent.attempts;
        self.journal.is_somebody_elses |= sent.is_somebody_elses;
        self.meter.repeated(sent.progress.bytes_repeated);
        if let Ok(was_missing) = sent.result {
            self.journal.last_may_be_there &= !was_missing;
            self.journal.pulse.note_byte();
            self.meter.confirmed(sent.length);
            self.journal.confirmed.insert(sent.number);
            self.meter.tell_of(&crew.parts, true).map_err(inherited)?;
            self.tell_state()?;
        }
        Ok(Some(sent))
    }

    /// What a thread's error is, told by who knows of all of them.
    pub fn with_all_that_is_known(&self, error: Error) -> Error {
        Error { attempts: self.series.attempts, ..self.journal.with_newer_state(error) }
    }

    /// Tells how far it has come.
    pub fn tell(&self) -> Result<(), Error> {
        self.meter.tell().map_err(inherited)
    }

    /// Sends a part until it is confirmed, and returns the answer that confirms it, if one does.
    pub fn send_part(&mut self, piece: &Piece) -> Result<Option<Body>, Error> {
        let was_sent_before = match piece.is_last {
            true => self.journal.last_may_be_there,
            false => self.journal.is_resumed,
        };
        let mut attempts = Attempts::new(was_sent_before || piece.may_be_there);
        // Before the video is known, what is lost with a connection that was given up unnoticed cannot be
        // sent again for the same one.
        self.series.connects_anew |= self.journal.video_id.is_none();
        let token = self.journal.token.clone();
        loop {
            let part = self.part(piece);
            let request = self.request(&part, &token, piece)?;
            let (meter, client) = (self.meter.clone(), self.client);
            meter.comes_to_gate();
            let on_rate_limit = |wait| {
                // What comes of it shows when the part is opened.
                let _ = meter.waits(Activity::WaitingForRateLimit, wait);
            };
            let tried = try_once(
                client,
                &request,
                self.options,
                &self.wait,
                &mut self.series,
                &on_rate_limit,
            );
            self.meter.must_be_ours().map_err(inherited)?;
            let (attempt, ending, verdict) =
                match tried.map_err(|error| self.journal.with_rest(error))? {
                    Tried::Answered(attempt, answer) => match self.judge(piece, &answer) {
                        Ok(()) => {
                            let (status, size) = (answer.status.as_u16(), answer.body.len());
                            self.report(&request).success(
                                &attempt,
                                self.series.attempts,
                                status,
                                size,
                                "",
                            );
                            self.series.connects_anew = false;
                            self.journal.pulse.note_byte();
                            self.meter.confirmed(piece.content.length());
                            return Ok(Some(answer.body));
                        }
                        Err((ending, why)) => {
                            let encoding = answer.encoding.as_deref().map(answer::encoded);
                            let why = encoding.as_deref().unwrap_or(&why);
                            (attempt, ending, Verdict::on_undecodable(&answer, why))
                        }
                    },
                    Tried::Failed(attempt, verdict) => (attempt, Ending::of(&verdict), verdict),
                    Tried::NotBegun(verdict) => {
                        let verdict = attempts.verdict_of_the_last(verdict);
                        let situation = self.situation(piece, &attempts);
                        self.was_left_in_doubt = situation.was_in_doubt;
                        return Err(self.fail(&request, verdict, situation.given_up(false)));
                    }
                };
            if verdict.sent.acknowledged > 0 {
                self.journal.pulse.note_byte();
            }
            if part.has_ended(verdict.sent) {
                // What was waited for was an answer.
                self.meter.has_moved();
            }
            let situation = self.situation(piece, &attempts);
            let next = repeat::next(ending, situation);
            let followed =
                self.follow(next, ending, situation, &mut attempts, verdict, &request, &attempt);
            if followed.is_err() {
                self.was_left_in_doubt = situation.was_in_doubt || ending.is_in_doubt();
            }
            followed?;
            if matches!(next, Next::Confirmed | Next::Whole) {
                self.meter.confirmed(piece.content.length());
                return Ok(None);
            }
        }
    }

    /// Does what the table says after an attempt that brought no plain success. An error is the end.
    #[expect(clippy::too_many_arguments, reason = "an attempt, its end, and what came before")]
    fn follow(
        &mut self,
        next: Next,
        ending: Ending,
        situation: Situation,
        attempts: &mut Attempts,
        verdict: Verdict,
        request: &Request<'_>,
        attempt: &Attempt,
    ) -> Result<(), Error> {
        let number = self.series.attempts;
        let report = self.report(request);
        match next {
            Next::Confirmed | Next::Whole => {
                let (status, size) =
                    verdict.reply.as_ref().map_or((0, 0), |it| (it.status, it.body.len()));
                report.success(attempt, number, status, size, "sent by an earlier attempt");
                self.series.connects_anew = false;
                self.meter.sent_in_vain();
                return Ok(());
            }
            Next::Stop(stop) => {
                report.failure(attempt, number, &verdict, format_args!(""));
                self.journal.is_somebody_elses |= !stop.may_go_on && situation.knows_video;
                return Err(self.fail(request, verdict, stop));
            }
            Next::Again | Next::NewVideo | Next::Ask => {}
        }
        // One that tells no time may be for ever.
        let is_rate_limit = ending == Ending::RateLimited && verdict.retry_after.is_some();
        if ending == Ending::RateLimited && !is_rate_limit {
            self.meter.was_turned_away();
        }
        let is_stale = matches!(verdict.trouble, Trouble::Stale | Trouble::StaleUnwritten);
        let reconnects = is_stale && !ending.is_in_doubt() && !self.series.connects_anew;
        if ending == Ending::RateLimited || self.has_lost_the_network(&verdict) {
            attempts.count_wait();
        } else if !reconnects {
            attempts.count(verdict.sent.acknowledged);
        }
        let wait = match reconnects {
            true => Duration::ZERO,
            false => retry::wait(attempts.failures(), verdict.retry_after),
        };
        if let Some(why) = self.why_not_again(attempts, wait, is_rate_limit) {
            report.failure(attempt, number, &verdict, format_args!("{why}"));
            let verdict = Verdict { what: format!("{}{why}", verdict.what), ..verdict };
            return Err(self.fail(request, verdict, situation.stopped_before(next, ending)));
        }
        attempts.follow(next, ending);
        if next == Next::NewVideo {
            self.journal.videos_abandoned += 1;
        }
        self.meter.sent_in_vain();
        if reconnects {
            report.failure(
                attempt,
                number,
                &verdict,
                format_args!("; again at once, newly connected"),
            );
            self.series.attempts -= 1;
        } else {
            report.failure(
                attempt,
                number,
                &verdict,
                format_args!("; again in {} ms", wait.as_millis()),
            );
            // What all the client's threads wait for, they wait for at the gate.
            let is_held_there = is_rate_limit && gate::holds(wait, verdict.retry_after);
            if !is_held_there && self.pause(wait, is_rate_limit)?.is_err() {
                let verdict = verdict.cancelled_waiting();
                return Err(self.fail(request, verdict, situation.stopped_before(next, ending)));
            }
        }
        // What the connection did, others that were opened with it may do too.
        self.series.connects_anew |= verdict.reply.is_none();
        attempts.last = Some(verdict);
        Ok(())
    }

    /// Whether the attempt reached nobody, though the upload had got through before: no fault of the part, and
    /// patience alone bounds how often it is tried, unless the caller said how often.
    fn has_lost_the_network(&self, verdict: &Verdict) -> bool {
        verdict.trouble == Trouble::NotSent
            && self.journal.pulse.has_got_through()
            && self.max_attempts().is_none()
    }

    /// How many attempts the call allows, if it says so.
    pub fn max_attempts_of_call(&self) -> Option<u32> {
        self.options.max_attempts
    }

    /// How many attempts the caller allows, if the caller said so.
    fn max_attempts(&self) -> Option<u32> {
        self.options.max_attempts.or(self.client.max_attempts())
    }

    /// Why there is no time or no point to try once more after `wait`, to follow what went wrong.
    fn why_not_again(
        &self,
        attempts: &Attempts,
        wait: Duration,
        is_rate_limit: bool,
    ) -> Option<String> {
        let most = self.max_attempts().unwrap_or(DEFAULT_MAX_ATTEMPTS);
        if most == 1 || attempts.in_vain >= most {
            return Some(String::new());
        }
        if self.wait.end().remaining().is_some_and(|left| left <= wait) {
            return Some(", too late for another".into());
        }
        let quiet = self.meter.quiet_for();
        let patience = self.journal.patience.filter(|_| !is_rate_limit);
        patience.is_some_and(|patience| quiet + wait >= patience).then(|| {
            let (quiet, wait) = (quiet.as_secs(), wait.as_millis());
            format!(
                ", and nothing has got through for {quiet} s; another attempt would be in {wait} ms"
            )
        })
    }

    /// Waits before the next attempt. The inner error is a cancel.
    fn pause(&self, wait: Duration, is_rate_limit: bool) -> Result<Result<(), ()>, Error> {
        let activity = match is_rate_limit {
            true => Activity::WaitingForRateLimit,
            false => Activity::WaitingToRetry,
        };
        if is_rate_limit {
            self.meter.forgive(wait);
        }
        self.meter.waits(activity, wait).map_err(inherited)?;
        Ok(self.wait.pause(Deadline::after(Some(wait))).map_err(drop))
    }

    /// The part with this number as it is sent now.
    fn part(&self, piece: &Piece) -> Part {
        let journal = &*self.journal;
        let delivery = Delivery {
            stall_timeout: [journal.stall_timeout, journal.patience].into_iter().flatten().min(),
            patience: journal.patience.map(|it| it.saturating_sub(self.meter.quiet_for())),
            answer_timeout: journal.answer_timeout,
            interval: journal.progress_interval,
            pace: journal.pace.clone(),
            observer: None,
        };

        let frame = Frame::new(&journal.boundary, journal.video_id.as_deref(), &journal.file_name);
        let (content, content_type) = (piece.content.clone(), journal.content_type.clone());
        Part::new(content, frame, content_type, delivery, self.meter.clone())
    }

    fn request<'p>(
        &self,
        part: &'p Part,
        token: &'p str,
        piece: &Piece,
    ) -> Result<Request<'p>, Error> {
        let request = Request::new(&UPLOAD).secret("params.token", "token", token)?;
        let range = self.journal.plan.content_range(piece.number, piece.is_last);
        Ok(request.part(range).with(Payload::Source(part)))
    }

    fn report<'r>(&self, request: &'r Request<'r>) -> Report<'r>
    where
        'u: 'r,
    {
        Report { tracer: self.client.tracer(), request }
    }

    /// Takes the answer to a part, or tells what is wrong with it.
    fn judge(&mut self, piece: &Piece, answer: &Answer<'_>) -> Result<(), (Ending, String)> {
        let is_object = answer.sent.is_whole && json::begins_object(&answer.body);
        let unusable = |why| (Ending::Unusable { is_object }, why);
        let text = std::str::from_utf8(&answer.body).map_err(|error| {
            unusable(format!("it is not UTF-8 at byte {}", error.valid_up_to()))
        })?;
        let video = Video::parse(text).map_err(unusable)?;
        if !answer.sent.is_whole {
            let why = "it came before all of the part was sent";
            return Err(unusable(why.into()));
        }
        match &self.journal.video_id {
            Some(known) if *known != video.id => {
                let why = "videoId must be that of the video which the part belongs to";
                return Err((Ending::OtherVideo, why.into()));
            }
            Some(_) => {}
            None => self.journal.video_id = Some(video.id.into_owned()),
        }
        if piece.is_last && !video.is_described {
            let why = "it does not tell that the video is whole";
            return Err((Ending::Unproven, why.into()));
        }
        Ok(())
    }

    fn situation(&self, piece: &Piece, attempts: &Attempts) -> Situation {
        Situation {
            knows_video: self.journal.video_id.is_some(),
            is_last: piece.is_last,
            was_in_doubt: attempts.was_in_doubt,
            was_asked: attempts.was_asked,
            videos_abandoned: self.journal.videos_abandoned,
        }
    }

    /// The error that `verdict` makes of the upload, which ends as `stop` says.
    fn fail(&self, request: &Request<'_>, verdict: Verdict, stop: Stop) -> Error {
        let failure = match verdict.failure {
            Failure::Http(_) if stop.is_undecodable => Failure::Decode,
            failure => failure,
        };
        let is_temporary =
            stop.may_pass || failure.is_temporary() && verdict.trouble != Trouble::Lasting;
        let verdict = Verdict { failure, outcome: stop.outcome, ..verdict };
        let error = report::error(request, self.series.attempts, verdict);
        let error = match stop.may_go_on {
            true => self.journal.with_rest(error),
            false => self.journal.with_video(error),
        };
        let has_state = error.unfinished.as_ref().is_some_and(|it| it.state.is_some());
        let does_no_harm = match stop.outcome {
            Outcome::NotApplied => true,
            // From the beginning it would be a second video.
            Outcome::Unknown => has_state,
            Outcome::Applied => false,
        };
        Error { is_retryable: is_temporary && does_no_harm && stop.may_go_on, ..error }
    }
}

/// Of two errors the one to be told: that somebody else uploads to the video goes before all others.
pub(crate) fn worse(first: Option<Error>, error: Error, is_somebody_elses: bool) -> Error {
    match first {
        Some(first) if !is_somebody_elses => first,
        _ => error,
    }
}

fn inherited(inherited: Inherited) -> Error {
    Error::invalid_argument(inherited)
}

#[cfg(test)]
mod tests;
