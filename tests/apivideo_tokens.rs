//! What the example tool (`examples/c/apivideo`) and `make demo` promise, sentence by sentence.

#[path = "support/canned_service.rs"]
mod canned_service;
#[path = "support/local_api.rs"]
mod local_api;
#[path = "support/request.rs"]
mod request;
#[path = "support/tool.rs"]
mod tool;

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use canned_service::CannedService;
use local_api::LocalApi;
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tool::{KEY, Run, Tool};

const HEADINGS: [&str; 5] = ["TOKEN", "TTL", "CREATED", "EXPIRES", "LEFT"];
/// Nothing listens there.
const REFUSING: &str = "http://127.0.0.1:1";
const CTRL_C: &str = "\x03";
const CTRL_D: &str = "\x04";

// create

#[test]
fn create_prints_the_token_alone_on_standard_output() {
    let (_api, tool) = start(&[]);
    let output = tool.run(&["create"]).succeeded();
    let token = output.strip_suffix('\n').expect("a whole line");
    assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{output:?}");
    assert_eq!(get(&tool, token)["token"], token);
}

#[test]
fn create_makes_a_token_that_is_valid_for_the_duration_of_ttl() {
    let (_api, tool) = start(&[]);
    for (duration, seconds) in [
        ("90", 90),
        ("90s", 90),
        ("15m", 900),
        ("1h", 3600),
        ("7d", 604_800),
        ("2w", 1_209_600),
        ("2147483647", 2_147_483_647),
    ] {
        let token = create(&tool, &["--ttl", duration]);
        assert_eq!(get(&tool, &token)["ttl"], seconds, "{duration}");
    }
}

#[test]
fn create_makes_a_token_that_never_expires_by_name_without_ttl_or_with_0() {
    let (_api, tool) = start(&[]);
    let never = &["create", "--ttl", "never"];
    for arguments in [&["create"][..], never, &["create", "--ttl", "0"]] {
        let run = tool.run(arguments);
        assert_eq!(run.errors, "never expires\n");
        let token = get(&tool, run.succeeded().trim_end());
        assert_eq!(token["ttl"], 0);
        assert!(token.get("expiresAt").is_none(), "{token}");
    }
}

#[test]
fn create_tells_the_expiry_on_standard_error() {
    let (_api, tool) = start(&[]);
    let run = tool.run(&["create", "--ttl", "2d"]);
    let expiry = date(&get(&tool, run.output.trim_end())["expiresAt"]);
    let shown = local(expiry);
    let left = run.errors.strip_prefix(&format!("expires {shown} (time left: "));
    assert!(["2d 0h)\n", "1d 23h)\n"].contains(&left.expect("the expiry")), "{run:?}");
}

#[test]
fn create_with_json_prints_the_answer_of_the_service() {
    let (_api, tool) = start(&[]);
    let run = tool.run(&["create", "--ttl", "1h", "--json"]);
    assert_eq!(run.errors, "");
    let answer = json(&run.succeeded());
    assert_eq!(answer["ttl"], 3600);
    assert_eq!(answer, get(&tool, text(&answer["token"])));
}

// get

#[test]
fn get_shows_the_token_in_a_table_of_one() {
    let (_api, tool) = start(&[]);
    let token = create(&tool, &["--ttl", "1h"]);
    let run = tool.run(&["get", &token]);
    assert_eq!(run.errors, "");
    let [row] = table(&run.succeeded()).try_into().expect("one row");
    let told = get(&tool, &token);
    assert_eq!(row[0], token);
    assert_eq!(row[1], "1h");
    assert_eq!(row[2], local(date(&told["createdAt"])));
    assert_eq!(row[3], local(date(&told["expiresAt"])));
}

#[test]
fn get_with_json_prints_the_answer_with_fields_that_the_library_does_not_know() {
    let answer = r#"{"token":"to1","colour":"blue"}"#;
    let service = CannedService::answering("200 OK", answer);
    let output = tool_at(&service).run(&["--json", "get", "to1"]).succeeded();
    assert_eq!(output, format!("{answer}\n"));
}

// list

#[test]
fn list_shows_the_first_page_and_tells_of_the_others_on_standard_error() {
    let (_api, tool) = start(&["--seed", "60"]);
    let run = tool.run(&["list"]);
    assert_eq!(run.errors, "25 of 60 tokens, page 1 of 3 (--all for all of them)\n");
    assert_eq!(table(&run.succeeded()).len(), 25);
}

#[test]
fn list_takes_a_page_and_its_size() {
    let (_api, tool) = start(&["--seed", "12"]);
    let all = listed(&tool, &["--all", "--sort", "created"]);
    let run = tool.run(&["list", "--sort", "created", "--page", "3", "--page-size", "5"]);
    assert_eq!(run.errors, "2 of 12 tokens, page 3 of 3 (--all for all of them)\n");
    assert_eq!(tokens(&run.succeeded()), all[10..]);
}

#[test]
fn list_counts_the_tokens_when_there_are_no_other_pages() {
    let (_api, tool) = start(&["--seed", "2"]);
    assert_eq!(tool.run(&["list"]).errors, "2 tokens\n");
    let (_api, tool) = start(&["--seed", "1"]);
    assert_eq!(tool.run(&["list"]).errors, "1 token\n");
    assert_eq!(tool.run(&["list", "--all"]).errors, "1 token\n");
}

#[test]
fn a_list_of_nothing_is_told_on_standard_error_and_is_no_failure() {
    let (_api, tool) = start(&[]);
    for arguments in [&["list"][..], &["list", "--all"]] {
        let run = tool.run(arguments);
        assert_eq!(run.errors, "no active tokens\n");
        assert_eq!(run.succeeded(), "");
    }
}

#[test]
fn a_page_beyond_the_last_is_told_as_empty() {
    let (_api, tool) = start(&["--seed", "3"]);
    let run = tool.run(&["list", "--page", "9"]);
    assert_eq!(run.errors, "page 9 is empty\n");
    assert_eq!(run.succeeded(), "");
    let run = tool.run(&["list", "--page", "9", "--all"]);
    assert_eq!(run.errors, "no active tokens from this page on\n");
    assert_eq!(run.succeeded(), "");
}

#[test]
fn list_all_shows_each_token_of_all_pages_once() {
    let (_api, tool) = start(&["--seed", "250"]);
    let run = tool.run(&["list", "--all"]);
    assert_eq!(run.errors, "250 tokens\n");
    let tokens = tokens(&run.succeeded());
    assert_eq!(tokens.len(), 250);
    assert_eq!(tokens.iter().collect::<HashSet<_>>().len(), 250);
}

#[test]
fn list_all_asks_for_100_tokens_a_page_unless_told() {
    let enough_for_pages_of_100 = ["--seed", "250", "--rate-limit", "3"];
    let (_api, tool) = start(&enough_for_pages_of_100);
    assert_eq!(tool.run(&["list", "--all"]).code, 0);
    let (_api, tool) = start(&enough_for_pages_of_100);
    assert_eq!(tool.run(&["list", "--all", "--page-size", "50"]).code, 7);
}

#[test]
fn list_all_begins_at_the_page_it_is_told() {
    let (_api, tool) = start(&["--seed", "12"]);
    let all = listed(&tool, &["--all"]);
    assert_eq!(listed(&tool, &["--all", "--page", "2", "--page-size", "5"]), all[5..]);
}

#[test]
fn list_all_that_breaks_off_shows_what_came_and_says_that_it_is_not_complete() {
    for (format, lines) in [(&[][..], 41), (&["--json"], 40)] {
        let (_api, tool) = start(&["--seed", "50", "--rate-limit", "2"]);
        let run = tool.run(&[&["list", "--all", "--page-size", "20"], format].concat());
        assert_eq!(run.code, 7);
        assert_eq!(run.output.lines().count(), lines);
        assert!(run.errors.contains("not complete, it breaks off after 40 tokens"), "{run:?}");
    }
}

