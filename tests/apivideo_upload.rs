//! What `apivideo upload` promises (`examples/c/apivideo/upload.c`): what it prints, how it goes on by
//! itself after Ctrl-C, a crash or a failure, and where it keeps what that takes. What the ledger of the
//! stand-in service tells is the truth.

#[path = "support/canned_service.rs"]
mod canned_service;
#[path = "support/local_api.rs"]
mod local_api;
#[path = "support/plain_http.rs"]
mod plain_http;
#[path = "support/request.rs"]
mod request;
#[path = "support/tool.rs"]
mod tool;

use std::path::{Path, PathBuf};

use canned_service::CannedService;
use local_api::LocalApi;
use plain_http::Connection;
use ring::digest::{SHA256, digest};
use serde_json::Value;
use tool::{KEY, Run, Tool};

const MIB: usize = 1 << 20;
/// Nothing listens there.
const REFUSING: &str = "http://127.0.0.1:1";
/// A first part of 5 MiB, another, and the rest.
const THREE_PARTS: usize = 10 * MIB + 1000;

// What it prints

#[test]
fn the_id_of_the_video_is_all_of_standard_output() {
    let at = Place::new("id", &[]);
    let film = at.file("film.mp4", 1000);
    let run = at.upload(&["film.mp4"]);
    assert!(run.errors.ends_with("uploaded film.mp4: 1000 bytes in 1s\n"), "{run:?}");
    let id = run.succeeded();
    let [video] = at.videos().try_into().expect("one video");
    assert_eq!(format!("{}\n", text(&video["videoId"])), id);
    assert_eq!((&video["title"], text(&video["sha256"])), (&"film.mp4".into(), film.as_str()));
    assert_eq!(at.names(), ["film.mp4"], "nothing to go on from is left");
}

#[test]
fn json_is_what_the_service_answers_a_line_for_each_video() {
    let at = Place::new("json", &[]);
    at.file("a.mp4", 10);
    at.file("b.mp4", 20);
    let output = at.upload(&["--json", "a.mp4", "b.mp4"]).succeeded();
    let titles = output.lines().map(|line| {
        let video: Value = serde_json::from_str(line).expect("JSON");
        assert!(text(&video["assets"]["player"]).contains(text(&video["videoId"])), "{video}");
        text(&video["title"]).to_owned()
    });
    assert_eq!(titles.collect::<Vec<_>>(), ["a.mp4", "b.mp4"]);
}

#[test]
fn a_line_is_told_for_each_tenth_and_for_what_is_waited_for() {
    let at = Place::new("lines", &["--upload-rate-limit", "2/2"]);
    at.file("film.mp4", THREE_PARTS);
    let run = at.upload(&["film.mp4", "--part-size", "5M"]);
    let lines: Vec<_> = run.errors.lines().collect();
    assert_eq!(lines[0], "5.0 MiB of 10.0 MiB confirmed", "{run:?}");
    assert!(
        lines.iter().any(|it| it.contains(" confirmed, waiting for the rate limit, about ")),
        "{run:?}"
    );
    assert!(lines[lines.len() - 1].starts_with("uploaded film.mp4: 10.0 MiB in "), "{run:?}");
    run.succeeded();
}

#[test]
fn a_terminal_shows_what_is_confirmed_and_sent_how_fast_and_for_how_long() {
    let at = Place::new("terminal", &[]);
    at.file("film.mp4", THREE_PARTS);
    let path = at.path("film.mp4");
    let path = path.to_str().expect("UTF-8");
    let arguments = ["upload", path, "--part-size", "5M", "--limit-rate", "4M"];
    let mut terminal = at.tool.start_at_terminal(&arguments);
    terminal.wait_for("5.0 MiB of 10.0 MiB confirmed, ");
    terminal.wait_for(" MiB sent, ");
    terminal.wait_for(" MiB/s, ");
    terminal.wait_for("s left");
    let (code, screen) = terminal.finish();
    assert_eq!(code, 0, "{screen}");
    assert!(!screen.contains(&at.token), "{screen}");
}

