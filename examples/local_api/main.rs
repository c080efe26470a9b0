//! A stand-in for api.video's Upload Tokens service, to test programs against without an account:
//! `cargo run --example local_api -- --port 0 --api-key KEY`. It behaves as api.video publishes;
//! what it assumes where that is silent is listed in `service.rs`.

mod answer;
mod credentials;
mod list_query;
mod payload;
mod problem;
mod rate_limit;
mod service;
mod store;

use std::convert::Infallible;
use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use clap::builder::NonEmptyStringValueParser;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use credentials::Credentials;
use rate_limit::{RateLimit, RateLimiter};
use service::Service;
use store::Store;

/// A local stand-in for api.video's Upload Tokens service. Prints its URL when ready; Ctrl-C ends it.
#[derive(Parser)]
struct Options {
    /// Port on 127.0.0.1; with 0 the system picks a free one
    #[arg(long, default_value_t = 0)]
    port: u16,

    /// The API key that Basic authentication accepts
    #[arg(long, value_name = "KEY", value_parser = NonEmptyStringValueParser::new())]
    api_key: String,

    /// An access token that Bearer authentication accepts; without it none is
    #[arg(long, value_name = "TOKEN", value_parser = NonEmptyStringValueParser::new())]
    access_token: Option<String>,

    /// Start with this many upload tokens, made one second apart
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u32,

    /// Allow so many reads, and as many writes, in each period (60 seconds unless given)
    #[arg(long, value_name = "N[/SECONDS]")]
    rate_limit: Option<RateLimit>,

    /// Answer so many milliseconds after the work is done
    #[arg(long, value_name = "N", default_value_t = 0)]
    latency_ms: u64,
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let options = Options::parse();
    // Before the URL is told: whoever reads it may send a signal at once.
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
    let url = format!("http://{}", listener.local_addr()?);
    let service = Service::new(
        Credentials::new(options.api_key, options.access_token),
        Store::seeded(options.seed),
        RateLimiter::new(options.rate_limit.unwrap_or(RateLimit::OUT_OF_REACH)),
        Duration::from_millis(options.latency_ms),
    );
    println!("{url}");
    tokio::select! {
        () = accept(listener, Arc::new(service)) => {}
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}

async fn accept(listener: TcpListener, service: Arc<Service>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // Answers are small: holding them back to fill a packet would only slow them down.
                let _ = stream.set_nodelay(true);
                tokio::spawn(serve(stream, Arc::clone(&service)));
            }
            Err(error) => {
                eprintln!("cannot accept a connection: {error}");
                // Out of file descriptors, most likely: trying again at once would spin.
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// Answers one connection's requests, one after another, until either side closes it.
async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    service: Arc<Service>,
) {
    let answer = service_fn(|request| async { Ok::<_, Infallible>(service.answer(request).await) });
    // An error here is a client that hung up or did not speak HTTP: nothing to do about it.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
}
