//! The run of an upload: the parts in order, the last one last, and the attempts at each, for as long as they
//! get on. What follows a failed attempt says the table (`repeat.rs`); an attempt is made as any call makes
//! one (`call/run.rs`).

use super::file::SourceFile;
use super::multipart::{Boundary, Frame};
use super::part::Part;
use super::plan::{Plan, Sizes};
use super::progress::{Activity, Inherited, Meter};
use super::repeat::{self, Ending, Next, Situation, Stop};
use super::runs::Runs;
use super::state::{self, State};
use super::video::Video;
use super::{UPLOAD, UploadParams};
use crate::answer::body::Body;
use crate::answer::problem::Problem;
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
        let file_name = match (params.file_name, path.file_name()) {
            (Some(name), _) => name.to_owned(),
            (None, Some(name)) => name.to_string_lossy().into_owned(),
            (None, None) => "video".into(),
        };
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
            if let Some(state) = self.state() {
                self.meter.tell_state(&state).map_err(inherited)?;
            }
        }
        let body = self.send_part(count)?;
        self.meter.confirmed(self.plan.length(count));
        self.meter.tell().map_err(inherited)?;
        Ok(body)
    }

    /// Sends a part until it is confirmed, and returns the answer that confirms it, if one does.
    fn send_part(&mut self, number: u32) -> Result<Option<Body>, Error> {
        let mut attempts = Attempts { was_in_doubt: self.is_resumed, ..Attempts::default() };
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
                Tried::Failed(attempt, verdict) => (attempt, ending_of(&verdict), verdict),
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
        patience
            .is_some_and(|patience| quiet + wait >= patience)
            .then(|| format!(", and nothing has got through for {} s", quiet.as_secs()))
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

/// What has come of the attempts at a part so far.
#[derive(Default)]
struct Attempts {
    /// How many bytes of the part got through in the best of them.
    furthest: u64,
    /// How many in a row failed without having got further than one before.
    in_vain: u32,
    /// How many in a row came to nothing that says nothing of the part: the rate limit, or no network.
    waited_out: u32,
    was_in_doubt: bool,
    was_asked: bool,
    /// The verdict on the last one.
    last: Option<Verdict>,
}

impl Attempts {
    /// One more has failed that counts, after so many bytes.
    fn count(&mut self, sent: u64) {
        if sent > self.furthest {
            self.furthest = sent;
            self.in_vain = 0;
        }
        self.in_vain += 1;
        self.waited_out = 0;
    }

    /// One more has failed that does not count.
    fn count_wait(&mut self) {
        self.waited_out += 1;
    }

    /// How many have failed in a row, by which the next waits.
    fn failures(&self) -> u32 {
        self.in_vain.max(self.waited_out).max(1)
    }

    /// Another follows for this reason, after one that ended so.
    fn follow(&mut self, next: Next, ending: Ending) {
        self.was_asked |= next == Next::Ask;
        // Of another video nothing was sent yet.
        self.was_in_doubt = next != Next::NewVideo && (self.was_in_doubt || ending.is_in_doubt());
    }

    /// What ends the upload since no other attempt could be begun: what the last one ended by, if there was
    /// one.
    fn verdict_of_the_last(&mut self, verdict: Verdict) -> Verdict {
        match (self.last.take(), verdict.failure) {
            (None, _) => verdict,
            (Some(last), Failure::Cancelled) => last.cancelled_waiting(),
            (Some(last), _) => {
                Verdict { retry_after: last.retry_after.max(verdict.retry_after), ..last }
            }
        }
    }
}

/// What kind of end a failed attempt came to.
fn ending_of(verdict: &Verdict) -> Ending {
    let was_handed_over = verdict.sent.is_whole;
    match verdict.failure {
        Failure::Cancelled => return Ending::Lasting { was_handed_over },
        Failure::Tls | Failure::Source | Failure::InvalidArgument | Failure::Internal => {
            return Ending::Lasting { was_handed_over: false };
        }
        // A proxy that refuses.
        Failure::Connect if verdict.trouble == Trouble::Lasting => {
            return Ending::Lasting { was_handed_over: false };
        }
        _ => {}
    }
    let Some(reply) = &verdict.reply else { return Ending::Broke { was_handed_over } };
    match reply.status {
        200..=299 => {
            Ending::Unusable { is_object: was_handed_over && json::begins_object(&reply.body) }
        }
        400 if says(&reply.problem, "source-already-uploaded") => Ending::SourceAlreadyUploaded,
        400 if says(&reply.problem, "part-already-sent") => Ending::PartAlreadySent,
        // Who has not got all of it can have passed nothing on.
        408 | 500..=599 if !was_handed_over => Ending::Broke { was_handed_over },
        408 | 500..=599 => Ending::Failed,
        429 => Ending::RateLimited,
        400..=499 => Ending::Lasting { was_handed_over: false },
        _ => Ending::Lasting { was_handed_over },
    }
}

/// Whether a problem, or one of those that it lists, is of the kind that ends so: what stands before that in
/// its name, and where the name is explained, have changed over the years.
fn says(problem: &Problem, kind: &str) -> bool {
    let is_it = |problem: &Problem| {
        let slug = problem.kind.as_deref().and_then(|kind| kind.rsplit('/').next());
        slug.is_some_and(|slug| slug.ends_with(kind))
    };
    is_it(problem) || problem.problems.iter().any(is_it)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::{Level, Tracer};
    use crate::upload::DEFAULT_PATIENCE;
    use crate::upload::file::tests::{bytes, file_of};
    use crate::upload::progress::tests::Told;
    use crate::upload::progress::{Listener, Progress};
    use crate::upload::service::{Fault, Ledger, Service};
    use crate::wait::cancel::Cancel;
    use crate::wait::lock;
    use std::fs::OpenOptions;
    use std::num::NonZeroU64;
    use std::path::PathBuf;
    use std::sync::{Mutex, MutexGuard};
    use std::thread;
    use tempfile::TempDir;

    const TOKEN: &str = "to1tcmSFHeYY5KzyhOqVKMKb";
    const MIB: u64 = 1024 * 1024;

    /// Those of the service, on the scale of tests.
    const SIZES: Sizes =
        Sizes { smallest_part: 10, largest_part: 100, default_part: 20, most_parts: 50 };

    /// Four parts of these sizes: of 10, 20, 20 and 5 bytes.
    const LENGTH: usize = 55;

    const SPARSE: &str = r#"{"videoId":"vi1"}"#;
    const ANOTHERS: &str = r#"{"videoId":"viOther","title":"T"}"#;
    const WHOLE: &str = r#"{"videoId":"vi1","title":"T"}"#;
    const PAGE: &str = "<html>welcome</html>";

    /// A file to upload, and the service to upload it to.
    struct Try {
        service: Service,
        content: Vec<u8>,
        path: PathBuf,
        _directory: TempDir,
        told: Rc<Told>,
        /// Who is told instead.
        listener: Option<Rc<dyn Listener>>,
        sizes: Sizes,
        options: CallOptions,
        video_id: Option<&'static str>,
        resume: Option<String>,
        patience: Option<Duration>,
        stall_timeout: Option<Duration>,
        answer_timeout: Option<Duration>,
        max_bytes_per_second: Option<NonZeroU64>,
        tracer: Tracer,
    }

    /// What an upload told in the end, without what was lent.
    #[derive(Debug, PartialEq, Eq)]
    struct Done {
        video_id: String,
        bytes: u64,
        videos_abandoned: u32,
        title: Option<String>,
        json: Option<String>,
    }

    impl Try {
        fn new(length: usize, faults: impl IntoIterator<Item = Fault>) -> Self {
            let content = bytes(length);
            let (_directory, path) = file_of(&content);
            let timeout = CallTimeout::Own(Some(Duration::from_secs(60)));
            Try {
                service: Service::with(faults),
                content,
                path,
                _directory,
                told: Rc::default(),
                listener: None,
                sizes: SIZES,
                options: CallOptions { timeout, ..CallOptions::default() },
                video_id: None,
                resume: None,
                patience: Some(DEFAULT_PATIENCE),
                stall_timeout: None,
                answer_timeout: None,
                max_bytes_per_second: None,
                tracer: Tracer::off(),
            }
        }

        fn upload(&self) -> Result<Done, Error> {
            let params = UploadParams {
                token: TOKEN,
                video_id: self.video_id,
                file_name: None,
                resume: self.resume.as_deref(),
                part_bytes: 0,
                max_bytes_per_second: self.max_bytes_per_second,
                stall_timeout: self.stall_timeout,
                answer_timeout: self.answer_timeout,
                patience: self.patience,
                progress_interval: Duration::ZERO,
                listener: self.listener.clone().unwrap_or(self.told.clone()),
            };
            let client = self.service.client_tracing(self.tracer.clone());
            upload(&client, &self.path, &params, &self.options, &self.sizes, |uploaded| Done {
                video_id: uploaded.video_id.into(),
                bytes: uploaded.bytes,
                videos_abandoned: uploaded.videos_abandoned,
                title: uploaded
                    .answer
                    .as_ref()
                    .and_then(|it| it.0.title.as_deref().map(str::to_owned)),
                json: uploaded.answer.as_ref().map(|it| it.1.to_owned()),
            })
        }

        fn done(&self) -> Done {
            self.upload().expect("a video")
        }

        /// How it fails, with what is known of the outcome.
        fn fail(&self) -> (Failure, Outcome, Error) {
            let error = self.upload().expect_err("it fails");
            (error.failure(), error.outcome(), error)
        }

        fn ledger(&self) -> MutexGuard<'_, Ledger> {
            lock(&self.service.ledger)
        }

        /// Goes on from `error`, whose state must be one, with a service that has got well.
        fn go_on(&mut self, error: &Error) -> Done {
            self.resume = state_of(error).map(str::to_owned);
            assert!(self.resume.is_some(), "{error}");
            self.service.goes_on_with([]);
            self.done()
        }

        /// That there is one whole video, which is the file.
        fn must_have_made_one_video(&self) {
            let whole = self.ledger().whole();
            assert_eq!(whole.len(), 1);
            assert!(whole[0] == self.content);
        }
    }

    fn state_of(error: &Error) -> Option<&str> {
        error.unfinished().and_then(|it| it.state.as_deref())
    }

    #[test]
    fn the_parts_go_in_order_and_make_one_video() {
        let one = Try::new(LENGTH, []);
        let json = r#"{"videoId":"vi1","title":"T","assets":{"hls":"https://h"}}"#;
        assert_eq!(
            one.done(),
            Done {
                video_id: "vi1".into(),
                bytes: 55,
                videos_abandoned: 0,
                title: Some("T".into()),
                json: Some(json.into()),
            }
        );
        one.must_have_made_one_video();
        let ledger = one.ledger();
        assert_eq!(ledger.parts(), ["part 1/4", "part 2/4", "part 3/4", "part 4/4"]);
        let ids: Vec<_> = ledger.requests.iter().map(|it| it.video_id.as_deref()).collect();
        assert_eq!(ids, [None, Some("vi1"), Some("vi1"), Some("vi1")]);
        for seen in &ledger.requests {
            let head = seen.head.to_lowercase();
            assert!(
                head.starts_with(&format!(
                    "post /upload?token={} http/1.1\r\n",
                    TOKEN.to_lowercase()
                ))
            );
            for never in ["authorization", "expect", "transfer-encoding"] {
                assert!(!head.contains(never), "{head}");
            }
            assert_eq!(seen.file_name, "film.mp4");
        }
    }

    #[test]
    fn what_is_told_on_the_way_is_what_was_confirmed() {
        let one = Try::new(LENGTH, []);
        one.done();
        let told = one.told.progress.borrow();
        let mut confirmed: Vec<_> =
            told.iter().map(|it| (it.parts_confirmed, it.bytes_confirmed)).collect();
        confirmed.dedup();
        assert_eq!(confirmed, [(0, 0), (1, 10), (2, 30), (3, 50), (4, 55)]);
        assert!(told.iter().all(|it| (it.parts_total, it.bytes_total) == (4, 55)));
        assert!(told.iter().all(|it| it.bytes_confirmed + it.bytes_sent <= 55));
        assert_eq!(told.iter().map(|it| it.bytes_repeated).max(), Some(0));
        let states = one.told.states.borrow();
        assert_eq!(states.len(), 3, "none after the last part");
        for (state, done) in states.iter().zip(["done=1 ", "done=1-2 ", "done=1-3 "]) {
            assert!(state.contains(done) && state.contains("video=vi1 "), "{state}");
            assert!(!state.contains(TOKEN));
        }
    }

    #[test]
    fn files_of_every_length_near_a_boundary_arrive_whole() {
        for length in [1, 9, 10, 11, 29, 30, 31, 49, 50, 51, 980, 981, 4910] {
            let one = Try::new(length, []);
            one.done();
            one.must_have_made_one_video();
        }
        let most = Try::new(4911, []);
        let (failure, _, error) = most.fail();
        assert_eq!(failure, Failure::InvalidArgument, "{error}");
        assert!(most.ledger().requests.is_empty());
    }

    #[test]
    fn a_video_that_is_given_is_told_with_every_part() {
        let mut one = Try::new(LENGTH, []);
        one.video_id = Some("viGiven");
        assert_eq!(one.done().video_id, "viGiven");
        one.must_have_made_one_video();
        let ledger = one.ledger();
        assert_eq!(ledger.parts(), ["part 1/3", "part 2/3", "part 3/3"]);
        assert!(ledger.requests.iter().all(|it| it.video_id.as_deref() == Some("viGiven")));
    }

    #[test]
    fn a_part_whose_answer_was_lost_is_sent_again_and_its_refusal_confirms_it() {
        for kept in
            [Fault::KeepAndLose, Fault::KeepAndAnswer(502, ""), Fault::KeepAndAnswer(408, "")]
        {
            let one = Try::new(LENGTH, [Fault::None, kept]);
            assert_eq!(one.done().videos_abandoned, 0);
            one.must_have_made_one_video();
            let parts = ["part 1/4", "part 2/4", "part 2/4", "part 3/4", "part 4/4"];
            assert_eq!(one.ledger().parts(), parts);
            let last = *one.told.progress.borrow().last().expect("something was told");
            assert!(last.bytes_confirmed == 55 && last.bytes_repeated > 0, "{last:?}");
        }
    }

    #[test]
    fn the_last_part_whose_answer_was_lost_is_proven_by_its_refusal() {
        let faults = [Fault::None, Fault::None, Fault::None, Fault::KeepAndLose];
        let one = Try::new(LENGTH, faults);
        let done = one.done();
        assert_eq!((done.video_id.as_str(), done.json), ("vi1", None));
        one.must_have_made_one_video();
    }

    #[test]
    fn a_first_part_whose_answer_was_lost_begins_another_video_and_leaves_one_unfinished() {
        let one = Try::new(LENGTH, [Fault::KeepAndLose, Fault::KeepAndAnswer(200, PAGE)]);
        let done = one.done();
        assert_eq!((done.video_id.as_str(), done.videos_abandoned), ("vi3", 2));
        one.must_have_made_one_video();
        assert_eq!(one.ledger().videos.len(), 3);
    }

    #[test]
    fn no_more_than_three_videos_are_left_unfinished() {
        let mut one = Try::new(LENGTH, vec![Fault::KeepAndLose; 9]);
        one.options.max_attempts = Some(9);
        let (failure, outcome, error) = one.fail();
        assert_eq!((failure, outcome), (Failure::Transport, Outcome::NotApplied), "{error}");
        assert!(error.is_retryable() && state_of(&error).is_none(), "{error}");
        assert_eq!(one.ledger().requests.len(), 4);
    }

    #[test]
    fn the_only_part_of_a_new_video_is_never_sent_twice_once_it_may_be_there() {
        for fault in [Fault::KeepAndLose, Fault::Lose, Fault::KeepAndAnswer(500, "")] {
            let one = Try::new(10, [fault]);
            let (_, outcome, error) = one.fail();
            assert_eq!(outcome, Outcome::Unknown, "{error}");
            assert!(!error.is_retryable() && state_of(&error).is_none(), "{error}");
            assert!(error.to_string().contains("; the video may be whole"), "{error}");
            assert_eq!(one.ledger().requests.len(), 1);
        }
        for (said, outcome) in [("{}", Outcome::Applied), (PAGE, Outcome::Unknown)] {
            let one = Try::new(10, [Fault::KeepAndAnswer(200, said)]);
            let (failure, told, error) = one.fail();
            assert_eq!((failure, told), (Failure::Decode, outcome), "{error}");
            assert!(!error.is_retryable());
        }
    }

    #[test]
    fn the_only_part_of_a_given_video_is_sent_again() {
        let mut one = Try::new(10, [Fault::KeepAndLose]);
        one.video_id = Some("viGiven");
        assert_eq!(one.done().json, None);
        one.must_have_made_one_video();
    }

    #[test]
    fn an_answer_that_does_not_tell_that_the_video_is_whole_is_asked_for_once_more() {
        let last = |fault| Try::new(LENGTH, [Fault::None, Fault::None, Fault::None, fault]);
        for said in [SPARSE, PAGE, "{}", ""] {
            let one = last(Fault::KeepAndAnswer(200, said));
            assert_eq!(one.done().json, None, "{said}");
            one.must_have_made_one_video();
        }
        let only = Try::new(10, [Fault::KeepAndAnswer(201, SPARSE)]);
        assert_eq!(only.done().video_id, "vi1");
        only.must_have_made_one_video();
        let one = last(Fault::KeepAndAnswer(200, SPARSE));
        one.service.goes_on_with([
            Fault::None,
            Fault::None,
            Fault::None,
            Fault::Answer(200, SPARSE),
            Fault::Answer(200, SPARSE),
        ]);
        let (failure, outcome, error) = one.fail();
        assert_eq!((failure, outcome), (Failure::Decode, Outcome::Unknown), "{error}");
        assert!(state_of(&error).is_some_and(|state| state.contains("done=1-3 ")));
        assert_eq!(one.ledger().requests.len(), 5);
    }

    #[test]
    fn another_video_than_ones_own_ends_it() {
        let mut one = Try::new(LENGTH, [Fault::None, Fault::Answer(201, ANOTHERS)]);
        let (failure, outcome, error) = one.fail();
        assert_eq!((failure, outcome), (Failure::Decode, Outcome::Unknown), "{error}");
        assert_eq!(one.go_on(&error).video_id, "vi1");
        one.must_have_made_one_video();
    }

    #[test]
    fn parts_of_somebody_else_are_not_taken_for_ones_own() {
        for slug in [
            r#"{"type":"https://x/video-content-range-by-part-part-already-sent","title":"a"}"#,
            r#"{"type":"x","title":"a","problems":[{"type":"y/part-already-sent"}]}"#,
            r#"{"type":"https://x/video-source-already-uploaded","title":"a"}"#,
        ] {
            let one = Try::new(LENGTH, [Fault::None, Fault::Answer(400, slug)]);
            let (failure, outcome, error) = one.fail();
            assert_eq!((failure, outcome), (Failure::Http(400), Outcome::Unknown), "{error}");
            assert!(state_of(&error).is_none(), "whose parts would be gone on with?");
            let unfinished = error.unfinished().expect("an upload");
            assert_eq!(unfinished.video_id.as_deref(), Some("vi1"));
            let first = Try::new(LENGTH, [Fault::Answer(400, slug)]);
            assert_eq!(first.fail().1, Outcome::NotApplied);
        }
    }

    #[test]
    fn what_is_refused_for_good_ends_it_with_a_state() {
        for (status, failure) in [
            (400, Failure::Http(400)),
            (401, Failure::Http(401)),
            (413, Failure::Http(413)),
            (307, Failure::Decode),
        ] {
            let mut one = Try::new(LENGTH, [Fault::None, Fault::Answer(status, "")]);
            let (told, outcome, error) = one.fail();
            assert_eq!((told, outcome), (failure, Outcome::NotApplied), "{error}");
            assert!(!error.is_retryable());
            assert_eq!(one.ledger().requests.len(), 2, "{status} is not tried again");
            one.go_on(&error);
            one.must_have_made_one_video();
        }
        let one = Try::new(LENGTH, [Fault::Answer(401, "")]);
        let (_, _, error) = one.fail();
        assert!(state_of(&error).is_none(), "there is no video yet");
        assert!(error.to_string().contains("; check the token"), "{error}");
    }

    #[test]
    fn a_rate_limit_is_waited_for_and_does_not_count() {
        let one = Try::new(LENGTH, [Fault::None, Fault::Answer(429, ""), Fault::Answer(429, "")]);
        one.done();
        one.must_have_made_one_video();
        let told = one.told.progress.borrow();
        let waits = told.iter().filter(|it| it.activity == Activity::WaitingForRateLimit);
        assert!(waits.clone().count() >= 2);
        assert!(waits.into_iter().all(|it| !it.wait.is_zero()));
    }

    #[test]
    fn what_breaks_at_the_same_place_ends_after_as_many_attempts_as_are_allowed() {
        for most in [1, 2, 3] {
            let mut one = Try::new(LENGTH, [vec![Fault::None], vec![Fault::Lose; 9]].concat());
            one.options.max_attempts = Some(most);
            let (failure, outcome, error) = one.fail();
            assert_eq!((failure, outcome), (Failure::Transport, Outcome::NotApplied), "{error}");
            assert!(error.is_retryable());
            assert_eq!(one.ledger().requests.len() as u32, 1 + most);
            assert_eq!(error.attempts(), 1 + most);
            one.go_on(&error);
            one.must_have_made_one_video();
        }
    }

    #[test]
    fn what_gets_further_each_time_may_go_on() {
        let mut attempts = Attempts::default();
        for sent in [0, 5, 7, 100, 101] {
            attempts.count(sent);
            assert_eq!(attempts.in_vain, 1, "{sent}");
        }
        for in_vain in [2, 3, 4] {
            attempts.count(101);
            assert_eq!(attempts.in_vain, in_vain);
        }
        attempts.count(102);
        assert_eq!(attempts.in_vain, 1);
    }

    #[test]
    fn a_rate_limit_that_tells_no_time_is_waited_for_longer_each_time() {
        let mut attempts = Attempts::default();
        for failures in [1, 2, 3, 4] {
            attempts.count_wait();
            assert_eq!((attempts.failures(), attempts.in_vain), (failures, 0));
        }
        attempts.count(0);
        assert_eq!((attempts.failures(), attempts.in_vain), (1, 1));
    }

    #[test]
    fn patience_ends_what_gets_nothing_through() {
        let mut one = Try::new(LENGTH, vec![Fault::HangUp; 9]);
        one.patience = Some(Duration::ZERO);
        let (_, outcome, error) = one.fail();
        assert_eq!(outcome, Outcome::NotApplied);
        assert!(error.to_string().contains("nothing has got through for 0 s"), "{error}");
        assert_eq!(error.attempts(), 1);
    }

    #[test]
    fn a_cancel_and_a_deadline_leave_what_is_known() {
        let none = || [Fault::None, Fault::None, Fault::None];
        for (before, outcome) in [(1, Outcome::NotApplied), (3, Outcome::Unknown)] {
            let cancel = Arc::new(Cancel::new());
            let fault = Fault::KeepAndCancel(cancel.clone());
            let faults = none().into_iter().take(before).chain([fault]);
            let mut one = Try::new(LENGTH, faults);
            one.options.cancel = Some(cancel);
            let (failure, told, error) = one.fail();
            assert_eq!((failure, told), (Failure::Cancelled, outcome), "{error}");
            assert!(!error.is_retryable());
            one.options.cancel = None;
            one.go_on(&error);
            one.must_have_made_one_video();
        }
        let mut one = Try::new(LENGTH, none().into_iter().chain([Fault::KeepAndHold]));
        one.options.timeout = CallTimeout::Own(Some(Duration::from_millis(500)));
        let (failure, outcome, error) = one.fail();
        assert_eq!((failure, outcome), (Failure::Timeout, Outcome::Unknown), "{error}");
        assert!(error.is_retryable());
        let waited =
            |it: &Progress| it.activity == Activity::WaitingForAnswer && it.bytes_sent == 5;
        assert!(one.told.progress.borrow().iter().any(waited));
        one.options.timeout = CallTimeout::Own(None);
        one.go_on(&error);
        one.must_have_made_one_video();
    }

    /// An upload of parts so large that a peer which does not read them has not got them.
    fn large(faults: Vec<Fault>) -> Try {
        let part = 24 * MIB;
        let mut one = Try::new(1, faults);
        let file = OpenOptions::new().write(true).open(&one.path).expect("a file");
        file.set_len(2 * part).expect("room");
        one.content.resize(2 * part as usize, 0);
        one.sizes =
            Sizes { smallest_part: part, largest_part: part, default_part: part, most_parts: 9 };
        one
    }

    #[test]
    fn a_part_that_was_cut_off_is_sent_again_to_the_same_video() {
        let one = large(vec![Fault::CutAt(1000), Fault::None, Fault::CutAt(0)]);
        let done = one.done();
        assert_eq!((done.video_id.as_str(), done.videos_abandoned), ("vi1", 0));
        assert!(one.ledger().whole().len() == 1 && one.ledger().videos.len() == 1);
        assert_eq!(one.ledger().parts(), ["part 1/2", "part 1/2", "part 2/2", "part 2/2"]);
        assert!(one.ledger().whole()[0] == one.content);
    }

    /// The same with one part alone.
    fn one_large(faults: Vec<Fault>) -> Try {
        let mut one = large(faults);
        let part = one.sizes.smallest_part;
        let file = OpenOptions::new().write(true).open(&one.path).expect("a file");
        file.set_len(part).expect("less");
        one.content.truncate(part as usize);
        one
    }

    #[test]
    fn who_refuses_before_it_has_all_of_a_part_has_not_taken_it() {
        for status in [408, 500, 503] {
            let only = one_large(vec![Fault::AnswerAt(1000, status, "")]);
            assert_eq!(only.done().video_id, "vi1", "{status}");
            only.must_have_made_one_video();
            let first = large(vec![Fault::AnswerAt(1000, status, "")]);
            assert_eq!(first.done().videos_abandoned, 0, "{status}");
            first.must_have_made_one_video();
        }
    }

    #[test]
    fn an_answer_that_comes_before_all_of_a_part_is_sent_confirms_nothing() {
        let first = large(vec![Fault::AnswerAt(1000, 201, ANOTHERS)]);
        let done = first.done();
        assert_eq!((done.video_id.as_str(), done.videos_abandoned), ("vi1", 1));
        first.must_have_made_one_video();
        let last = large(vec![Fault::None, Fault::AnswerAt(1000, 201, WHOLE)]);
        last.done();
        last.must_have_made_one_video();
        let only = one_large(vec![Fault::AnswerAt(1000, 201, WHOLE)]);
        let (failure, outcome, error) = only.fail();
        assert_eq!((failure, outcome), (Failure::Decode, Outcome::Unknown), "{error}");
        assert!(error.to_string().contains("before all of the part was sent"), "{error}");
    }

    #[test]
    fn a_part_that_stands_still_is_sent_again_on_another_connection() {
        let mut one = large(vec![Fault::StallAt(1000), Fault::None]);
        one.stall_timeout = Some(Duration::from_millis(300));
        let done = one.done();
        assert_eq!((done.video_id.as_str(), done.videos_abandoned), ("vi1", 0));
        assert_eq!(one.ledger().parts(), ["part 1/2", "part 1/2", "part 2/2"]);
        let last = *one.told.progress.borrow().last().expect("something was told");
        assert!(last.bytes_repeated >= 1000, "{last:?}");
    }

    #[test]
    fn an_answer_that_does_not_come_in_its_time_is_asked_for_by_sending_again() {
        let mut one = Try::new(LENGTH, [Fault::None, Fault::KeepAndHold]);
        one.answer_timeout = Some(Duration::from_millis(200));
        one.done();
        one.must_have_made_one_video();
        assert_eq!(one.ledger().parts().len(), 5);
    }

    #[test]
    fn patience_ends_what_stands_still_before_its_own_time() {
        let mut one = large(vec![Fault::None, Fault::StallAt(0)]);
        one.stall_timeout = Some(Duration::from_secs(600));
        one.patience = Some(Duration::from_millis(700));
        let (failure, outcome, error) = one.fail();
        assert_eq!((failure, outcome), (Failure::Stalled, Outcome::NotApplied), "{error}");
        assert!(error.to_string().contains("nothing has got through for"), "{error}");
        assert!(error.is_retryable() && state_of(&error).is_some());
    }

    #[test]
    fn no_more_is_sent_in_a_second_than_is_allowed() {
        let mut one = Try::new(LENGTH, []);
        one.max_bytes_per_second = NonZeroU64::new(2000);
        let begin = std::time::Instant::now();
        one.done();
        // With its frame a part is some 150 to 250 bytes, and the first need not wait.
        assert!(begin.elapsed() >= Duration::from_millis(150), "{:?}", begin.elapsed());
    }

    #[test]
    fn a_file_that_changes_on_the_way_is_not_completed() {
        let one = Try::new(LENGTH, []);
        struct Grows(PathBuf);
        impl Listener for Grows {
            fn progress(&self, _: &Progress) {}
            fn state(&self, _: &str) {
                let file = OpenOptions::new().write(true).open(&self.0).expect("a file");
                file.set_len(LENGTH as u64 + 1).expect("it grows");
            }
        }
        let grows = Rc::new(Grows(one.path.clone()));
        let params = UploadParams {
            token: TOKEN,
            video_id: None,
            file_name: Some("title"),
            resume: None,
            part_bytes: 0,
            max_bytes_per_second: None,
            stall_timeout: None,
            answer_timeout: None,
            patience: None,
            progress_interval: DEFAULT_PATIENCE,
            listener: grows,
        };
        let client = one.service.client();
        let error = upload(&client, &one.path, &params, &one.options, &SIZES, |_| ());
        let error = error.expect_err("it has changed");
        assert_eq!((error.failure(), error.outcome()), (Failure::Source, Outcome::NotApplied));
        assert!(
            error.to_string().contains(", part 2/4: the file has changed: it had 55"),
            "{error}"
        );
        assert!(error.to_string().contains("and has 56"), "{error}");
        assert!(state_of(&error).is_none(), "another file is gone on with: {error}");
        assert!(!error.to_string().contains("can go on"), "{error}");
        assert_eq!(one.ledger().requests.len(), 1);
        assert_eq!(one.ledger().requests[0].file_name, "title");
    }

    /// Writes to the file once all of it has gone.
    struct Spoils(PathBuf);

    impl Listener for Spoils {
        fn progress(&self, progress: &Progress) {
            if progress.bytes_confirmed + progress.bytes_sent == LENGTH as u64 {
                let file = OpenOptions::new().write(true).open(&self.0).expect("a file");
                file.set_len(1).expect("it shrinks");
            }
        }
        fn state(&self, _: &str) {}
    }

    #[test]
    fn what_may_be_whole_is_not_retryable_without_a_state_to_go_on_from() {
        let mut one = Try::new(LENGTH, [Fault::None, Fault::None, Fault::None, Fault::KeepAndHold]);
        one.options.timeout = CallTimeout::Own(Some(Duration::from_millis(500)));
        one.listener = Some(Rc::new(Spoils(one.path.clone())));
        let (failure, outcome, error) = one.fail();
        assert_eq!((failure, outcome), (Failure::Timeout, Outcome::Unknown), "{error}");
        assert!(state_of(&error).is_none(), "the file is another one: {error}");
        assert!(!error.is_retryable(), "a second video: {error}");
    }

    #[test]
    fn what_may_be_whole_still_may_be_once_the_file_is_gone() {
        for (before, outcome) in [(2, Outcome::NotApplied), (3, Outcome::Unknown)] {
            let faults = vec![Fault::None; before].into_iter().chain([Fault::KeepAndLose]);
            let mut one = Try::new(LENGTH, faults);
            one.options.max_attempts = Some(1);
            let (_, told, error) = one.fail();
            assert_eq!(told, outcome, "{error}");
            one.resume = state_of(&error).map(str::to_owned);
            OpenOptions::new()
                .write(true)
                .open(&one.path)
                .and_then(|it| it.set_len(1))
                .expect("cut");
            let (failure, told, error) = one.fail();
            assert_eq!((failure, told), (Failure::Source, outcome), "{error}");
            std::fs::remove_file(&one.path).expect("a file");
            let (failure, told, error) = one.fail();
            assert_eq!((failure, told), (Failure::Source, outcome), "{error}");
            let said = error.to_string();
            let is_said = said.contains("; the video may be whole");
            assert_eq!(is_said, outcome == Outcome::Unknown, "{said}");
        }
    }

    #[test]
    fn a_state_of_something_else_is_refused_and_nothing_sent() {
        let mut one = Try::new(LENGTH, [Fault::None, Fault::Answer(401, "")]);
        let error = one.fail().2;
        one.resume = state_of(&error).map(str::to_owned);
        let refused = |one: &Try, failure, words: &str| {
            let before = one.ledger().requests.len();
            let (told, outcome, error) = one.fail();
            assert_eq!((told, outcome), (failure, Outcome::NotApplied), "{error}");
            assert!(error.to_string().contains(words), "{error}");
            assert_eq!(one.ledger().requests.len(), before);
        };
        one.video_id = Some("viOther");
        refused(&one, Failure::InvalidArgument, "is of another video than params.video_id");
        one.video_id = Some("vi1");
        let mut elsewhere = Try::new(LENGTH, []);
        elsewhere.resume = one.resume.clone();
        refused(&elsewhere, Failure::InvalidArgument, "is of an upload to another service");
        let file = OpenOptions::new().write(true).open(&one.path).expect("a file");
        file.set_len(54).expect("it shrinks");
        refused(&one, Failure::Source, "is not the one that params.resume is about");
        one.resume = Some("state".into());
        refused(&one, Failure::InvalidArgument, "params.resume is not the state of an upload");
    }

    #[test]
    fn arguments_that_cannot_be_sent_are_refused_by_name() {
        let one = Try::new(LENGTH, []);
        let refuse = |token: &str, video_id: Option<&str>, file_name: Option<&str>, words: &str| {
            let params = UploadParams {
                token,
                video_id,
                file_name,
                resume: None,
                part_bytes: 0,
                max_bytes_per_second: None,
                stall_timeout: None,
                answer_timeout: None,
                patience: None,
                progress_interval: Duration::ZERO,
                listener: one.told.clone(),
            };
            let error =
                upload_file(&one.service.client(), &one.path, &params, &one.options, |_| ());
            let error = error.expect_err(words);
            assert_eq!(error.failure(), Failure::InvalidArgument);
            assert!(error.to_string().contains(words), "{error}");
        };
        let long = "x".repeat(5000);
        refuse("", None, None, "params.token is empty");
        refuse(&long, None, None, "params.token is longer than 4096 bytes");
        refuse("t", Some(""), None, "params.video_id must be");
        refuse("t", Some("a\r\nb"), None, "params.video_id must be");
        refuse("t", Some(&long), None, "params.video_id must be");
        refuse("t", None, Some(""), "params.file_name is empty");
        refuse("t", None, Some(&long), "params.file_name is longer than 1024 bytes");
        assert!(one.ledger().requests.is_empty());
    }

    #[test]
    fn no_message_and_no_trace_shows_the_token() {
        let lines = Arc::new(Mutex::new(String::new()));
        let repeated: &'static str =
            Box::leak(format!(r#"{{"title":"no {TOKEN}"}}"#).into_boxed_str());
        let mut one = Try::new(LENGTH, [Fault::None, Fault::Lose, Fault::Answer(403, repeated)]);
        let all = lines.clone();
        one.tracer = Tracer::new(Level::Debug, move |_, line| *lock(&all) += &format!("{line}\n"));
        let (_, _, error) = one.fail();
        let lines = lock(&lines);
        for said in [error.to_string(), format!("{error:?}"), lines.clone()] {
            assert!(!said.contains(TOKEN), "{said}");
            assert!(said.contains("to1t…Kb"), "{said}");
        }
        assert!(lines.contains("POST /upload?token=to1t…Kb, part 2/4: attempt 2: "), "{lines}");
        assert!(lines.contains("; again in "), "{lines}");
    }

    /// Whatever can be done wrong with a request.
    fn all_faults() -> Vec<Fault> {
        const ALREADY: &str = r#"{"type":"x/part-already-sent","title":"a"}"#;
        const ALL: &str = r#"{"type":"x/video-source-already-uploaded","title":"a"}"#;
        let mut faults = vec![
            Fault::HangUp,
            Fault::CutAt(0),
            Fault::CutAt(20),
            Fault::Lose,
            Fault::KeepAndLose,
            Fault::Answer(400, ALREADY),
            Fault::Answer(400, ALL),
            Fault::KeepAndSay(
                b"HTTP/1.1 201 Created\r\nContent-Length: 99\r\n\r\n{\"videoId\":\"vi",
            ),
            Fault::KeepAndSay(b"HTTP/1.1 201 Created\r\nContent-"),
            Fault::KeepAndSay(b"what is this?\r\n\r\n"),
            Fault::KeepAndSay(b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 502 Bad\r\n\r\n"),
        ];
        for status in [200, 307, 401, 413, 408, 500, 502] {
            for body in ["", "{}", PAGE, ANOTHERS] {
                faults.push(Fault::Answer(status, body));
                // What refuses is believed to have kept nothing.
                if !matches!(status, 401 | 413) {
                    faults.push(Fault::KeepAndAnswer(status, body));
                }
            }
        }
        faults
    }

    /// Uploads with these faults and goes on from every error until it is done or has nothing to go on from;
    /// holds what is said to what is so.
    fn must_keep_the_promise(length: usize, video_id: Option<&'static str>, faults: Vec<Fault>) {
        let described = format!("{length} {video_id:?} {faults:?}");
        let mut one = Try::new(length, faults);
        one.video_id = video_id;
        one.options.max_attempts = Some(2);
        for _ in 0..3 {
            let result = one.upload();
            let whole = one.ledger().whole();
            assert!(whole.len() <= 1, "{described}: {} videos", whole.len());
            assert!(whole.iter().all(|video| *video == one.content), "{described}");
            let error = match result {
                Ok(_) => {
                    assert_eq!(whole.len(), 1, "{described}: none is whole");
                    return;
                }
                Err(error) => error,
            };
            match error.outcome() {
                Outcome::NotApplied => assert!(whole.is_empty(), "{described}: {error}"),
                Outcome::Applied => assert_eq!(whole.len(), 1, "{described}: {error}"),
                Outcome::Unknown => {}
            }
            one.resume = state_of(&error).map(str::to_owned);
            if one.resume.is_none() {
                let is_begun_anew = error.outcome() == Outcome::NotApplied && video_id.is_none();
                if !is_begun_anew {
                    return;
                }
            }
            one.service.goes_on_with([]);
        }
        panic!("{described}: it did not go on");
    }

    /// Whether it is a lie about a new video that nothing gives away: which one it is, or that it was made.
    fn is_believed(fault: &Fault, parts: usize) -> bool {
        match fault {
            Fault::Answer(200, ANOTHERS) | Fault::KeepAndAnswer(200, ANOTHERS) => true,
            Fault::Answer(200, "{}") => parts == 1,
            _ => false,
        }
    }

    #[test]
    fn the_promise_is_kept_whatever_goes_wrong_one_thing_after_the_other() {
        thread::scope(|scope| {
            for seed in 0..8 {
                scope.spawn(move || {
                    let mut random = fastrand::Rng::with_seed(seed);
                    let mut faults = all_faults();
                    // Nor can anything be held against a service that says that it has what it has not.
                    faults.retain(|fault| {
                        !is_believed(fault, 4) && !matches!(fault, Fault::Answer(400, _))
                    });
                    for _ in 0..8 {
                        let faults = (0..random.usize(2..8)).map(|_| match random.bool() {
                            true => Fault::None,
                            false => faults[random.usize(..faults.len())].clone(),
                        });
                        let faults = faults.collect();
                        let video_id = random.bool().then_some("viGiven");
                        must_keep_the_promise(LENGTH, video_id, faults);
                    }
                });
            }
        });
    }

    #[test]
    fn whatever_goes_wrong_with_whichever_part_there_is_one_video_at_most_and_the_truth_is_told() {
        thread::scope(|scope| {
            for (length, video_id, parts) in [
                (LENGTH, None, 4),
                (LENGTH, Some("viGiven"), 3),
                (10, None, 1),
                (10, Some("viGiven"), 1),
            ] {
                for before in 0..parts {
                    scope.spawn(move || {
                        for fault in all_faults() {
                            if before == 0 && video_id.is_none() && is_believed(&fault, parts) {
                                continue;
                            }
                            let faults = vec![Fault::None; before].into_iter().chain([fault]);
                            must_keep_the_promise(length, video_id, faults.collect());
                        }
                    });
                }
            }
        });
    }
}
