//! Making and freeing clients.

use super::boundary::Caller;
use super::error::{av_error, av_status};
use super::input::{Input, milliseconds};
use super::trace::{av_trace_fn, tracer};
use crate::client::{
    Client, ClientConfig, DEFAULT_ATTEMPT_TIMEOUT, DEFAULT_CONNECT_TIMEOUT, DEFAULT_TIMEOUT, Origin,
};
use crate::error::Error;
use crate::os;
use crate::secret::Credential;
use std::ffi::{c_char, c_void};
use std::sync::Arc;

/// av_client_config.flags: allows a `base_url` of `http://` to another machine, over which the
/// credential travels in the clear.
pub const AV_CLIENT_ALLOW_PLAIN_HTTP: u32 = 1;

/// av_client_config.flags: neither `api_key` nor `access_token` is set, on purpose: the client can only
/// upload with tokens (av_upload_file()), and every other call with it is AV_STATUS_INVALID_ARGUMENT.
/// Without this flag a missing key stays an error, so that an environment variable that is unset does not
/// pass.
pub const AV_CLIENT_NO_CREDENTIAL: u32 = 2;

/// A client: one credential, or none, one service, and the connections to it, which are kept open between
/// calls. Any number of threads may call through one client at once; a program rarely needs two.
pub struct av_client {
    client: Arc<Client>,
}

impl av_client {
    /// The client behind the handle, kept alive by whoever holds it.
    pub(super) fn share(&self) -> Arc<Client> {
        self.client.clone()
    }
}

/// What a client is made from. Zero the whole struct (`= {0}` in C, `= {}` in C++), set
/// `struct_size`, then what you need: `api_key` alone is enough.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct av_client_config {
    /// sizeof(av_client_config).
    pub struct_size: usize,
    /// The account's API key: 1 to 4096 bytes without ':' and control characters. Production and
    /// sandbox have keys of their own. Exactly one of this and `access_token` is set, or none and
    /// AV_CLIENT_NO_CREDENTIAL in `flags`.
    pub api_key: *const c_char,
    /// An access token got from the service by other means: 1 to 4096 visible ASCII characters.
    /// It is not renewed when it expires.
    pub access_token: *const c_char,
    /// Where the service is: `https://`, or `http://` to this machine; it may carry a path prefix,
    /// and no user name, query or fragment; at most 2048 bytes. NULL is APIVIDEO_PRODUCTION_URL;
    /// APIVIDEO_SANDBOX_URL is the other one.
    pub base_url: *const c_char,
    /// Your application, for the service's statistics: 1 to 50 of A-Z a-z 0-9 - _ . NULL is none,
    /// then `app_version` must be NULL too; with one, it must not.
    pub app_name: *const c_char,
    /// Your application's version: 1 to 3 numbers of 1 to 3 digits with dots, such as 1.20.3.
    pub app_version: *const c_char,
    /// The name of a library of yours over this one, in the form of `app_name`, or NULL.
    pub sdk_name: *const c_char,
    /// The version of that library, in the form of `app_version`, or NULL.
    pub sdk_version: *const c_char,
    /// A PEM file of certificate authorities that replaces the system's; read by av_client_new(),
    /// which takes all of its certificates or none, also those labelled TRUSTED or X509 CERTIFICATE; of
    /// the former those that are trusted for servers, as OpenSSL does.
    /// NULL is the system's; Windows and macOS judge certificates themselves then, which no deadline bounds,
    /// and macOS not in a child of fork(). docs/CERTIFICATES.md tells more, and what kinds of certificates
    /// are refused.
    pub ca_file: *const c_char,
    /// The proxy to go through: `http://` (by CONNECT, also for a plain `base_url`), `socks5://` or
    /// `socks5h://`, with `user:password@` (percent-encoded) if it asks for them. It is told the
    /// service's name, which is not looked up here. What it refuses is not tried again: that ends the
    /// call with AV_STATUS_CONNECT, not retryable. "" is none. NULL is what the environment says:
    /// https_proxy (http_proxy for a plain `base_url`), else all_proxy, unless no_proxy excepts the
    /// host. That is a list with commas or spaces of hosts (also for all below them, with or without a
    /// leading dot), addresses, and networks such as 10.0.0.0/8, each with or without a port; or "*".
    /// Each variable is also known in capitals, after the small one; HTTP_PROXY is not in a CGI
    /// program, where it is a header of the request, nor on Windows, which takes them for one, is
    /// http_proxy. An empty variable is unset, one that cannot be read AV_STATUS_INVALID_ARGUMENT. A
    /// setuid or otherwise privileged program's environment says nothing.
    pub proxy_url: *const c_char,
    /// Takes the trace, or NULL.
    pub trace_fn: av_trace_fn,
    /// Passed to `trace_fn`. It must stay valid until the client and every iterator made from it
    /// are freed and every call has returned.
    pub trace_userdata: *mut c_void,
    /// What the whole of a call may take, in milliseconds: name lookup, every attempt, and every wait
    /// between them. 0 is 30000, UINT32_MAX is no limit. A rate limit's window of 60 s rarely fits.
    pub timeout_ms: u32,
    /// What name lookup, TCP, proxy and TLS of one attempt may take together, in milliseconds, within
    /// `timeout_ms`. Nothing has been sent when it expires. 0 is 10000, UINT32_MAX is no limit of its
    /// own.
    pub connect_timeout_ms: u32,
    /// What one attempt of a get, list or delete may take, in milliseconds, while another is allowed;
    /// the last one may take all that is left of `timeout_ms`, and so may a create, for which a slow
    /// answer beats an unknown outcome. 0 is 10000, UINT32_MAX is no limit of its own.
    pub attempt_timeout_ms: u32,
    /// How many times a request may be tried in all. 0 is 3, 1 is never again. A create is tried again
    /// only if it cannot have been applied. Waiting for the rate limit does not count, unless this is
    /// 1.
    pub max_attempts: u32,
    /// One of the AV_TRACE_… constants.
    pub trace_level: i32,
    /// 0, or one or both of AV_CLIENT_ALLOW_PLAIN_HTTP and AV_CLIENT_NO_CREDENTIAL.
    pub flags: u32,
}

