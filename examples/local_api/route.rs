//! From a path and a method to what is to be done. Another resource is another variant here, and its
//! operations are functions of the service.

use hyper::Method;
use percent_encoding::percent_decode_str;

use crate::rate_limit::Kind;

pub enum Resource {
    Tokens,
    Token(String),
    LogIn,
    Refresh,
    Upload,
    Videos,
    Video(String),
    VideoStatus(String),
}

pub enum Operation {
    ListTokens,
    CreateToken,
    GetToken(String),
    DeleteToken(String),
    LogIn,
    Refresh,
    CreateVideo,
    GetVideo(String),
    GetVideoStatus(String),
}

impl Resource {
    pub fn at(path: &str) -> Option<Self> {
        match path {
            "/upload-tokens" => Some(Self::Tokens),
            "/auth/api-key" => Some(Self::LogIn),
            "/auth/refresh" => Some(Self::Refresh),
            "/upload" => Some(Self::Upload),
            "/videos" => Some(Self::Videos),
            _ => {
                if let Some(token) = path.strip_prefix("/upload-tokens/") {
                    return segment(token).map(Self::Token);
                }
                let video = path.strip_prefix("/videos/")?;
                match video.strip_suffix("/status") {
                    Some(video) => segment(video).map(Self::VideoStatus),
                    None => segment(video).map(Self::Video),
                }
            }
        }
    }

    /// What is read as it comes, and taken by `Service::take`.
    pub fn is_upload(&self, method: &Method) -> bool {
        matches!(self, Self::Upload) && *method == Method::POST
    }

    /// What a request counts as, to a resource or to none; None counts nowhere.
    pub fn limited_as(resource: Option<&Self>, method: &Method) -> Option<Kind> {
        match (resource, method) {
            (Some(it), _) if it.is_authentication() => None,
            (Some(it), _) if it.is_upload(method) => Some(Kind::Upload),
            (_, &Method::GET | &Method::HEAD) => Some(Kind::Read),
            _ => Some(Kind::Write),
        }
    }

    pub fn methods(&self) -> &'static str {
        match self {
            Self::Tokens => "GET, POST",
            Self::Token(_) => "GET, DELETE",
            Self::Video(_) | Self::VideoStatus(_) => "GET",
            Self::LogIn | Self::Refresh | Self::Upload | Self::Videos => "POST",
        }
    }

    /// What has no credential yet, and is not limited.
    fn is_authentication(&self) -> bool {
        matches!(self, Self::LogIn | Self::Refresh)
    }

    /// An upload's token is all that it needs.
    pub fn needs_credential(&self) -> bool {
        !self.is_authentication() && !matches!(self, Self::Upload)
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
            (Self::Videos, &Method::POST) => Some(Operation::CreateVideo),
            (Self::Video(video), &Method::GET | &Method::HEAD) => Some(Operation::GetVideo(video)),
            (Self::VideoStatus(video), &Method::GET | &Method::HEAD) => {
                Some(Operation::GetVideoStatus(video))
            }
            _ => None,
        }
    }
}

/// One, decoded. What is not UTF-8 is no token and no video either: the lossy form is not found just the same.
fn segment(text: &str) -> Option<String> {
    let is_one = !text.is_empty() && !text.contains('/');
    is_one.then(|| percent_decode_str(text).decode_utf8_lossy().into_owned())
}
