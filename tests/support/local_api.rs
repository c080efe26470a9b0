//! The stand-in service (`examples/local_api`) as a child process, for the length of a test.

#![allow(dead_code, reason = "each test file uses its own part")]

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};

pub struct LocalApi {
    pub url: String,
    pub process: Child,
    /// Kept open: what is printed later can be read here, and printing never fails.
    pub output: BufReader<ChildStdout>,
}

impl LocalApi {
    /// Starts it with these arguments, on a port of its own, and waits until it is ready.
    pub fn start(arguments: &[&str]) -> Self {
        let program = program();
        let mut process = Command::new(&program)
            .args(["--port", "0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("{}: {error}; `cargo build --example local_api` makes it", program.display())
            });
        let mut output = BufReader::new(process.stdout.take().expect("stdout is piped"));
        let mut url = String::new();
        output.read_line(&mut url).expect("stdout is readable");
        assert!(url.ends_with('\n'), "the stand-in ended before it was ready");
        url.truncate(url.trim_end().len());
        Self { url, process, output }
    }
}

impl Drop for LocalApi {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Cargo puts tests into `target/PROFILE/deps` and examples into `target/PROFILE/examples`.
pub fn program() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows where it is");
    let profile = test.ancestors().nth(2).expect("a test is in target/PROFILE/deps");
    profile.join("examples").join("local_api").with_extension(std::env::consts::EXE_EXTENSION)
}
