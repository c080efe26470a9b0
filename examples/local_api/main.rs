//! A stand-in for api.video's upload tokens, and uploads with them, to test programs against without
//! an account:
//! `cargo run --example local_api -- --port 0 --api-key KEY`. It behaves as api.video publishes;
//! what it assumes where that is silent is listed in `service.rs`. It can also be slow, fail, lose
//! answers and speak TLS; what it really did is told at `/local-api/ledger`, see `ledger.rs`.

mod access_tokens;
mod answer;
mod content_range;
mod cors;
mod credentials;
mod date;
mod faults;
mod integer;
mod ledger;
mod list_query;
mod multipart;
mod payload;
mod problem;
mod range_problem;
mod rate_limit;
mod route;
mod server;
mod service;
mod sizes;
mod source;
mod spool;
mod store;
mod tls;
mod upload;
mod videos;

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
use server::{Conduct, Server};
use service::Service;
use sizes::Sizes;
use store::Store;
use tls::Tls;
use upload::Receiver;

/// A local stand-in for api.video: upload tokens, and uploads with them. Prints its URL when ready;
/// Ctrl-C ends it.
///
/// It takes every official client: Basic with the API key, or Bearer with what POST /auth/api-key and
/// POST /auth/refresh give; and browsers: pages of every origin may call it. Neither /auth nor what a
/// browser asks beforehand counts towards the rate limit.
///
/// POST /upload?token=TOKEN takes a file, whole or in parts, and needs no other credential. POST /videos
/// makes a video to upload it to; GET /videos/ID and /videos/ID/status tell of one. Of what is uploaded
/// nothing is kept but its SHA-256; parts that come out of order wait in a temporary file.
///
/// GET /local-api/ledger tells what it really did: requests, connections, tokens made and deleted,
/// parts and their SHA-256, answers lost. It needs no credentials, and nothing that is set here applies
/// to it.
#[derive(Parser)]
#[command(name = "local_api")]
struct Options {
    /// Port on 127.0.0.1; with 0 the system picks a free one
    #[arg(long, default_value_t = 0)]
    port: u16,

    /// The API key that Basic authentication and POST /auth/api-key accept
    #[arg(long, value_name = "KEY", value_parser = NonEmptyStringValueParser::new(), required_unless_present = "ledger")]
    api_key: Option<String>,

    /// Print the ledger of the one that listens there, at http://127.0.0.1:PORT, and end
    #[arg(long, value_name = "URL", exclusive = true)]
    ledger: Option<String>,

    /// An access token that Bearer authentication accepts at all times, besides those given for the key
    #[arg(long, value_name = "TOKEN", value_parser = NonEmptyStringValueParser::new())]
    access_token: Option<String>,

    /// Let each access token that is given for the key be good for so many seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 3600, value_parser = value_parser!(u32).range(1..))]
    access_token_lifetime: u32,

    /// Start with this many upload tokens, made one second apart
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u32,

    /// Allow so many reads, as many writes and as many uploads in each period (60 seconds unless given)
    #[arg(long, value_name = "N[/SECONDS]")]
    rate_limit: Option<RateLimit>,

    /// Allow so many uploads instead, each part counted; api.video allows 100, in its sandbox 40
    #[arg(long, value_name = "N[/SECONDS]")]
    upload_rate_limit: Option<RateLimit>,

    /// Refuse parts of fewer bytes, but for the last; ranges of bytes may go up to 10,000 times as many
    #[arg(long, value_name = "BYTES", default_value_t = Sizes::SMALLEST_PART, value_parser = value_parser!(u64).range(1..))]
    part_minimum: u64,

    /// Refuse files and parts of more bytes
    #[arg(long, value_name = "BYTES", default_value_t = Sizes::LARGEST_PART, value_parser = value_parser!(u64).range(1..=1 << 40))]
    part_maximum: u64,

    /// Refuse a part with which there would be more bytes of a video
    #[arg(long, value_name = "BYTES", default_value_t = Sizes::LARGEST_SOURCE, value_parser = value_parser!(u64).range(1..))]
    source_maximum: u64,

    /// Answer an upload that is refused for its token, the rate limit or by --fail-rate at once, and close
    /// the connection, instead of reading it to its end
    #[arg(long)]
    refuse_early: bool,

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
    if let Some(url) = options.ledger {
        println!("{}", ledger::fetch(&url)?);
        return Ok(());
    }
    let faults = Faults::new(options.fail_rate, options.drop_rate, options.random_seed)
        .unwrap_or_else(|error| {
            Options::command().error(ErrorKind::ArgumentConflict, error).exit()
        });
    // Before the URL is told: whoever reads it may send a signal at once.
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
    let address = listener.local_addr()?;
    let sizes = Sizes {
        smallest_part: options.part_minimum,
        largest_part: options.part_maximum,
        largest_source: options.source_maximum,
    };
    let rate_limit = options.rate_limit.unwrap_or(RateLimit::OUT_OF_REACH);
    let service = Service::new(
        Credentials::new(
            options.api_key.expect("without it there is a ledger to fetch"),
            options.access_token,
            AccessTokens::new(options.access_token_lifetime),
        ),
        Store::seeded(options.seed),
        RateLimiter::new(rate_limit, options.upload_rate_limit.unwrap_or(rate_limit)),
        faults,
        sizes,
    );
    let receiver = Receiver::new(sizes)?;
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
    let conduct = Conduct {
        latency: Duration::from_millis(options.latency_ms),
        refuses_early: options.refuse_early,
    };
    let server = Server::new(service, receiver, acceptor, conduct);
    tokio::select! {
        () = server.run(listener) => {}
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}
