//! What a call says of its outcome is true, and it keeps its time, whatever goes wrong on the way: calls
//! against a service that keeps a ledger, and that does to each request what chance says.

use crate::c_api::{Cancel, Client, Failure, Limits, Trace};
use crate::chance;
use crate::http_service::{Request, answer, read_request};
use apivideo::ffi::error::*;
use fastrand::Rng;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// By what a call may be back after its deadline.
const PROMISED: Duration = Duration::from_millis(50);
/// More threads run here than there are processors, and some hold a lock while they wait for one: one
/// round in twenty may break the promise, up to this.
const SLACK: Duration = Duration::from_secs(2);
/// How long the service holds a request whose sender neither hangs up nor gives up.
const LONGEST_HOLD: Duration = Duration::from_secs(5);

/// What the service has done.
#[derive(Default)]
struct Ledger {
    /// How often a token was made, by its time to live, which is another for each call.
    created: BTreeMap<u32, u32>,
    /// The tokens that may be looked up and deleted.
    tokens: BTreeSet<String>,
}

/// A service of which each connection is a thread.
struct Service {
    address: SocketAddr,
    /// Holds the port while nobody listens on it.
    _holder: tokio::net::TcpSocket,
    state: Arc<State>,
    listener: Mutex<Option<JoinHandle<()>>>,
}

struct State {
    ledger: Mutex<Ledger>,
    random: Mutex<Rng>,
    /// What cancels the call that is being made.
    cancel: Mutex<Option<Arc<Cancel>>>,
    is_closing: AtomicBool,
    connections: Mutex<Vec<JoinHandle<()>>>,
    requests: AtomicU64,
}

/// What is done to a request, step by step.
struct Plan {
    /// Whether the service does what was asked before it says anything, or in the end after all.
    applies: bool,
    applies_late: bool,
    /// Whether it says nothing until the sender hangs up.
    holds: bool,
    says: Says,
    /// Whether the call is cancelled: before it is applied, before and after it is answered.
    cancels_at: Option<u8>,
    end: End,
}

#[derive(Clone, Copy)]
enum Says {
    Nothing,
    /// What was asked for, whole.
    Success,
    /// The same, and once more what nobody has asked for.
    SuccessTwice,
    /// The same up to somewhere.
    PartOfSuccess,
    /// A success whose body is no JSON, though it begins as an object.
    Nonsense,
    /// A success whose body is a page, from somebody on the way.
    Page,
    /// There is no such thing, says somebody on the way.
    NotFoundHere,
    /// This status, with these lines in its head.
    Refusal(&'static str, &'static str),
    /// Bytes that are no HTTP.
    Garbage,
}

#[derive(Clone, Copy)]
enum End {
    Keep,
    Close,
    Reset,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("a thread of the test failed")
}

impl Plan {
    fn new(random: &mut Rng) -> Self {
        // A refusal that says that nothing was done.
        const REFUSALS: [(&str, &str); 8] = [
            ("400 Bad Request", ""),
            ("401 Unauthorized", ""),
            ("403 Forbidden", ""),
            ("422 Unprocessable Content", ""),
            ("429 Too Many Requests", ""),
            ("429 Too Many Requests", "Retry-After: 0\r\n"),
            ("429 Too Many Requests", "X-RateLimit-Retry-After: 1\r\nX-RateLimit-Remaining: 0\r\n"),
            ("429 Too Many Requests", "Retry-After: 3\r\n"),
        ];
        // One that may come from anybody on the way, at any time.
        const FAILURES: [(&str, &str); 10] = [
            ("302 Found", "Location: http://127.0.0.1:1/\r\n"),
            ("408 Request Timeout", ""),
            ("500 Internal Server Error", ""),
            ("501 Not Implemented", ""),
            ("502 Bad Gateway", ""),
            ("503 Service Unavailable", "Retry-After: 0\r\n"),
            ("503 Service Unavailable", "Retry-After: 2\r\n"),
            ("504 Gateway Timeout", ""),
            ("505 HTTP Version Not Supported", ""),
            ("599 Who Knows", ""),
        ];
        let applies = random.u8(0..3) > 0;
        let says = match random.u8(0..16) {
            0..=4 if applies => Says::Success,
            5 if applies => Says::SuccessTwice,
            6 if applies => Says::PartOfSuccess,
            7 if applies => Says::Nonsense,
            0..=7 => {
                let (status, lines) = REFUSALS[random.usize(0..REFUSALS.len())];
                Says::Refusal(status, lines)
            }
            8..=10 => {
                let (status, lines) = FAILURES[random.usize(0..FAILURES.len())];
                Says::Refusal(status, lines)
            }
            11 => Says::Garbage,
            12 => Says::Page,
            13 if !applies => Says::NotFoundHere,
            _ => Says::Nothing,
        };
        // Nobody who has said that nothing was done does it after all.
        let may_be_late = match says {
            Says::Refusal(status, _) => !status.starts_with('4') || status.starts_with("408"),
            Says::NotFoundHere => false,
            _ => true,
        };
        Plan {
            applies,
            applies_late: !applies && may_be_late && random.u8(0..3) == 0,
            holds: random.u8(0..12) == 0,
            says,
            cancels_at: (random.u8(0..8) == 0).then(|| random.u8(0..3)),
            end: [End::Keep, End::Keep, End::Close, End::Reset][random.usize(0..4)],
        }
    }
}