#[test]
fn list_sorts_by_creation_or_time_left_smallest_first_unless_desc() {
    let (_api, tool) = start(&["--seed", "30"]);
    for (key, field) in [("created", "createdAt"), ("ttl", "expiresAt")] {
        let sorted = listed(&tool, &["--all", "--sort", key]);
        let moments: Vec<i64> = sorted
            .iter()
            .map(|token| get(&tool, token).get(field).map_or(i64::MAX, date))
            .collect();
        assert!(moments.is_sorted(), "{key}: {moments:?}");
        let mut reversed = listed(&tool, &["--all", "--sort", key, "--desc"]);
        reversed.reverse();
        assert_eq!(reversed, sorted, "{key}");
    }
}

#[test]
fn list_sorts_one_page_as_it_sorts_all() {
    let (_api, tool) = start(&["--seed", "30"]);
    for order in [&["--sort", "ttl"][..], &["--sort", "created", "--desc"], &["--desc"]] {
        let all = listed(&tool, &[&["--all"], order].concat());
        assert_eq!(listed(&tool, order), all[..25], "{order:?}");
    }
}

#[test]
fn list_with_desc_alone_shows_the_newest_first() {
    let (_api, tool) = start(&["--seed", "5"]);
    let newest_first = listed(&tool, &["--all", "--sort", "created", "--desc"]);
    assert_eq!(listed(&tool, &["--desc"]), newest_first);
    assert_eq!(listed(&tool, &["--all", "--desc"]), newest_first);
}

#[test]
fn list_leaves_to_the_service_what_no_option_says() {
    for (options, query) in [
        (&[][..], ""),
        (&["--desc"], "?sortBy=createdAt&sortOrder=desc"),
        (&["--sort", "ttl"], "?sortBy=ttl&sortOrder=asc"),
        (&["--page", "2", "--page-size", "7"], "?currentPage=2&pageSize=7"),
    ] {
        let service = CannedService::listing(&[]);
        tool_at(&service).run(&[&["list"], options].concat()).succeeded();
        assert_eq!(service.requests(), [format!("GET /upload-tokens{query}")], "{options:?}");
    }
}

#[test]
fn list_with_json_prints_the_page_of_the_service_with_its_pagination() {
    let (_api, tool) = start(&["--seed", "12"]);
    let run = tool.run(&["list", "--json", "--page-size", "5"]);
    assert_eq!(run.errors, "");
    let page = json(&run.succeeded());
    assert_eq!(page["data"].as_array().map(Vec::len), Some(5));
    assert_eq!(page["pagination"]["itemsTotal"], 12);
}

#[test]
fn list_all_with_json_prints_each_token_on_a_line_as_the_service_tells_it() {
    let (_api, tool) = start(&["--seed", "30"]);
    let run = tool.run(&["list", "--all", "--json", "--page-size", "20"]);
    assert_eq!(run.errors, "");
    let lines: Vec<Value> = run.succeeded().lines().map(json).collect();
    let page = tool.run(&["list", "--json", "--sort", "created", "--page-size", "100"]);
    assert_eq!(Value::Array(lines), json(&page.succeeded())["data"]);
}

#[test]
fn list_all_with_json_escapes_what_a_token_may_hold() {
    let token = r#"{"token":"a\"b\\c\u0001\n\té€\ud83d\ude00/"}"#;
    let service = CannedService::listing(&[token]);
    let output = tool_at(&service).run(&["list", "--all", "--json"]).succeeded();
    assert_eq!(json(&output), json(token));
    assert_eq!(output.lines().count(), 1);
}

#[test]
fn list_all_with_json_leaves_out_what_is_not_told() {
    let token = r#"{"token":"to1"}"#;
    let service = CannedService::listing(&[token]);
    let output = tool_at(&service).run(&["list", "--all", "--json"]).succeeded();
    assert_eq!(json(&output), json(token));
}

// delete

#[test]
fn delete_revokes_each_token_and_says_so() {
    let (_api, tool) = start(&[]);
    let tokens = [create(&tool, &[]), create(&tool, &[]), create(&tool, &[])];
    let output = tool.run(&["delete", &tokens[0], &tokens[2]]).succeeded();
    assert_eq!(output, format!("deleted {}\ndeleted {}\n", tokens[0], tokens[2]));
    assert_eq!(listed(&tool, &[]), [tokens[1].as_str()]);
}

#[test]
fn delete_goes_on_after_a_failure_and_ends_with_that_of_the_first() {
    let (_api, tool) = start(&[]);
    let token = create(&tool, &[]);
    // "" is an invalid argument.
    let run = tool.run(&["delete", "never-made", "", &token]);
    assert_eq!(run.code, 3);
    assert_eq!(run.output, format!("deleted {token}\n"));
    assert_eq!(failures(&run).len(), 2);
    let token = create(&tool, &[]);
    let run = tool.run(&["delete", "", "never-made", &token]);
    assert_eq!(run.code, 2);
    assert_eq!(run.output, format!("deleted {token}\n"));
}

#[test]
fn delete_with_json_prints_a_line_for_each_deleted_token() {
    let (_api, tool) = start(&[]);
    let tokens = [create(&tool, &[]), create(&tool, &[])];
    let run = tool.run(&["delete", "--json", &tokens[0], "never-made", &tokens[1]]);
    let lines: Vec<Value> = run.output.lines().map(json).collect();
    let deleted = |token: &str| serde_json::json!({ "token": token, "deleted": true });
    assert_eq!(lines, [deleted(&tokens[0]), deleted(&tokens[1])]);
}

// purge

#[test]
fn purge_deletes_what_never_expires_or_is_older_than_an_age_as_its_options_say() {
    let tokens = [
        made("unending-new", Some(0), Some(10)),
        made("unending-old", Some(0), Some(7200)),
        made("ending-new", Some(600), Some(10)),
        made("ending-old", Some(600), Some(7200)),
        made("untold-ttl", None, Some(10)),
        made("untold-creation", Some(600), None),
        made("untold", None, None),
    ];
    let tokens = tokens.each_ref().map(String::as_str);
    for (options, expected) in [
        (&["--never-expiring"][..], &["unending-new", "unending-old"][..]),
        (&["--older-than", "1h"], &["unending-old", "ending-old"]),
        (
            &["--older-than", "1h", "--never-expiring"],
            &["unending-new", "unending-old", "ending-old"],
        ),
        (&["--older-than", "3h"], &[]),
        (
            &["--older-than", "0"],
            &["unending-new", "unending-old", "ending-new", "ending-old", "untold-ttl"],
        ),
    ] {
        let service = CannedService::deleting(&tokens, |_| "204 No Content");
        let run = tool_at(&service).run(&[&["purge", "--yes"], options].concat());
        assert_eq!(deletions(&service), expected, "{options:?}");
        assert_eq!(run.errors, format!("{} deleted\n", expected.len()));
        assert_eq!(run.succeeded(), "");
    }
}

#[test]
fn purge_collects_every_page_first_and_leaves_the_other_tokens_alone() {
    let (_api, tool) = start(&["--seed", "250"]);
    let run = tool.run(&["purge", "--never-expiring", "--yes", "--verbose"]);
    let requests: Vec<&str> = run.errors.lines().filter_map(traced_method).collect();
    assert_eq!(requests[..3], ["GET"; 3]);
    assert_eq!(requests[3..], ["DELETE"; 84]);
    assert!(run.errors.ends_with("\n84 deleted\n"), "{run:?}");
    run.succeeded();
    let left = tool.run(&["list", "--all", "--json"]).succeeded();
    assert_eq!(left.lines().count(), 250 - 84);
    assert!(left.lines().map(json).all(|token| token["ttl"] != 0));
}

