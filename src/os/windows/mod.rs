//! Windows, from 8 on: select, UDP sockets that wake, no signals, no fork.

pub(crate) mod authorities;
pub(crate) mod environment;
pub(crate) mod file;
pub(crate) mod library;
pub(crate) mod poll;
pub(crate) mod privileges;
pub(crate) mod sleep;
pub(super) mod stream;
pub(crate) mod thread;
pub(crate) mod thread_cancel;
pub(crate) mod wake;
pub(crate) mod wiped_page;