#[test]
fn a_narrow_terminal_shows_one_line_that_changes() {
    let at = Place::new("narrow", &[]);
    at.file("film.mp4", THREE_PARTS);
    let path = at.path("film.mp4");
    let path = path.to_str().expect("UTF-8");
    let mut terminal = at.tool.start_at_narrow_terminal(&["upload", path, "--part-size", "5M"]);
    terminal.wait_for("\r\u{1b}[K");
    let (code, screen) = terminal.finish();
    assert_eq!(code, 0, "{screen}");
    let (progress, _) = screen.rsplit_once("\r\u{1b}[K").expect("a line was cleared");
    for line in progress.split("\r\u{1b}[K") {
        assert!(line.len() < 20, "{line:?} goes on in the next line");
    }
}

#[test]
fn what_may_be_left_behind_is_told_as_what_may_be() {
    // By this seed the answer to the first part is lost, and so is the video's ID.
    let at = Place::new("left-behind", &["--drop-rate", "40", "--random-seed", "2"]);
    at.file("film.mp4", THREE_PARTS);
    let run = at.upload(&["film.mp4", "--part-size", "5M"]);
    assert!(run.errors.ends_with(", may have left behind 1 unfinished\n"), "{run:?}");
    run.succeeded();
}

#[test]
fn names_of_files_play_with_no_terminal() {
    let at = Place::new("controls", &[]);
    at.file("a\u{1b}[2J\nb.mp4", 10);
    let run = at.upload(&["a\u{1b}[2J\nb.mp4", "none\u{1b}]0;x\u{7}.mp4"]);
    assert!(run.errors.contains("uploaded a?[2J?b.mp4: 10 bytes in "), "{run:?}");
    assert!(!run.errors.contains('\u{1b}') && !run.errors.contains('\u{7}'), "{run:?}");
}

#[test]
fn the_token_of_the_command_line_is_hidden_from_who_lists_processes() {
    let at = Place::new("argv", &[]);
    at.file("film.mp4", THREE_PARTS);
    for option in [&["--token", &at.token][..], &[&format!("--token={}", at.token)]] {
        let arguments = [&["film.mp4"], option].concat();
        let mut running = at.start_slowly(&arguments);
        running.wait_for("5.0 MiB of 10.0 MiB confirmed");
        let listed = std::fs::read(format!("/proc/{}/cmdline", running.process.id()));
        let listed = String::from_utf8(listed.expect("it runs")).expect("UTF-8");
        assert!(listed.contains("--token") && !listed.contains(&at.token), "{listed:?}");
        running.interrupt();
        assert_eq!(running.finish().code, 130);
        std::fs::remove_file(at.path("film.mp4.apivideo-upload")).expect("it was kept");
    }
    let mistyped = at.upload(&["film.mp4", &format!("--tokn={}", at.token)]);
    assert!(mistyped.errors.starts_with("apivideo: unknown option '--tokn'\n"), "{mistyped:?}");
}

#[test]
fn a_video_whose_id_cannot_be_printed_is_told_all_the_same() {
    let at = Place::new("full", &[]);
    at.file("film.mp4", 10);
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("a full disk");
    let mut command = at.tool.command(&["upload", "film.mp4"]);
    let ended =
        command.current_dir(&at.directory).stdout(full).output().expect("it can be started");
    let errors = String::from_utf8(ended.stderr).expect("UTF-8");
    assert_eq!(ended.status.code(), Some(1), "{errors}");
    assert!(errors.ends_with("\napivideo: cannot write to standard output\n"), "{errors}");
    let told = format!("the video is {}\n", text(&at.videos()[0]["videoId"]));
    assert!(errors.contains(&told), "{errors}");
}

// What it uploads

