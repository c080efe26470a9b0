use super::*;
use crate::trace::{Level, Tracer};
use crate::upload::DEFAULT_PATIENCE;
use crate::upload::file::tests::{bytes, file_of};
use crate::upload::progress::tests::Told;
use crate::upload::progress::{Listener, Progress};
use crate::upload::service::{Fault, Ledger, Service};
use crate::upload::state::State;
use crate::upload::stream::Stream;
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
const SIZES: Sizes = Sizes {
    smallest_part: 10,
    largest_part: 100,
    default_part: 20,
    default_part_of_stream: 15,
    most_parts: 50,
};

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
    /// So many bytes are written at once, as if they were just made; `None` uploads the file.
    writes: Option<usize>,
    parallel_parts: u32,
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

fn done(uploaded: &Uploaded<'_>) -> Done {
    Done {
        video_id: uploaded.video_id.into(),
        bytes: uploaded.bytes,
        videos_abandoned: uploaded.videos_abandoned,
        title: uploaded.answer.as_ref().and_then(|it| it.0.title.as_deref().map(str::to_owned)),
        json: uploaded.answer.as_ref().map(|it| it.1.to_owned()),
    }
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
            writes: None,
            parallel_parts: 0,
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

    fn params(&self) -> UploadParams<'_> {
        UploadParams {
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
            parallel_parts: self.parallel_parts,
            listener: self.listener.clone().unwrap_or(self.told.clone()),
        }
    }

    fn upload(&self) -> Result<Done, Error> {
        let params = self.params();
        let client = Arc::new(self.service.client_tracing(self.tracer.clone()));
        match self.writes {
            None => upload(&client, &self.path, &params, &self.options, &self.sizes, done),
            Some(_) => self.write_all(&mut self.begin()?),
        }
    }

    /// A stream of the content, or what is left of it.
    fn begin(&self) -> Result<Stream, Error> {
        let client = self.service.client_tracing(self.tracer.clone());
        Stream::begin(Arc::new(client), &self.params(), &self.sizes)
    }

    /// Writes what the stream has not taken yet, and ends it.
    fn write_all(&self, stream: &mut Stream) -> Result<Done, Error> {
        let listener = self.params().listener;
        let rest = &self.content[stream.offset() as usize..];
        for piece in rest.chunks(self.writes.unwrap_or(usize::MAX)) {
            stream.write(piece, &self.options, &listener)?;
        }
        stream.finish(&self.options, &listener, done)
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
            head.starts_with(&format!("post /upload?token={} http/1.1\r\n", TOKEN.to_lowercase()))
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
    for kept in [Fault::KeepAndLose, Fault::KeepAndAnswer(502, ""), Fault::KeepAndAnswer(408, "")] {
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
fn patience_ends_what_gets_nothing_through() {
    let mut one = Try::new(LENGTH, vec![Fault::HangUp; 9]);
    one.patience = Some(Duration::ZERO);
    let (_, outcome, error) = one.fail();
    assert_eq!(outcome, Outcome::NotApplied);
    let said = error.to_string();
    assert!(
        said.contains("nothing has got through for 0 s; another attempt would be in"),
        "{said}"
    );
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
    one.options.timeout = CallTimeout::Own(Some(Duration::from_secs(3)));
    let (failure, outcome, error) = one.fail();
    assert_eq!((failure, outcome), (Failure::Timeout, Outcome::Unknown), "{error}");
    assert!(error.is_retryable());
    let waited = |it: &Progress| it.activity == Activity::WaitingForAnswer && it.bytes_sent == 5;
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
    one.sizes = Sizes {
        smallest_part: part,
        largest_part: part,
        default_part: part,
        default_part_of_stream: part,
        most_parts: 9,
    };
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
    one.stall_timeout = Some(Duration::from_millis(1500));
    let done = one.done();
    assert_eq!((done.video_id.as_str(), done.videos_abandoned), ("vi1", 0));
    assert_eq!(one.ledger().parts(), ["part 1/2", "part 1/2", "part 2/2"]);
    let last = *one.told.progress.borrow().last().expect("something was told");
    assert!(last.bytes_repeated >= 1000, "{last:?}");
}

#[test]
fn an_answer_that_does_not_come_in_its_time_is_asked_for_by_sending_again() {
    let mut one = Try::new(LENGTH, [Fault::None, Fault::KeepAndHold]);
    one.answer_timeout = Some(Duration::from_secs(2));
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
        parallel_parts: 0,
        listener: grows,
    };
    let client = Arc::new(one.service.client());
    let error = upload(&client, &one.path, &params, &one.options, &SIZES, |_| ());
    let error = error.expect_err("it has changed");
    assert_eq!((error.failure(), error.outcome()), (Failure::Source, Outcome::NotApplied));
    assert!(error.to_string().contains(", part 2/4: the file has changed: it had 55"), "{error}");
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
    one.options.timeout = CallTimeout::Own(Some(Duration::from_secs(3)));
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
        OpenOptions::new().write(true).open(&one.path).and_then(|it| it.set_len(1)).expect("cut");
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
            parallel_parts: 0,
            listener: one.told.clone(),
        };
        let error =
            upload_file(&Arc::new(one.service.client()), &one.path, &params, &one.options, |_| ());
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
    let repeated: &'static str = Box::leak(format!(r#"{{"title":"no {TOKEN}"}}"#).into_boxed_str());
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

#[test]
fn that_all_parts_are_there_already_does_not_prove_a_video_however_often_it_is_said() {
    const ALREADY: &str = r#"{"type":"x/part-already-sent","title":"a"}"#;
    let none = [Fault::None, Fault::None, Fault::None, Fault::Lose];
    let said = [Fault::Answer(400, ALREADY), Fault::Answer(400, ALREADY)];
    let mut one = Try::new(LENGTH, none.into_iter().chain(said));
    one.options.max_attempts = Some(9);
    let (failure, outcome, error) = one.fail();
    assert_eq!((failure, outcome), (Failure::Decode, Outcome::Unknown), "{error}");
    one.go_on(&error);
    one.must_have_made_one_video();
}

#[test]
fn an_answer_that_is_no_text_proves_nothing() {
    const ANSWER: &[u8] = b"HTTP/1.1 201 Created\r\nContent-Length: 1\r\n\r\n\xFF";
    let mut one =
        Try::new(LENGTH, [Fault::None, Fault::None, Fault::None, Fault::KeepAndSay(ANSWER)]);
    one.options.max_attempts = Some(1);
    let (failure, outcome, error) = one.fail();
    assert_eq!((failure, outcome), (Failure::Decode, Outcome::Unknown), "{error}");
    assert!(error.to_string().contains("it is not UTF-8 at byte 0"), "{error}");
    one.options.max_attempts = None;
    one.go_on(&error);
    one.must_have_made_one_video();
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
        Fault::KeepAndSay(b"HTTP/1.1 201 Created\r\nContent-Length: 99\r\n\r\n{\"videoId\":\"vi"),
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
fn must_keep_the_promise(
    length: usize,
    (writes, parallel_parts): (Option<usize>, u32),
    video_id: Option<&'static str>,
    faults: Vec<Fault>,
) {
    let described = format!("{length} {writes:?} {parallel_parts} {video_id:?} {faults:?}");
    let mut one = Try::new(length, faults);
    one.video_id = video_id;
    (one.writes, one.parallel_parts) = (writes, parallel_parts);
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
                    let writes = random.bool().then(|| random.usize(1..30));
                    let parallel_parts = random.u32(0..4);
                    must_keep_the_promise(LENGTH, (writes, parallel_parts), video_id, faults);
                }
            });
        }
    });
}

