//! A source on its way: how much of it the other side has acknowledged, whether that still grows, who is
//! told of it, and how long an answer may take afterwards. What the system has taken says little: it takes
//! megabytes that a slow connection carries for minutes, and that a dead one never does.

use crate::transport::Pace;
use crate::transport::socket::{Socket, Step};
use crate::wait::deadline::Deadline;
use crate::wait::{Interruption, Watch};
use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

/// How long it is not looked at most whether more was acknowledged: a connection that stands still is
/// noticed no later than so long after its time.
const LONGEST_UNSEEN: Duration = Duration::from_millis(250);

/// How many times at least it is looked in the time for which nothing may move.
const LOOKS_PER_STALL: u32 = 8;

/// How often it is looked whether an answer has come, while all that is sent is taken at once.
const LOOK_FOR_ANSWER_EVERY: Duration = Duration::from_millis(10);

/// Takes how far a source has come, and may end the attempt.
pub(crate) type Observer = dyn Fn(Sent) -> Result<(), Interruption>;

/// How a source is to be sent.
#[derive(Clone)]
pub(crate) struct Delivery {
    /// For how long nothing may be acknowledged, though something is under way. `None` is for ever.
    pub stall_timeout: Option<Duration>,
    /// For how long nothing may be acknowledged at first, from before there is a connection. `None` is for
    /// ever.
    pub patience: Option<Duration>,
    /// How long the answer may take, from when all is acknowledged. `None` is for ever.
    pub answer_timeout: Option<Duration>,
    /// Who is told how far it has come, on the thread that sends, also while it waits; and may end it.
    pub observer: Option<Rc<Observer>>,
    /// How often that one is told at most; [`Duration::MAX`] is never.
    pub interval: Duration,
    /// How fast it may go.
    pub pace: Option<Arc<Pace>>,
}

impl Default for Delivery {
    /// Without limits, and nobody is told.
    fn default() -> Self {
        let interval = LONGEST_UNSEEN;
        Delivery {
            stall_timeout: None,
            patience: None,
            answer_timeout: None,
            observer: None,
            interval,
            pace: None,
        }
    }
}

/// How far an attempt has come with its source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sent {
    /// How many bytes of it the other side's system has acknowledged: it never goes back. Over TLS it is
    /// in proportion to what is acknowledged of its records.
    pub acknowledged: u64,
    /// Whether the last byte of the request was handed to the system, so that the service may have taken
    /// it, whatever is known of the answer.
    pub is_whole: bool,
}

/// A source that an attempt sends.
pub(crate) struct Transfer {
    length: u64,
    must_arrive_by: Deadline,
    delivery: Delivery,
    /// What it is sent on, once it has begun. Whoever closes that has it looked at for a last time.
    socket: RefCell<Weak<Socket>>,
    state: Cell<State>,
    answer_looked_for: Cell<Option<Instant>>,
}

#[derive(Clone, Copy)]
struct State {
    /// How many bytes of the source were taken to be sent, and how many these make at most as they are
    /// sent, encrypted or not.
    taken: u64,
    worth: u64,
    /// How many of those the system has, and the other side's.
    sent: u64,
    arrived: u64,
    /// Whether the system had no room for more when it was last given some.
    is_full: bool,
    told: Sent,
    /// What there is to wait for.
    stage: Stage,
    /// When that ends the attempt.
    ends: Deadline,
    next_look: Instant,
    next_telling: Deadline,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// That the connection is there and the head is sent.
    Beginning,
    /// That what is sent is acknowledged.
    Sending,
    /// The answer, after all that will be sent.
    Answer,
}

impl Transfer {
    /// A source of this length, which is to be sent so.
    pub fn new(length: u64, delivery: Delivery) -> Self {
        let now = Instant::now();
        let state = State {
            taken: 0,
            worth: 0,
            sent: 0,
            arrived: 0,
            is_full: false,
            told: Sent::default(),
            stage: Stage::Beginning,
            ends: Deadline::NEVER,
            next_look: now,
            next_telling: Deadline::NEVER,
        };
        Transfer {
            length,
            must_arrive_by: Deadline::after_time(now, delivery.patience),
            delivery,
            socket: RefCell::default(),
            state: Cell::new(state),
            answer_looked_for: Cell::default(),
        }
    }