#[test]
fn it_needs_the_token_alone_and_sends_no_key() {
    let at = Place::new("keyless", &[]);
    at.file("film.mp4", 10);
    let keyless = Tool::at(&at.api.url).without("APIVIDEO_API_KEY");
    let path = at.path("film.mp4");
    let path = path.to_str().expect("UTF-8");
    keyless.run(&["upload", "--token", &at.token, path]).succeeded();
    keyless.with("APIVIDEO_API_KEY", KEY).run(&["upload", path, "--token", &at.token]).succeeded();
    assert_eq!(at.ledger()["uploads"]["with_authorization"], 0);
    assert_eq!(at.videos().len(), 2);
}

#[test]
fn the_title_is_that_of_the_option_or_the_files_name() {
    let at = Place::new("title", &[]);
    at.file("film.mp4", 10);
    at.upload(&["film.mp4", "--title", "My holidays"]).succeeded();
    assert_eq!(at.videos()[0]["title"], "My holidays");
}

#[test]
fn a_video_that_was_made_before_gets_the_file() {
    let at = Place::new("video-id", &[]);
    at.file("film.mp4", 10);
    let video_id = at.made_before();
    let output = at.upload(&["film.mp4", "--video-id", &video_id]).succeeded();
    assert_eq!(output.trim_end(), video_id);
    let [video] = at.videos().try_into().expect("one video");
    assert_eq!((&video["title"], &video["whole"]), (&"before".into(), &true.into()));
}

// How it goes on

#[test]
fn after_ctrl_c_the_same_command_goes_on_where_it_was() {
    let at = Place::new("ctrl-c", &[]);
    let film = at.file("film.mp4", THREE_PARTS);
    let run = at.interrupted(&["film.mp4"]);
    assert_eq!((run.code, run.output.as_str()), (130, ""), "{run:?}");
    let hint = "hint: the same command again goes on where it was; that is kept in \
                film.mp4.apivideo-upload";
    assert_eq!(run.errors.lines().last(), Some(hint));
    assert_eq!(at.names(), ["film.mp4", "film.mp4.apivideo-upload"]);

    let run = at.upload(&["film.mp4"]);
    assert!(run.errors.starts_with("going on with film.mp4\n"), "{run:?}");
    run.succeeded();
    at.has_one_video(&film);
    assert_eq!(at.videos()[0]["parts"][0]["received"], 1, "what is confirmed is not sent again");
    assert_eq!(at.names(), ["film.mp4"]);
}

#[test]
fn after_a_crash_the_same_command_goes_on_where_it_was() {
    let at = Place::new("crash", &[]);
    let film = at.file("film.mp4", THREE_PARTS);
    let mut running = at.start_slowly(&["film.mp4"]);
    running.wait_for("5.0 MiB of 10.0 MiB confirmed");
    at.wait_for_state("film.mp4.apivideo-upload");
    running.process.kill().expect("it runs");
    running.wait();
    at.upload(&["film.mp4"]).succeeded();
    at.has_one_video(&film);
    assert_eq!(at.videos()[0]["parts"][0]["received"], 1);
}

#[test]
fn after_a_failure_the_same_command_goes_on_with_another_token() {
    let at = Place::new("failure", &[]);
    let film = at.file("film.mp4", THREE_PARTS);
    at.interrupted(&["film.mp4"]);
    let run = at.upload(&["film.mp4", "--token", "toWrong"]);
    assert_eq!(run.code, 4, "{run:?}");
    assert!(run.errors.contains("\nhint: the upload token is wrong, has ended, "), "{run:?}");
    assert!(run.errors.contains("\nhint: the same command again goes on where it was"), "{run:?}");
    at.upload(&["film.mp4"]).succeeded();
    at.has_one_video(&film);
}

