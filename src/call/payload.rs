//! What a request carries: nothing, JSON, or a source that is read piece by piece, opened afresh for each
//! attempt and held to its exact length. A source that fails is told apart from a connection that does.

use crate::transport::Fault;
use crate::transport::http::{Attempt, Delivery};
use std::io::{self, ErrorKind, Read};
use ureq::http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue};
use ureq::{AsSendBody, SendBody};

/// What a request carries.
pub(crate) enum Payload<'a> {
    Nothing,
    Json(Vec<u8>),
    Source(&'a dyn Source),
}

/// Where a payload comes from that is not held in memory.
pub(crate) trait Source {
    /// What it is, for the `Content-Type`.
    fn content_type(&self) -> HeaderValue;
    /// How many bytes it is: no fewer and no more.
    fn length(&self) -> u64;
    /// How it is to be sent.
    fn delivery(&self) -> Delivery;
    /// Opens it at its beginning.
    fn open(&self) -> io::Result<Box<dyn Read + '_>>;
}

/// A payload as one attempt sends it.
pub(crate) enum OpenPayload<'p> {
    Nothing(()),
    Json(&'p [u8]),
    Source(Exactly<'p>),
}

impl Payload<'_> {
    /// Adds what the head of a request says of its payload.
    pub fn add_headers(&self, headers: &mut HeaderMap) {
        match self {
            Payload::Nothing => {}
            Payload::Json(_) => {
                headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            }
            Payload::Source(source) => {
                headers.insert(CONTENT_TYPE, source.content_type());
                headers.insert(CONTENT_LENGTH, HeaderValue::from(source.length()));
            }
        }
    }

    /// Has `attempt` send it.
    pub fn prepare(&self, attempt: Attempt) -> Attempt {
        match self {
            Payload::Nothing | Payload::Json(_) => attempt,
            Payload::Source(source) => attempt.sending(source.length(), source.delivery()),
        }
    }

    /// Opens it for an attempt.
    pub fn open<'p>(&'p self, attempt: &'p Attempt) -> Result<OpenPayload<'p>, Fault> {
        Ok(match self {
            Payload::Nothing => OpenPayload::Nothing(()),
            Payload::Json(json) => OpenPayload::Json(json),
            Payload::Source(source) => OpenPayload::Source(Exactly::open(*source, attempt)?),
        })
    }
}

impl OpenPayload<'_> {
    /// The same as ureq takes it. It sends a reader with the length that the head tells.
    pub fn as_body(&mut self) -> SendBody<'_> {
        match self {
            OpenPayload::Nothing(nothing) => nothing.as_body(),
            OpenPayload::Json(json) => json.as_body(),
            OpenPayload::Source(reader) => SendBody::from_reader(reader),
        }
    }
}

/// Reads a source, and fails with a [`Fault`] unless it is as long as it says. ureq would ask for ever
/// for the rest of one that ends early, so that this never ends before its length. What is not sent any
/// more, since an answer has come, is counted off without being read.
pub(crate) struct Exactly<'p> {
    reader: Box<dyn Read + 'p>,
    attempt: &'p Attempt,
    length: u64,
    left: u64,
}

impl<'p> Exactly<'p> {
    fn open(source: &'p dyn Source, attempt: &'p Attempt) -> Result<Self, Fault> {
        let reader = source.open().map_err(|error| failed("be opened", error))?;
        let length = source.length();
        let mut exactly = Exactly { reader, attempt, length, left: length };
        if length == 0 {
            // Nobody reads what is empty.
            exactly.must_have_ended()?;
        }
        Ok(exactly)
    }

