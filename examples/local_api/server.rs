//! Connections: accepted, given TLS if that is asked for, and their requests answered one after
//! another until either side closes.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::http::request::Parts;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::answer::Answer;
use crate::cors;
use crate::payload;
use crate::service::Service;
use crate::upload::Receiver;

pub struct Server {
    service: Mutex<Service>,
    receiver: Receiver,
    tls: Option<TlsAcceptor>,
    conduct: Conduct,
}

/// How it answers, whatever it answers.
pub struct Conduct {
    pub latency: Duration,
    /// Answers an upload that is refused by its head without reading the rest.
    pub refuses_early: bool,
}

impl Server {
    pub fn new(
        service: Service,
        receiver: Receiver,
        tls: Option<TlsAcceptor>,
        conduct: Conduct,
    ) -> Self {
        Self { service: Mutex::new(service), receiver, tls, conduct }
    }

    pub async fn run(self, listener: TcpListener) {
        let server = Arc::new(self);
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    tokio::spawn(Arc::clone(&server).welcome(stream));
                }
                Err(error) => {
                    eprintln!("cannot accept a connection: {error}");
                    // Out of file descriptors, most likely: trying again at once would spin.
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }

    async fn welcome(self: Arc<Self>, stream: TcpStream) {
        // Answers are small: holding them back to fill a packet would only slow them down.
        let _ = stream.set_nodelay(true);
        match &self.tls {
            None => self.serve(stream).await,
            Some(tls) => {
                // A handshake that fails is for the client to report.
                if let Ok(stream) = tls.accept(stream).await {
                    self.serve(stream).await;
                }
            }
        }
    }

    async fn serve(&self, stream: impl AsyncRead + AsyncWrite + Unpin + Send) {
        let first_request = Once::new();
        let answer = service_fn(|request| self.answer(request, &first_request));
        // An error here is a client that hung up or did not speak HTTP, or an answer that is to be
        // lost: nothing to do but to close the connection.
        let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
    }

    /// An error closes the connection without an answer.
    async fn answer(&self, request: Request<Incoming>, first_request: &Once) -> io::Result<Answer> {
        let mut answer = if Service::is_asked_for_ledger(&request) {
            self.service().ledger(self.receiver.bytes_in_vain())
        } else if cors::is_preflight(request.method()) {
            cors::preflight(request.uri().path())
        } else {
            self.work(request, first_request).await?
        };
        cors::let_read(answer.headers_mut());
        Ok(answer)
    }

    async fn work(&self, request: Request<Incoming>, first_request: &Once) -> io::Result<Answer> {
        let (request, body) = request.into_parts();
        let answer = if Service::is_upload(&request) {
            first_request.call_once(|| self.service().count_connection());
            self.take_upload(&request, body).await
        } else {
            let body = payload::read(body).await;
            first_request.call_once(|| self.service().count_connection());
            // Work and books in one go: who hangs up from here on changes neither.
            self.service().answer(&request, body)
        };
        if !self.conduct.latency.is_zero() {
            // After the work, so that a client which gives up waiting has made its token all the
            // same: the case that is worth testing.
            tokio::time::sleep(self.conduct.latency).await;
        }
        answer.ok_or_else(|| io::ErrorKind::ConnectionAborted.into())
    }

    async fn take_upload(&self, request: &Parts, body: Incoming) -> Option<Answer> {
        let admission = self.service().admit_upload(request);
        if self.conduct.refuses_early && admission.is_refused() {
            return self.service().refuse(admission);
        }
        let upload = self.receiver.receive(request, body).await;
        self.service().take(admission, upload)
    }

    /// A panic in one request must not take the others' tokens away with it.
    fn service(&self) -> MutexGuard<'_, Service> {
        self.service.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