#[test]
fn whatever_goes_wrong_with_whichever_part_there_is_one_video_at_most_and_the_truth_is_told() {
    thread::scope(|scope| {
        for (length, way, video_id, parts) in [
            (LENGTH, (None, 0), None, 4),
            (LENGTH, (None, 0), Some("viGiven"), 3),
            (LENGTH, (None, 2), None, 4),
            (LENGTH, (None, 2), Some("viGiven"), 3),
            (LENGTH, (Some(7), 0), None, 4),
            (LENGTH, (Some(7), 0), Some("viGiven"), 4),
            (LENGTH, (Some(7), 2), None, 4),
            (LENGTH, (Some(7), 2), Some("viGiven"), 4),
            (10, (None, 0), None, 1),
            (10, (None, 4), Some("viGiven"), 1),
            (10, (Some(7), 0), None, 1),
            (10, (Some(7), 0), Some("viGiven"), 1),
        ] {
            for before in 0..parts {
                scope.spawn(move || {
                    for fault in all_faults() {
                        if before == 0 && video_id.is_none() && is_believed(&fault, parts) {
                            continue;
                        }
                        let faults = vec![Fault::None; before].into_iter().chain([fault]);
                        must_keep_the_promise(length, way, video_id, faults.collect());
                    }
                });
            }
        }
    });
}

