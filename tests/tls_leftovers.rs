//! What TLS has decrypted and nobody has read yet. An answer that nobody asked for arrives in one go
//! with the answer before it, and must not be taken for the answer to the next request. And what
//! follows an odd line in an answer's head is still there when that is read once more.

use apivideo::ffi::client::{av_client, av_client_config, av_client_free, av_client_new};
use apivideo::ffi::tokens::{av_token_free, av_tokens_get};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::ffi::{CStr, CString};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use tokio_rustls::rustls::{ServerConfig, ServerConnection, pki_types::PrivateKeyDer};

/// A TLS record's worth of plain text: an answer of just this size fills one record, and what
/// follows it comes in the next.
const RECORD: usize = 16 * 1024;

/// An answer with `token`, of `length` bytes.
fn answer(token: &str, length: usize) -> Vec<u8> {
    let body_for = |padding: usize| format!("{{\"token\":\"{token}\"}}{}", " ".repeat(padding));
    let whole = |padding| {
        let body = body_for(padding);
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
    };
    (0..length).map(whole).find(|it| it.len() == length).expect("some padding fits").into_bytes()
}

/// Answers each request as `answers` says, by its number.
fn serve(mut socket: TcpStream, config: Arc<ServerConfig>, answers: fn(usize) -> Vec<Vec<u8>>) {
    let mut session = ServerConnection::new(config).expect("a session");
    session.set_buffer_limit(None);
    for number in 0.. {
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let mut stream = tokio_rustls::rustls::Stream::new(&mut session, &mut socket);
            let mut byte = [0];
            match stream.read(&mut byte) {
                Ok(1) => request.push(byte[0]),
                _ => return,
            }
        }
        for answer in answers(number) {
            session.writer().write_all(&answer).expect("room");
        }
        // In one write, so that both are there when the first is read.
        let mut bytes = Vec::new();
        while session.wants_write() {
            session.write_tls(&mut bytes).expect("memory");
        }
        if socket.write_all(&bytes).is_err() {
            return;
        }
    }
}

/// The token that the client is told.
fn token(client: *const av_client) -> String {
    let mut out = std::ptr::null_mut();
    // SAFETY: the client is not freed yet, and the token is freed after its last use.
    unsafe {
        let status = av_tokens_get(
            client,
            c"asked".as_ptr(),
            std::ptr::null(),
            &mut out,
            std::ptr::null_mut(),
        );
        assert_eq!(status, 0);
        let token = CStr::from_ptr((*out).token).to_str().expect("UTF-8").to_owned();
        av_token_free(out);
        token
    }
}

/// Has a client ask five times for a token, which is `asked` each time.
fn ask_five_times(answers: fn(usize) -> Vec<Vec<u8>>) {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().expect("a key"))
        .expect("an authority");
    let key = KeyPair::generate().expect("a key");
    let leaf = CertificateParams::new(vec!["localhost".into()])
        .and_then(|leaf| leaf.signed_by(&key, &authority))
        .expect("a certificate");
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(
            vec![leaf.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).expect("a key"),
        )
        .expect("a configuration");
    let config = Arc::new(config);

    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            let config = config.clone();
            std::thread::spawn(move || serve(socket, config, answers));
        }
    });

    let directory = tempfile::tempdir().expect("a directory");
    let ca_file = directory.path().join("ca.pem");
    std::fs::write(&ca_file, authority.pem()).expect("ca.pem");
    let ca_file = CString::new(ca_file.to_str().expect("UTF-8")).expect("no NUL");
    let base_url = CString::new(format!("https://localhost:{port}")).expect("no NUL");
    // SAFETY: all zeros is a valid configuration.
    let mut configuration: av_client_config = unsafe { std::mem::zeroed() };
    configuration.struct_size = size_of::<av_client_config>();
    configuration.api_key = c"key".as_ptr();
    configuration.base_url = base_url.as_ptr();
    configuration.ca_file = ca_file.as_ptr();
    configuration.proxy_url = c"".as_ptr();
    let mut client = std::ptr::null_mut();
    // SAFETY: the configuration's strings live to the end of this function.
    let status = unsafe { av_client_new(&configuration, &mut client, std::ptr::null_mut()) };
    assert_eq!(status, 0);

    for _ in 0..5 {
        assert_eq!(token(client), "asked");
    }
    // SAFETY: made above, and not used any more.
    unsafe { av_client_free(client) };
}

#[test]
fn an_unasked_answer_is_never_taken_for_the_next_one() {
    ask_five_times(|number| match number {
        0 => vec![answer("asked", RECORD), answer("unasked", 100)],
        _ => vec![answer("asked", RECORD)],
    });
}

#[test]
fn an_odd_line_loses_nothing_of_what_follows_it() {
    ask_five_times(|_| {
        let answer = answer("asked", 2 * RECORD);
        let (status_line, rest) = answer.split_at("HTTP/1.1 200 OK\r\n".len());
        vec![[status_line, b"X-A: one\r\n two\r\n: x\r\n", rest].concat()]
    });
}
