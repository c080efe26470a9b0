//! The trace: what a call does, line by line, told to the caller's own function on the calling
//! thread. Nothing secret goes into it.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

/// How much is told: each level tells what those before it tell, and more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// Attempts that failed.
    Error = 1,
    /// Every attempt.
    Info = 2,
    /// The steps of an attempt.
    Debug = 3,
}

/// Takes a line.
type Listener = dyn Fn(Level, &str) + Send + Sync;

/// Takes a line of a thread of ours.
type Elsewhere = dyn Fn(Level, String);

/// Where a client's trace goes, if anywhere.
#[derive(Clone)]
pub(crate) struct Tracer(Option<(Level, Arc<Listener>)>);

impl Tracer {
    /// Nowhere.
    pub fn off() -> Self {
        Tracer(None)
    }

    /// To `listener`, up to `level`.
    pub fn new(level: Level, listener: impl Fn(Level, &str) + Send + Sync + 'static) -> Self {
        Tracer(Some((level, Arc::new(listener))))
    }

    /// Tells a line. What it costs to write it down is spent only if somebody listens.
    pub fn write(&self, level: Level, line: impl FnOnce() -> String) {
        if let Some((most, listener)) = &self.0
            && level <= *most
        {
            tell(listener.as_ref(), level, line());
        }
    }

    /// Tells a step of an attempt.
    pub fn step(&self, step: fmt::Arguments<'_>) {
        self.write(Level::Debug, || step.to_string());
    }
}

/// Tells a line to `listener`, or where those of this thread go.
#[cold]
fn tell(listener: &Listener, level: Level, line: String) {
    ELSEWHERE.with_borrow(|elsewhere| match elsewhere {
        Some(elsewhere) => elsewhere(level, line),
        None => listener(level, &line),
    });
}

thread_local! {
    /// Where the lines of this thread go, if not to the caller's function.
    static ELSEWHERE: RefCell<Option<Box<Elsewhere>>> = const { RefCell::new(None) };
}

/// From now on the lines of this thread, which is one of ours, go to `elsewhere`: the caller's function is
/// called by the caller's threads alone.
pub(crate) fn redirect(elsewhere: impl Fn(Level, String) + 'static) {
    ELSEWHERE.set(Some(Box::new(elsewhere)));
}

impl fmt::Debug for Tracer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tracer")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debugging_shows_nothing_of_the_hosts() {
        assert_eq!(format!("{:?}", Tracer::new(Level::Error, |_, _| {})), "Tracer");
    }
}