impl Service {
    fn start(seed: u64) -> Self {
        let holder = tokio::net::TcpSocket::new_v4().expect("a socket");
        holder.set_reuseaddr(true).expect("a socket option");
        holder.bind((Ipv4Addr::LOCALHOST, 0).into()).expect("a free port");
        let service = Service {
            address: holder.local_addr().expect("it is bound"),
            _holder: holder,
            state: Arc::new(State {
                ledger: Mutex::default(),
                random: Mutex::new(Rng::with_seed(seed)),
                cancel: Mutex::default(),
                is_closing: AtomicBool::new(false),
                connections: Mutex::default(),
                requests: AtomicU64::new(0),
            }),
            listener: Mutex::new(None),
        };
        service.open();
        service
    }

    /// Listens, if it does not.
    fn open(&self) {
        let mut listener = lock(&self.listener);
        if listener.is_none() {
            let socket = TcpListener::bind(self.address).expect("the port is held for it");
            let state = self.state.clone();
            *listener = Some(thread::spawn(move || state.accept(&socket)));
        }
    }

    /// Stops listening: connections are refused, those that stand go on.
    fn close(&self) {
        let mut listener = lock(&self.listener);
        if let Some(thread) = listener.take() {
            self.state.is_closing.store(true, Ordering::SeqCst);
            drop(TcpStream::connect(self.address));
            thread.join().expect("a listener does not panic");
            self.state.is_closing.store(false, Ordering::SeqCst);
        }
    }

    /// Ends once nobody is connected any more, and tells what it has done.
    fn finish(self) -> (Ledger, u64) {
        self.close();
        for connection in std::mem::take(&mut *lock(&self.state.connections)) {
            connection.join().expect("a connection does not panic");
        }
        let ledger = std::mem::take(&mut *lock(&self.state.ledger));
        (ledger, self.state.requests.load(Ordering::Relaxed))
    }
}

impl State {
    fn accept(self: &Arc<Self>, listener: &TcpListener) {
        for stream in listener.incoming().flatten() {
            if self.is_closing.load(Ordering::SeqCst) {
                return;
            }
            let state = self.clone();
            // What breaks a connection is its sender's business.
            let thread = thread::spawn(move || drop(state.serve(stream)));
            lock(&self.connections).push(thread);
        }
    }