#[test]
fn where_somebody_else_uploads_to_the_same_video_it_does_not_go_on_with_their_parts() {
    let at = Place::new("somebody-else", &["--part-minimum", "1"]);
    at.file("film.mp4", THREE_PARTS);
    let video_id = at.made_before();
    let field = "--b\r\nContent-Disposition: form-data; name=";
    let body = format!(
        "{field}\"videoId\"\r\n\r\n{video_id}\r\n\
         {field}\"file\"; filename=\"other\"\r\n\r\nanother film\r\n--b--\r\n"
    );
    let headers = ["Content-Type: multipart/form-data; boundary=b", "Content-Range: part 2/3"];
    let target = format!("/upload?token={}", at.token);
    let theirs =
        Connection::open(&at.api.url).send("POST", &target, &headers.map(str::to_owned), &body);
    assert_eq!(theirs.status, 201);
    for refused in ["part 2/3", "part 1/3"] {
        let run = at.upload(&["film.mp4", "--part-size", "5M", "--video-id", &video_id]);
        assert_eq!(run.code, 8, "{run:?}");
        assert!(run.errors.contains(refused) && !run.errors.contains("goes on"), "{run:?}");
        assert_eq!(at.names(), ["film.mp4"], "what would take their parts for its own is not kept");
    }
}

#[test]
fn connections_that_break_are_gone_on_after_at_once() {
    let at = Place::new("drops", &["--drop-rate", "40", "--random-seed", "5"]);
    let film = at.file("film.mp4", 5 * THREE_PARTS / 2);
    let run = at.upload(&["film.mp4", "--part-size", "5M"]);
    assert!(run.errors.contains(" confirmed, trying again in 1 s\n"), "{run:?}");
    run.succeeded();
    let whole = at.videos().into_iter().filter(|it| it["whole"] == true).collect::<Vec<_>>();
    assert_eq!(whole.len(), 1);
    assert_eq!(text(&whole[0]["sha256"]), film);
}

#[test]
fn the_state_can_be_kept_in_a_directory_for_all_files_of_one_name() {
    let at = Place::new("state-dir", &[]);
    for directory in ["states", "a", "b"] {
        std::fs::create_dir(at.path(directory)).expect("a directory");
    }
    let a = at.file("a/film.mp4", THREE_PARTS);
    let b = at.file("b/film.mp4", THREE_PARTS + 1);
    for film in ["a/film.mp4", "b/film.mp4"] {
        let run = at.interrupted(&[film, "--state-dir", "states"]);
        assert!(run.errors.contains("that is kept in states/film.mp4-"), "{run:?}");
    }
    assert_eq!(std::fs::read_dir(at.path("states")).unwrap().count(), 2);
    assert_eq!(std::fs::read_dir(at.path("a")).unwrap().count(), 1, "nothing beside the file");
    at.upload(&["a/film.mp4", "b/film.mp4", "--state-dir=states"]).succeeded();
    let mut told: Vec<_> = at.videos().iter().map(|it| text(&it["sha256"]).to_owned()).collect();
    let mut films = [a, b];
    told.sort();
    films.sort();
    assert_eq!(told, films);
    assert_eq!(std::fs::read_dir(at.path("states")).unwrap().count(), 0);
}

#[test]
fn where_the_state_cannot_be_kept_that_is_told_and_the_file_uploaded() {
    let at = Place::new("no-state-dir", &[]);
    let film = at.file("film.mp4", THREE_PARTS);
    let run = at.upload(&["film.mp4", "--part-size", "5M", "--state-dir", "none"]);
    let complaint = "apivideo: what it takes to go on cannot be kept in none/film.mp4-";
    assert_eq!(run.errors.matches(complaint).count(), 1, "once: {run:?}");
    run.succeeded();
    at.has_one_video(&film);
}

#[test]
fn a_file_that_has_changed_is_not_gone_on_with() {
    let at = Place::new("changed", &[]);
    at.file("film.mp4", THREE_PARTS);
    at.interrupted(&["film.mp4"]);
    let other = at.file("film.mp4", THREE_PARTS + 1);
    let run = at.upload(&["film.mp4"]);
    assert_eq!(run.code, 1, "{run:?}");
    let hint = "hint: to upload it from the beginning, remove film.mp4.apivideo-upload";
    assert_eq!(run.errors.lines().last(), Some(hint));
    std::fs::remove_file(at.path("film.mp4.apivideo-upload")).expect("it was kept");
    at.upload(&["film.mp4"]).succeeded();
    assert_eq!(text(&at.videos()[1]["sha256"]), other);
}