    /// Reads some of what is left into `room`, which is not empty.
    fn read_some(&mut self, room: &mut [u8]) -> Result<usize, Fault> {
        // A slow source takes time in which no socket is waited for.
        self.attempt.wait().check()?;
        let most = usize::try_from(self.left).map_or(room.len(), |left| left.min(room.len()));
        let most = match self.attempt.transfer() {
            Some(transfer) if transfer.is_given_up() => {
                self.left -= most as u64;
                return Ok(most);
            }
            Some(transfer) => transfer.most_at_once(most),
            None => most,
        };
        let count = self.fill(&mut room[..most])?;
        if count == 0 {
            let (length, read) = (self.length, self.length - self.left);
            return Err(Fault::Source(format!(
                "the source ended after {read} of its {length} bytes"
            )));
        }
        self.left -= count as u64;
        if self.left == 0 {
            // Before the last piece is sent, so that the service has no whole request of a source that
            // has grown meanwhile.
            self.must_have_ended()?;
        }
        Ok(count)
    }

    fn must_have_ended(&mut self) -> Result<(), Fault> {
        match self.fill(&mut [0])? {
            0 => Ok(()),
            _ => Err(Fault::Source(format!("the source is longer than its {} bytes", self.length))),
        }
    }

    /// Reads once into `room`.
    fn fill(&mut self, room: &mut [u8]) -> Result<usize, Fault> {
        loop {
            match self.reader.read(room) {
                // A reader that claims more than there is room for may have claimed anything before.
                Ok(count) if count > room.len() => {
                    return Err(Fault::Source("the source says that it read too much".into()));
                }
                Ok(count) => return Ok(count),
                // Interrupted for ever, it would hold up a call for ever.
                Err(error) if error.kind() == ErrorKind::Interrupted => {
                    self.attempt.wait().check()?
                }
                Err(error) => return Err(failed("be read", error)),
            }
        }
    }
}

impl Read for Exactly<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        if room.is_empty() || self.left == 0 {
            return Ok(0);
        }
        self.read_some(room).map_err(io::Error::other)
    }
}