    fn serve(&self, stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(LONGEST_HOLD))?;
        if lock(&self.random).u8(0..30) == 0 {
            return reset(stream);
        }
        while let Some(request) = read_request(&stream)? {
            self.requests.fetch_add(1, Ordering::Relaxed);
            let (plan, cut) = {
                let mut random = lock(&self.random);
                (Plan::new(&mut random), random.usize(..))
            };
            let result = self.act(&plan, cut, &request, &stream);
            if plan.applies_late {
                self.apply(&request);
            }
            result?;
            match plan.end {
                End::Keep
                    if matches!(
                        plan.says,
                        Says::Success
                            | Says::SuccessTwice
                            | Says::Page
                            | Says::NotFoundHere
                            | Says::Refusal(..)
                    ) => {}
                End::Reset => return reset(stream),
                _ => return Ok(()),
            }
        }
        Ok(())
    }

    fn act(
        &self,
        plan: &Plan,
        cut: usize,
        request: &Request,
        stream: &TcpStream,
    ) -> io::Result<()> {
        self.cancel_if(plan.cancels_at == Some(0));
        let success = match plan.applies {
            true => self.apply(request),
            false => String::new(),
        };
        self.cancel_if(plan.cancels_at == Some(1));
        if plan.holds {
            wait_for_end(stream);
        }
        let text = match plan.says {
            Says::Nothing => String::new(),
            Says::Success => success,
            Says::SuccessTwice => success.repeat(2),
            Says::PartOfSuccess => success[..cut % success.len()].to_owned(),
            // What was not found is not made up for.
            Says::Nonsense if success.starts_with("HTTP/1.1 404") => success,
            Says::Nonsense => answer("200 OK", "", "{\"token\":"),
            Says::Page => answer("200 OK", "Content-Type: text/html\r\n", "<html>"),
            Says::NotFoundHere => answer("404 Not Found", "", "{\"message\":\"no route\"}"),
            Says::Refusal(status, lines) => answer(status, lines, r#"{"title":"No."}"#),
            Says::Garbage => "220 smtp.example.com ESMTP\r\n\r\n".into(),
        };
        let mut stream = stream;
        let result = stream.write_all(text.as_bytes());
        self.cancel_if(plan.cancels_at == Some(2));
        result
    }

    /// Does what was asked for, and says so.
    fn apply(&self, request: &Request) -> String {
        let mut ledger = lock(&self.ledger);
        let token = request.target.strip_prefix("/upload-tokens/").unwrap_or_default();
        match request.method.as_str() {
            "POST" => {
                let asked: serde_json::Value = serde_json::from_slice(&request.body).expect("JSON");
                let ttl = asked["ttl"].as_u64().and_then(|ttl| u32::try_from(ttl).ok());
                let ttl = ttl.expect("a time to live");
                *ledger.created.entry(ttl).or_default() += 1;
                answer("201 Created", "", &format!(r#"{{"token":"made{ttl}","ttl":{ttl}}}"#))
            }
            "DELETE" if ledger.tokens.remove(token) => "HTTP/1.1 204 No Content\r\n\r\n".into(),
            "GET" if ledger.tokens.contains(token) => {
                answer("200 OK", "", &format!(r#"{{"token":"{token}"}}"#))
            }
            _ => answer("404 Not Found", "", r#"{"title":"There is none."}"#),
        }
    }

    fn cancel_if(&self, is_time: bool) {
        if is_time && let Some(cancel) = &*lock(&self.cancel) {
            cancel.trigger();
        }
    }
}

/// Waits until the other side hangs up.
fn wait_for_end(mut stream: &TcpStream) {
    let mut byte = [0];
    while stream.read(&mut byte).is_ok_and(|count| count > 0) {}
}

/// Ends a connection so that the other side takes it for broken.
fn reset(stream: TcpStream) -> io::Result<()> {
    let linger = libc::linger { l_onoff: 1, l_linger: 0 };
    let size = libc::socklen_t::try_from(size_of_val(&linger)).expect("a small structure");
    // SAFETY: the option's value is a structure of that size, and the socket is open.
    let failed = unsafe {
        let (socket, value) = (stream.as_raw_fd(), std::ptr::from_ref(&linger).cast());
        libc::setsockopt(socket, libc::SOL_SOCKET, libc::SO_LINGER, value, size)
    };
    if failed == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// A call that was made, and what came of it.
struct Call {
    kind: Kind,
    result: Result<(), Failure>,
}

enum Kind {
    Create {
        ttl: u32,
    },
    Get {
        token: String,
    },
    /// `tried_before` is whether an attempt of the call failed before its last.
    Delete {
        token: String,
        existed: bool,
        tried_before: bool,
    },
}

/// A moment of the calling thread's: when it is, and how long the thread has by then waited in all for a
/// processor that others had, as far as the system tells.
#[derive(Clone, Copy)]
struct Moment {
    time: Instant,
    waited: Duration,
}

impl Moment {
    fn now() -> Self {
        let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
        let waited = told.split(' ').nth(1).and_then(|it| it.parse().ok()).unwrap_or(0);
        Self { time: Instant::now(), waited: Duration::from_nanos(waited) }
    }

    /// How long ago that was, without what the thread has waited since.
    fn elapsed(&self) -> Duration {
        let now = Self::now();
        (now.time - self.time).saturating_sub(now.waited.saturating_sub(self.waited))
    }
}

/// The clock of the call that is being made: when it began, how long it may take, and by how much it
/// has gone, or was about to go, beyond that.
#[derive(Default)]
struct Clock {
    call: Mutex<Option<(Moment, Duration)>>,
    has_tried: AtomicBool,
    overrun_micros: AtomicU64,
}

impl Clock {
    /// Does something that is none of the call's business.
    fn pause(&self, work: impl FnOnce()) {
        let begun = Moment::now();
        work();
        let end = Moment::now();
        if let Some((call, _)) = &mut *lock(&self.call) {
            call.time += end.time - begun.time;
            call.waited += end.waited.saturating_sub(begun.waited);
        }
    }

    fn begin(&self, timeout_ms: u32) {
        self.has_tried.store(false, Ordering::Relaxed);
        *lock(&self.call) = Some((Moment::now(), Duration::from_millis(timeout_ms.into())));
    }

    /// Takes note that the call will last for `more` from now on.
    fn lasts(&self, more: Duration) {
        if let Some((begun, timeout)) = *lock(&self.call) {
            let overrun = (begun.elapsed() + more).saturating_sub(timeout).as_micros();
            let overrun = u64::try_from(overrun).expect("less than ages");
            self.overrun_micros.fetch_max(overrun, Ordering::Relaxed);
        }
    }
}

/// What follows the wait that a line of the trace announces.
fn announced_wait(line: &str) -> Option<Duration> {
    let (_, wait) = line.split_once("; again in ")?;
    let milliseconds = wait.strip_suffix(" ms")?.parse().ok()?;
    Some(Duration::from_millis(milliseconds))
}

/// What rounds came to, for the figures.
#[derive(Default)]
struct Tally {
    calls: u64,
    requests: u64,
    /// By outcome.
    failed: [u64; 3],
    cancelled: u64,
    created: u64,
    worst_overrun: u64,
    /// Rounds in which a call was later than promised.
    late: u64,
}

impl Tally {
    fn add(&mut self, other: &Tally) {
        self.calls += other.calls;
        self.requests += other.requests;
        for (sum, failed) in self.failed.iter_mut().zip(other.failed) {
            *sum += failed;
        }
        self.cancelled += other.cancelled;
        self.created += other.created;
        self.worst_overrun = self.worst_overrun.max(other.worst_overrun);
        self.late += other.late;
    }
}

/// A few calls of one client, one after the other, and what the ledger says of them in the end.
fn round(seed: u64) -> Tally {
    let mut random = Rng::with_seed(seed);
    let service = Arc::new(Service::start(random.u64(..)));
    let clock = Arc::<Clock>::default();
    let limits = Limits {
        timeout_ms: random.u32(50..500),
        // Some longer than the call's own.
        attempt_timeout_ms: if random.u8(0..4) == 0 { 4000 } else { random.u32(10..100) },
        max_attempts: random.u32(1..=4),
    };
    let trace: Trace = {
        let (service, clock) = (service.clone(), clock.clone());
        let random = Mutex::new(random.fork());
        Box::new(move |_, line| {
            let chance = lock(&random).u8(0..60);
            clock.has_tried.fetch_or(line.contains("; again "), Ordering::Relaxed);
            if let Some(wait) = announced_wait(line) {
                clock.lasts(wait);
                // The next attempt may find it otherwise.
                clock.pause(|| match chance {
                    0..20 => service.open(),
                    20..30 => service.close(),
                    _ => {}
                });
            }
            service.state.cancel_if(chance == 59);
        })
    };
    let client = Client::new(&format!("http://{}", service.address), limits, Some(trace));
    let mut calls = Vec::new();
    for number in 1..=random.u32(1..=6) {
        if random.u8(0..10) == 0 {
            service.close();
        } else {
            service.open();
        }
        let cancel = random.bool().then(Cancel::new);
        (*lock(&service.state.cancel)).clone_from(&cancel);
        let token = format!("token{number}");
        let existed = random.u8(0..8) > 0;
        if existed {
            lock(&service.state.ledger).tokens.insert(token.clone());
        }
        let cancel = cancel.as_deref();
        clock.begin(limits.timeout_ms);
        let (kind, result) = match random.u8(0..5) {
            0 | 1 => {
                // Each has one of its own.
                let ttl = number;
                let result = client.create(ttl, cancel).map(|made| {
                    assert_eq!(made.token, format!("made{ttl}"), "seed {seed}: of another call");
                });
                (Kind::Create { ttl }, result)
            }
            2 => {
                let result = client.get(&token, cancel).map(|found| assert_eq!(found.token, token));
                (Kind::Get { token }, result)
            }
            _ => {
                let result = client.delete(&token, cancel);
                let tried_before = clock.has_tried.load(Ordering::Relaxed);
                (Kind::Delete { token, existed, tried_before }, result)
            }
        };
        clock.lasts(Duration::ZERO);
        calls.push(Call { kind, result });
    }
    drop(client);
    let service = Arc::into_inner(service).expect("the trace went with the client");
    let (ledger, requests) = service.finish();

    let mut tally = Tally { requests, ..Tally::default() };
    tally.worst_overrun = clock.overrun_micros.load(Ordering::Relaxed);
    tally.late = u64::from(Duration::from_micros(tally.worst_overrun) > PROMISED);
    let mut bounds = (0, 0);
    for call in &calls {
        tally.calls += 1;
        let outcome = check(call, &ledger, seed);
        if let Err(failure) = &call.result {
            tally.failed[usize::try_from(failure.outcome).expect("an outcome")] += 1;
            tally.cancelled += u64::from(failure.status == AV_STATUS_CANCELLED);
        }
        if matches!(call.kind, Kind::Create { .. }) {
            bounds.0 += u32::from(outcome == Some(AV_OUTCOME_APPLIED));
            bounds.1 += u32::from(outcome != Some(AV_OUTCOME_NOT_APPLIED));
        }
    }
    // As many tokens as the outcomes allow, and none that nobody asked for.
    let created = ledger.created.values().sum();
    assert!((bounds.0..=bounds.1).contains(&created), "seed {seed}: {created}, not {bounds:?}");
    tally.created = created.into();
    tally
}

/// The header's table of errors: the name of a status, and below which of its headings it may come with
/// what, such as "U1".
static TABLE: LazyLock<BTreeSet<(String, &str, String)>> = LazyLock::new(|| {
    const HEADINGS: [&str; 4] = ["read", "create", "delete", "what to do"];
    let header = include_str!("../../include/apivideo.h");
    let (_, table) = header.split_once("@code{.unparsed}\n").expect("a table");
    let (headings, rows) = table.split_once('\n').expect("its headings");
    let at = HEADINGS.map(|heading| headings.find(heading).expect("a heading"));
    let mut allowed = BTreeSet::new();
    for row in rows.lines().take_while(|row| !row.contains("@endcode")) {
        let row = format!("{row:<width$}", width = at[3]);
        let status = format!("AV_STATUS_{}", row[..at[0]].trim_matches([' ', '*']));
        for column in 0..3 {
            for told in row[at[column]..at[column + 1]].split_whitespace() {
                allowed.insert((status.clone(), HEADINGS[column], told.to_owned()));
            }
        }
    }
    allowed
});

/// Fails unless the header's table has what a call failed with.
fn check_table(heading: &'static str, failure: &Failure, seed: u64) {
    let outcome = match failure.outcome {
        AV_OUTCOME_NOT_APPLIED => 'N',
        AV_OUTCOME_APPLIED => 'A',
        _ => 'U',
    };
    let told = format!("{outcome}{}", u8::from(failure.is_retryable));
    // SAFETY: a static string.
    let status = unsafe { std::ffi::CStr::from_ptr(av_status_name(failure.status)) };
    let status = status.to_str().expect("ASCII").to_owned();
    let row = (status, heading, told);
    assert!(TABLE.contains(&row), "seed {seed}: the header's table has no {row:?}: {failure:?}");
}

/// Fails unless what a call said is true; what it said is returned, success as applied.
fn check(call: &Call, ledger: &Ledger, seed: u64) -> Option<i32> {
    let told = match &call.result {
        Ok(()) => AV_OUTCOME_APPLIED,
        Err(failure) => failure.outcome,
    };
    let result = &call.result;
    if let Err(failure) = result {
        let heading = match &call.kind {
            Kind::Create { .. } => "create",
            Kind::Get { .. } => "read",
            Kind::Delete { .. } => "delete",
        };
        check_table(heading, failure, seed);
    }
    let (is_done, is_safe_to_repeat) = match &call.kind {
        Kind::Create { ttl } => {
            let times = ledger.created.get(ttl).copied().unwrap_or(0);
            assert!(times <= 1, "seed {seed}: created {times} times: {result:?}");
            (times == 1, told == AV_OUTCOME_NOT_APPLIED)
        }
        Kind::Delete { token, existed, tried_before } => {
            let is_found = *existed || *tried_before || result.is_err();
            assert!(is_found, "seed {seed}: what never was is deleted");
            let is_gone = !ledger.tokens.contains(token);
            // What never was is not deleted by anyone.
            (is_gone && (*existed || result.is_ok()), true)
        }
        Kind::Get { token } => {
            assert!(result.is_err() || ledger.tokens.contains(token), "seed {seed}: {token}");
            assert!(result.is_ok() || told == AV_OUTCOME_NOT_APPLIED, "seed {seed}: {result:?}");
            return None;
        }
    };
    match told {
        AV_OUTCOME_APPLIED => assert!(is_done, "seed {seed}: not applied, but {result:?}"),
        AV_OUTCOME_NOT_APPLIED => assert!(!is_done, "seed {seed}: applied, but {result:?}"),
        _ => {}
    }
    if let Err(failure) = result {
        assert!(!failure.is_retryable || is_safe_to_repeat, "seed {seed}: {result:?}");
        assert_ne!(failure.status, AV_STATUS_INTERNAL, "seed {seed}: {result:?}");
    }
    Some(told)
}

/// As many as there are descriptors for: a round has a few connections, with both their ends here.
fn rounds_at_once() -> u64 {
    let limits = std::fs::read_to_string("/proc/self/limits").expect("the limits of this process");
    let descriptors = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let soft = descriptors.and_then(|told| told.split_whitespace().next()).expect("a limit");
    soft.parse().unwrap_or(u64::MAX).saturating_div(16).clamp(1, 64)
}

#[test]
fn outcomes_are_true_and_deadlines_kept_whatever_goes_wrong() {
    let (seed, rounds) = chance("outcomes", 2_000);
    let next = AtomicU64::new(0);
    let tally = Mutex::new(Tally::default());
    // Most of them wait, most of the time.
    thread::scope(|scope| {
        for _ in 0..rounds_at_once() {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= rounds {
                        return;
                    }
                    let of_round = round(seed.wrapping_add(number));
                    lock(&tally).add(&of_round);
                }
            });
        }
    });
    let tally = tally.into_inner().expect("no round failed");
    let [unknown, not_applied, applied] = tally.failed;
    let overrun = Duration::from_micros(tally.worst_overrun);
    println!("proof: calls under random faults, all outcomes true: {}", tally.calls);
    println!("proof: requests of these calls: {}", tally.requests);
    println!(
        "proof: failed calls among them: {not_applied} not applied, {applied} applied, {unknown} unknown, \
         {} cancelled",
        tally.cancelled
    );
    println!("proof: tokens created by them, none twice: {}", tally.created);
    println!("proof: longest overrun of a deadline: {} ms", overrun.as_millis());
    println!("proof: rounds in which a call was later than promised: {} of {rounds}", tally.late);
    assert!(overrun < SLACK, "{overrun:?}");
    assert!(tally.late <= rounds / 20, "{} of {rounds} rounds were late", tally.late);
    // Otherwise too little has been tried.
    let succeeded = tally.calls - unknown - not_applied - applied;
    assert!([succeeded, unknown, not_applied, applied].iter().all(|calls| *calls > rounds / 50));
}