#[test]
fn what_is_kept_is_for_its_owner_alone_and_holds_neither_token_nor_key() {
    use std::os::unix::fs::PermissionsExt;
    let at = Place::new("secrets", &[]);
    at.file("film.mp4", THREE_PARTS);
    at.interrupted(&["film.mp4"]);
    let path = at.path("film.mp4.apivideo-upload");
    let state = std::fs::read_to_string(&path).expect("it was kept");
    assert!(!state.contains(&at.token) && !state.contains(KEY), "{state}");
    assert_eq!(path.metadata().expect("it is there").permissions().mode() & 0o777, 0o600);
}

#[test]
fn of_two_runs_with_one_file_the_second_sends_nothing() {
    let at = Place::new("two-runs", &[]);
    let film = at.file("film.mp4", THREE_PARTS);
    let state = || std::fs::read_to_string(at.path("film.mp4.apivideo-upload")).expect("kept");
    // The first is held meanwhile: it must not end before the second begins.
    let refused = |first: &tool::Running| {
        first.signal("STOP");
        let before = state();
        let second = at.upload(&["film.mp4"]);
        assert_eq!((second.code, second.output.as_str()), (1, ""), "{second:?}");
        let complaint =
            "apivideo: another run is uploading this file, with film.mp4.apivideo-upload\n";
        assert_eq!(second.errors, complaint);
        assert_eq!(state(), before);
        first.signal("CONT");
        before
    };
    let mut first = at.start_slowly(&["film.mp4"]);
    at.wait_for_file("film.mp4.apivideo-upload");
    assert_eq!(refused(&first), "", "nothing is confirmed yet");
    first.wait_for("5.0 MiB of 10.0 MiB confirmed");
    at.wait_for_state("film.mp4.apivideo-upload");
    assert_ne!(refused(&first), "", "a state that has taken the place of the first is held, too");
    first.finish().succeeded();
    at.has_one_video(&film);
    for part in at.videos()[0]["parts"].as_array().expect("parts") {
        assert_eq!(part["received"], 1);
    }
    assert_eq!(at.names(), ["film.mp4"]);
}

#[test]
fn a_state_that_cannot_be_read_is_told_and_left_alone() {
    let at = Place::new("unreadable", &[]);
    at.file("film.mp4", THREE_PARTS);
    let path = at.path("film.mp4.apivideo-upload");
    std::fs::create_dir(&path).expect("a directory");
    let run = at.upload(&["film.mp4"]);
    assert_eq!(run.code, 1, "{run:?}");
    let complaint =
        "apivideo: what it takes to go on cannot be read from film.mp4.apivideo-upload: ";
    assert!(run.errors.starts_with(complaint), "{run:?}");
    assert!(path.is_dir());

    std::fs::remove_dir(&path).expect("it is empty");
    std::os::unix::fs::symlink("other", &path).expect("a link");
    std::fs::write(at.path("other"), "somebody's own").expect("a file");
    let run = at.upload(&["film.mp4"]);
    assert_eq!(run.code, 1, "{run:?}");
    assert_eq!(std::fs::read_to_string(at.path("other")).expect("a file"), "somebody's own");
    assert!(at.videos().is_empty(), "nothing is sent");
}

