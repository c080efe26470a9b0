//! A client: a checked configuration, and the connections made with it. Any number of threads may
//! call through one client at once.

use crate::base_url::{self, BaseUrl};
use crate::call::gate::Gate;
use crate::call::operation::Quota;
use crate::environment::Environment;
use crate::error::Error;
use crate::limits::LONGEST_ORIGIN_NAME;
use crate::process::PerProcess;
use crate::secret::{Credential, Secret};
use crate::trace::Tracer;
use crate::transport::http::{Agent, AgentSettings};
use crate::transport::{Proxy, Trust};
use std::time::Duration;
use ureq::http::HeaderValue;
use ureq::http::header::{self, HeaderMap, HeaderName};

/// This library's version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What the whole of a call may take unless told otherwise.
pub(crate) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
/// What connecting may take unless told otherwise.
pub(crate) const DEFAULT_CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// What one attempt may take, while another may follow, unless told otherwise.
pub(crate) const DEFAULT_ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);
/// How many attempts a call may make unless told otherwise.
pub(crate) const DEFAULT_MAX_ATTEMPTS: u32 = 3;

/// What a client is made from.
pub(crate) struct ClientConfig<'a> {
    /// `None` for a client that calls only what asks for no credential.
    pub credential: Option<Credential<'a>>,
    pub base_url: Option<&'a str>,
    pub app: Origin<'a>,
    pub sdk: Origin<'a>,
    /// Authorities that replace the system's, a PEM file.
    pub ca_file: Option<&'a str>,
    /// A proxy's URL, "" for none, `None` for the environment's.
    pub proxy_url: Option<&'a str>,
    /// `None` is no limit.
    pub timeout: Option<Duration>,
    /// `None` is no limit but the call's.
    pub connect_timeout: Option<Duration>,
    /// `None` is no limit but the call's.
    pub attempt_timeout: Option<Duration>,
    /// `None` is `DEFAULT_MAX_ATTEMPTS`.
    pub max_attempts: Option<u32>,
    pub tracer: Tracer,
    pub allow_plain_http: bool,
}

/// Who a request comes from, for the service's statistics.
#[derive(Clone, Copy)]
pub(crate) struct Origin<'a> {
    pub name: Option<&'a str>,
    pub version: Option<&'a str>,
}

/// A client of the service.
pub(crate) struct Client {
    connections: PerProcess<Connections>,
    agent_settings: AgentSettings,
    trust: Option<Trust>,
    proxy: Option<Proxy>,
    base_url: BaseUrl,
    secret: Option<Secret>,
    headers: Headers,
    timeout: Option<Duration>,
    connect_timeout: Option<Duration>,
    attempt_timeout: Option<Duration>,
    max_attempts: Option<u32>,
    tracer: Tracer,
}

/// What every request begins with.
struct Headers {
    with_credential: HeaderMap,
    without: HeaderMap,
}

/// What a client's calls share, and a forked process must not.
pub(crate) struct Connections {
    pub agent: Agent,
    reads: Gate,
    writes: Gate,
    uploads: Gate,
}

impl Connections {
    fn new(settings: &AgentSettings, trust: Option<&Trust>, proxy: Option<&Proxy>) -> Self {
        Connections {
            agent: Agent::new(settings, trust.map(Trust::for_this_process), proxy.cloned()),
            reads: Gate::default(),
            writes: Gate::default(),
            uploads: Gate::default(),
        }
    }

    /// The gate before what the service counts against `quota`.
    pub fn gate(&self, quota: Quota) -> &Gate {
        match quota {
            Quota::Reads => &self.reads,
            Quota::Writes => &self.writes,
            Quota::Uploads => &self.uploads,
        }
    }
}

impl Client {
    /// Checks a configuration and makes a client of it. Nothing is sent.
    pub fn new(config: ClientConfig<'_>) -> Result<Self, Error> {
        let secret = config.credential.map(Secret::new).transpose()?;
        let url = config.base_url.unwrap_or(base_url::PRODUCTION);
        let base_url = BaseUrl::parse(url, config.allow_plain_http)?;
        let authorization = match (&secret, config.credential) {
            (Some(secret), Some(credential)) => Some(secret.authorization(credential)?),
            _ => None,
        };
        let headers = Headers {
            with_credential: headers(&config, &base_url, authorization)?,
            without: headers(&config, &base_url, None)?,
        };
        let environment = Environment::of_this_process();
        let may_be_seen = config.allow_plain_http;
        let proxy = Proxy::choose(config.proxy_url, environment, &base_url, may_be_seen)?;
        // A certificate file is checked in any case: a program that names one means it.
        let trust = if base_url.is_https() || config.ca_file.is_some() {
            Some(Trust::new(config.ca_file, environment)?)
        } else {
            None
        };
        let agent_settings = AgentSettings::new();
        let connections = Connections::new(&agent_settings, trust.as_ref(), proxy.as_ref());
        Ok(Client {
            connections: PerProcess::new(connections),
            agent_settings,
            trust,
            proxy,
            base_url,
            secret,
            headers,
            timeout: config.timeout,
            connect_timeout: config.connect_timeout,
            attempt_timeout: config.attempt_timeout,
            max_attempts: config.max_attempts,
            tracer: config.tracer,
        })
    }

    /// A client of the service at `url` as tests and fuzzers want it.
    #[cfg(any(test, fuzzing))]
    pub fn for_test(url: &str) -> Self {
        let nobody = Origin { name: None, version: None };
        let config = ClientConfig {
            credential: Some(Credential::ApiKey("an-api-key")),
            base_url: Some(url),
            app: nobody,
            sdk: nobody,
            ca_file: None,
            proxy_url: Some(""),
            timeout: None,
            connect_timeout: None,
            attempt_timeout: None,
            max_attempts: None,
            tracer: Tracer::off(),
            allow_plain_http: false,
        };
        Client::new(config).expect("a client")
    }