#[test]
fn purge_with_json_prints_a_line_for_each_deleted_token() {
    let service = CannedService::deleting(
        &[&made("to1", Some(0), None), &made("to2", Some(0), None), &made("to3", Some(0), None)],
        |token| if token == "to2" { "404 Not Found" } else { "204 No Content" },
    );
    let run = tool_at(&service).run(&["purge", "--never-expiring", "--yes", "--json"]);
    let lines: Vec<Value> = run.succeeded().lines().map(json).collect();
    let deleted = |token: &str| serde_json::json!({ "token": token, "deleted": true });
    assert_eq!(lines, [deleted("to1"), deleted("to3")]);
}

#[test]
fn purge_with_dry_run_shows_what_it_would_delete_and_deletes_nothing() {
    let service = CannedService::deleting(
        &[&made("to1", Some(0), Some(10)), &made("to2", Some(60), Some(10))],
        |_| "204 No Content",
    );
    let dry_run = ["purge", "--never-expiring", "--dry-run"];
    let run = tool_at(&service).run(&dry_run);
    assert_eq!(run.errors, "1 of 2 tokens would be deleted\n");
    assert_eq!(tokens(&run.succeeded()), ["to1"]);
    let output = tool_at(&service).run(&[&dry_run[..], &["--json"]].concat()).succeeded();
    assert_eq!(json(&output)["token"], "to1");
    tool_at(&service).run(&[&dry_run[..], &["--yes"]].concat()).succeeded();
    assert!(deletions(&service).is_empty());
}

#[test]
fn a_purge_that_says_not_what_to_delete_is_misuse() {
    let tool = Tool::at(REFUSING);
    is_misuse(&tool.run(&["purge", "--yes"]), "purge wants --never-expiring, --older-than AGE");
}

#[test]
fn purge_without_a_terminal_wants_yes_before_anything_is_sent() {
    // Where a request would end with another exit status.
    let tool = Tool::at(REFUSING);
    for options in [&["--never-expiring"][..], &["--older-than", "1d", "--json"]] {
        let run = tool.run(&[&["purge"], options].concat());
        is_misuse(&run, "no terminal to ask at: add --yes");
    }
}

#[test]
fn purge_asks_at_the_terminal_and_deletes_after_a_yes_alone() {
    for (answer, is_yes) in [
        ("y\n", true),
        ("Y\n", true),
        ("yes\n", true),
        ("n\n", false),
        ("\n", false),
        ("maybe\n", false),
        ("yesterday\n", false),
        (CTRL_D, false),
    ] {
        let service = CannedService::deleting(
            &[&made("to1", Some(0), None), &made("to2", Some(60), None)],
            |_| "204 No Content",
        );
        let mut terminal = tool_at(&service).start_at_terminal(&["purge", "--never-expiring"]);
        terminal.wait_for("Delete 1 of 2 tokens? [y/N] ");
        assert!(deletions(&service).is_empty());
        terminal.press(answer);
        let (code, screen) = terminal.finish();
        assert_eq!(code, 0, "{answer:?}: {screen:?}");
        let told = if is_yes { "1 deleted\r\n" } else { "nothing was deleted\r\n" };
        assert!(screen.ends_with(told), "{answer:?}: {screen:?}");
        assert_eq!(deletions(&service).len(), usize::from(is_yes), "{answer:?}");
    }
}

#[test]
fn what_was_typed_before_the_question_is_no_answer_to_it() {
    let service = CannedService::keeping(&[made("to1", Some(0), None)]);
    service.hold("GET ");
    let mut terminal = tool_at(&service).start_at_terminal(&["purge", "--never-expiring"]);
    service.wait_until_held();
    terminal.press("y\n");
    // The terminal has it, and shows what is typed.
    terminal.wait_for("y\r\n");
    service.let_go();
    terminal.wait_for("[y/N] ");
    terminal.press("n\n");
    let (code, screen) = terminal.finish();
    assert_eq!(code, 0);
    assert!(screen.ends_with("nothing was deleted\r\n"), "{screen:?}");
}

#[test]
fn purge_does_not_ask_with_yes_or_about_nothing() {
    let (_api, tool) = start(&["--seed", "3"]);
    for (options, told) in
        [(&["--older-than", "1d"][..], "0"), (&["--never-expiring", "--yes"], "1")]
    {
        let (code, screen) = tool.start_at_terminal(&[&["purge"], options].concat()).finish();
        assert_eq!(code, 0, "{screen:?}");
        assert!(!screen.contains("[y/N]"), "{screen:?}");
        assert!(screen.ends_with(&format!("{told} deleted\r\n")), "{screen:?}");
    }
}

#[test]
fn purge_shows_on_a_terminal_how_far_it_is_and_that_it_waits_for_the_rate_limit() {
    // The first 84 never expire.
    let tokens: Vec<String> = (1..=250)
        .map(|id| made(&id.to_string(), Some(if id <= 84 { 0 } else { 3600 }), None))
        .collect();
    let tokens: Vec<&str> = tokens.iter().map(String::as_str).collect();
    let service = CannedService::deleting(&tokens, |token| match token {
        "60" => "204 No Content\r\nX-RateLimit-Remaining: 0\r\nX-RateLimit-Retry-After: 1",
        _ => "204 No Content",
    });
    let purge = ["purge", "--never-expiring", "--yes"];
    let mut terminal = tool_at(&service).start_at_terminal(&purge);
    for progress in [
        "looked at 100 tokens",
        "looked at 200 tokens",
        "deleted 0 of 84",
        "deleted 1 of 84",
        "deleted 60 of 84; waiting for the rate limit, about 1 s",
        "deleted 61 of 84",
        "\r\x1b[K84 deleted\r\n",
    ] {
        terminal.wait_for(progress);
    }
    assert_eq!(terminal.finish().0, 0);
}

#[test]
fn purge_paces_itself_by_the_rate_limit() {
    let (_api, tool) = start(&["--seed", "150", "--rate-limit", "20/1"]);
    let begun = Instant::now();
    let run = tool.run(&["purge", "--never-expiring", "--yes", "--verbose"]);
    assert!(begun.elapsed() > Duration::from_secs(2), "{:?}", begun.elapsed());
    assert!(!run.errors.contains("status 429"), "{run:?}");
    assert!(run.errors.ends_with("\n50 deleted\n"), "{run:?}");
    run.succeeded();
}

#[test]
fn purge_waits_longer_for_the_rate_limit_than_30_s_unless_told() {
    let service = CannedService::deleting(
        &[&made("to1", Some(0), None)],
        |_| "429 Too Many Requests\r\nRetry-After: 60",
    );
    let purge = ["purge", "--never-expiring", "--yes", "--verbose"];
    let mut running = tool_at(&service).start(&purge);
    running.wait_for("429 Too Many Requests; again in 60000 ms");
    running.interrupt();
    assert_eq!(running.finish().code, 130);

    let run = tool_at(&service).run(&[&purge[..], &["--timeout", "30s"]].concat());
    assert_eq!(run.code, 7, "{run:?}");
    let told = "\nhint: --timeout allows more time\n0 deleted, 1 left\n";
    assert!(run.errors.contains(told), "{run:?}");
}

#[test]
fn purge_counts_a_token_that_is_gone_already_as_no_failure() {
    let service = CannedService::deleting(
        &[&made("to1", Some(0), None), &made("to2", Some(0), None), &made("to3", Some(0), None)],
        |token| if token == "to3" { "204 No Content" } else { "404 Not Found" },
    );
    let run = tool_at(&service).run(&["purge", "--never-expiring", "--yes"]);
    assert_eq!(run.errors, "1 deleted, 2 already gone\n");
    run.succeeded();
}

