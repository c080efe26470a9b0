//! The example tool as `make` builds it, run with an environment of which nothing is inherited.

#![allow(dead_code, reason = "each test file uses its own part")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

/// The credential that the tool is given. No output may hold it: every run is checked for that.
pub const KEY: &str = "key-of-the-tests";

/// What a run of the tool ended with and printed.
#[derive(Debug)]
pub struct Run {
    pub code: i32,
    pub output: String,
    pub errors: String,
}

impl Run {
    fn of(output: Output) -> Self {
        let run = Self {
            code: output.status.code().expect("the tool ends by itself, not by a signal"),
            output: String::from_utf8(output.stdout).expect("UTF-8 on standard output"),
            errors: String::from_utf8(output.stderr).expect("UTF-8 on standard error"),
        };
        assert!(!run.output.contains(KEY) && !run.errors.contains(KEY), "the key is told: {run:?}");
        run
    }

    /// Standard output, of a run that has to succeed.
    #[track_caller]
    pub fn succeeded(self) -> String {
        assert_eq!(self.code, 0, "{self:?}");
        self.output
    }
}

/// The tool, set up for one service.
pub struct Tool {
    environment: Vec<(&'static str, String)>,
}

impl Tool {
    pub fn at(url: &str) -> Self {
        Self { environment: Vec::new() }
            .with("APIVIDEO_API_KEY", KEY)
            .with("APIVIDEO_BASE_URL", url)
            .with("TZ", "UTC0")
    }

    /// The same with this variable set otherwise.
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self = self.without(name);
        self.environment.push((name, value.to_owned()));
        self
    }

    pub fn without(mut self, name: &'static str) -> Self {
        self.environment.retain(|(known, _)| *known != name);
        self
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.args(arguments).env_clear().envs(self.environment.iter().cloned());
        command.stdin(Stdio::null());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Run {
        Run::of(self.command(arguments).output().expect("the tool can be started"))
    }
}

/// `build/bin/avtokens`, built by `make` first, since an old one would be tested just as gladly.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let made = make("avtokens");
        assert!(made.status.success(), "make avtokens: {}", String::from_utf8_lossy(&made.stderr));
        root().join("build/bin/avtokens")
    })
}

/// Runs `make` as if from a shell. What cargo and an outer `make` tell their children would have
/// dependencies built anew, and be built again by the next one who asks from a shell.
pub fn make(target: &str) -> Output {
    let mut command = Command::new("make");
    command.args(["--no-print-directory", target]).current_dir(root()).stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        let told = name.to_string_lossy();
        if told.starts_with("CARGO_PKG_")
            || told.starts_with("CARGO_MANIFEST_")
            || ["LD_LIBRARY_PATH", "MAKEFLAGS", "MAKELEVEL", "MFLAGS"].contains(&told.as_ref())
        {
            command.env_remove(&name);
        }
    }
    command.output().expect("make can be started")
}

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
