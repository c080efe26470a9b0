//! The example tool as `make` builds it, run with an environment of which nothing is inherited.

#![allow(dead_code, reason = "each test file uses its own part")]

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{
    Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Output, Stdio,
};
use std::sync::OnceLock;
use std::thread::sleep;
use std::time::{Duration, Instant};

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

    /// Starts it with SIGINT as a shell in the foreground hands it on: `default` or `ignore`.
    pub fn start_with_interrupt(&self, disposition: &str, arguments: &[&str]) -> Running {
        self.start_as(disposition, root(), arguments)
    }

    fn start_as(&self, disposition: &str, directory: &Path, arguments: &[&str]) -> Running {
        let mut process = Command::new("/usr/bin/env")
            .arg(format!("--{disposition}-signal=INT"))
            .arg(program())
            .args(arguments)
            .env_clear()
            .envs(self.environment.iter().cloned())
            .current_dir(directory)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the tool can be started");
        let output = process.stdout.take().expect("it is piped");
        let errors = BufReader::new(process.stderr.take().expect("it is piped"));
        Running { process, output, errors, told: String::new() }
    }

    pub fn start(&self, arguments: &[&str]) -> Running {
        self.start_with_interrupt("default", arguments)
    }

    pub fn start_in(&self, directory: &Path, arguments: &[&str]) -> Running {
        self.start_as("default", directory, arguments)
    }

    /// Starts it at a terminal; it is ended if it waits there for more than a minute.
    pub fn start_at_terminal(&self, arguments: &[&str]) -> Terminal {
        self.start_at_terminal_after(":", arguments)
    }

    /// The same at one of 20 columns.
    pub fn start_at_narrow_terminal(&self, arguments: &[&str]) -> Terminal {
        self.start_at_terminal_after("stty columns 20", arguments)
    }

    fn start_at_terminal_after(&self, preparation: &str, arguments: &[&str]) -> Terminal {
        let command = format!(
            "{preparation}; exec env --default-signal=INT '{}' {}",
            program().display(),
            arguments.join(" "),
        );
        let mut process = Command::new("/usr/bin/timeout")
            .args(["60", "script", "--quiet", "--return", "--echo", "always"])
            .args(["--command", &command, "/dev/null"])
            .env_clear()
            .envs(self.environment.iter().cloned())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("script, of Debian's bsdutils");
        let keyboard = process.stdin.take().expect("it is piped");
        let output = process.stdout.take().expect("it is piped");
        Terminal { process, keyboard, output, screen: Vec::new() }
    }

    pub fn run_in(&self, directory: &Path, arguments: &[&str]) -> Run {
        let mut command = self.command(arguments);
        Run::of(command.current_dir(directory).output().expect("the tool can be started"))
    }

    pub fn run(&self, arguments: &[&str]) -> Run {
        Run::of(self.command(arguments).output().expect("the tool can be started"))
    }
}

/// The tool while it runs, with pipes for its output.
pub struct Running {
    pub process: Child,
    pub output: ChildStdout,
    errors: BufReader<ChildStderr>,
    told: String,
}

impl Running {
    /// Waits for a line on standard error that contains `text`.
    #[track_caller]
    pub fn wait_for(&mut self, text: &str) {
        let mut line = String::new();
        while !line.contains(text) {
            line.clear();
            let length = self.errors.read_line(&mut line).expect("UTF-8 on standard error");
            assert!(length > 0, "it ended without {text:?}: {}", self.told);
            self.told += &line;
        }
    }

    /// What Ctrl-C does to it.
    pub fn interrupt(&self) {
        self.signal("INT");
    }

    /// Sends it the signal of this name.
    pub fn signal(&self, name: &str) {
        let kill = ["-c", &format!("kill -{name} $0"), &self.process.id().to_string()];
        assert!(Command::new("sh").args(kill).status().expect("a shell").success());
    }

    /// Waits until what /proc has in `file` for one of its threads is as is to be.
    #[track_caller]
    fn wait_for_thread(&self, file: &str, is_so: impl Fn(&str) -> bool) {
        let threads = format!("/proc/{}/task", self.process.id());
        let begun = Instant::now();
        let has_one = || {
            let threads = std::fs::read_dir(&threads).expect("it was started");
            threads.flatten().any(|thread| {
                std::fs::read_to_string(thread.path().join(file)).is_ok_and(|told| is_so(&told))
            })
        };
        while !has_one() {
            assert!(begun.elapsed() < Duration::from_secs(60), "no thread is so: {file}");
            sleep(Duration::from_millis(5));
        }
    }

    /// Waits until it writes into a pipe that is full.
    #[track_caller]
    pub fn wait_until_stuck(&self) {
        self.wait_for_thread("wchan", |told| told.contains("pipe_write"));
    }

    /// Waits until it has seen a first Ctrl-C: a second one ends it.
    #[track_caller]
    pub fn wait_until_interrupted(&self) {
        // The thread that waited for it has nothing left to do.
        self.wait_for_thread("wchan", |told| told.contains("pause"));
    }

    /// Its end, where that may be a signal.
    pub fn wait(mut self) -> ExitStatus {
        self.process.wait().expect("it was started")
    }

    pub fn finish(mut self) -> Run {
        let (mut stdout, mut stderr) = (Vec::new(), self.told.into_bytes());
        self.errors.read_to_end(&mut stderr).expect("standard error can be read");
        self.output.read_to_end(&mut stdout).expect("standard output can be read");
        let status = self.process.wait().expect("it was started");
        Run::of(Output { status, stdout, stderr })
    }
}

/// The tool while it runs at a terminal, which `script` makes.
pub struct Terminal {
    process: Child,
    keyboard: ChildStdin,
    output: ChildStdout,
    screen: Vec<u8>,
}

impl Terminal {
    /// Waits for `text`; what was there when it was waited for last does not count.
    #[track_caller]
    pub fn wait_for(&mut self, text: &str) {
        let begin = self.screen.len();
        let mut byte = [0];
        while !self.screen[begin..].ends_with(text.as_bytes()) {
            let length = self.output.read(&mut byte).expect("the screen can be read");
            let screen = String::from_utf8_lossy(&self.screen);
            assert!(length > 0, "it ended without {text:?}: {screen:?}");
            self.screen.extend(byte);
        }
    }

    pub fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).expect("it waits for keys");
    }

    /// Its exit status, and all that went over the screen.
    pub fn finish(mut self) -> (i32, String) {
        self.output.read_to_end(&mut self.screen).expect("the screen can be read");
        let status = self.process.wait().expect("it was started");
        let screen = String::from_utf8(self.screen).expect("UTF-8 on the screen");
        assert!(!screen.contains(KEY), "the key is told: {screen:?}");
        (status.code().expect("script ends by itself"), screen)
    }
}

/// `build/bin/apivideo`, built by `make` first, since an old one would be tested just as gladly.
pub fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let made = make("tool");
        assert!(made.status.success(), "make tool: {}", String::from_utf8_lossy(&made.stderr));
        root().join("build/bin/apivideo")
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
            || ["LD_LIBRARY_PATH", "MAKEFLAGS", "MAKELEVEL", "MFLAGS", "OUT_DIR"]
                .contains(&told.as_ref())
        {
            command.env_remove(&name);
        }
    }
    command.output().expect("make can be started")
}

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