#[test]
fn purge_counts_what_a_gateway_says_as_a_failure_and_not_as_gone() {
    let gateways = [
        ("404 Not Found", "<html><h1>404 Not Found</h1></html>", 3),
        ("404 Not Found", r#"{"message":"no Route matched with those values"}"#, 3),
        ("404 Not Found", "", 3),
        // Problems, but none of the service's.
        ("404 Not Found", r#"{"type":"about:blank","title":"Not Found","status":404}"#, 3),
        (
            "404 Not Found",
            r#"{"type":"https://tools.ietf.org/html/rfc9110","title":"Not Found"}"#,
            3,
        ),
        ("404 Not Found", r#"{"type":"","title":"Not Found"}"#, 3),
        (
            "404 Not Found",
            r#"{"type":"https://docs.api.video/reference/unrecognized-request-url","title":"x"}"#,
            3,
        ),
        ("200 OK", "<html>Blocked</html>", 9),
    ];
    for (status, body, code) in gateways {
        let service = CannedService::deleting_with(
            &[&made("to1", Some(0), None), &made("to2", Some(0), None)],
            move |token| if token == "to1" { (status, body) } else { ("204 No Content", "") },
        );
        let run = tool_at(&service).run(&["purge", "--never-expiring", "--yes"]);
        assert_eq!(run.code, code, "{run:?}");
        assert_eq!(failures(&run).len(), 1, "{run:?}");
        assert!(run.errors.ends_with("\n1 deleted, 1 failed\n"), "{run:?}");
        assert!(!run.errors.contains("deleted already"), "{run:?}");
    }
}

#[test]
fn purge_goes_on_after_a_failure_that_is_about_one_token_and_ends_with_it() {
    let service = CannedService::deleting(
        &[&made("..", Some(0), None), &made("to2", Some(0), None), &made("to3", Some(0), None)],
        |token| if token == "to2" { "409 Conflict" } else { "204 No Content" },
    );
    let run = tool_at(&service).run(&["purge", "--never-expiring", "--yes"]);
    assert_eq!(run.code, 2, "the token that is none comes first");
    assert_eq!(failures(&run).len(), 2);
    assert!(run.errors.ends_with("\n1 deleted, 2 failed\n"), "{run:?}");
}

#[test]
fn purge_stops_where_every_further_token_would_fail() {
    for (status, code) in [("401 Unauthorized", 4), ("403 Forbidden", 4), ("", 5)] {
        let service = CannedService::deleting(
            &[
                &made("to1", Some(0), None),
                &made("to2", Some(0), None),
                &made("to3", Some(0), None),
            ],
            move |token| if token == "to1" { "204 No Content" } else { status },
        );
        let run = tool_at(&service).run(&["purge", "--never-expiring", "--yes"]);
        assert_eq!(run.code, code, "{run:?}");
        assert_eq!(failures(&run).len(), 1, "{run:?}");
        let told = "\n1 deleted, 2 left\nhint: the same command again goes on with those";
        assert!(run.errors.contains(told), "{run:?}");
        assert!(!deletions(&service).contains(&"to3".to_owned()));
    }
}

#[test]
fn a_purge_that_cannot_collect_every_page_deletes_nothing() {
    let (_api, tool) = start(&["--seed", "250", "--rate-limit", "2"]);
    // Less than what is left of the minute that the limit lasts.
    let purge = ["purge", "--never-expiring", "--yes", "--verbose", "--timeout", "30s"];
    let run = tool.run(&purge);
    assert_eq!(run.code, 7);
    assert!(run.errors.ends_with("\nnothing was deleted\n"), "{run:?}");
    assert!(run.errors.lines().filter_map(traced_method).all(|method| method == "GET"));
}

// Ctrl-C

#[test]
fn ctrl_c_ends_what_waits_for_an_answer_at_once_with_130() {
    for arguments in [
        &["create"][..],
        &["create", "--json"],
        &["get", "x"],
        &["list"],
        &["list", "--all"],
        &["delete", "x"],
        &["purge", "--never-expiring", "--yes"],
    ] {
        let (silent, tool) = silent_service();
        let running = tool.start(arguments);
        let _request = receive(&silent);
        let begun = Instant::now();
        running.interrupt();
        let run = running.finish();
        // Not the 30 s that it might have waited.
        assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
        assert_eq!((run.code, run.output.as_str()), (130, ""), "{run:?}");
        assert!(failures(&run)[0].contains("cancelled"), "{run:?}");
    }
}

#[test]
fn an_interrupted_create_says_whether_there_may_be_a_token_now() {
    let hint = "hint: there may be a new token now; look with: apivideo list --desc --page-size 5";
    let (silent, tool) = silent_service();
    let running = tool.start(&["create"]);
    let _request = receive(&silent);
    running.interrupt();
    let run = running.finish();
    assert_eq!(run.code, 130);
    assert!(run.errors.contains(hint), "{run:?}");

    let service = CannedService::answering("429 Too Many Requests\r\nRetry-After: 20", "");
    let mut running = tool_at(&service).start(&["create", "--verbose"]);
    running.wait_for("again in");
    running.interrupt();
    let run = running.finish();
    assert_eq!(run.code, 130);
    assert!(!run.errors.contains(hint), "it was refused: {run:?}");
}

#[test]
fn an_interrupted_delete_tries_no_other_token_and_says_how_many_those_are() {
    let service = CannedService::deleting(&[], |token| match token {
        "x" => "404 Not Found",
        _ => "204 No Content",
    });
    service.hold("DELETE /upload-tokens/to2");
    let running = tool_at(&service).start(&["delete", "to1", "x", "to2", "to3"]);
    service.wait_until_held();
    running.interrupt();
    let run = running.finish();
    assert_eq!(run.code, 130, "not that of the first failure: {run:?}");
    assert_eq!(run.output, "deleted to1\n");
    assert!(run.errors.contains("it may have been deleted"), "{run:?}");
    assert!(run.errors.ends_with("\nnot tried: the last 1\n"), "{run:?}");
    assert_eq!(deletions(&service), ["to1", "x", "to2"]);
}

#[test]
fn an_interrupted_purge_says_how_far_it_came_and_goes_on_when_run_again() {
    // The first 20 never expire.
    let tokens: Vec<String> = (1..=40)
        .map(|id| made(&format!("to{id}"), Some(if id <= 20 { 0 } else { 3600 }), None))
        .collect();
    let service = CannedService::keeping(&tokens);
    service.hold("DELETE /upload-tokens/to6");
    let purge = ["purge", "--never-expiring", "--yes"];
    let running = tool_at(&service).start(&purge);
    service.wait_until_held();
    running.interrupt();
    let run = running.finish();
    assert_eq!(run.code, 130);
    assert_eq!(failures(&run).len(), 1, "{run:?}");
    let told =
        "\n5 deleted, 15 left\nhint: the same command again goes on with those that are left\n";
    assert!(run.errors.ends_with(told), "{run:?}");
    assert_eq!(deletions(&service).len(), 6, "{run:?}");

    // The one under way was deleted, too, and is not among those that are left.
    let run = tool_at(&service).run(&purge);
    assert_eq!(run.errors, "14 deleted\n");
    run.succeeded();
    assert_eq!(listed(&tool_at(&service), &["--all"]).len(), 20);
}

#[test]
fn an_interrupted_purge_ends_with_130_whatever_failed_before() {
    let tokens = [made("to1", Some(0), None), made("to2", Some(0), None)];
    let service = CannedService::deleting(&tokens.each_ref().map(String::as_str), |token| {
        if token == "to1" { "409 Conflict" } else { "429 Too Many Requests\r\nRetry-After: 60" }
    });
    let mut running = tool_at(&service).start(&["purge", "--never-expiring", "--yes", "--verbose"]);
    running.wait_for("again in");
    running.interrupt();
    let run = running.finish();
    assert_eq!(run.code, 130, "{run:?}");
    assert!(run.errors.contains("\n0 deleted, 1 failed, 1 left\n"), "{run:?}");
}

#[test]
fn a_purge_that_waits_for_the_rate_limit_can_be_interrupted() {
    let (_api, tool) = start(&["--seed", "30", "--rate-limit", "2/60"]);
    let mut terminal = tool.start_at_terminal(&["purge", "--never-expiring", "--yes"]);
    terminal.wait_for("waiting for the rate limit");
    let begun = Instant::now();
    terminal.press(CTRL_C);
    let (code, screen) = terminal.finish();
    // Not the minute that it might have waited.
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    assert_eq!(code, 130);
    assert!(screen.contains("\n2 deleted, 8 left\r\n"), "{screen:?}");
}

#[test]
fn ctrl_c_at_the_question_deletes_nothing() {
    let (_api, tool) = start(&["--seed", "3"]);
    let mut terminal = tool.start_at_terminal(&["purge", "--never-expiring"]);
    terminal.wait_for("[y/N] ");
    terminal.press(CTRL_C);
    let (code, screen) = terminal.finish();
    assert_eq!(code, 130, "{screen:?}");
    assert!(screen.ends_with("\r\nnothing was deleted\r\n"), "{screen:?}");
    assert_eq!(listed(&tool, &[]).len(), 3);
}

#[test]
fn a_second_ctrl_c_ends_it_at_once() {
    let (_api, tool) = start(&["--seed", "1000"]);
    let mut running = tool.start(&["list", "--all", "--json"]);
    // More than a pipe holds: it gets stuck writing, which no cancelling ends.
    running.output.read_exact(&mut [0]).expect("it lists tokens");
    running.wait_until_stuck();
    running.interrupt();
    running.wait_until_interrupted();
    assert!(running.process.try_wait().expect("it was started").is_none(), "the first ended it");
    running.interrupt();
    assert_eq!(running.wait().signal(), Some(2));
}

#[test]
fn in_the_background_of_a_script_ctrl_c_is_for_others() {
    let (silent, tool) = silent_service();
    let running = tool.start_with_interrupt("ignore", &["get", "to1"]);
    let mut request = receive(&silent);
    running.interrupt();
    request
        .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n{\"token\":\"to1\"}")
        .expect("it waits for the answer");
    assert_eq!(running.finish().code, 0);
}

// The trace

#[test]
fn verbose_traces_every_attempt_on_standard_error_and_changes_nothing_else() {
    let (_api, tool) = start(&["--seed", "3"]);
    let plain = tool.run(&["list"]);
    let run = tool.run(&["--verbose", "list"]);
    let trace = run.errors.strip_suffix(&plain.errors).expect("the same at the end");
    assert_eq!(trace.lines().count(), 1, "{run:?}");
    assert!(trace.starts_with("trace: GET /upload-tokens: attempt 1: status 200, "), "{run:?}");
    assert_eq!(run.succeeded(), plain.output);
}

#[test]
fn verbose_traces_failed_attempts_with_why_they_are_repeated() {
    let service = CannedService::answering("503 Service Unavailable", "");
    let run = tool_at(&service).run(&["--verbose", "get", "x"]);
    assert_eq!(run.code, 8);
    let traced = run.errors.lines().filter(|line| line.starts_with("trace: GET ")).count();
    assert_eq!(traced, 3, "{run:?}");
    assert!(run.errors.contains("503 Service Unavailable; again in "), "{run:?}");
}

#[test]
fn verbose_given_twice_traces_the_steps_too() {
    let (_api, tool) = start(&[]);
    let run = tool.run(&["--verbose", "list", "--verbose"]);
    assert!(run.errors.contains("trace:   connected to 127.0.0.1:"), "{run:?}");
    assert!(run.errors.contains("trace: GET /upload-tokens: attempt 1: "), "{run:?}");
}

#[test]
fn verbose_tells_no_whole_token() {
    // Nor the key, which `Tool::run` looks for.
    let (_api, tool) = start(&["--seed", "1"]);
    let token = &listed(&tool, &[])[0];
    let two = ["--verbose", "--verbose"];
    for arguments in [
        &["get", token][..],
        &["list"],
        &["list", "--all"],
        &["purge", "--never-expiring", "--yes"],
        &["delete", token],
    ] {
        let run = tool.run(&[&two, arguments].concat());
        assert!(run.errors.contains("trace: "), "{run:?}");
        assert!(!run.errors.contains(token), "{run:?}");
    }
    let run = tool.run(&["create", "--verbose", "--verbose"]);
    assert!(!run.errors.contains(run.output.trim_end()), "{run:?}");
}

// The table

#[test]
fn columns_line_up_below_their_headings_whatever_the_tokens_hold() {
    let service = CannedService::listing(&[
        r#"{"token":"a","ttl":0,"createdAt":"2020-12-02T10:13:19Z"}"#,
        r#"{"token":"čtyřicet-dvě-€","ttl":2147483647,"createdAt":"2020-12-02T10:13:19Z",
            "expiresAt":"2088-12-20T13:27:26Z"}"#,
        r#"{"token":"between-them"}"#,
    ]);
    for arguments in [&["list"][..], &["list", "--all"]] {
        let output = tool_at(&service).run(arguments).succeeded();
        let rows = table(&output);
        assert_eq!(rows[0], ["a", "forever", "2020-12-02 10:13:19", "never", "forever"]);
        assert_eq!(rows[1][..3], ["čtyřicet-dvě-€", "2147483647s", "2020-12-02 10:13:19"]);
        assert_eq!(rows[1][3], "2088-12-20 13:27:26");
        assert_eq!(rows[2], ["between-them", "unknown", "unknown", "unknown", "unknown"]);
    }
}

#[test]
fn the_token_column_is_as_wide_as_the_widest_token_and_no_wider() {
    let service = CannedService::listing(&[r#"{"token":"a"}"#, r#"{"token":"four-and-20"}"#]);
    let output = tool_at(&service).run(&["list"]).succeeded();
    assert!(output.starts_with("TOKEN        TTL "), "{output}");
}

#[test]
fn dates_are_in_the_local_time_of_tz() {
    let service = CannedService::listing(&[
        r#"{"token":"to1","ttl":60,"createdAt":"2020-12-02T20:13:19+00:00",
            "expiresAt":"2020-12-02T20:14:19+00:00"}"#,
    ]);
    for (zone, created, expires) in [
        ("UTC0", "2020-12-02 20:13:19", "2020-12-02 20:14:19"),
        ("INDIA-5:30", "2020-12-03 01:43:19", "2020-12-03 01:44:19"),
        ("WEST7", "2020-12-02 13:13:19", "2020-12-02 13:14:19"),
    ] {
        let output = tool_at(&service).with("TZ", zone).run(&["list"]).succeeded();
        assert_eq!(table(&output)[0][2..4], [created, expires], "{zone}");
    }
}

#[test]
fn json_has_its_dates_in_utc_whatever_tz_says() {
    let token = r#"{"token":"to1","createdAt":"2020-12-02T20:13:19+00:00"}"#;
    let service = CannedService::listing(&[token]);
    let tool = tool_at(&service).with("TZ", "INDIA-5:30");
    assert_eq!(json(&tool.run(&["list", "--all", "--json"]).succeeded()), json(token));
}

#[test]
fn the_time_left_is_told_in_its_two_largest_units() {
    const MINUTE: i64 = 60;
    const HOUR: i64 = 60 * MINUTE;
    const DAY: i64 = 24 * HOUR;
    for (seconds, expected) in [
        (-5, "expired"),
        (50, "s"),
        (59 * MINUTE + 50, "59m "),
        (HOUR + 30, "1h 0m"),
        (23 * HOUR + 59 * MINUTE + 50, "23h 59m"),
        (6 * DAY + 23 * HOUR + 30 * MINUTE, "6d 23h"),
        (400 * DAY + 30, "400d 0h"),
    ] {
        let expiry = OffsetDateTime::from_unix_timestamp(now() + seconds).unwrap();
        let expiry = expiry.format(&Rfc3339).unwrap();
        let token = format!(r#"{{"token":"to1","ttl":7,"expiresAt":"{expiry}"}}"#);
        let service = CannedService::listing(&[&token]);
        let output = tool_at(&service).run(&["list"]).succeeded();
        let left = table(&output)[0][4].clone();
        let is_as_expected = match expected {
            // Seconds pass while this runs.
            "s" => left.strip_suffix('s').is_some_and(|left| (20..=50).contains(&number(left))),
            "59m " => left
                .strip_prefix("59m ")
                .and_then(|rest| rest.strip_suffix('s'))
                .is_some_and(|left| (20..=50).contains(&number(left))),
            expected => left == expected,
        };
        assert!(is_as_expected, "{seconds} s are told as {left}, not {expected}");
    }
}

#[test]
fn the_ttl_is_told_as_create_takes_it() {
    let (_api, tool) = start(&[]);
    for (ttl, shown) in [
        ("7d", "7d"),
        ("2w", "14d"),
        ("3600", "1h"),
        ("90m", "90m"),
        ("61", "61s"),
        ("0", "forever"),
    ] {
        let token = create(&tool, &["--ttl", ttl]);
        assert_eq!(table(&tool.run(&["get", &token]).succeeded())[0][1], shown, "{ttl}");
    }
}

#[test]
fn control_characters_of_a_token_do_not_reach_the_terminal() {
    let service = CannedService::listing(&[r#"{"token":"to\u001b[2J\u007fx"}"#]);
    let output = tool_at(&service).run(&["list"]).succeeded();
    assert_eq!(table(&output)[0][0], "to?[2J?x");
}

// The command line

#[test]
fn options_may_stand_before_and_after_the_command() {
    let (_api, tool) = start(&["--seed", "9"]);
    let expected = tool.run(&["list", "--json", "--page-size", "5", "--page", "2"]).succeeded();
    for arguments in [
        ["--json", "--page-size", "5", "--page", "2", "list"],
        ["--page", "2", "list", "--page-size", "5", "--json"],
    ] {
        assert_eq!(tool.run(&arguments).succeeded(), expected, "{arguments:?}");
    }
}

#[test]
fn a_value_may_follow_its_option_after_an_equals_sign_or_as_an_argument() {
    let (_api, tool) = start(&[]);
    for arguments in [&["--ttl=1h"][..], &["--ttl", "1h"]] {
        assert_eq!(get(&tool, &create(&tool, arguments))["ttl"], 3600, "{arguments:?}");
    }
}

#[test]
fn after_two_dashes_everything_is_an_argument() {
    let (_api, tool) = start(&[]);
    assert_eq!(tool.run(&["get", "--json"]).code, 2);
    assert_eq!(tool.run(&["get", "--", "--json"]).code, 3);
    assert_eq!(tool.run(&["--", "list"]).code, 0);
}

#[test]
fn misuse_is_told_with_a_usage_line_and_exit_status_2() {
    // Where a request would end with another exit status.
    let tool = Tool::at(REFUSING);
    for (arguments, complaint) in [
        (&[][..], "which command?"),
        (&["lst"], "unknown command 'lst'"),
        (&[""], "unknown command ''"),
        (&["list", "--al"], "unknown option '--al'"),
        (&["list", "-a"], "unknown option '-a'"),
        (&["list", "--=1"], "unknown option '--=1'"),
        (&["list", "x"], "one argument too many: 'x'"),
        (&["create", "x"], "one argument too many: 'x'"),
        (&["get", "x", "y"], "one argument too many: 'y'"),
        (&["get"], "get wants the ID of a token"),
        (&["delete"], "delete wants the ID of a token"),
        (&["list", "--ttl", "1h"], "--ttl is no option of list"),
        (&["--all", "create"], "--all is no option of create"),
        (&["get", "x", "--page", "1"], "--page is no option of get"),
        (&["list", "--page"], "--page wants a value"),
        (&["list", "--json=yes"], "--json takes no value"),
        (&["list", "--sort", "age"], "--sort wants ttl or created, not 'age'"),
        (&["list", "--page", "0"], "--page wants a number from 1, not '0'"),
        (&["list", "--page", "4294967296"], "--page wants a number from 1, not '4294967296'"),
        (&["list", "--page", "2h"], "--page wants a number from 1, not '2h'"),
        (&["list", "--page-size=0"], "--page-size wants a number from 1 to 100, not '0'"),
        (&["list", "--page-size=101"], "--page-size wants a number from 1 to 100, not '101'"),
        (&["list", "--page-size="], "--page-size wants a number from 1 to 100, not ''"),
        (&["list", "--timeout", "0"], "--timeout wants a duration"),
        (&["list", "--timeout", "50d"], "--timeout wants a duration"),
        (&["list", "--yes"], "--yes is no option of list"),
        (&["delete", "x", "--older-than", "1d"], "--older-than is no option of delete"),
        (&["purge", "--yes", "--older-than", "old"], "--older-than wants an age"),
        (&["purge", "--yes", "--all"], "--all is no option of purge"),
        (&["purge", "--yes", "--never-expiring", "x"], "one argument too many: 'x'"),
    ] {
        is_misuse(&tool.run(arguments), complaint);
    }
}

#[test]
fn a_ttl_that_is_no_duration_or_too_long_is_misuse() {
    let tool = Tool::at(REFUSING);
    for duration in [
        "",
        "h",
        "-1",
        "+1",
        " 1",
        "1 h",
        "1.5h",
        "1y",
        "1H",
        "1hh",
        "1h30m",
        "0x10",
        "2147483648",
        "3551w",
        "99999999999999999999999999",
        "18446744073709551617",
    ] {
        let run = tool.run(&["create", "--ttl", duration]);
        is_misuse(&run, &format!("at most 2147483647 seconds, not '{duration}'"));
    }
}

#[test]
fn an_argument_that_the_library_refuses_is_exit_status_2() {
    let (_api, tool) = start(&[]);
    for id in ["", ".", ".."] {
        let run = tool.run(&["get", id]);
        assert_eq!(run.code, 2, "{run:?}");
        assert!(failures(&run)[0].contains("token"), "{run:?}");
    }
    assert_eq!(Tool::at("not a URL").run(&["list"]).code, 2);
}

#[test]
fn without_an_api_key_it_says_how_to_set_it_and_ends_with_2() {
    let (_api, tool) = start(&[]);
    let unset = tool.without("APIVIDEO_API_KEY");
    let unset_run = unset.run(&["list"]);
    assert_eq!(unset_run.code, 2);
    assert_eq!(failures(&unset_run), ["apivideo: APIVIDEO_API_KEY is not set"]);
    assert!(unset_run.errors.contains("export APIVIDEO_API_KEY="), "{unset_run:?}");
    let empty_run = unset.with("APIVIDEO_API_KEY", "").run(&["list"]);
    assert_eq!((empty_run.code, empty_run.errors), (2, unset_run.errors));
}

#[test]
fn without_a_base_url_it_is_for_the_production_service_over_tls() {
    // Asked for the way there, a proxy of ours refuses it, so that nothing leaves this machine.
    let proxy = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", proxy.local_addr().expect("an address"));
    let empty = Tool::at("").with("https_proxy", &url);
    let unset = Tool::at("").without("APIVIDEO_BASE_URL").with("https_proxy", &url);
    for tool in [empty, unset] {
        let (run, asked) = std::thread::scope(|scope| {
            let asked = scope.spawn(|| {
                let (mut connection, _) = proxy.accept().expect("a connection");
                let mut asked = String::new();
                BufReader::new(&connection).read_line(&mut asked).expect("a line");
                connection.write_all(b"HTTP/1.1 403 No\r\n\r\n").expect("it reads");
                asked
            });
            (tool.run(&["list"]), asked.join().expect("no panic"))
        });
        assert_eq!(asked, "CONNECT ws.api.video:443 HTTP/1.1\r\n");
        assert_ne!(run.code, 0, "{run:?}");
        assert!(run.errors.contains("403"), "{run:?}");
    }
}

#[test]
fn help_lists_every_command_option_variable_and_exit_status() {
    // It needs neither a key nor a service.
    let tool = Tool::at(REFUSING).without("APIVIDEO_API_KEY");
    let run = tool.run(&["--help"]);
    assert_eq!(run.errors, "");
    let help = run.succeeded();
    for heading in ["create ", "get ID ", "list ", "delete ID... ", "purge ", "upload FILE... "] {
        assert!(help.contains(&format!("\n  {heading}")), "{heading}");
    }
    for option in [
        "--ttl DURATION",
        "--all",
        "--sort KEY",
        "--desc",
        "--page N",
        "--page-size N",
        "--never-expiring",
        "--older-than AGE",
        "--yes",
        "--dry-run",
        "--token TOKEN",
        "--title TITLE",
        "--video-id ID",
        "--part-size SIZE",
        "--limit-rate RATE",
        "--state-dir DIR",
        "--json",
        "--timeout DURATION",
        "--verbose",
        "--help",
        "--version",
        "APIVIDEO_API_KEY",
        "APIVIDEO_UPLOAD_TOKEN",
        "APIVIDEO_BASE_URL",
    ] {
        assert!(help.contains(&format!("\n  {option}")), "{option}");
    }
    for code in (0..=9).chain([130]) {
        assert!(help.contains(&format!("\n  {code}  ")), "{code}");
    }
    assert!(help.lines().all(|line| line.len() <= 100), "{help}");
}

#[test]
fn help_may_follow_a_command() {
    let tool = Tool::at(REFUSING);
    assert_eq!(tool.run(&["create", "--help"]).succeeded(), tool.run(&["--help"]).succeeded());
}

#[test]
fn version_tells_that_of_the_tool_and_of_the_library() {
    let tool = Tool::at(REFUSING).without("APIVIDEO_API_KEY");
    let version = tool.run(&["--version"]).succeeded();
    let library = format!("(libapivideo {})", env!("CARGO_PKG_VERSION"));
    assert!(
        version.starts_with("apivideo ") && version.trim_end().ends_with(&library),
        "{version}"
    );
}

// Failures

#[test]
fn a_failure_is_one_line_on_standard_error_and_nothing_on_standard_output() {
    for arguments in
        [&["create"][..], &["get", "x"], &["list"], &["list", "--all"], &["delete", "x"]]
    {
        let run = Tool::at(REFUSING).run(arguments);
        assert_eq!(run.output, "", "{run:?}");
        assert_eq!(failures(&run).len(), 1, "{run:?}");
        assert!(run.errors.lines().skip(1).all(|line| line.starts_with("hint: ")), "{run:?}");
    }
}

#[test]
fn a_token_that_is_not_there_is_told_for_a_person_and_ends_with_3() {
    let (_api, tool) = start(&[]);
    let token = create(&tool, &[]);
    tool.run(&["delete", &token]).succeeded();
    for command in ["get", "delete"] {
        for format in [&[][..], &["--json"]] {
            let run = tool.run(&[&[command, &token], format].concat());
            assert_eq!(run.code, 3, "{run:?}");
            let hint = "hint: no such token: never made, expired, or deleted already\n";
            assert!(run.errors.ends_with(hint), "{run:?}");
        }
    }
}

#[test]
fn a_service_that_is_not_there_under_its_path_is_another_3() {
    let (api, _) = start(&[]);
    let run = Tool::at(&format!("{}/v9", api.url)).run(&["list"]);
    assert_eq!(run.code, 3);
    assert!(run.errors.contains("hint: is there a wrong path in APIVIDEO_BASE_URL?"), "{run:?}");
}

#[test]
fn a_refused_key_ends_with_4_and_names_the_variable() {
    let (_api, tool) = start(&[]);
    let run = tool.with("APIVIDEO_API_KEY", "another-key").run(&["list"]);
    assert_eq!(run.code, 4);
    assert!(run.errors.contains("hint: APIVIDEO_API_KEY "), "{run:?}");
    assert!(!run.errors.contains("another-key"), "{run:?}");
}

#[test]
fn a_network_that_fails_ends_with_5() {
    assert_eq!(Tool::at(REFUSING).run(&["list"]).code, 5);
    let service = CannedService::hanging_up();
    assert_eq!(tool_at(&service).run(&["list"]).code, 5);
}

#[test]
fn a_service_that_is_silent_ends_with_6_after_the_timeout() {
    let (_silent, tool) = silent_service();
    let begun = Instant::now();
    let run = tool.run(&["--timeout", "1s", "list"]);
    assert_eq!(run.code, 6);
    assert!(run.errors.contains("hint: --timeout allows more time"), "{run:?}");
    // Not the 30 s of the default.
    assert!((1..20).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
}

#[test]
fn too_many_requests_end_with_7() {
    let (_api, tool) = start(&["--rate-limit", "1"]);
    tool.run(&["list"]).succeeded();
    assert_eq!(tool.run(&["list"]).code, 7);
}

#[test]
fn a_service_that_fails_or_rejects_ends_with_8() {
    for status in ["500 Internal Server Error", "400 Bad Request", "409 Conflict"] {
        let service = CannedService::answering(status, "");
        assert_eq!(tool_at(&service).run(&["list"]).code, 8, "{status}");
    }
}

#[test]
fn an_answer_that_is_not_understood_ends_with_9() {
    let service = CannedService::answering("200 OK", "<html>Welcome to the hotel</html>");
    for arguments in [&["list"][..], &["list", "--json"], &["list", "--all"], &["get", "x"]] {
        assert_eq!(tool_at(&service).run(arguments).code, 9, "{arguments:?}");
    }
}

#[test]
fn a_create_that_may_have_happened_says_where_to_look() {
    let hint = "hint: there may be a new token now; look with: apivideo list --desc --page-size 5";
    for (status, body) in [("500 Internal Server Error", ""), ("200 OK", "<html>")] {
        let service = CannedService::answering(status, body);
        let run = tool_at(&service).run(&["create"]);
        assert!(run.errors.contains(hint), "{status}: {run:?}");
    }
    let run = Tool::at(REFUSING).run(&["create"]);
    assert!(!run.errors.contains(hint), "nothing was sent: {run:?}");
}

#[test]
fn output_that_cannot_be_written_ends_with_1() {
    let (_api, tool) = start(&["--seed", "3"]);
    for arguments in [&["list"][..], &["list", "--json"], &["create"], &["--help"]] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let output = tool.command(arguments).stdout(full).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(errors.ends_with("apivideo: cannot write to standard output\n"), "{errors}");
    }
}

#[test]
fn a_closed_pipe_under_standard_output_ends_with_1() {
    let (_api, tool) = start(&[]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = tool.command(&["create"]).stdout(writer).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
}

#[test]
fn the_api_key_is_told_nowhere_even_if_the_service_tells_it() {
    // `Tool::run` looks for it in whatever is printed.
    let title = format!(r#"{{"title":"The key {KEY} is not known here."}}"#);
    let service = CannedService::answering("400 Bad Request", &title);
    for arguments in [
        &["create", "--verbose"][..],
        &["get", "x"],
        &["list", "--verbose"],
        &["list", "--all"],
        &["delete", "x"],
        &["purge", "--never-expiring", "--yes"],
    ] {
        let run = tool_at(&service).run(arguments);
        assert!(run.errors.contains("is not known here"), "{run:?}");
    }
}

// The source, and the demonstration

#[test]
fn the_tool_compiles_without_a_warning_as_c11_with_the_public_header_alone() {
    let at = tool::root().join("examples/c/apivideo");
    let folders = [at.clone(), at.join("unix")];
    let files = folders.iter().flat_map(|folder| std::fs::read_dir(folder).expect("the tool"));
    let paths = files.map(|file| file.expect("a file").path());
    let sources: Vec<_> =
        paths.filter(|path| path.extension().is_some_and(|it| it == "c")).collect();
    assert!(sources.iter().any(|it| it.ends_with("unix/state.c")), "{sources:?}");
    let compiled = Command::new(std::env::var("CC").unwrap_or("cc".into()))
        .args(["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-Iinclude"])
        .arg("-fsyntax-only")
        .args(sources)
        .current_dir(tool::root())
        .output()
        .expect("a C compiler");
    assert!(compiled.status.success(), "{}", String::from_utf8_lossy(&compiled.stderr));
}

#[test]
fn make_demo_shows_every_step_in_order_and_ends_with_0() {
    let made = tool::make("demo");
    let output = String::from_utf8(made.stdout).unwrap();
    assert!(made.status.success(), "{output}\n{}", String::from_utf8_lossy(&made.stderr));
    let mut rest = output.as_str();
    for step in [
        "\n$ apivideo create --ttl 1h\nto",
        "\n$ apivideo get to",
        "\n$ apivideo list --page-size 5",
        "\n5 of 61 tokens, page 1 of 13",
        "\n$ apivideo list --all",
        "\n61 tokens\n",
        "\n$ APIVIDEO_UPLOAD_TOKEN=... apivideo upload film.mp4 ",
        "\n5.0 MiB of 25.0 MiB confirmed, trying again in 1 s\n",
        "\nhint: the same command again goes on where it was",
        "\n$ APIVIDEO_UPLOAD_TOKEN=... apivideo upload film.mp4 ",
        "\ngoing on with film.mp4\n",
        "\nuploaded film.mp4: 25.0 MiB in ",
        "\nvi",
        "\nfilm.mp4: SHA-256 ",
        "\nvi",
        "\n$ apivideo delete to",
        "\ndeleted to",
        "\n$ apivideo get to",
        "404 Not Found",
        "\nhint: no such token",
        "\nExit status 3",
    ] {
        let Some((_, after)) = rest.split_once(step) else { panic!("no {step:?} in {rest}") };
        rest = after;
    }
}

#[test]
fn the_demonstration_fails_if_a_deleted_token_is_still_told() {
    let demo = demo_with("still-told", "get) exit 0");
    assert_eq!(demo.0, Some(1));
    assert!(demo.1.contains("should be told as not found"), "{}", demo.1);
}

#[test]
fn the_demonstration_fails_if_the_video_is_not_the_file() {
    let demo =
        demo_with("other-video", "upload) case $* in *--timeout*) exit 6; esac; echo vi1; exit 0");
    assert_eq!(demo.0, Some(1));
    assert!(demo.1.contains("the video is not the file"), "{}", demo.1);
}

#[test]
fn the_demonstration_fails_if_the_tool_or_the_service_does() {
    assert_eq!(demo(&["false", local_api::program().to_str().unwrap()]).0, Some(1));
    assert_eq!(demo(&["true", "false"]).0, Some(1));
    assert_eq!(demo(&[]).0, Some(2));
}

/// With the tool, but for what this case of a shell does instead.
fn demo_with(name: &str, case: &str) -> (Option<i32>, String) {
    let directory = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&directory).expect("a directory");
    let script = directory.join("tool.sh");
    let text = format!(
        "#!/bin/sh\ncase $1 in {case};; esac\nexec '{}' \"$@\"\n",
        tool::program().display()
    );
    std::fs::write(&script, text).expect("there is room");
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).expect("it is ours");
    demo(&[script.to_str().unwrap(), local_api::program().to_str().unwrap()])
}

fn demo(arguments: &[&str]) -> (Option<i32>, String) {
    let demo = Command::new(tool::root().join("examples/c/demo.sh"))
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("demo.sh can be run");
    (demo.status.code(), String::from_utf8(demo.stdout).unwrap())
}

// Helpers

fn start(arguments: &[&str]) -> (LocalApi, Tool) {
    let api = LocalApi::start(&[&["--api-key", KEY], arguments].concat());
    let tool = Tool::at(&api.url);
    (api, tool)
}

fn tool_at(service: &CannedService) -> Tool {
    Tool::at(&service.url)
}

/// A service that takes connections and never answers.
fn silent_service() -> (TcpListener, Tool) {
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let tool = Tool::at(&format!("http://{}", silent.local_addr().unwrap()));
    (silent, tool)
}

/// Waits until a request has come, and leaves it without an answer.
fn receive(silent: &TcpListener) -> TcpStream {
    let (mut connection, _) = silent.accept().unwrap();
    connection.read_exact(&mut [0]).unwrap();
    connection
}

/// A token in JSON, with its time to live and its age in seconds as far as they are told.
fn made(token: &str, ttl: Option<u32>, age: Option<i64>) -> String {
    let mut made = serde_json::json!({ "token": token });
    if let Some(ttl) = ttl {
        made["ttl"] = ttl.into();
    }
    if let Some(age) = age {
        let moment = OffsetDateTime::from_unix_timestamp(now() - age).unwrap();
        made["createdAt"] = moment.format(&Rfc3339).unwrap().into();
    }
    made.to_string()
}

/// The tokens whose deletion the service was asked for.
fn deletions(service: &CannedService) -> Vec<String> {
    let requests = service.requests().into_iter();
    requests.filter_map(|it| Some(it.strip_prefix("DELETE /upload-tokens/")?.to_owned())).collect()
}

/// The method of the request whose attempt a line traces.
fn traced_method(line: &str) -> Option<&str> {
    line.strip_prefix("trace: ")?.split(' ').next().filter(|method| !method.is_empty())
}

/// Makes a token and returns it.
fn create(tool: &Tool, options: &[&str]) -> String {
    tool.run(&[&["create"], options].concat()).succeeded().trim_end().to_owned()
}

/// What the service tells of a token.
fn get(tool: &Tool, token: &str) -> Value {
    json(&tool.run(&["get", "--json", token]).succeeded())
}

/// The tokens of a list, in its order.
fn listed(tool: &Tool, options: &[&str]) -> Vec<String> {
    tokens(&tool.run(&[&["list"], options].concat()).succeeded())
}

fn tokens(output: &str) -> Vec<String> {
    table(output).into_iter().map(|[token, ..]| token).collect()
}

/// The rows of a table without its header line. Each cell begins below its heading, and the two
/// characters before it are blank.
#[track_caller]
fn table(output: &str) -> Vec<[String; 5]> {
    let mut lines = output.lines();
    let header = lines.next().expect("a header line");
    let starts = HEADINGS.map(|heading| header.find(heading).expect("a heading"));
    assert_eq!(header.split_whitespace().collect::<Vec<_>>(), HEADINGS);
    lines
        .map(|line| {
            let line: Vec<char> = line.chars().collect();
            std::array::from_fn(|column| {
                let start = starts[column];
                let end = starts.get(column + 1).map_or(line.len(), |next| next - 2);
                let gap = &line[end..(end + 2).min(line.len())];
                assert!(gap.iter().all(|&c| c == ' '), "not aligned:\n{output}");
                assert!(line[start] != ' ', "not aligned:\n{output}");
                line[start..end].iter().collect::<String>().trim_end().to_owned()
            })
        })
        .collect()
}

/// The lines that tell of a failure.
fn failures(run: &Run) -> Vec<&str> {
    run.errors.lines().filter(|line| line.starts_with("apivideo: ")).collect()
}

#[track_caller]
fn is_misuse(run: &Run, complaint: &str) {
    assert_eq!((run.code, run.output.as_str()), (2, ""), "{run:?}");
    let [what, usage, _] = run.errors.lines().collect::<Vec<_>>().try_into().expect("three lines");
    assert!(what.starts_with("apivideo: ") && what.contains(complaint), "{run:?}");
    assert!(usage.starts_with("usage: apivideo "), "{run:?}");
}

#[track_caller]
fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no string"))
}

/// In Unix seconds.
fn date(value: &Value) -> i64 {
    OffsetDateTime::parse(text(value), &Rfc3339).expect("an RFC 3339 date").unix_timestamp()
}

/// A moment as the table shows it where local time is UTC.
fn local(moment: i64) -> String {
    let moment = OffsetDateTime::from_unix_timestamp(moment).unwrap();
    moment.format(&Rfc3339).unwrap().replace('T', " ").replace('Z', "")
}

fn number(text: &str) -> i64 {
    text.parse().unwrap_or_else(|_| panic!("{text} is no number"))
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    since.as_secs() as i64
}