    /// How long the source is.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// When something of it must have arrived, and so there must be a connection.
    pub fn must_arrive_by(&self) -> Deadline {
        self.must_arrive_by
    }

    /// How much of it to send at once, which is no more than `most`.
    pub fn most_at_once(&self, most: usize) -> usize {
        self.delivery.pace.as_ref().map_or(most, |pace| pace.most_at_once().min(most))
    }

    /// When so many bytes may be sent.
    pub fn turn(&self, bytes: usize) -> Option<Deadline> {
        self.delivery.pace.as_ref().map(|pace| pace.turn(bytes))
    }

    /// The head is sent on this connection, and what is sent from now on is the source.
    pub fn begin(&self, socket: &Arc<Socket>) {
        let mut state = self.state.get();
        if state.stage != Stage::Beginning {
            return;
        }
        self.socket.replace(Arc::downgrade(socket));
        let now = Instant::now();
        state.stage = Stage::Sending;
        state.ends = self.still_until(&state, now);
        state.next_telling = Deadline::after_time(now, Some(self.delivery.interval));
        // Nothing is left to be sent of what is empty.
        state.told.is_whole = self.length == 0;
        self.state.set(state);
    }

    /// Some of it was taken to be sent, or handed to the system.
    pub fn hand_over(&self, step: &Step) {
        let mut state = self.state.get();
        state.taken += step.taken as u64;
        state.worth += step.worth as u64;
        state.sent += step.sent as u64;
        state.is_full = step.is_full;
        self.state.set(state);
    }

    /// Whether the system had no room for more when it was last given some.
    pub fn is_full(&self) -> bool {
        self.state.get().is_full
    }

    /// Whether the last byte is among the next so many.
    pub fn ends_with(&self, bytes: usize) -> bool {
        self.state.get().taken + bytes as u64 == self.length
    }

    /// The system has all of it.
    pub fn finish(&self) {
        let mut state = self.state.get();
        state.told.is_whole = true;
        state.next_look = Instant::now();
        self.state.set(state);
    }

    /// Whether the system has all of it.
    pub fn is_whole(&self) -> bool {
        self.state.get().told.is_whole
    }

    /// An answer has begun before all was sent: nothing more of it will be.
    pub fn give_up(&self) {
        let mut state = self.state.get();
        state.stage = Stage::Answer;
        state.ends = Deadline::after(self.delivery.answer_timeout);
        self.state.set(state);
    }

    /// Whether an answer has begun before all was sent.
    pub fn is_given_up(&self) -> bool {
        let state = self.state.get();
        state.stage == Stage::Answer && !state.told.is_whole
    }

    /// Whether it is time to look for an answer, which nothing that was waited for has told of.
    pub fn is_time_for_answer(&self) -> bool {
        let now = Instant::now();
        let looked = self.answer_looked_for.get().unwrap_or(now);
        let is_time = now.saturating_duration_since(looked) >= LOOK_FOR_ANSWER_EVERY;
        if is_time || self.answer_looked_for.get().is_none() {
            self.answer_looked_for.set(Some(now));
        }
        is_time
    }

    /// How far it has come by now.
    pub fn sent(&self) -> Sent {
        let mut state = self.state.get();
        self.measure(&mut state, Instant::now());
        self.state.set(state);
        state.told
    }

