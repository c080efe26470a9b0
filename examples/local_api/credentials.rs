//! Who may call: Basic with the API key as user name and no password, or Bearer with an access
//! token; and who is given such tokens. Each way to fail has a title of its own.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use serde_json::Value;

use crate::access_tokens::AccessTokens;
use crate::problem::Problem;

pub struct Credentials {
    api_key: String,
    /// One of the user's choice, for ever.
    access_token: Option<String>,
    access_tokens: AccessTokens,
}

impl Credentials {
    pub fn new(api_key: String, access_token: Option<String>, access_tokens: AccessTokens) -> Self {
        Self { api_key, access_token, access_tokens }
    }

    /// An access token for the key.
    pub fn log_in(&mut self, api_key: &str) -> Result<Value, Problem> {
        if api_key != self.api_key {
            return Err(Problem::incorrect_user_credentials());
        }
        Ok(self.access_tokens.grant())
    }

    /// Another one, for the refresh token of an earlier.
    pub fn refresh(&mut self, refresh_token: &str) -> Result<Value, Problem> {
        if !self.access_tokens.can_refresh(refresh_token) {
            return Err(Problem::incorrect_user_credentials());
        }
        Ok(self.access_tokens.grant())
    }

    pub fn check(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let value = values.next().ok_or_else(missing_header)?;
        if values.next().is_some() {
            return Err(invalid_header_value());
        }
        let (scheme, credential) = split(value).ok_or_else(invalid_header_value)?;
        if scheme.eq_ignore_ascii_case("Basic") {
            let api_key = user_without_password(credential).ok_or_else(invalid_header_value)?;
            (api_key == self.api_key).then_some(()).ok_or_else(invalid_api_key)
        } else if scheme.eq_ignore_ascii_case("Bearer") {
            let known = self.access_token.as_deref() == Some(credential)
                || self.access_tokens.is_valid(credential);
            known.then_some(()).ok_or_else(invalid_access_token)
        } else {
            Err(invalid_header_value())
        }
    }
}

fn split(value: &HeaderValue) -> Option<(&str, &str)> {
    value.to_str().ok()?.split_once(' ')
}

/// The colon is mandatory: what is encoded is `KEY:`.
fn user_without_password(credential: &str) -> Option<String> {
    let decoded = String::from_utf8(STANDARD.decode(credential).ok()?).ok()?;
    let (user, password) = decoded.split_once(':')?;
    password.is_empty().then(|| user.to_owned())
}

fn missing_header() -> Problem {
    Problem::unauthorized(
        "authentication-missing-authorization-header",
        r#"The "Authorization" header is missing."#,
    )
}

fn invalid_header_value() -> Problem {
    Problem::unauthorized(
        "authentication-invalid-authorization-header-value",
        r#"The "Authorization" header value is invalid."#,
    )
}

fn invalid_api_key() -> Problem {
    Problem::unauthorized("authentication-invalid-api-key", "The API key is invalid.")
}

fn invalid_access_token() -> Problem {
    Problem::unauthorized(
        "authentication-invalid-access-token",
        "The access token is invalid or expired.",
    )
}