#[test]
fn a_state_that_was_cut_off_or_is_of_another_file_is_told_and_left_alone() {
    let at = Place::new("cut-off", &[]);
    at.file("film.mp4", THREE_PARTS);
    at.file("other.mp4", THREE_PARTS + 1);
    at.interrupted(&["film.mp4"]);
    let path = at.path("film.mp4.apivideo-upload");
    let whole = std::fs::read_to_string(&path).expect("it was kept");
    let half = &whole[..whole.len() / 2];
    std::fs::write(&path, half).expect("there is room");
    std::fs::write(at.path("other.mp4.apivideo-upload"), &whole).expect("there is room");
    for (name, code, state) in [("film.mp4", 2, half), ("other.mp4", 1, whole.as_str())] {
        let run = at.upload(&[name]);
        assert_eq!(run.code, code, "{run:?}");
        let kept = format!("{name}.apivideo-upload");
        let hint = format!("hint: to upload it from the beginning, remove {kept}");
        assert_eq!(run.errors.lines().last(), Some(hint.as_str()), "{run:?}");
        assert_eq!(std::fs::read_to_string(at.path(&kept)).expect("it is kept"), state);
    }
    assert_eq!(at.videos().len(), 1, "nothing is sent");
}

// Failures

#[test]
fn after_a_file_that_fails_the_others_are_uploaded() {
    let at = Place::new("others", &[]);
    at.file("film.mp4", 10);
    let run = at.upload(&["none.mp4", "film.mp4"]);
    assert_eq!(run.code, 1, "{run:?}");
    assert!(run.errors.contains("\nthat was none.mp4\n"), "{run:?}");
    assert_eq!(at.videos().len(), 1);
}

#[test]
fn what_every_file_would_fail_with_ends_it() {
    let at = Place::new("all", &[]);
    at.file("a.mp4", 10);
    at.file("b.mp4", 10);
    let run = at.upload(&["a.mp4", "b.mp4", "--token", "toWrong"]);
    assert_eq!(run.code, 4, "{run:?}");
    assert_eq!(run.errors.lines().last(), Some("not tried: the last 1"), "{run:?}");
    assert!(!run.errors.contains("toWrong"), "{run:?}");
}

#[test]
fn a_video_that_may_be_whole_is_told() {
    let at = Place::new("doubt", &[]);
    at.file("film.mp4", 10);
    let service = CannedService::hanging_up();
    let run = at.run(&Tool::at(&service.url).with("APIVIDEO_UPLOAD_TOKEN", "to1"), &["film.mp4"]);
    assert_eq!(run.code, 5, "{run:?}");
    let hint = "hint: there may be a video now; look before you upload it again";
    assert_eq!(run.errors.lines().last(), Some(hint));
    assert_eq!(service.requests().len(), 1);
}

#[test]
fn misuse_is_told_before_anything_is_sent() {
    let tool = Tool::at(REFUSING).with("APIVIDEO_UPLOAD_TOKEN", "to1");
    for (arguments, complaint) in [
        (&["upload"][..], "upload wants a file"),
        (&["upload", "a", "b", "--title", "T"], "--title is for one file"),
        (&["upload", "a", "b", "--video-id", "vi1"], "--video-id is for one file"),
        (
            &["upload", "a", "--part-size", "4M"],
            "--part-size wants a size from 5M to 200M, not '4M'",
        ),
        (&["upload", "a", "--part-size", "201M"], "--part-size wants a size from 5M to 200M"),
        (&["upload", "a", "--part-size", "5MB"], "--part-size wants a size from 5M to 200M"),
        (&["upload", "a", "--limit-rate", "0"], "--limit-rate wants the bytes a second"),
        (&["upload", "a", "--limit-rate", "fast"], "--limit-rate wants the bytes a second"),
        (&["list", "--token", "to1"], "--token is no option of list"),
        (&["upload", "a", "--ttl", "1h"], "--ttl is no option of upload"),
    ] {
        let run = tool.run(arguments);
        assert_eq!(run.code, 2, "{run:?}");
        assert!(run.errors.starts_with(&format!("apivideo: {complaint}")), "{run:?}");
    }
    let run = tool.without("APIVIDEO_UPLOAD_TOKEN").run(&["upload", "a"]);
    assert_eq!(run.code, 2, "{run:?}");
    assert!(run.errors.starts_with("apivideo: there is no upload token\nhint: "), "{run:?}");
}

// Helpers

/// A directory of its own, with a stand-in service and a token of that.
struct Place {
    directory: PathBuf,
    api: LocalApi,
    tool: Tool,
    token: String,
}