// SAFETY: integers, pointers and an optional function pointer, whose every pattern of bytes is a
// value; a test asserts that there is no padding.
unsafe impl Input for av_client_config {
    const ZEROED: Self = av_client_config {
        struct_size: 0,
        api_key: std::ptr::null(),
        access_token: std::ptr::null(),
        base_url: std::ptr::null(),
        app_name: std::ptr::null(),
        app_version: std::ptr::null(),
        sdk_name: std::ptr::null(),
        sdk_version: std::ptr::null(),
        ca_file: std::ptr::null(),
        proxy_url: std::ptr::null(),
        trace_fn: None,
        trace_userdata: std::ptr::null_mut(),
        timeout_ms: 0,
        connect_timeout_ms: 0,
        attempt_timeout_ms: 0,
        max_attempts: 0,
        trace_level: 0,
        flags: 0,
    };
    const SIZES: &'static [usize] = &[];
}

/// Makes a client. Nothing is sent, so that a wrong key shows with the first call.
///
/// @param config  what to make it from; not NULL; all of it is copied.
/// @param out     receives the client, to be freed with av_client_free(); not NULL.
/// @param error   receives what went wrong, to be freed with av_error_free(); may be NULL.
///
/// @return AV_STATUS_OK; AV_STATUS_INVALID_ARGUMENT, also if the environment says what cannot be used;
/// AV_STATUS_TLS if the system has no trusted certificates; AV_STATUS_INTERNAL.
///
/// The first client for an `https://` service reads the system's certificates, once per process: its
/// bundle, and its directory of single ones only if there is no bundle.
/// The environment is read here alone: the proxies (see av_client_config.proxy_url), and SSL_CERT_FILE
/// and SSL_CERT_DIR, which say where the certificates are, the latter in one or more directories with
/// colons between. The message names a variable that leads to no certificate. In a program with rights
/// that its user has not (setuid, setgid, capabilities of its own: AT_SECURE) none of them is asked.
///
/// A client may be used in a child process, even if other threads were inside calls: the child opens
/// connections of its own.
///
/// A program that closes descriptors which it has not opened, as closefrom() does, frees its clients
/// and cancel handles before that: what they hold would be taken for whatever has the same number
/// by then, to be sent to, and closed by the `_free`. Calls end by their deadlines even so, and
/// av_cancel_trigger() neither blocks nor writes.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn av_client_new(
    config: *const av_client_config,
    out: *mut *mut av_client,
    error: *mut *mut av_error,
) -> av_status {
    // SAFETY: the caller keeps to the header.
    let caller = unsafe { Caller::trust() };
    caller.guard(error, || {
        let out = caller.out(out, "out")?;
        let config = av_client_config::read(&caller, config)?;
        let client = Arc::new(Client::new(config)?);
        os::library::stay_loaded();
        out.set(Box::into_raw(Box::new(av_client { client })));
        Ok(())
    })
}