/// What a source fails with, which may be a [`Fault`] that says all itself.
#[cold]
fn failed(to_what: &str, error: io::Error) -> Fault {
    let said = |error| Fault::Source(format!("the source cannot {to_what}: {error}"));
    error.downcast().unwrap_or_else(said)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::operation::examples::REPLACE;
    use crate::call::options::{CallOptions, CallTimeout};
    use crate::call::request::Request;
    use crate::call::run::send;
    use crate::client::Client;
    use crate::error::{Error, Failure, Outcome};
    use crate::trace::Tracer;
    use crate::transport::http::{Reuse, Sent};
    use crate::wait::Wait;
    use crate::wait::cancel::Cancel;
    use crate::wait::deadline::Deadline;
    use std::cell::Cell;
    use std::io::Write;
    use std::net::{TcpListener, TcpStream};
    use std::sync::Arc;
    use std::thread::{self, JoinHandle};
    use std::time::{Duration, Instant};

    /// A source that says that it is `length` bytes, and opens what `make` makes.
    struct Made<F> {
        length: u64,
        make: F,
        delivery: Delivery,
        times_opened: Cell<u32>,
    }

    impl<F: Fn() -> io::Result<Box<dyn Read>>> Source for Made<F> {
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
            self.times_opened.set(self.times_opened.get() + 1);
            (self.make)()
        }
    }

    fn source<F: Fn() -> io::Result<Box<dyn Read>>>(length: u64, make: F) -> Made<F> {
        Made { length, make, delivery: Delivery::default(), times_opened: Cell::new(0) }
    }

    /// This many bytes, of which no two neighbours are the same.
    fn bytes(length: usize) -> Vec<u8> {
        (0..length).map(|index| (index % 251) as u8).collect()
    }

    /// Reads `bytes` in pieces of all sizes, and is interrupted between any two.
    struct Uneven {
        bytes: Vec<u8>,
        read: usize,
        is_interrupted: bool,
    }

    impl Read for Uneven {
        fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
            self.is_interrupted = !self.is_interrupted;
            if self.is_interrupted {
                return Err(ErrorKind::Interrupted.into());
            }
            let rest = &self.bytes[self.read..];
            let count = rest.len().min(room.len()).min(1 + self.read % 10_007);
            room[..count].copy_from_slice(&rest[..count]);
            self.read += count;
            Ok(count)
        }
    }

    /// What a peer has received: a head, and as much of a body as came.
    struct Received {
        head: String,
        body: Vec<u8>,
    }

    fn receive(connection: &mut TcpStream) -> Received {
        let (mut head, mut byte) = (Vec::new(), [0]);
        while !head.ends_with(b"\r\n\r\n") && connection.read(&mut byte).unwrap_or(0) == 1 {
            head.push(byte[0]);
        }
        let head = String::from_utf8(head).expect("ASCII").to_lowercase();
        let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
        let length = length.and_then(|length| length.parse().ok()).unwrap_or(0);
        let mut body = Vec::new();
        // What breaks off leaves what had come.
        let _ = connection.take(length).read_to_end(&mut body);
        Received { head, body }
    }

    /// A peer that takes a connection for each of `statuses`, and answers the request on it with that.
    fn peer(statuses: &'static [u16]) -> (Client, JoinHandle<Vec<Received>>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let client = client_of(&listener);
        let serve = move |status: &u16| {
            let (mut connection, _) = listener.accept().expect("a connection");
            let received = receive(&mut connection);
            let answer = format!(
                "HTTP/1.1 {status} So\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}"
            );
            // Who broke off reads no answer.
            let _ = connection.write_all(answer.as_bytes());
            received
        };
        (client, thread::spawn(move || statuses.iter().map(serve).collect()))
    }

    fn client_of(listener: &TcpListener) -> Client {
        Client::for_test(&format!("http://{}", listener.local_addr().expect("an address")))
    }

    fn upload(client: &Client, source: &dyn Source, options: &CallOptions) -> Result<(), Error> {
        send(client, &Request::new(&REPLACE).with(Payload::Source(source)), options).map(|_| ())
    }

    /// Options that end a call which should have ended long before.
    fn in_time() -> CallOptions {
        let timeout = CallTimeout::Own(Some(Duration::from_secs(60)));
        CallOptions { timeout, ..CallOptions::default() }
    }

    #[test]
    fn a_source_arrives_as_it_is_with_its_type_and_length() {
        let (client, peer) = peer(&[200]);
        let sent = bytes(1024 * 1024 + 1);
        let uneven = || Uneven { bytes: bytes(1024 * 1024 + 1), read: 0, is_interrupted: false };
        let source = source(sent.len() as u64, || Ok(Box::new(uneven())));
        upload(&client, &source, &in_time()).expect("a success");
        let received = peer.join().expect("no panic").remove(0);
        assert!(received.body == sent, "{} bytes arrived", received.body.len());
        assert!(received.head.contains("content-type: video/mp4\r\n"), "{}", received.head);
        assert!(received.head.contains("content-length: 1048577\r\n"), "{}", received.head);
        assert!(!received.head.contains("transfer-encoding"), "{}", received.head);
    }

    #[test]
    fn a_source_is_opened_afresh_for_each_attempt() {
        let (client, peer) = peer(&[503, 200]);
        let source = source(100_000, || Ok(Box::new(io::Cursor::new(bytes(100_000)))));
        upload(&client, &source, &in_time()).expect("a success in the end");
        assert_eq!(source.times_opened.get(), 2);
        for received in peer.join().expect("no panic") {
            assert!(received.body == bytes(100_000), "{} bytes arrived", received.body.len());
        }
    }

    /// Sends a source that is `really` so, and says that it has `length` bytes, and returns the error and
    /// how much of the body arrived.
    fn fail(length: u64, really: fn() -> io::Result<Box<dyn Read>>) -> (Error, usize) {
        let (client, peer) = peer(&[200]);
        let source = source(length, really);
        let error = upload(&client, &source, &in_time()).expect_err("a source that fails");
        assert_eq!(error.failure(), Failure::Source, "{error}");
        assert_eq!(source.times_opened.get(), 1, "it is not tried again");
        assert!(!error.is_retryable());
        (error, peer.join().expect("no panic").remove(0).body.len())
    }

    #[test]
    fn a_source_that_ends_early_is_a_fault_of_its_own() {
        let (error, _) = fail(100_000, || Ok(Box::new(io::repeat(7).take(99_999))));
        let expected =
            "PUT /things: the source ended after 99999 of its 100000 bytes; nothing was done";
        assert_eq!(error.to_string(), expected);
        assert_eq!(error.outcome(), Outcome::NotApplied);
    }

    #[test]
    fn a_source_that_cannot_be_read_is_a_fault_of_its_own() {
        struct Breaks;
        impl Read for Breaks {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("the disk is gone"))
            }
        }
        let (error, arrived) =
            fail(100_000, || Ok(Box::new(io::repeat(7).take(50_000).chain(Breaks))));
        assert!(
            error.to_string().contains("the source cannot be read: the disk is gone"),
            "{error}"
        );
        assert!(arrived <= 50_000, "{arrived}");
    }

    #[test]
    fn a_source_that_claims_more_than_there_was_room_for_is_not_believed() {
        struct Boasts;
        impl Read for Boasts {
            fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
                Ok(room.len() + 1)
            }
        }
        let (error, arrived) = fail(100_000, || Ok(Box::new(Boasts)));
        assert!(error.to_string().contains("says that it read too much"), "{error}");
        assert_eq!(arrived, 0);
    }

    #[test]
    fn of_a_source_that_is_too_long_the_service_never_gets_all_that_was_announced() {
        let (error, arrived) = fail(100_000, || Ok(Box::new(io::repeat(7).take(100_001))));
        assert!(error.to_string().contains("longer than its 100000 bytes"), "{error}");
        assert!(arrived < 100_000, "{arrived}");
    }

    #[test]
    fn a_source_that_cannot_be_opened_is_a_fault_before_anything_is_sent() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let source = source(1, || Err(ErrorKind::NotFound.into()));
        let error = upload(&client_of(&listener), &source, &in_time()).expect_err("no source");
        assert_eq!((error.failure(), error.outcome()), (Failure::Source, Outcome::NotApplied));
        assert!(error.to_string().contains("the source cannot be opened: "), "{error}");
    }

    #[test]
    fn an_empty_source_is_held_to_its_length_too() {
        let (client, peer) = peer(&[200]);
        let empty = source(0, || Ok(Box::new(io::empty())));
        upload(&client, &empty, &in_time()).expect("a success");
        let received = peer.join().expect("no panic").remove(0);
        assert!(received.head.contains("content-length: 0\r\n"), "{}", received.head);
        let longer = source(0, || Ok(Box::new(io::repeat(7))));
        let error = upload(&client, &longer, &in_time()).expect_err("longer than nothing");
        assert_eq!((error.failure(), error.outcome()), (Failure::Source, Outcome::NotApplied));
    }

    /// More than any buffers between here and a peer that reads nothing hold.
    const ENDLESS: u64 = 1 << 40;

    #[test]
    fn a_peer_that_does_not_read_holds_a_source_up_no_longer_than_the_deadline() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let client = client_of(&listener);
        let source = source(ENDLESS, || Ok(Box::new(io::repeat(7))));
        let timeout = CallTimeout::Own(Some(Duration::from_millis(200)));
        let options = CallOptions { timeout, ..CallOptions::default() };
        let error = upload(&client, &source, &options).expect_err("nobody reads");
        assert_eq!(error.failure(), Failure::Timeout);
        assert!(error.to_string().contains("timed out while sending the request"), "{error}");
    }

    #[test]
    fn a_source_that_nobody_takes_is_a_standstill_and_nothing_is_in_doubt() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let client = client_of(&listener);
        let mut source = source(ENDLESS, || Ok(Box::new(io::repeat(7))));
        source.delivery.stall_timeout = Some(Duration::from_millis(100));
        let options = CallOptions { max_attempts: Some(1), ..in_time() };
        let error = upload(&client, &source, &options).expect_err("nobody reads");
        assert_eq!((error.failure(), error.is_retryable()), (Failure::Stalled, true), "{error}");
        let expected =
            "PUT /things: nothing moved for too long while sending the request; nothing was done";
        assert_eq!(error.to_string(), expected);
        assert!(!error.sent().is_whole && error.sent().acknowledged > 0, "{:?}", error.sent());
    }

    #[test]
    fn a_source_that_is_refused_has_arrived_whole_and_one_that_is_not_connected_has_not() {
        let (client, peer) = peer(&[401]);
        let source = source(100_000, || Ok(Box::new(io::repeat(7).take(100_000))));
        let error = upload(&client, &source, &in_time()).expect_err("it is refused");
        assert_eq!(error.sent(), Sent { acknowledged: 100_000, is_whole: true });
        drop(peer.join().expect("no panic"));
        let options = CallOptions { max_attempts: Some(1), ..in_time() };
        let error = upload(&client, &source, &options).expect_err("nobody is there any more");
        assert_eq!((error.failure(), error.sent()), (Failure::Connect, Sent::default()));
    }

    #[test]
    fn a_call_whose_source_nobody_reads_can_be_cancelled() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let client = client_of(&listener);
        let cancel = Arc::new(Cancel::new());
        let options = CallOptions { cancel: Some(cancel.clone()), ..in_time() };
        let peer = thread::spawn(move || {
            let (mut connection, _) = listener.accept().expect("a connection");
            let _ = connection.read(&mut [0]).expect("something is sent");
            cancel.trigger();
            connection
        });
        let source = source(ENDLESS, || Ok(Box::new(io::repeat(7))));
        let error = upload(&client, &source, &options).expect_err("it is cancelled");
        assert_eq!(error.failure(), Failure::Cancelled, "{error}");
        drop(peer.join().expect("no panic"));
    }

    #[test]
    fn deadline_and_cancel_hold_for_a_source_that_is_interrupted_again_and_again() {
        struct Interrupted(Arc<Cancel>, u32);
        impl Read for Interrupted {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                self.0.trigger();
                self.1 += 1;
                if self.1 < 1000 { Err(ErrorKind::Interrupted.into()) } else { Ok(0) }
            }
        }
        let cancel = Arc::new(Cancel::new());
        let interrupted = cancel.clone();
        let source = source(10, move || Ok(Box::new(Interrupted(interrupted.clone(), 0))));
        let wait = Wait::new(Deadline::NEVER, Some(cancel));
        let attempt = Attempt::new(Instant::now(), wait, None, Reuse::Any, Tracer::off());
        let mut reader = Exactly::open(&source, &attempt).expect("it opens");
        let result = reader.read(&mut [0; 20]).map_err(|error| error.downcast::<Fault>());
        assert!(matches!(result, Err(Ok(Fault::Cancelled))), "{result:?}");
    }

    #[test]
    fn deadline_and_cancel_hold_between_the_pieces_of_a_source_that_no_socket_waits_for() {
        let source = source(10, || Ok(Box::new(io::repeat(7).take(10))));
        let read = |timeout, cancel| {
            let wait = Wait::new(Deadline::after(timeout), cancel);
            let attempt = Attempt::new(Instant::now(), wait, None, Reuse::Any, Tracer::off());
            let mut reader = Exactly::open(&source, &attempt).expect("it opens");
            let read = reader.read(&mut [0; 20]).map_err(|error| error.downcast::<Fault>());
            assert!(read.is_err() || reader.read(&mut [0; 20]).is_ok_and(|count| count == 0));
            read
        };
        assert_eq!(read(None, None).expect("no bounds"), 10);
        assert!(matches!(read(Some(Duration::ZERO), None), Err(Ok(Fault::TimedOut))));
        let cancel = Arc::new(Cancel::new());
        cancel.trigger();
        assert!(matches!(read(None, Some(cancel)), Err(Ok(Fault::Cancelled))));
    }
}