/// Goes on with a stream after each error, as long as it lets itself be gone on with; holds what is said to
/// what is so.
fn must_keep_the_promise_in_one_session(
    parallel_parts: u32,
    video_id: Option<&'static str>,
    faults: Vec<Fault>,
) {
    let described = format!("{parallel_parts} {video_id:?} {faults:?}");
    let mut one = Try::new(LENGTH, faults);
    (one.video_id, one.writes, one.parallel_parts) = (video_id, Some(7), parallel_parts);
    one.options.max_attempts = Some(1);
    let mut stream = one.begin().expect("a stream");
    for _ in 0..12 {
        let result = one.write_all(&mut stream);
        let whole = one.ledger().whole();
        assert!(whole.len() <= 1, "{described}: {} videos", whole.len());
        assert!(whole.iter().all(|video| *video == one.content), "{described}");
        match result {
            Ok(done) => {
                assert_eq!((whole.len(), done.bytes), (1, LENGTH as u64), "{described}");
                return;
            }
            Err(error) if error.failure() == Failure::InvalidArgument => {
                // What it ended by was told before.
                assert!(error.to_string().contains("failed for good"), "{described}: {error}");
                return;
            }
            Err(error) if error.outcome() == Outcome::NotApplied => {
                assert!(whole.is_empty(), "{described}: {error}");
            }
            Err(_) => {}
        }
    }
    panic!("{described}: it did not go on");
}

#[test]
fn a_stream_that_fails_goes_on_where_it_was_and_there_is_one_video_at_most() {
    thread::scope(|scope| {
        for seed in 0..8 {
            scope.spawn(move || {
                let mut random = fastrand::Rng::with_seed(100 + seed);
                let mut faults = all_faults();
                faults.retain(|fault| {
                    !is_believed(fault, 4) && !matches!(fault, Fault::Answer(400, _))
                });
                for _ in 0..12 {
                    let faults = (0..random.usize(1..6)).map(|_| match random.bool() {
                        true => Fault::None,
                        false => faults[random.usize(..faults.len())].clone(),
                    });
                    let faults = faults.collect();
                    let video_id = random.bool().then_some("viGiven");
                    must_keep_the_promise_in_one_session(random.u32(0..4), video_id, faults);
                }
            });
        }
    });
}

#[test]
fn a_stream_says_how_many_parts_it_has_with_the_last_one_alone() {
    let mut one = Try::new(LENGTH, []);
    one.writes = Some(7);
    let done = one.done();
    assert_eq!((done.video_id.as_str(), done.bytes), ("vi1", LENGTH as u64));
    assert_eq!(one.ledger().parts(), ["part 1/*", "part 2/*", "part 3/*", "part 4/4"]);
    assert_eq!(one.ledger().requests[0].file_name, "video");
    one.must_have_made_one_video();
    let progress = one.told.progress.borrow();
    let last = progress.last().expect("something was told");
    assert_eq!((last.bytes_confirmed, last.bytes_total), (55, 55));
    assert_eq!((last.parts_confirmed, last.parts_total), (4, 4));
    assert!(progress.iter().take(3).all(|it| (it.bytes_total, it.parts_total) == (0, 0)));
    assert_eq!(one.told.states.borrow().len(), 3);
}

#[test]
fn a_part_goes_once_a_byte_follows_it() {
    let one = Try::new(LENGTH, []);
    let mut stream = one.begin().expect("a stream");
    let listener = one.params().listener;
    let mut write = |bytes: std::ops::Range<usize>| {
        stream.write(&one.content[bytes], &one.options, &listener).expect("it is taken");
        (stream.offset(), one.ledger().requests.len())
    };
    assert_eq!(write(0..0), (0, 0));
    assert_eq!(write(0..10), (10, 0));
    assert_eq!(write(10..11), (11, 1));
    assert_eq!(write(11..41), (41, 3));
    assert_eq!(stream.finish(&one.options, &listener, done).expect("a video").bytes, 41);
    assert_eq!(one.ledger().parts()[3], "part 4/4");
    let error = stream.finish(&one.options, &listener, done).expect_err("once");
    assert!(error.to_string().contains("upload is finished"), "{error}");
    let error = stream.write(b"x", &one.options, &listener).expect_err("once");
    assert!(error.to_string().contains("upload is finished"), "{error}");
}

#[test]
fn a_stream_of_nothing_is_no_video() {
    let one = Try::new(LENGTH, []);
    let mut stream = one.begin().expect("a stream");
    let listener = one.params().listener;
    let error = stream.finish(&one.options, &listener, done).expect_err("nothing");
    assert_eq!(error.failure(), Failure::InvalidArgument);
    assert!(error.to_string().contains("nothing was written"), "{error}");
    one.write_all(&mut stream).expect("it may still be written");
}

