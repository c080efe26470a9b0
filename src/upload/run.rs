//! The run of an upload: the parts in order, the last one last, and the attempts at each, for as long as they
//! get on. What follows a failed attempt says the table (`repeat.rs`); an attempt is made as any call makes
//! one (`call/run.rs`).

use super::attempts::Attempts;
use super::ending::Ending;
use super::file::SourceFile;
use super::multipart::{Boundary, Frame};
use super::part::Part;
use super::plan::{Plan, Sizes};
use super::progress::{Activity, Inherited, Meter};
use super::repeat::{self, Next, Situation, Stop};
use super::runs::Runs;
use super::state::{self, State};
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
use crate::error::{Error, Failure, Outcome, Unfinished};
use crate::transport::Pace;
use crate::transport::http::{Attempt, Delivery};
use crate::wait::Wait;
use crate::wait::deadline::Deadline;
use std::borrow::Cow;
use std::ffi::OsStr;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use ureq::http::HeaderValue;

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
    client: &Client,
    path: &Path,
    params: &UploadParams<'_>,
    options: &CallOptions,
    make: impl FnOnce(&Uploaded<'_>) -> T,
) -> Result<T, Error> {
    upload(client, path, params, options, &Sizes::OF_THE_SERVICE, make)
}

/// The same, with parts of other sizes.
fn upload<T>(
    client: &Client,
    path: &Path,
    params: &UploadParams<'_>,
    options: &CallOptions,
    sizes: &Sizes,
    make: impl FnOnce(&Uploaded<'_>) -> T,
) -> Result<T, Error> {
    params.check()?;
    let mut run = Run::new(client, path, params, options, sizes)?;
    let body = run.run()?;
    let text = body.as_deref().and_then(|body| std::str::from_utf8(body).ok());
    let answer = text.and_then(|text| Some((Video::parse(text).ok()?, text)));
    Ok(make(&Uploaded {
        video_id: run.video_id.as_deref().unwrap_or_default(),
        bytes: run.plan.total(),
        videos_abandoned: run.videos_abandoned,
        answer,
    }))
}

/// An upload in progress.
struct Run<'u> {
    client: &'u Client,
    params: &'u UploadParams<'u>,
    options: &'u CallOptions,
    /// The service, as a state tells it.
    origin: String,
    file: Rc<SourceFile>,
    file_name: String,
    boundary: Boundary,
    content_type: HeaderValue,
    plan: Plan,
    wait: Wait,
    pace: Option<Arc<Pace>>,
    meter: Rc<Meter>,
    series: Series,
    /// The video, once it is known.
    video_id: Option<String>,
    confirmed: Runs,
    videos_abandoned: u32,
    /// Whether it goes on from a state: whatever that does not confirm may be there all the same.
    is_resumed: bool,
    /// Whether any byte has got through in this call.
    has_got_through: bool,
}

impl<'u> Run<'u> {
    fn new(
        client: &'u Client,
        path: &Path,
        params: &'u UploadParams<'u>,
        options: &'u CallOptions,
        sizes: &Sizes,
    ) -> Result<Self, Error> {
        let origin = state::origin(client.base_url());
        let resumed =
            params.resume.map(|text| resumed(text, &origin, params, sizes)).transpose()?;
        let file = open(path, resumed.as_ref())?;
        let knows_video = params.video_id.is_some();
        let plan = match &resumed {
            Some(state) => state.plan,
            None => Plan::new(file.size(), params.part_bytes, knows_video, sizes)?,
        };
        let own_name = || path.file_name().map_or("video".into(), OsStr::to_string_lossy);
        let file_name = params.file_name.map_or_else(own_name, Cow::Borrowed).into_owned();
        let timeout = match options.timeout {
            // That of the client is for calls of a moment.
            CallTimeout::Client => None,
            CallTimeout::Own(timeout) => timeout,
        };
        let meter = Meter::new(
            params.listener.clone(),
            params.progress_interval,
            plan.total(),
            plan.count(),
        );
        let boundary = Boundary::random()?;
        let mut run = Run {
            client,
            params,
            options,
            origin,
            file: Rc::new(file),
            file_name,
            content_type: boundary.content_type()?,
            boundary,
            plan,
            wait: Wait::new(Deadline::after(timeout), options.cancel.clone()),
            pace: params.max_bytes_per_second.map(|rate| Arc::new(Pace::new(rate))),
            meter: Rc::new(meter),
            series: Series::default(),
            video_id: params.video_id.map(str::to_owned),
            confirmed: Runs::default(),
            videos_abandoned: 0,
            is_resumed: resumed.is_some(),
            has_got_through: false,
        };
        if let Some(state) = resumed {
            state.confirmed.numbers().for_each(|number| run.meter.confirmed(plan.length(number)));
            run.confirmed = state.confirmed;
            run.video_id = Some(state.video_id);
            run.videos_abandoned = state.videos_abandoned;
        }
        Ok(run)
    }