    /// This process's connections.
    pub fn connections(&self) -> &Connections {
        self.connections.get(|| {
            Connections::new(&self.agent_settings, self.trust.as_ref(), self.proxy.as_ref())
        })
    }

    pub fn base_url(&self) -> &BaseUrl {
        &self.base_url
    }

    /// Whether it can call what asks for a credential.
    pub fn has_credential(&self) -> bool {
        self.secret.is_some()
    }

    /// What a request's headers begin with, with the credential or without.
    pub fn headers(&self, with_credential: bool) -> &HeaderMap {
        if with_credential { &self.headers.with_credential } else { &self.headers.without }
    }

    pub fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    pub fn connect_timeout(&self) -> Option<Duration> {
        self.connect_timeout
    }

    pub fn attempt_timeout(&self) -> Option<Duration> {
        self.attempt_timeout
    }

    /// `None` if nobody said how many.
    pub fn max_attempts(&self) -> Option<u32> {
        self.max_attempts
    }

    pub fn tracer(&self) -> &Tracer {
        &self.tracer
    }

    /// Takes the credential out of `text`, in which a service may have repeated it.
    pub fn hide_in(&self, text: String) -> String {
        match &self.secret {
            Some(secret) => secret.hide_in(text),
            None => text,
        }
    }
}

/// What every request begins with, made once.
fn headers(
    config: &ClientConfig<'_>,
    base_url: &BaseUrl,
    authorization: Option<HeaderValue>,
) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::new();
    let host = HeaderValue::try_from(base_url.host_header())
        .map_err(|error| Error::internal(format_args!("the host is no header: {error}")))?;
    headers.insert(header::HOST, host);
    if let Some(authorization) = authorization {
        headers.insert(header::AUTHORIZATION, authorization);
    }
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    let user_agent = concat!("apivideo-c/", env!("CARGO_PKG_VERSION"));
    headers.insert(header::USER_AGENT, HeaderValue::from_static(user_agent));
    // The service's pattern has no room for a pre-release suffix.
    let release = VERSION.split('-').next().unwrap_or(VERSION);
    let mut add = |name: &'static str, value: String| {
        let value = HeaderValue::try_from(value)
            .map_err(|error| Error::internal(format_args!("{name} is no header: {error}")))?;
        headers.insert(HeaderName::from_static(name), value);
        Ok::<(), Error>(())
    };
    add("av-origin-client", format!("c:{release}"))?;
    if let Some(value) = config.app.check("app")? {
        add("av-origin-app", value)?;
    }
    if let Some(value) = config.sdk.check("sdk")? {
        add("av-origin-sdk", value)?;
    }
    Ok(headers)
}

impl Origin<'_> {
    /// `name:version`, or `None` if neither is given. The rules are those of the official clients,
    /// but for the whole string and ASCII alone.
    fn check(self, prefix: &str) -> Result<Option<String>, Error> {
        let refuse = |what: std::fmt::Arguments<'_>| {
            Err(Error::invalid_argument(format_args!("{prefix}_{what}")))
        };
        let (name, version) = match (self.name, self.version) {
            (None, None) => return Ok(None),
            (Some(_), None) => {
                return refuse(format_args!("version is missing beside {prefix}_name"));
            }
            (None, Some(_)) => {
                return refuse(format_args!("name is missing beside {prefix}_version"));
            }
            (Some(name), Some(version)) => (name, version),
        };
        if !is_origin_name(name) {
            return refuse(format_args!(
                "name must be 1 to {LONGEST_ORIGIN_NAME} of the characters A-Z a-z 0-9 - _"
            ));
        }
        if !is_origin_version(version) {
            return refuse(format_args!(
                "version must be 1 to 3 numbers of 1 to 3 digits, as 1.20.3"
            ));
        }
        Ok(Some(format!("{name}:{version}")))
    }
}

fn is_origin_name(name: &str) -> bool {
    (1..=LONGEST_ORIGIN_NAME).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

fn is_origin_version(version: &str) -> bool {
    let is_number = |part: &str| {
        (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    version.split('.').count() <= 3 && version.split('.').all(is_number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::options::CallOptions;
    use crate::error::Failure;
    use crate::tokens;

    #[test]
    fn a_client_without_a_credential_calls_nothing_that_asks_for_one() {
        let client = Client { secret: None, ..Client::for_test("http://127.0.0.1:1") };
        let error = tokens::delete(&client, "a-token", &CallOptions::default());
        let error = error.expect_err("there is no credential");
        assert_eq!((error.failure(), error.attempts()), (Failure::InvalidArgument, 0));
        assert!(error.to_string().contains("AV_CLIENT_NO_CREDENTIAL"), "{error}");
    }

    #[test]
    fn an_origin_name_is_short_ascii_words() {
        for name in ["a", "my-app_2", "A".repeat(50).as_str()] {
            assert!(is_origin_name(name), "{name}");
        }
        for name in ["", "A".repeat(51).as_str(), "my app", "é", "a\n", "a:b", "a\r\nX: y"] {
            assert!(!is_origin_name(name), "{name:?}");
        }
    }

    #[test]
    fn an_origin_version_is_up_to_three_short_numbers() {
        for version in ["1", "1.2", "123.456.789", "0.0.0"] {
            assert!(is_origin_version(version), "{version}");
        }
        for version in ["", "1.", ".1", "1.2.3.4", "1234", "1.0.0-beta", "v1", "1.2.3\n", "١.٢"] {
            assert!(!is_origin_version(version), "{version:?}");
        }
    }
}