#[test]
fn a_stream_with_more_parts_than_there_may_be_says_so_and_loses_nothing() {
    let mut one = Try::new(LENGTH, []);
    one.sizes.most_parts = 3;
    let mut stream = one.begin().expect("a stream");
    let error = one.write_all(&mut stream).expect_err("too many");
    assert_eq!(error.failure(), Failure::InvalidArgument);
    assert!(error.to_string().contains("3 parts of 15 bytes: params.part_bytes"), "{error}");
    assert_eq!(stream.offset(), 40);
    let listener = one.params().listener;
    assert_eq!(stream.finish(&one.options, &listener, done).expect("a video").bytes, 40);
}

#[test]
fn the_state_of_a_file_is_none_of_a_stream_and_the_other_way_round() {
    for (first, then, words) in [
        (None, Some(7), "params.resume is of a file: av_upload_file() goes on from it"),
        (Some(7), None, "params.resume is of what was uploaded while it was made"),
    ] {
        let mut one = Try::new(LENGTH, [Fault::None, Fault::Answer(401, "")]);
        one.writes = first;
        let error = one.fail().2;
        one.resume = state_of(&error).map(str::to_owned);
        assert!(one.resume.is_some(), "{error}");
        one.writes = then;
        let error = one.fail().2;
        assert_eq!(error.failure(), Failure::InvalidArgument);
        assert!(error.to_string().contains(words), "{error}");
        one.writes = first;
        one.done();
        one.must_have_made_one_video();
    }
}

