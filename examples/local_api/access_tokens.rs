//! What a client gets for its API key: an access token that is good for a while, an hour unless the
//! options say otherwise, and a refresh token, which is there to get the next one. Both look like
//! the published ones: JWTs.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use time::OffsetDateTime;

pub struct AccessTokens {
    /// In seconds.
    lifetime: u32,
    expiries: HashMap<String, Instant>,
    refresh_tokens: HashSet<String>,
}

impl AccessTokens {
    pub fn new(lifetime: u32) -> Self {
        Self { lifetime, expiries: HashMap::new(), refresh_tokens: HashSet::new() }
    }

    /// The answer that tells an access token and its refresh token.
    pub fn grant(&mut self) -> Value {
        let now = Instant::now();
        self.expiries.retain(|_, expiry| now < *expiry);
        let access_token = new_token(Some(self.lifetime));
        let lifetime = Duration::from_secs(self.lifetime.into());
        self.expiries.insert(access_token.clone(), now + lifetime);
        let refresh_token = new_token(None);
        self.refresh_tokens.insert(refresh_token.clone());
        json!({
            "token_type": "Bearer",
            "expires_in": self.lifetime,
            "access_token": access_token,
            "refresh_token": refresh_token,
        })
    }

    pub fn is_valid(&self, access_token: &str) -> bool {
        self.expiries.get(access_token).is_some_and(|expiry| Instant::now() < *expiry)
    }

    pub fn can_refresh(&self, refresh_token: &str) -> bool {
        self.refresh_tokens.contains(refresh_token)
    }
}

/// Its signature is of the length of one, and chance.
fn new_token(lifetime: Option<u32>) -> String {
    let now = OffsetDateTime::now_utc().unix_timestamp();
    let mut claims = json!({ "jti": random(40), "iat": now });
    if let Some(lifetime) = lifetime {
        claims["exp"] = json!(now + i64::from(lifetime));
    }
    let encode = |part: Value| URL_SAFE_NO_PAD.encode(part.to_string());
    let header = encode(json!({ "typ": "JWT", "alg": "RS256" }));
    format!("{header}.{}.{}", encode(claims), random(342))
}

fn random(length: usize) -> String {
    std::iter::repeat_with(fastrand::alphanumeric).take(length).collect()
}