    /// Finds out what was acknowledged, and what that means for how long to wait.
    fn measure(&self, state: &mut State, now: Instant) {
        let Some(socket) = self.socket.borrow().upgrade() else { return };
        let told = socket.unacknowledged();
        // Where nobody tells, what the system has taken has to do.
        let under_way = told.unwrap_or(0);
        // What is under way may be of the head.
        let arrived = state.sent.saturating_sub(under_way);
        let has_moved = arrived > state.arrived;
        state.arrived = state.arrived.max(arrived);
        let is_all = state.told.is_whole && under_way == 0;
        let acknowledged = match u128::from(state.worth) {
            _ if is_all => self.length,
            0 => 0,
            worth => {
                let part = u128::from(state.taken) * u128::from(state.arrived) / worth;
                u64::try_from(part).unwrap_or(u64::MAX).min(state.taken)
            }
        };
        state.told.acknowledged = state.told.acknowledged.max(acknowledged);
        if state.stage != Stage::Sending {
            return;
        }
        if is_all {
            state.stage = Stage::Answer;
            state.ends = Deadline::after_time(now, self.delivery.answer_timeout);
        } else if has_moved || told == Some(0) {
            // With nothing under way it is not the other side that is waited for.
            state.ends = self.still_until(state, now);
        }
    }

    /// Until when it may stand still.
    fn still_until(&self, state: &State, now: Instant) -> Deadline {
        let still_until = Deadline::after_time(now, self.delivery.stall_timeout);
        match state.arrived {
            0 => still_until.or_earlier(self.must_arrive_by),
            _ => still_until,
        }
    }

    /// How long not to look at most.
    fn look_every(&self) -> Duration {
        let stall = self.delivery.stall_timeout.map_or(LONGEST_UNSEEN, |it| it / LOOKS_PER_STALL);
        let least = Duration::from_millis(1);
        stall.min(self.delivery.interval).clamp(least, LONGEST_UNSEEN)
    }
}

impl fmt::Debug for Transfer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Transfer")
    }
}

impl Watch for Transfer {
    fn look(&self) -> Result<Deadline, Interruption> {
        let mut state = self.state.get();
        if state.stage == Stage::Beginning {
            return Ok(Deadline::NEVER);
        }
        let now = Instant::now();
        if now >= state.next_look {
            self.measure(&mut state, now);
            state.next_look = now + self.look_every();
            let is_time_to_tell = state.next_telling.has_passed_at(now);
            if is_time_to_tell {
                state.next_telling = Deadline::after_time(now, Some(self.delivery.interval));
            }
            self.state.set(state);
            if is_time_to_tell && let Some(tell) = &self.delivery.observer {
                tell(state.told)?;
            }
        }
        if state.ends.has_passed_at(now) {
            return Err(Interruption::Stalled);
        }
        Ok(state.ends.or_earlier(Deadline::at(state.next_look)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::payload::{Payload, Source};
    use crate::trace::Tracer;
    use crate::transport::Fault;
    use crate::transport::http::{Agent, AgentSettings, Attempt, Reuse};
    use crate::transport::tls::tests::trust_and_server;
    use crate::wait::Wait;
    use crate::wait::cancel::Cancel;
    use rustls::{ServerConfig, ServerConnection, StreamOwned};
    use std::io::{self, Read, Write};
    use std::net::{Shutdown, TcpListener, TcpStream};
    use std::num::NonZeroU64;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::sync::mpsc;
    use std::thread::{self, JoinHandle};
    use ureq::http::{HeaderValue, Request};

    const MIB: u64 = 1 << 20;
    /// More than any buffers between here and a peer that reads nothing hold.
    const ENDLESS: u64 = 1 << 34;
    const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
    const REFUSED: &[u8] = b"HTTP/1.1 413 Too Large\r\nContent-Length: 8\r\n\r\ntoo much";

    /// The other side of a connection, plain or over TLS.
    enum Peer {
        Plain(TcpStream),
        Tls(Box<StreamOwned<ServerConnection, TcpStream>>),
    }

    impl Peer {
        fn socket(&self) -> &TcpStream {
            match self {
                Peer::Plain(socket) => socket,
                Peer::Tls(stream) => &stream.sock,
            }
        }

        fn stream(&mut self) -> &mut dyn Stream {
            match self {
                Peer::Plain(socket) => socket,
                Peer::Tls(stream) => stream,
            }
        }

        fn read_head(&mut self) {
            let (mut head, mut byte) = (Vec::new(), [0]);
            while !head.ends_with(b"\r\n\r\n") {
                self.stream().read_exact(&mut byte).expect("a head");
                head.push(byte[0]);
            }
        }

        /// Reads so many bytes of the body, and tells whether they are those of [`Counted`] from there on.
        fn read_body(&mut self, from: u64, length: u64) -> bool {
            let mut bytes = vec![0; 64 * 1024];
            let (mut at, end, mut is_right) = (from, from + length, true);
            while at < end {
                let most = bytes.len().min((end - at) as usize);
                let count = self.stream().read(&mut bytes[..most]).expect("a body");
                assert!(count > 0, "the body ended after {at} bytes");
                is_right &= bytes[..count].iter().zip(at..).all(|(byte, at)| *byte == value(at));
                at += count as u64;
            }
            is_right
        }

        fn answer(&mut self, bytes: &[u8]) {
            self.stream().write_all(bytes).expect("room for an answer");
            self.stream().flush().expect("room for an answer");
        }

        /// Waits until the client has given the connection up.
        fn wait_for_end(&mut self) {
            while matches!(self.stream().read(&mut [0; 4096]), Ok(1..)) {}
        }
    }

    trait Stream: Read + Write {}
    impl<S: Read + Write> Stream for S {}

    /// What a source holds at this place.
    fn value(at: u64) -> u8 {
        (at % 251) as u8
    }

    /// A source of which it is known how much was read.
    struct Counted {
        length: u64,
        read: Cell<u64>,
        delivery: Delivery,
    }

    struct Reader<'s>(&'s Counted);

    impl Read for Reader<'_> {
        fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
            let read = self.0.read.get();
            let count = room.len().min((self.0.length - read) as usize);
            room[..count].iter_mut().zip(read..).for_each(|(byte, at)| *byte = value(at));
            self.0.read.set(read + count as u64);
            Ok(count)
        }
    }