impl Place {
    fn new(name: &str, arguments: &[&str]) -> Self {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("apivideo-upload").join(name);
        let _ = std::fs::remove_dir_all(&directory);
        std::fs::create_dir_all(&directory).expect("a directory");
        let api = LocalApi::start(&[&["--api-key", KEY, "--seed", "1"], arguments].concat());
        let ledger = Connection::open(&api.url).send("GET", "/local-api/ledger", &[], "").json();
        let token = text(&ledger["tokens"][0]).to_owned();
        let tool =
            Tool::at(&api.url).without("APIVIDEO_API_KEY").with("APIVIDEO_UPLOAD_TOKEN", &token);
        Self { directory, api, tool, token }
    }

    /// Makes a video with the key, and returns its ID.
    fn made_before(&self) -> String {
        let headers =
            ["Authorization: Basic a2V5LW9mLXRoZS10ZXN0czo=", "Content-Type: application/json"];
        let made = Connection::open(&self.api.url)
            .send("POST", "/videos", &headers.map(str::to_owned), r#"{"title":"before"}"#)
            .json();
        text(&made["videoId"]).to_owned()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// Makes a file of so many bytes, which follow no short pattern, and returns its SHA-256.
    fn file(&self, name: &str, size: usize) -> String {
        let mut seed = size as u64;
        let content: Vec<u8> = std::iter::repeat_with(|| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 56) as u8
        })
        .take(size)
        .collect();
        std::fs::write(self.path(name), &content).expect("there is room");
        digest(&SHA256, &content).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// What is in the directory, in order.
    fn names(&self) -> Vec<String> {
        let files = std::fs::read_dir(&self.directory).expect("it is there");
        let mut names: Vec<_> =
            files.map(|it| it.expect("a file").file_name().into_string().expect("UTF-8")).collect();
        names.sort();
        names
    }

    fn wait_for_file(&self, name: &str) {
        self.wait_for_length(name, 0);
    }

    /// Before a first part is confirmed, what holds the state is empty.
    fn wait_for_state(&self, name: &str) {
        self.wait_for_length(name, 1);
    }

    fn wait_for_length(&self, name: &str, least: u64) {
        let begun = std::time::Instant::now();
        while self.path(name).metadata().map_or(true, |found| found.len() < least) {
            assert!(begun.elapsed().as_secs() < 60, "no {name}");
            std::thread::yield_now();
        }
    }

    fn run(&self, tool: &Tool, arguments: &[&str]) -> Run {
        tool.run_in(&self.directory, &[&["upload"], arguments].concat())
    }

    fn upload(&self, arguments: &[&str]) -> Run {
        let run = self.run(&self.tool, arguments);
        assert!(!run.errors.contains(&self.token), "the token is told: {run:?}");
        run
    }

    /// Starts it so slowly that it takes seconds for a part.
    fn start_slowly(&self, arguments: &[&str]) -> tool::Running {
        let slow = ["upload", "--part-size", "5M", "--limit-rate", "3M"];
        self.tool.start_in(&self.directory, &[&slow, arguments].concat())
    }

    /// Uploads the first part, and presses Ctrl-C.
    fn interrupted(&self, arguments: &[&str]) -> Run {
        let mut running = self.start_slowly(arguments);
        running.wait_for("5.0 MiB of 10.0 MiB confirmed");
        running.interrupt();
        running.finish()
    }

    fn ledger(&self) -> Value {
        Connection::open(&self.api.url).send("GET", "/local-api/ledger", &[], "").json()
    }

    fn videos(&self) -> Vec<Value> {
        self.ledger()["uploads"]["videos"].as_array().expect("videos").clone()
    }

    #[track_caller]
    fn has_one_video(&self, sha256: &str) {
        let videos = self.videos();
        assert_eq!(videos.len(), 1, "{videos:?}");
        assert_eq!(videos[0]["sha256"], sha256);
    }
}

#[track_caller]
fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}
