//! What the process's environment says, as far as it is to be trusted: read when a client is made, and
//! nowhere else.

use crate::error::Error;
use crate::os::privileges;
use std::env;
use std::ffi::OsString;

/// The environment. In a program with more rights than its user's (setuid and the like) it says
/// nothing: it would decide whom the credential goes to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Environment {
    is_trusted: bool,
}

/// What a variable says, and its name.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Variable {
    pub name: &'static str,
    pub value: String,
}

impl Environment {
    /// This process's.
    pub fn of_this_process() -> Self {
        Environment { is_trusted: !privileges::are_raised() }
    }

    /// The first of the variables that says something: an empty one is as good as unset. What is not
    /// UTF-8 is not passed by, for what follows then might not be what was meant.
    pub fn first_of(&self, names: &[&'static str]) -> Result<Option<Variable>, Error> {
        if !self.is_trusted {
            return Ok(None);
        }
        let set = names.iter().find_map(|&name| Some((name, env::var_os(name)?)).filter(is_filled));
        let Some((name, value)) = set else { return Ok(None) };
        match value.into_string() {
            Ok(value) => Ok(Some(Variable { name, value })),
            Err(_) => Err(Error::invalid_argument(format_args!(
                "the environment variable {name} is not UTF-8"
            ))),
        }
    }

    /// What a variable says to whoever does not ask whether it is to be trusted.
    pub fn untrusted(name: &str) -> Option<OsString> {
        env::var_os(name)
    }

    /// Whether this is a CGI program, in which HTTP_PROXY is whatever a request's Proxy header says: the
    /// choice of a proxy (`transport/proxy.rs`) leaves it alone then.
    pub fn is_of_cgi(&self) -> bool {
        env::var_os("REQUEST_METHOD").is_some()
    }
}

fn is_filled((_, value): &(&'static str, OsString)) -> bool {
    !value.is_empty()
}