    impl Source for Counted {
        fn content_type(&self) -> HeaderValue {
            HeaderValue::from_static("video/mp4")
        }
        fn length(&self) -> u64 {
            self.length
        }
        fn delivery(&self) -> Delivery {
            self.delivery.clone()
        }
        fn open(&self) -> io::Result<Box<dyn Read + '_>> {
            self.read.set(0);
            Ok(Box::new(Reader(self)))
        }
    }

    /// What came of sending a source.
    struct Result {
        answer: std::result::Result<(u16, Vec<u8>), Fault>,
        sent: Sent,
        /// How much of the source was read.
        read: u64,
        took: Duration,
    }

    impl Result {
        fn status(&self) -> u16 {
            self.answer.as_ref().expect("an answer").0
        }

        fn must_be_stalled(&self) {
            assert!(matches!(self.answer, Err(Fault::Stalled)), "{:?}", self.answer);
        }
    }

    /// Sends a source to a peer that does what `serve` says, over TLS or not.
    struct Case {
        agent: Agent,
        url: String,
        peer: JoinHandle<()>,
        cancel: Option<Arc<Cancel>>,
    }

    impl Case {
        fn new(over_tls: bool, serve: impl FnOnce(Peer) + Send + 'static) -> Self {
            Case::listening(TcpListener::bind("127.0.0.1:0").expect("a port"), over_tls, serve)
        }

        fn listening(
            listener: TcpListener,
            over_tls: bool,
            serve: impl FnOnce(Peer) + Send + 'static,
        ) -> Self {
            let address = listener.local_addr().expect("an address");
            let (trust, server) = match over_tls {
                true => Some(trust_and_server()).unzip(),
                false => (None, None),
            };
            let scheme = if over_tls { "https" } else { "http" };
            let accept = move |config: Option<ServerConfig>| {
                let (socket, _) = listener.accept().expect("a connection");
                match config {
                    None => Peer::Plain(socket),
                    Some(config) => {
                        let session = ServerConnection::new(Arc::new(config)).expect("a session");
                        Peer::Tls(Box::new(StreamOwned::new(session, socket)))
                    }
                }
            };
            Case {
                agent: Agent::new(&AgentSettings::new(), trust, None),
                url: format!("{scheme}://{address}/"),
                peer: thread::spawn(move || serve(accept(server))),
                cancel: None,
            }
        }

        fn send(self, length: u64, delivery: Delivery) -> Result {
            let result = self.send_only(length, delivery);
            drop(self.agent);
            self.peer.join().expect("the peer is content");
            result
        }

        fn send_only(&self, length: u64, delivery: Delivery) -> Result {
            let source = Counted { length, read: Cell::new(0), delivery };
            let payload = Payload::Source(&source);
            let minute = Deadline::after(Some(Duration::from_secs(60)));
            let wait = Wait::new(minute, self.cancel.clone());
            let begun = Instant::now();
            let attempt = Attempt::new(begun, wait, None, Reuse::Any, Tracer::off());
            let attempt = payload.prepare(attempt);
            let mut open = payload.open(&attempt).expect("a source");
            let mut request = Request::post(&self.url).body(open.as_body()).expect("a request");
            payload.add_headers(request.headers_mut());
            let answer = self.agent.exchange(request, &attempt).map(|mut exchange| {
                let (body, _) = exchange.read_body(1000, &attempt);
                (exchange.status().as_u16(), body.to_vec())
            });
            Result { answer, sent: attempt.sent(), read: source.read.get(), took: begun.elapsed() }
        }
    }

    const BOTH: [bool; 2] = [false, true];

    fn still_for(milliseconds: u64) -> Delivery {
        let stall_timeout = Some(Duration::from_millis(milliseconds));
        Delivery { stall_timeout, ..Delivery::default() }
    }

    #[test]
    fn a_source_arrives_as_it_is_all_of_it_is_acknowledged_and_its_connection_used_again() {
        for over_tls in BOTH {
            let lengths = [1, 3 * MIB + 12_345, 700_000];
            let case = Case::new(over_tls, move |mut peer| {
                for length in lengths {
                    peer.read_head();
                    assert!(peer.read_body(0, length), "other bytes arrived");
                    peer.answer(OK);
                }
                peer.wait_for_end();
            });
            for length in lengths {
                // As far away as can be, which is never.
                let (interval, never) = (Duration::MAX, Some(Duration::MAX));
                let delivery = Delivery {
                    stall_timeout: never,
                    answer_timeout: never,
                    interval,
                    ..Delivery::default()
                };
                let result = case.send_only(length, delivery);
                assert_eq!(result.answer.expect("an answer"), (200, b"{}".to_vec()));
                assert_eq!(result.sent, Sent { acknowledged: length, is_whole: true });
            }
            drop(case.agent);
            case.peer.join().expect("the peer is content");
        }
    }

    /// What a peer does once it has answered early.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Then {
        Waits,
        EndsItsSide,
        Closes,
        ReadsOn,
    }

    #[test]
    fn an_answer_that_comes_early_ends_the_sending_and_is_told_and_the_connection_closed() {
        for over_tls in BOTH {
            for then in [Then::Waits, Then::EndsItsSide, Then::Closes, Then::ReadsOn] {
                let (done, is_done) = mpsc::channel();
                let case = Case::new(over_tls, move |mut peer| {
                    peer.read_head();
                    assert!(peer.read_body(0, MIB), "other bytes arrived");
                    peer.answer(REFUSED);
                    match then {
                        Then::Waits => is_done.recv().expect("the client's end"),
                        Then::EndsItsSide => {
                            peer.socket().shutdown(Shutdown::Write).expect("a socket");
                        }
                        Then::Closes => return,
                        Then::ReadsOn => {}
                    }
                    peer.wait_for_end();
                });
                let result = case.send_only(ENDLESS, still_for(20_000));
                // Nobody may be left to be told.
                let _ = done.send(());
                // With the agent still there.
                case.peer.join().expect("the peer is content");
                let what = format!("{over_tls} {then:?}");
                assert_eq!(result.answer.expect(&what), (413, b"too much".to_vec()), "{what}");
                assert!(!result.sent.is_whole, "{what}");
                let read = result.read;
                assert!(read < 1000 * MIB, "{what}: read on to {} MiB", read / MIB);
                assert!(result.sent.acknowledged <= read && read >= MIB, "{what}: {read}");
            }
        }
    }

    #[test]
    fn an_answer_that_comes_early_and_bit_by_bit_is_read_whole() {
        for over_tls in BOTH {
            let (done, is_done) = mpsc::channel();
            let case = Case::new(over_tls, move |mut peer| {
                peer.read_head();
                REFUSED.iter().for_each(|byte| peer.answer(&[*byte]));
                is_done.recv().expect("the client's end");
            });
            let result = case.send_only(ENDLESS, still_for(20_000));
            done.send(()).expect("the peer waits");
            assert_eq!(result.answer.expect("an answer"), (413, b"too much".to_vec()));
        }
    }

    #[test]
    fn interim_answers_tickets_and_new_keys_do_not_end_the_sending() {
        for over_tls in BOTH {
            let length = 8 * MIB;
            let case = Case::new(over_tls, move |mut peer| {
                peer.read_head();
                peer.answer(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 10");
                for part in 0..8 {
                    assert!(peer.read_body(part * MIB, MIB), "other bytes arrived");
                    if let Peer::Tls(stream) = &mut peer {
                        stream.conn.refresh_traffic_keys().expect("new keys");
                    }
                    if part == 3 {
                        peer.answer(b"3 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.");
                    }
                    peer.stream().flush().expect("room");
                }
                peer.answer(&OK[b"HTTP/1.".len()..]);
                peer.wait_for_end();
            });
            let result = case.send(length, still_for(20_000));
            assert_eq!(result.status(), 200);
            assert_eq!(result.sent, Sent { acknowledged: length, is_whole: true });
        }
    }

    #[test]
    fn a_peer_that_ends_its_side_without_an_answer_ends_the_sending() {
        for over_tls in BOTH {
            let (done, is_done) = mpsc::channel();
            let case = Case::new(over_tls, move |mut peer| {
                peer.read_head();
                peer.socket().shutdown(Shutdown::Write).expect("a socket");
                is_done.recv().expect("the client's end");
            });
            let result = case.send_only(ENDLESS, still_for(20_000));
            done.send(()).expect("the peer waits");
            assert!(matches!(result.answer, Err(Fault::Broken(_))), "{:?}", result.answer);
            assert!(!result.sent.is_whole);
        }
    }

    #[test]
    fn what_is_acknowledged_when_a_connection_breaks_is_no_more_than_had_come() {
        for over_tls in BOTH {
            let (tell, told) = mpsc::channel();
            let case = Case::new(over_tls, move |mut peer| {
                peer.read_head();
                assert!(peer.read_body(0, MIB), "other bytes arrived");
                let socket = socket2::SockRef::from(peer.socket());
                socket.set_linger(Some(Duration::ZERO)).expect("a socket");
                tell.send(socket.recv_buffer_size().expect("a size") as u64).expect("a reader");
            });
            let result = case.send(ENDLESS, still_for(20_000));
            let buffer = told.recv().expect("a size");
            assert!(matches!(result.answer, Err(Fault::Broken(_))), "{:?}", result.answer);
            let Sent { acknowledged, is_whole } = result.sent;
            assert!(!is_whole && acknowledged > 0);
            assert!(acknowledged <= MIB + buffer, "{acknowledged} of {MIB} and {buffer}");
        }
    }

    #[test]
    fn a_peer_that_stops_reading_is_given_up_in_its_time_and_not_before() {
        for over_tls in BOTH {
            let (done, is_done) = mpsc::channel();
            let case = Case::new(over_tls, move |mut peer| {
                peer.read_head();
                assert!(peer.read_body(0, MIB), "other bytes arrived");
                is_done.recv().expect("the client's end");
            });
            let result = case.send_only(ENDLESS, still_for(800));
            done.send(()).expect("the peer waits");
            result.must_be_stalled();
            assert!(!result.sent.is_whole && result.sent.acknowledged > MIB / 2);
            assert!(result.took >= Duration::from_millis(800), "{:?}", result.took);
        }
    }

    #[test]
    fn what_nothing_has_arrived_of_yet_is_given_up_sooner() {
        let patience = Some(Duration::from_millis(2500));
        for over_tls in BOTH {
            let (done, is_done) = mpsc::channel();
            let case = Case::new(over_tls, move |mut peer| {
                peer.read_head();
                assert!(peer.read_body(0, MIB), "other bytes arrived");
                // Longer than at first.
                thread::sleep(Duration::from_millis(3000));
                assert!(peer.read_body(MIB, MIB), "other bytes arrived");
                is_done.recv().expect("the client's end");
            });
            let result = case.send_only(ENDLESS, Delivery { patience, ..still_for(6000) });
            done.send(()).expect("the peer waits");
            result.must_be_stalled();
            assert!(result.sent.acknowledged > MIB, "{:?}", result.sent);
        }
        // Who never agrees on TLS is no connection.
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
        let case = Case {
            url: format!("https://{}/", silent.local_addr().expect("an address")),
            ..Case::listening(listener, true, drop)
        };
        let result = case.send_only(MIB, Delivery { patience, ..still_for(6000) });
        assert!(matches!(result.answer, Err(Fault::TimedOut)), "{:?}", result.answer);
        assert!(result.took < Duration::from_secs(30), "{:?}", result.took);
    }

    #[test]
    fn an_answer_that_does_not_come_is_waited_for_from_when_all_is_acknowledged() {
        for over_tls in BOTH {
            let (done, is_done) = mpsc::channel();
            let case = Case::new(over_tls, move |mut peer| {
                peer.read_head();
                assert!(peer.read_body(0, MIB), "other bytes arrived");
                is_done.recv().expect("the client's end");
            });
            let answer_timeout = Some(Duration::from_millis(300));
            let result = case.send_only(MIB, Delivery { answer_timeout, ..still_for(5000) });
            done.send(()).expect("the peer waits");
            result.must_be_stalled();
            assert_eq!(result.sent, Sent { acknowledged: MIB, is_whole: true });
            assert!(result.took >= Duration::from_millis(300), "{:?}", result.took);
        }
    }

    #[test]
    fn a_slow_connection_is_not_taken_for_one_that_stands_still_and_tells_what_arrives() {
        thread::scope(|scope| {
            for over_tls in BOTH {
                scope.spawn(move || send_slowly(over_tls));
            }
        });
    }

    /// Sends at 100 kB/s. The system takes nothing more for longer than nothing may move, since what it has
    /// taken ahead lasts for seconds.
    fn send_slowly(over_tls: bool) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let socket = socket2::SockRef::from(&listener);
        socket.set_recv_buffer_size(8 * 1024).expect("a small buffer");
        let buffer = socket.recv_buffer_size().expect("a size") as u64;
        let (length, chunk) = (400 * 1024, 4 * 1024);
        let arrived = Arc::new(AtomicU64::new(0));
        let has_arrived = arrived.clone();
        let case = Case::listening(listener, over_tls, move |mut peer| {
            peer.read_head();
            for at in (0..length).step_by(chunk) {
                thread::sleep(Duration::from_millis(40));
                assert!(peer.read_body(at, chunk as u64), "other bytes arrived");
                has_arrived.store(at + chunk as u64, Ordering::SeqCst);
            }
            peer.answer(OK);
            peer.wait_for_end();
        });
        let told = Rc::new(RefCell::new(Vec::new()));
        let keep = told.clone();
        let observer: Rc<Observer> = Rc::new(move |sent| {
            keep.borrow_mut().push((sent.acknowledged, arrived.load(Ordering::SeqCst)));
            Ok(())
        });
        let interval = Duration::from_millis(20);
        let delivery = Delivery { observer: Some(observer), interval, ..still_for(1000) };
        let result = case.send(length, delivery);
        assert_eq!(result.status(), 200);
        assert_eq!(result.sent, Sent { acknowledged: length, is_whole: true });
        assert!(result.took >= Duration::from_millis(4000), "{:?}", result.took);
        let told = told.borrow();
        assert!(told.is_sorted_by_key(|told| told.0), "it went back: {told:?}");
        // Beside what was read there is what waits to be, in the system and in TLS.
        let most = |arrived| arrived + buffer + chunk as u64 + 64 * 1024;
        assert!(told.iter().all(|told| told.0 <= most(told.1)), "{told:?}");
        let steps = told.windows(2).filter(|pair| pair[0].0 < pair[1].0).count();
        assert!(steps > 20, "{told:?}");
    }

    #[test]
    fn who_is_told_is_told_on_the_sending_thread_also_while_an_answer_is_waited_for() {
        let length = MIB;
        let (tell, told) = mpsc::channel::<bool>();
        let case = Case::new(false, move |mut peer| {
            peer.read_head();
            assert!(peer.read_body(0, length), "other bytes arrived");
            for _ in 0..3 {
                while !told.recv().expect("the client tells") {}
            }
            peer.answer(OK);
            peer.wait_for_end();
        });
        let (thread, times) = (thread::current().id(), Rc::new(Cell::new(0)));
        let count = times.clone();
        let observer: Rc<Observer> = Rc::new(move |sent| {
            assert_eq!(thread::current().id(), thread);
            count.set(count.get() + 1);
            // The peer has heard enough once it has answered.
            let _ = tell.send(sent.is_whole && sent.acknowledged == length);
            Ok(())
        });
        let interval = Duration::from_millis(5);
        let delivery = Delivery { observer: Some(observer), interval, ..Delivery::default() };
        let result = case.send(length, delivery);
        assert_eq!(result.status(), 200);
        assert!(interval * times.get() <= result.took, "{} in {:?}", times.get(), result.took);
    }

    fn paced(bytes_per_second: u64) -> Delivery {
        let pace = NonZeroU64::new(bytes_per_second).map(|rate| Arc::new(Pace::new(rate)));
        Delivery { pace, ..Delivery::default() }
    }

    #[test]
    fn a_pace_is_kept_over_all_that_goes_by_it() {
        for over_tls in BOTH {
            let (begun, delivery) = (Instant::now(), paced(50_000));
            for _ in 0..2 {
                let case = Case::new(over_tls, move |mut peer| {
                    peer.read_head();
                    assert!(peer.read_body(0, 10_000), "other bytes arrived");
                    peer.answer(OK);
                    peer.wait_for_end();
                });
                let result = case.send(10_000, delivery.clone());
                assert_eq!(result.status(), 200);
            }
            // Of four turns of 100 ms the last need not be waited out.
            let took = begun.elapsed();
            assert!(took >= Duration::from_millis(300), "{took:?}");
        }
    }

    #[test]
    fn to_wait_for_a_pace_is_no_standstill_though_nothing_moves() {
        for over_tls in BOTH {
            let case = Case::new(over_tls, move |mut peer| {
                peer.read_head();
                assert!(peer.read_body(0, 2), "other bytes arrived");
                peer.answer(OK);
                peer.wait_for_end();
            });
            // One byte a second, of which each is acknowledged within a fifth of one.
            let Delivery { pace, .. } = paced(1);
            let result = case.send(2, Delivery { pace, ..still_for(500) });
            assert_eq!(result.status(), 200);
            assert!(result.took >= Duration::from_millis(500), "{:?}", result.took);
        }
    }

    #[test]
    fn an_answer_is_seen_while_a_pace_is_waited_for() {
        for over_tls in BOTH {
            let case = Case::new(over_tls, move |mut peer| {
                peer.read_head();
                assert!(peer.read_body(0, 1), "other bytes arrived");
                peer.answer(REFUSED);
                peer.wait_for_end();
            });
            let result = case.send(ENDLESS, paced(1));
            assert_eq!(result.status(), 413);
            assert!(result.read < 20, "{}", result.read);
        }
    }

    #[test]
    fn a_pace_is_not_waited_for_once_the_call_is_cancelled() {
        let cancel = Arc::new(Cancel::new());
        let trigger = cancel.clone();
        let mut case = Case::new(false, move |mut peer| {
            peer.read_head();
            assert!(peer.read_body(0, 1), "other bytes arrived");
            trigger.trigger();
            peer.wait_for_end();
        });
        case.cancel = Some(cancel);
        let result = case.send(ENDLESS, paced(1));
        assert!(matches!(result.answer, Err(Fault::Cancelled)), "{:?}", result.answer);
    }
}
