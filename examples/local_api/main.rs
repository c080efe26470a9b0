//! A stand-in for api.video's Upload Tokens service, to test programs against without an account:
//! `cargo run --example local_api -- --port 0 --api-key KEY`. It behaves as api.video publishes;
//! what it assumes where that is silent is listed in `service.rs`. It can also be slow, fail, lose
//! answers and speak TLS; what it really did is told at `/local-api/ledger`, see `ledger.rs`.

mod access_tokens;
mod answer;
mod cors;
mod credentials;
mod faults;
mod integer;
mod ledger;
mod list_query;
mod payload;
mod problem;
mod rate_limit;
mod route;
mod server;
mod service;
mod store;
mod tls;

use std::io;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, value_parser};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use access_tokens::AccessTokens;
use credentials::Credentials;
use faults::{Faults, Rate};
use rate_limit::{RateLimit, RateLimiter};
use server::Server;
use service::Service;
use store::Store;
use tls::Tls;

/// A local stand-in for api.video's Upload Tokens service. Prints its URL when ready; Ctrl-C ends it.
///
/// It takes every official client: Basic with the API key, or Bearer with what POST /auth/api-key and
/// POST /auth/refresh give; and browsers: pages of every origin may call it. The rate limit is that of
/// the tokens: neither /auth nor what a browser asks beforehand counts.
///
/// GET /local-api/ledger tells what it really did: requests, connections, tokens made and deleted,
/// answers lost. It needs no credentials, and nothing that is set here applies to it.
#[derive(Parser)]
#[command(name = "local_api")]
struct Options {
    /// Port on 127.0.0.1; with 0 the system picks a free one
    #[arg(long, default_value_t = 0)]
    port: u16,

    /// The API key that Basic authentication and POST /auth/api-key accept
    #[arg(long, value_name = "KEY", value_parser = NonEmptyStringValueParser::new())]
    api_key: String,

    /// An access token that Bearer authentication accepts at all times, besides those given for the key
    #[arg(long, value_name = "TOKEN", value_parser = NonEmptyStringValueParser::new())]
    access_token: Option<String>,

    /// Let each access token that is given for the key be good for so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 3600, value_parser = value_parser!(u32).range(1..))]
    access_token_lifetime: u32,

    /// Start with this many upload tokens, made one second apart
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u32,

    /// Allow so many reads, and as many writes, in each period (60 seconds unless given)
    #[arg(long, value_name = "N[/SECONDS]")]
    rate_limit: Option<RateLimit>,

    /// Answer so many milliseconds after the work is done
    #[arg(long, value_name = "N", default_value_t = 0)]
    latency_ms: u64,

    /// Answer this share of the requests with a 500 and do not do their work (20, 0.5 or 20%)
    #[arg(long, value_name = "PERCENT", default_value = "0")]
    fail_rate: Rate,

    /// Do the work of this share of the requests, then close the connection without an answer
    #[arg(long, value_name = "PERCENT", default_value = "0")]
    drop_rate: Rate,

    /// Choose the same requests to fail and to drop each time
    #[arg(long, value_name = "N")]
    random_seed: Option<u64>,

    /// Serve https, with a certificate authority made for the occasion; the second line printed is
    /// `CA file: PATH`, in the system's temporary directory and removed at the end
    #[arg(long)]
    tls: bool,

    /// Write the authority's certificate to this file instead, and leave it there
    #[arg(long, value_name = "PATH", requires = "tls")]
    tls_ca_file: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let options = Options::parse();
    let faults = Faults::new(options.fail_rate, options.drop_rate, options.random_seed)
        .unwrap_or_else(|error| {
            Options::command().error(ErrorKind::ArgumentConflict, error).exit()
        });
    // Before the URL is told: whoever reads it may send a signal at once.
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
    let address = listener.local_addr()?;
    let service = Service::new(
        Credentials::new(
            options.api_key,
            options.access_token,
            AccessTokens::new(options.access_token_lifetime),
        ),
        Store::seeded(options.seed),
        RateLimiter::new(options.rate_limit.unwrap_or(RateLimit::OUT_OF_REACH)),
        faults,
    );
    let tls = options.tls.then(|| Tls::new(options.tls_ca_file)).transpose()?;
    match &tls {
        None => println!("http://{address}"),
        Some(tls) => {
            // In one piece: who reads a line and leaves must not make the next one fail.
            let lines = format!("https://{address}\nCA file: {}\n", tls.ca_file.display());
            print!("{lines}");
        }
    }
    let acceptor = tls.as_ref().map(|tls| tls.acceptor.clone());
    let server = Server::new(service, acceptor, Duration::from_millis(options.latency_ms));
    tokio::select! {
        () = server.run(listener) => {}
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}