/// Frees a client and closes its idle connections; its credential is wiped from memory. NULL is a
/// no-op. Calls that are under way in other threads end as if nothing had happened, and iterators
/// go on: what they need lives until they end. But no call may begin any more.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn av_client_free(client: *mut av_client) {
    // SAFETY: the caller keeps to the header.
    let caller = unsafe { Caller::trust() };
    caller.free(client)
}

impl av_client_config {
    fn read(caller: &Caller, config: *const Self) -> Result<ClientConfig<'_>, Error> {
        let config = caller.required_input(config, "config")?;
        let text = |text, member: &str| caller.optional_text(text, &format!("config.{member}"));
        if config.flags & !(AV_CLIENT_ALLOW_PLAIN_HTTP | AV_CLIENT_NO_CREDENTIAL) != 0 {
            return Err(Error::invalid_argument("config.flags has an unknown bit set"));
        }
        let tracer = tracer(caller, config.trace_fn, config.trace_userdata, config.trace_level)?;
        let key = text(config.api_key, "api_key")?;
        let access_token = text(config.access_token, "access_token")?;
        let goes_without = config.flags & AV_CLIENT_NO_CREDENTIAL != 0;
        let credential = credential(key, access_token, goes_without)?;
        Ok(ClientConfig {
            credential,
            base_url: text(config.base_url, "base_url")?,
            app: Origin {
                name: text(config.app_name, "app_name")?,
                version: text(config.app_version, "app_version")?,
            },
            sdk: Origin {
                name: text(config.sdk_name, "sdk_name")?,
                version: text(config.sdk_version, "sdk_version")?,
            },
            ca_file: text(config.ca_file, "ca_file")?,
            proxy_url: text(config.proxy_url, "proxy_url")?,
            timeout: milliseconds(config.timeout_ms, DEFAULT_TIMEOUT),
            connect_timeout: milliseconds(config.connect_timeout_ms, DEFAULT_CONNECT_TIMEOUT),
            attempt_timeout: milliseconds(config.attempt_timeout_ms, DEFAULT_ATTEMPT_TIMEOUT),
            max_attempts: (config.max_attempts > 0).then_some(config.max_attempts),
            tracer,
            allow_plain_http: config.flags & AV_CLIENT_ALLOW_PLAIN_HTTP != 0,
        })
    }
}

/// The one credential that is set, or none if that is on purpose.
fn credential<'a>(
    key: Option<&'a str>,
    access_token: Option<&'a str>,
    goes_without: bool,
) -> Result<Option<Credential<'a>>, Error> {
    let why = match (key, access_token, goes_without) {
        (Some(key), None, false) => return Ok(Some(Credential::ApiKey(key))),
        (None, Some(token), false) => return Ok(Some(Credential::AccessToken(token))),
        (None, None, true) => return Ok(None),
        (.., false) => "exactly one of config.api_key and config.access_token must be set",
        (.., true) => {
            "config.flags has AV_CLIENT_NO_CREDENTIAL, but config.api_key or config.access_token is set"
        }
    };
    Err(Error::invalid_argument(why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_has_one_credential_or_goes_without_on_purpose() {
        assert!(matches!(credential(Some("k"), None, false), Ok(Some(Credential::ApiKey("k")))));
        let token = credential(None, Some("t"), false);
        assert!(matches!(token, Ok(Some(Credential::AccessToken("t")))));
        assert!(matches!(credential(None, None, true), Ok(None)));
        for (key, token, goes_without, words) in [
            (None, None, false, "exactly one"),
            (Some("k"), Some("t"), false, "exactly one"),
            (Some("k"), None, true, "config.flags has AV_CLIENT_NO_CREDENTIAL"),
            (None, Some("t"), true, "config.flags has AV_CLIENT_NO_CREDENTIAL"),
            (Some("k"), Some("t"), true, "config.flags has AV_CLIENT_NO_CREDENTIAL"),
        ] {
            let error = credential(key, token, goes_without).map(drop).expect_err(words);
            assert!(error.to_string().contains(words), "{error}");
        }
    }
}