#[test]
fn a_refusal_whose_reason_is_lost_may_have_been_that_the_part_is_there() {
    const CUT: &[u8] = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 99\r\n\r\n{\"type\":\"ht";
    let one = Try::new(10 + 20 + 5, [Fault::None, Fault::Lose, Fault::KeepAndSay(CUT)]);
    one.done();
    one.must_have_made_one_video();
    assert_eq!(one.ledger().requests.len(), 5);
    // If it stays so, it may still be otherwise later.
    let cut = [Fault::None, Fault::Lose, Fault::KeepAndSay(CUT), Fault::KeepAndSay(CUT)];
    let mut one = Try::new(10 + 20 + 5, cut);
    one.options.max_attempts = Some(2);
    let (failure, outcome, error) = one.fail();
    assert_eq!((failure, outcome), (Failure::Http(400), Outcome::NotApplied), "{error}");
    assert!(error.is_retryable());
    one.go_on(&error);
    one.must_have_made_one_video();
    // Of what cannot be there it is what it says.
    let one = Try::new(10 + 20 + 5, [Fault::None, Fault::Answer(400, "")]);
    let (failure, outcome, error) = one.fail();
    assert_eq!((failure, outcome), (Failure::Http(400), Outcome::NotApplied), "{error}");
    assert!(!error.is_retryable());
}

#[test]
fn parts_go_side_by_side_but_for_the_first_and_the_last_one() {
    for parallel_parts in [1, 2, 16] {
        let mut one = Try::new(10 + 8 * 20 + 5, []);
        one.parallel_parts = parallel_parts;
        let begun = std::thread::current().id();
        struct Where(std::thread::ThreadId);
        impl Listener for Where {
            fn progress(&self, _: &Progress) {
                assert_eq!(thread::current().id(), self.0);
            }
            fn state(&self, _: &str) {
                assert_eq!(thread::current().id(), self.0);
            }
        }
        one.listener = Some(Rc::new(Where(begun)));
        one.done();
        one.must_have_made_one_video();
        let ledger = one.ledger();
        let parts = ledger.parts();
        assert_eq!((parts[0], parts[9]), ("part 1/10", "part 10/10"));
        let mut between = parts[1..9].to_vec();
        between.sort_unstable();
        let expected: Vec<_> = (2..10).map(|number| format!("part {number}/10")).collect();
        assert_eq!(between, expected);
    }
}

#[test]
fn what_is_told_of_parts_side_by_side_never_goes_back_and_ends_with_all() {
    let mut one = Try::new(10 + 8 * 20 + 5, [Fault::None, Fault::Lose, Fault::None, Fault::Lose]);
    one.parallel_parts = 4;
    one.done();
    one.must_have_made_one_video();
    let told = one.told.progress.borrow();
    assert!(told.windows(2).all(|two| two[0].bytes_confirmed <= two[1].bytes_confirmed));
    assert!(told.iter().all(|it| it.bytes_confirmed + it.bytes_sent <= 175), "{told:?}");
    let last = told.last().expect("something was told");
    assert_eq!((last.bytes_confirmed, last.bytes_sent, last.parts_confirmed), (175, 0, 10));
    // Those two parts whose answers were lost.
    assert_eq!(last.bytes_repeated, 40);
    assert_eq!(one.told.states.borrow().len(), 9);
    let confirmed = |state: &str| State::parse(state, &SIZES).expect("a state").confirmed;
    let numbers = confirmed(&one.told.states.borrow()[8]).numbers().collect::<Vec<_>>();
    assert_eq!(numbers, (1..10).collect::<Vec<_>>());
}

#[test]
fn one_part_that_fails_for_good_ends_the_others_and_what_is_confirmed_is_in_the_state() {
    let faults = [Fault::None, Fault::None, Fault::Answer(401, ""), Fault::None];
    let mut one = Try::new(10 + 8 * 20 + 5, faults);
    one.parallel_parts = 3;
    let (failure, outcome, error) = one.fail();
    assert_eq!((failure, outcome), (Failure::Http(401), Outcome::NotApplied), "{error}");
    let state = State::parse(state_of(&error).expect("a state"), &SIZES).expect("a state");
    let kept = one.ledger().videos["vi1"].parts.keys().copied().collect::<Vec<_>>();
    assert!(state.confirmed.numbers().all(|number| kept.contains(&number)));
    assert_eq!(error.attempts() as usize, one.ledger().requests.len());
    one.go_on(&error);
    one.must_have_made_one_video();
}

#[test]
fn a_cancel_ends_all_that_are_side_by_side() {
    let cancel = Arc::new(Cancel::new());
    let held = [Fault::None, Fault::KeepAndHold, Fault::KeepAndHold];
    let faults = held.into_iter().chain([Fault::KeepAndCancel(cancel.clone())]);
    let mut one = Try::new(10 + 8 * 20 + 5, faults);
    one.options.cancel = Some(cancel);
    one.parallel_parts = 3;
    let (failure, outcome, error) = one.fail();
    assert_eq!((failure, outcome), (Failure::Cancelled, Outcome::NotApplied), "{error}");
    one.options.cancel = None;
    one.go_on(&error);
    one.must_have_made_one_video();
}

#[test]
fn lines_of_the_trace_come_on_the_calling_thread_whatever_threads_send() {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let (all, begun) = (lines.clone(), thread::current().id());
    let mut one = Try::new(10 + 8 * 20 + 5, []);
    one.parallel_parts = 4;
    one.tracer = Tracer::new(Level::Info, move |_, line| {
        assert_eq!(thread::current().id(), begun);
        lock(&all).push(line.to_owned());
    });
    one.done();
    assert_eq!(lock(&lines).iter().filter(|line| line.contains("/10: attempt 1")).count(), 10);
}

#[test]
fn a_stream_goes_on_being_written_while_its_parts_are_under_way() {
    let mut one = Try::new(10 + 4 * 15 + 5, [Fault::None, Fault::KeepAndHold, Fault::KeepAndHold]);
    let held = Duration::from_secs(3);
    (one.parallel_parts, one.answer_timeout) = (2, Some(held));
    let mut stream = one.begin().expect("a stream");
    let listener = one.params().listener;
    // A first part that goes alone, two that are under way, one that is full.
    let begin = std::time::Instant::now();
    stream.write(&one.content[..10 + 3 * 15], &one.options, &listener).expect("it is taken");
    assert!(begin.elapsed() < held, "none of them was waited for");
    assert_eq!(stream.offset(), 55);
    stream.write(&one.content[55..], &one.options, &listener).expect("it is taken");
    assert!(begin.elapsed() >= held, "a hand was waited for");
    assert_eq!(stream.finish(&one.options, &listener, done).expect("a video").bytes, 75);
    one.must_have_made_one_video();
}

#[test]
fn a_cancelled_stream_goes_on_with_all_that_it_has_taken() {
    let cancel = Arc::new(Cancel::new());
    let held = [Fault::None, Fault::KeepAndHold, Fault::KeepAndCancel(cancel.clone())];
    let mut one = Try::new(10 + 4 * 15 + 5, held);
    (one.parallel_parts, one.writes) = (2, Some(75));
    one.options.cancel = Some(cancel);
    let mut stream = one.begin().expect("a stream");
    let error = one.write_all(&mut stream).expect_err("it is cancelled");
    assert_eq!((error.failure(), error.outcome()), (Failure::Cancelled, Outcome::NotApplied));
    assert!(state_of(&error).is_some(), "{error}");
    one.options.cancel = None;
    let done = one.write_all(&mut stream).expect("a video");
    assert_eq!(done.bytes, 75);
    one.must_have_made_one_video();
}

#[test]
fn a_stream_whose_part_is_answered_for_another_video_is_not_cut_short() {
    for parallel_parts in [0, 2] {
        let mut one = Try::new(LENGTH, [Fault::None, Fault::KeepAndAnswer(200, ANOTHERS)]);
        (one.writes, one.parallel_parts) = (Some(7), parallel_parts);
        let mut stream = one.begin().expect("a stream");
        let error = one.write_all(&mut stream).expect_err("another video");
        assert_eq!((error.failure(), error.outcome()), (Failure::Decode, Outcome::Unknown));
        assert_eq!(one.write_all(&mut stream).expect("a video").bytes, LENGTH as u64);
        one.must_have_made_one_video();
    }
}

#[test]
fn what_is_under_way_goes_on_when_the_time_of_a_write_is_over() {
    let mut one = Try::new(10 + 4 * 15 + 5, [Fault::None, Fault::KeepAndHold, Fault::KeepAndHold]);
    (one.writes, one.parallel_parts) = (Some(75), 2);
    one.answer_timeout = Some(Duration::from_secs(6));
    one.options.timeout = CallTimeout::Own(Some(Duration::from_secs(2)));
    let mut stream = one.begin().expect("a stream");
    let error = one.write_all(&mut stream).expect_err("nobody answers in time");
    assert_eq!((error.failure(), error.outcome()), (Failure::Timeout, Outcome::NotApplied));
    assert!(error.is_retryable() && state_of(&error).is_some(), "{error}");
    one.options.timeout = CallTimeout::Own(Some(Duration::from_secs(60)));
    assert_eq!(one.write_all(&mut stream).expect("a video").bytes, 75);
    one.must_have_made_one_video();
    // Six parts, of which two were asked for once more, and not a third time.
    assert_eq!(one.ledger().requests.len(), 6 + 2);
}

fn refusal(result: Result<impl std::fmt::Debug, Error>) -> String {
    let error = result.expect_err("it is refused");
    assert_eq!((error.failure(), error.attempts()), (Failure::InvalidArgument, 0));
    error.to_string()
}

#[test]
fn what_may_have_been_sent_as_the_last_part_takes_no_more_and_can_be_finished() {
    let mut one = Try::new(LENGTH, [Fault::None, Fault::None, Fault::None, Fault::Lose]);
    one.writes = Some(LENGTH);
    one.options.max_attempts = Some(1);
    let mut stream = one.begin().expect("a stream");
    let error = one.write_all(&mut stream).expect_err("the answer to the last part is lost");
    assert_eq!(error.outcome(), Outcome::Unknown, "{error}");
    let listener = one.params().listener;
    let refused = stream.write(b"more", &one.options, &listener).expect_err("it is refused");
    assert!(state_of(&refused).is_some() && refused.outcome() == Outcome::Unknown, "{refused}");
    let said = refused.to_string();
    assert!(said.contains("nothing can be added, av_upload_finish() goes on"), "{said}");
    let done = stream.finish(&one.options, &listener, done).expect("a video");
    assert_eq!(done.bytes, LENGTH as u64);
    one.must_have_made_one_video();
}

#[test]
fn what_nobody_can_tell_to_be_whole_and_cannot_be_gone_on_from_is_lost() {
    let mut one = Try::new(5, [Fault::Lose]);
    one.writes = Some(5);
    let mut stream = one.begin().expect("a stream");
    let error = one.write_all(&mut stream).expect_err("its answer is lost");
    assert_eq!((error.outcome(), state_of(&error)), (Outcome::Unknown, None), "{error}");
    assert_eq!(stream.state(), None);
    let listener = one.params().listener;
    let refused = stream.finish(&one.options, &listener, done).expect_err("it is refused");
    assert!(refused.to_string().contains("has failed for good"), "{refused}");
    // What was not known before is not known now.
    assert_eq!((refused.outcome(), state_of(&refused)), (Outcome::Unknown, None));
}

#[test]
fn a_stream_that_is_gone_on_with_is_not_finished_without_another_byte() {
    let mut one = Try::new(LENGTH, []);
    let mut stream = one.begin().expect("a stream");
    let listener = one.params().listener;
    stream.write(&one.content[..11], &one.options, &listener).expect("the first part is sent");
    one.resume = stream.state();
    let mut stream = one.begin().expect("a stream that is gone on with");
    assert_eq!(stream.offset(), 10);
    let said = refusal(stream.finish(&one.options, &listener, done));
    assert!(said.contains("nothing was written from av_upload_offset() on"), "{said}");
    one.writes = Some(7);
    one.write_all(&mut stream).expect("a video");
    one.must_have_made_one_video();
}

const TAKEN: &str = r#"{"type":"x/part-already-sent","title":"a"}"#;

#[test]
fn a_stream_to_which_somebody_else_uploads_is_not_gone_on_with() {
    for (parallel_parts, faults) in [
        (0, vec![Fault::None, Fault::Answer(400, TAKEN)]),
        // With threads another part fails before it.
        (2, vec![Fault::None, Fault::AnswerAmong(3, 503, ""), Fault::Answer(400, TAKEN)]),
    ] {
        let mut one = Try::new(10 + 4 * 15 + 5, faults);
        one.parallel_parts = parallel_parts;
        one.options.max_attempts = Some(1);
        let mut stream = one.begin().expect("a stream");
        let listener = one.params().listener;
        let mut last = None;
        for _ in 0..20 {
            if let Err(error) = stream.write(&one.content[..20], &one.options, &listener) {
                last = Some(error);
            }
            if stream.state().is_none() && last.is_some() {
                break;
            }
        }
        let error = last.expect("it fails");
        assert_eq!((error.outcome(), state_of(&error)), (Outcome::Unknown, None), "{error}");
        assert_eq!(stream.state(), None);
        let refused = stream.write(b"x", &one.options, &listener).expect_err("it is lost");
        assert!(refused.to_string().contains("has failed for good"), "{refused}");
    }
}

#[test]
fn a_file_to_which_somebody_else_uploads_is_told_so_whatever_else_has_failed() {
    let faults = [Fault::None, Fault::AnswerAmong(3, 503, ""), Fault::Answer(400, TAKEN)];
    let mut one = Try::new(10 + 2 * 20 + 5, faults);
    one.parallel_parts = 2;
    one.options.max_attempts = Some(1);
    let (failure, outcome, error) = one.fail();
    assert_eq!((failure, outcome), (Failure::Http(400), Outcome::Unknown), "{error}");
    assert!(state_of(&error).is_none(), "{error}");
}

#[test]
fn parts_beside_one_that_fails_are_let_through() {
    let faults = [Fault::None, Fault::AnswerAmong(3, 500, "")];
    let mut one = Try::new(10 + 4 * 20 + 5, faults);
    one.parallel_parts = 4;
    one.options.max_attempts = Some(1);
    let (_, outcome, error) = one.fail();
    assert_eq!(outcome, Outcome::NotApplied, "{error}");
    let state = State::parse(state_of(&error).expect("a state"), &SIZES).expect("a state");
    let kept = one.ledger().videos["vi1"].parts.len();
    assert_eq!(state.confirmed.numbers().count(), kept, "none was cut off");
    one.go_on(&error);
    one.must_have_made_one_video();
}

#[test]
fn each_call_of_a_stream_says_how_often_is_tried() {
    let mut one = Try::new(10 + 2 * 15 + 5, [Fault::None, Fault::Lose, Fault::Lose, Fault::Lose]);
    (one.parallel_parts, one.writes) = (1, Some(45));
    one.options.max_attempts = Some(1);
    let mut stream = one.begin().expect("a stream");
    let error = one.write_all(&mut stream).expect_err("one attempt is not enough");
    assert!(error.attempts() <= 2, "{error}");
    one.options.max_attempts = Some(5);
    one.write_all(&mut stream).expect("a video");
    one.must_have_made_one_video();
}

#[test]
fn a_call_that_is_cancelled_beforehand_sends_no_part() {
    for parallel_parts in [0, 2] {
        let mut one = Try::new(10 + 4 * 15 + 5, []);
        one.parallel_parts = parallel_parts;
        let mut stream = one.begin().expect("a stream");
        let listener = one.params().listener;
        stream.write(&one.content[..11], &one.options, &listener).expect("the first part is sent");
        let cancel = Arc::new(Cancel::new());
        cancel.trigger();
        let cancelled = CallOptions { cancel: Some(cancel), ..CallOptions::default() };
        let error =
            stream.write(&one.content[11..60], &cancelled, &listener).expect_err("cancelled");
        assert_eq!((error.failure(), error.outcome()), (Failure::Cancelled, Outcome::NotApplied));
        assert_eq!(one.ledger().requests.len(), 1);
        one.writes = Some(75);
        one.write_all(&mut stream).expect("a video");
        one.must_have_made_one_video();
    }
}

#[test]
fn a_stream_that_ends_before_what_is_confirmed_is_refused_unsent() {
    let mut one = Try::new(10 + 4 * 15 + 5, []);
    let mut stream = one.begin().expect("a stream");
    let listener = one.params().listener;
    stream.write(&one.content[..11], &one.options, &listener).expect("the first part is sent");
    let state = stream.state().expect("a state");
    let mut holes = State::parse(&state, &SIZES).expect("a state");
    holes.confirmed.insert(4);
    one.resume = holes.to_text();
    let mut stream = one.begin().expect("a stream that is gone on with");
    stream.write(&one.content[10..20], &one.options, &listener).expect("it is taken");
    let said = refusal(stream.finish(&one.options, &listener, done));
    assert!(said.contains("fewer bytes were written than params.resume tells"), "{said}");
    assert_eq!(one.ledger().requests.len(), 1);
}

#[test]
fn a_stream_that_could_not_be_ended_may_go_on_and_its_size_is_not_known_again() {
    let mut one = Try::new(10 + 4 * 15 + 5, [Fault::None, Fault::Answer(401, "")]);
    let mut stream = one.begin().expect("a stream");
    let listener = one.params().listener;
    stream.write(&one.content[..20], &one.options, &listener).expect("it is taken");
    let error = stream.finish(&one.options, &listener, done).expect_err("the token has ended");
    assert_eq!(error.outcome(), Outcome::NotApplied, "{error}");
    one.writes = Some(75);
    one.write_all(&mut stream).expect("a video");
    let told = one.told.progress.borrow();
    assert!(told.iter().all(|it| it.bytes_total == 0 || it.bytes_confirmed <= it.bytes_total));
}

#[test]
fn a_part_that_had_been_missing_shows_that_the_last_one_was_not_sent_before() {
    for (writes, parallel_parts) in [(None, 0), (None, 2), (Some(7), 0)] {
        let mut one = Try::new(LENGTH, [Fault::None, Fault::Answer(401, "")]);
        (one.writes, one.parallel_parts) = (writes, parallel_parts);
        one.options.max_attempts = Some(1);
        one.resume = state_of(&one.fail().2).map(str::to_owned);
        let missing = 3 - one.ledger().videos["vi1"].parts.len();
        let faults = std::iter::repeat_n(Fault::None, missing);
        one.service.goes_on_with(faults.chain([Fault::Answer(401, "")]));
        let (_, outcome, error) = one.fail();
        assert_eq!(outcome, Outcome::NotApplied, "{writes:?} {parallel_parts} {error}");
        // But if all before it were there, it may have been.
        one.resume = state_of(&error).map(str::to_owned);
        one.service.goes_on_with([Fault::Answer(401, "")]);
        assert_eq!(one.fail().1, Outcome::Unknown, "{writes:?} {parallel_parts}");
    }
}

#[test]
fn parts_that_were_there_already_show_nothing_of_the_last_one() {
    let refused = Fault::Answer(401, "");
    for (parallel_parts, runs) in [
        (
            0,
            vec![
                vec![Fault::None, Fault::KeepAndLose],
                vec![Fault::None, Fault::KeepAndLose],
                vec![Fault::None, refused.clone()],
            ],
        ),
        (
            2,
            vec![
                vec![Fault::None, Fault::KeepAndLose, Fault::KeepAndLose],
                vec![Fault::None, Fault::None, refused],
            ],
        ),
    ] {
        let mut one = Try::new(LENGTH, []);
        (one.parallel_parts, one.options.max_attempts) = (parallel_parts, Some(1));
        let mut last = None;
        for faults in runs {
            one.service.goes_on_with(faults);
            let (_, outcome, error) = one.fail();
            one.resume = state_of(&error).map(str::to_owned);
            last = Some(outcome);
        }
        assert_eq!(last, Some(Outcome::Unknown), "{parallel_parts}");
    }
}

#[test]
fn a_stream_tells_from_where_it_goes_on_before_anything_is_sent() {
    let mut one = Try::new(LENGTH, []);
    for confirmed in [0, 10] {
        let mut stream = one.begin().expect("a stream");
        one.told = Rc::default();
        let listener = one.params().listener;
        stream
            .write(&one.content[confirmed..confirmed + 1], &one.options, &listener)
            .expect("taken");
        let told: Vec<_> = one.told.progress.borrow().iter().map(|it| it.bytes_confirmed).collect();
        assert_eq!(told, [confirmed as u64]);
        stream.write(&one.content[confirmed + 1..11], &one.options, &listener).expect("taken");
        one.resume = stream.state();
    }
}
