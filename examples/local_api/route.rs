//! From a path and a method to what is to be done. Another resource is another variant here, and its
//! operations are functions of the service.

use hyper::Method;
use percent_encoding::percent_decode_str;

pub enum Resource {
    Tokens,
    Token(String),
    LogIn,
    Refresh,
}

pub enum Operation {
    ListTokens,
    CreateToken,
    GetToken(String),
    DeleteToken(String),
    LogIn,
    Refresh,
}

impl Resource {
    pub fn at(path: &str) -> Option<Self> {
        match path {
            "/upload-tokens" => Some(Self::Tokens),
            "/auth/api-key" => Some(Self::LogIn),
            "/auth/refresh" => Some(Self::Refresh),
            _ => Some(Self::Token(segment(path.strip_prefix("/upload-tokens/")?)?)),
        }
    }

    pub fn methods(&self) -> &'static str {
        match self {
            Self::Tokens => "GET, POST",
            Self::Token(_) => "GET, DELETE",
            Self::LogIn | Self::Refresh => "POST",
        }
    }

    /// What has no credential yet: neither asked for one nor limited.
    pub fn is_authentication(&self) -> bool {
        matches!(self, Self::LogIn | Self::Refresh)
    }

    /// A HEAD is a GET whose body is not sent.
    pub fn operation(self, method: &Method) -> Option<Operation> {
        match (self, method) {
            (Self::Tokens, &Method::GET | &Method::HEAD) => Some(Operation::ListTokens),
            (Self::Tokens, &Method::POST) => Some(Operation::CreateToken),
            (Self::Token(token), &Method::GET | &Method::HEAD) => Some(Operation::GetToken(token)),
            (Self::Token(token), &Method::DELETE) => Some(Operation::DeleteToken(token)),
            (Self::LogIn, &Method::POST) => Some(Operation::LogIn),
            (Self::Refresh, &Method::POST) => Some(Operation::Refresh),
            _ => None,
        }
    }
}

/// One, decoded. What is not UTF-8 is no token either: the lossy form is not found just the same.
fn segment(text: &str) -> Option<String> {
    let is_one = !text.is_empty() && !text.contains('/');
    is_one.then(|| percent_decode_str(text).decode_utf8_lossy().into_owned())
}