    /// Sends what is missing, and returns the answer to the last part, if there was one.
    fn run(&mut self) -> Result<Option<Body>, Error> {
        self.meter.tell().map_err(inherited)?;
        let count = self.plan.count();
        let missing = (1..count).filter(|number| !self.confirmed.contains(*number));
        for number in missing.collect::<Vec<_>>() {
            self.send_part(number)?;
            self.confirmed.insert(number);
            self.meter.confirmed(self.plan.length(number));
            self.meter.tell().map_err(inherited)?;
            let state = self.state();
            let told = state.map_or(Ok(()), |state| self.meter.tell_state(&state));
            told.map_err(inherited)?;
        }
        let body = self.send_part(count)?;
        self.meter.confirmed(self.plan.length(count));
        self.meter.tell().map_err(inherited)?;
        Ok(body)
    }

    /// Sends a part until it is confirmed, and returns the answer that confirms it, if one does.
    fn send_part(&mut self, number: u32) -> Result<Option<Body>, Error> {
        let mut attempts = Attempts::new(self.is_resumed);
        // Before the video is known, what is lost with a connection that was given up unnoticed cannot be
        // sent again for the same one.
        self.series.connects_anew |= self.video_id.is_none();
        loop {
            let part = self.part(number);
            let request = self.request(&part, number)?;
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
            let (attempt, ending, verdict) = match tried.map_err(|error| self.with_rest(error))? {
                Tried::Answered(attempt, answer) => match self.judge(number, &answer) {
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
                        self.has_got_through = true;
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
                    let situation = self.situation(number, &attempts);
                    return Err(self.fail(&request, verdict, situation.given_up(false)));
                }
            };
            self.has_got_through |= verdict.sent.acknowledged > 0;
            if part.has_ended(verdict.sent) {
                // What was waited for was an answer.
                self.meter.has_moved();
            }
            let situation = self.situation(number, &attempts);
            let next = repeat::next(ending, situation);
            self.follow(next, ending, situation, &mut attempts, verdict, &request, &attempt)?;
            if matches!(next, Next::Confirmed | Next::Whole) {
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
            self.videos_abandoned += 1;
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
        verdict.trouble == Trouble::NotSent && self.has_got_through && self.max_attempts().is_none()
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
        let patience = self.params.patience.filter(|_| !is_rate_limit);
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
    fn part(&self, number: u32) -> Part {
        let params = self.params;
        let delivery = Delivery {
            stall_timeout: [params.stall_timeout, params.patience].into_iter().flatten().min(),
            patience: params.patience.map(|it| it.saturating_sub(self.meter.quiet_for())),
            answer_timeout: params.answer_timeout,
            interval: params.progress_interval,
            pace: self.pace.clone(),
            observer: None,
        };

        let frame = Frame::new(&self.boundary, self.video_id.as_deref(), &self.file_name);
        let (range, content_type) = (self.plan.range(number), self.content_type.clone());
        Part::new(self.file.clone(), range, frame, content_type, delivery, self.meter.clone())
    }

    fn request<'p>(&self, part: &'p Part, number: u32) -> Result<Request<'p>, Error>
    where
        'u: 'p,
    {
        let request = Request::new(&UPLOAD).secret("params.token", "token", self.params.token)?;
        Ok(request.part(self.plan.content_range(number)).with(Payload::Source(part)))
    }

    fn report<'r>(&self, request: &'r Request<'r>) -> Report<'r>
    where
        'u: 'r,
    {
        Report { tracer: self.client.tracer(), request }
    }

    /// Takes the answer to a part, or tells what is wrong with it.
    fn judge(&mut self, number: u32, answer: &Answer<'_>) -> Result<(), (Ending, String)> {
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
        match &self.video_id {
            Some(known) if *known != video.id => {
                let why = "videoId must be that of the video which the part belongs to";
                return Err((Ending::OtherVideo, why.into()));
            }
            Some(_) => {}
            None => self.video_id = Some(video.id.into_owned()),
        }
        if number == self.plan.count() && !video.is_described {
            let why = "it does not tell that the video is whole";
            return Err((Ending::Unproven, why.into()));
        }
        Ok(())
    }

    fn situation(&self, number: u32, attempts: &Attempts) -> Situation {
        Situation {
            knows_video: self.video_id.is_some(),
            is_last: number == self.plan.count(),
            was_in_doubt: attempts.was_in_doubt,
            was_asked: attempts.was_asked,
            videos_abandoned: self.videos_abandoned,
        }
    }

    /// The error that `verdict` makes of the upload, which ends as `stop` says.
    fn fail(&self, request: &Request<'_>, verdict: Verdict, stop: Stop) -> Error {
        let failure = match verdict.failure {
            Failure::Http(_) if stop.is_undecodable => Failure::Decode,
            failure => failure,
        };
        let is_temporary = failure.is_temporary() && verdict.trouble != Trouble::Lasting;
        let verdict = Verdict { failure, outcome: stop.outcome, ..verdict };
        let error = report::error(request, self.series.attempts, verdict);
        let error = if stop.may_go_on { self.with_rest(error) } else { self.with_video(error) };
        let has_state = error.unfinished.as_ref().is_some_and(|it| it.state.is_some());
        let does_no_harm = match stop.outcome {
            Outcome::NotApplied => true,
            // From the beginning it would be a second video.
            Outcome::Unknown => has_state,
            Outcome::Applied => false,
        };
        Error { is_retryable: is_temporary && does_no_harm && stop.may_go_on, ..error }
    }

    /// An error that tells what to go on from, unless the file is another one by now.
    fn with_rest(&self, error: Error) -> Error {
        let mut error = self.with_video(error);
        if self.file.must_be_unchanged().is_err() {
            return error;
        }
        if let (Some(unfinished), Some(state)) = (&mut error.unfinished, self.state()) {
            unfinished.state = Some(state);
            error.message += "; the upload can go on from its state";
        }
        error
    }

    /// An error that tells which video is unfinished.
    fn with_video(&self, error: Error) -> Error {
        let video_id = self.video_id.clone();
        Error { unfinished: Some(Box::new(Unfinished { state: None, video_id })), ..error }
    }

    /// What to go on from, once the video is known.
    fn state(&self) -> Option<String> {
        let state = State {
            video_id: self.video_id.clone()?,
            origin: self.origin.clone(),
            plan: self.plan,
            confirmed: self.confirmed.clone(),
            videos_abandoned: self.videos_abandoned,
            file: self.file.identity(),
        };
        state.to_text()
    }
}

/// Opens the file at `path`, which must be the one that is gone on with, if one is. Without it nothing more
/// is done about a video that may be whole.
fn open(path: &Path, resumed: Option<&State>) -> Result<SourceFile, Error> {
    let opened = SourceFile::open(path).map_err(|error| match resumed {
        // The file may be back later, and the same.
        Some(state) => {
            let video_id = Some(state.video_id.clone());
            let unfinished = Unfinished { state: state.to_text(), video_id };
            Error { unfinished: Some(Box::new(unfinished)), ..error }
        }
        None => error,
    });
    let file = opened.and_then(|file| match resumed {
        Some(state) if state.file != file.identity() => Err(Error::source(format_args!(
            "the file {path:?} is not the one that params.resume is about, or has changed"
        ))),
        _ => Ok(file),
    });
    file.map_err(|mut error| {
        if resumed.is_some_and(State::may_be_whole) {
            error.outcome = Outcome::Unknown;
            error.message += "; ";
            error.message += UPLOAD.consequence(Outcome::Unknown).unwrap_or_default();
        }
        error
    })
}

/// The state that is to be gone on from, if it is one of this service and video.
fn resumed(
    text: &str,
    origin: &str,
    params: &UploadParams<'_>,
    sizes: &Sizes,
) -> Result<State, Error> {
    let refuse = |why: &str| Error::invalid_argument(format_args!("params.resume {why}"));
    let state = State::parse(text, sizes).map_err(|why| refuse(&why))?;
    if state.origin != origin {
        return Err(refuse("is of an upload to another service"));
    }
    if params.video_id.is_some_and(|id| id != state.video_id) {
        return Err(refuse("is of another video than params.video_id"));
    }
    Ok(state)
}

fn inherited(inherited: Inherited) -> Error {
    Error::invalid_argument(inherited)
}

#[cfg(test)]
mod tests;
