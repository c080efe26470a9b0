//! Several parts at once: threads that send one each, with all that `run.rs` does for it, while the calling
//! thread hears of all of them. Callbacks and lines of the trace are that one's alone: here they are passed on.

use super::journal::Journal;
use super::progress::{Listener, Progress};
use super::run::{Piece, Run};
use crate::call::options::CallOptions;
use crate::client::Client;
use crate::error::Error;
use crate::os::thread::spawn_without_signals;
use crate::process;
use crate::trace::{self, Level};
use crate::wait::cancel::Cancel;
use crate::wait::deadline::Deadline;
use crate::wait::waiter::Condition;
use crate::wait::{Interruption, Wait, lock};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;

/// What a thread's stack may take: many times what sending a part does, a handshake included.
const STACK: usize = 512 * 1024;

/// How much is kept for who does not listen, between two calls.
const MOST_PENDING: usize = 1000;

/// Threads that send parts, until they are told to stop.
pub(crate) struct Crew {
    shared: Arc<Shared>,
    hands: Vec<JoinHandle<()>>,
    /// How far each is with its part, as far as was heard, if it has one.
    pub parts: Vec<Option<Progress>>,
    /// The process whose threads they are.
    generation: u32,
}

/// What a crew and its threads have in common.
struct Shared {
    orders: Mutex<Orders>,
    on_order: Condvar,
    news: Mutex<Pending>,
    on_news: Condition,
    stop: Arc<Cancel>,
}

/// What was not heard yet.
#[derive(Default)]
struct Pending {
    news: VecDeque<News>,
    /// How many lines of the trace nobody came for in time.
    lines_left_out: usize,
}

/// What is to be sent.
#[derive(Default)]
struct Orders {
    /// With how many attempts in vain each may take.
    pieces: VecDeque<(Piece, Option<u32>)>,
    is_over: bool,
}

/// What a thread has to tell.
pub(crate) enum News {
    /// How far the part is that this one sends.
    Progress(usize, Progress),
    /// A line of the trace.
    Line(Level, String),
    /// What has come of a part.
    Sent(usize, Sent),
}

impl News {
    fn is_progress_of(&self, of: usize) -> bool {
        matches!(self, News::Progress(hand, _) if *hand == of)
    }
}

/// What has come of a part.
pub(crate) struct Sent {
    pub number: u32,
    /// How many bytes it has.
    pub length: u64,
    /// How many attempts it took.
    pub attempts: u32,
    pub progress: Progress,
    /// Whether it may be there, though it is not confirmed.
    pub is_in_doubt: bool,
    /// Whether it was refused since somebody else uploads to the video.
    pub is_somebody_elses: bool,
    /// Confirmed: whether it had been missing until now.
    pub result: Result<bool, Error>,
}

impl Crew {
    /// At most as many threads as `most`, as many as the system allows; each sends by `journal`, until
    /// `deadline`.
    pub fn start(most: usize, client: &Arc<Client>, journal: &Journal, deadline: Deadline) -> Self {
        let shared = Arc::new(Shared {
            orders: Mutex::default(),
            on_order: Condvar::new(),
            news: Mutex::default(),
            on_news: Condition::default(),
            stop: Arc::new(Cancel::new()),
        });
        let start = |hand| {
            let (shared, client, journal) = (shared.clone(), client.clone(), journal.clone());
            let work = move || send_all(&shared, hand, &client, journal, deadline);
            spawn_without_signals("apivideo-upload", Some(STACK), Box::new(work))
        };
        let hands: Vec<_> = (0..most).map_while(|hand| start(hand).ok()).collect();
        let parts = vec![None; hands.len()];
        Crew { shared, hands, parts, generation: process::generation() }
    }

    /// How many threads there are.
    pub fn size(&self) -> usize {
        self.hands.len()
    }

    /// Has a part sent.
    pub fn order(&self, piece: Piece, max_attempts: Option<u32>) {
        lock(&self.shared.orders).pieces.push_back((piece, max_attempts));
        self.shared.on_order.notify_one();
    }

    /// What there is to hear by now.
    pub fn news_by_now(&self) -> Option<News> {
        lock(&self.shared.news).take()
    }

    /// What there is to hear, once there is anything.
    pub fn news(&self, wait: &Wait) -> Result<News, Interruption> {
        let mut pending = lock(&self.shared.news);
        loop {
            if let Some(first) = pending.take() {
                return Ok(first);
            }
            pending = self.shared.on_news.wait(&self.shared.news, pending, wait)?;
        }
    }

    /// No other part is begun. Returns which were not.
    pub fn leave_out(&self) -> Vec<u32> {
        lock(&self.shared.orders).pieces.drain(..).map(|(piece, _)| piece.number).collect()
    }

    /// The same, and those under way end.
    pub fn stop(&self) -> Vec<u32> {
        let left = self.leave_out();
        self.shared.stop.trigger();
        left
    }

    /// Lets the threads end by themselves, which takes no longer than a cancel, without waiting for it.
    pub fn leave(mut self) {
        if self.generation == process::generation() {
            self.shared.end();
            self.hands.clear();
        }
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        let hands = std::mem::take(&mut self.hands);
        if self.generation != process::generation() {
            // They are the parent's, and so may be the locks.
            std::mem::forget(hands);
            return;
        }
        self.shared.end();
        for hand in hands {
            // What panicked has told nothing of its part, which is not confirmed.
            let _ = hand.join();
        }
    }
}

impl Pending {
    /// Keeps what is told until it is heard: nobody may listen for long.
    fn add(&mut self, news: News) {
        let older = match news {
            // What is behind the times is of no interest.
            News::Progress(hand, _) => self.news.iter_mut().find(|it| it.is_progress_of(hand)),
            News::Line(..) if self.news.len() >= MOST_PENDING => {
                self.lines_left_out += 1;
                return;
            }
            _ => None,
        };
        match older {
            Some(older) => *older = news,
            None => self.news.push_back(news),
        }
    }

    fn take(&mut self) -> Option<News> {
        let left_out = match self.news.is_empty() {
            true => std::mem::take(&mut self.lines_left_out),
            false => 0,
        };
        if left_out > 0 {
            let line = format!("{left_out} lines are left out, for which nobody came");
            return Some(News::Line(Level::Error, line));
        }
        self.news.pop_front()
    }
}

impl Shared {
    fn tell(&self, news: News) {
        lock(&self.news).add(news);
        self.on_news.notify_all();
    }

    /// There is nothing more to do.
    fn end(&self) {
        lock(&self.orders).is_over = true;
        self.stop.trigger();
        self.on_order.notify_all();
    }

    /// The next part to be sent; `None` is the end.
    fn next(&self) -> Option<(Piece, Option<u32>)> {
        let mut orders = lock(&self.orders);
        loop {
            if orders.is_over {
                return None;
            }
            if let Some(piece) = orders.pieces.pop_front() {
                return Some(piece);
            }
            orders = self.on_order.wait(orders).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Passes on what is told of a part.
struct Forward {
    shared: Arc<Shared>,
    hand: usize,
}

impl Listener for Forward {
    fn progress(&self, progress: &Progress) {
        self.shared.tell(News::Progress(self.hand, *progress));
    }

    /// Which parts are confirmed the calling thread knows.
    fn state(&self, _: &str) {}
}

/// What a thread does.
fn send_all(
    shared: &Arc<Shared>,
    hand: usize,
    client: &Client,
    mut journal: Journal,
    deadline: Deadline,
) {
    let lines = shared.clone();
    trace::redirect(move |level, line| lines.tell(News::Line(level, line)));
    let wait = Wait::new(deadline, Some(shared.stop.clone()));
    while let Some((piece, max_attempts)) = shared.next() {
        let options = CallOptions { max_attempts, ..CallOptions::default() };
        journal.progress = Progress::default();
        let listener = Rc::new(Forward { shared: shared.clone(), hand });
        let send = || {
            let mut run = Run::within(client, &mut journal, listener, &options, wait.clone());
            let result = run.send_part(&piece).map(|answer| answer.is_some());
            (result, run.was_left_in_doubt, run.end())
        };
        // Who waits for it would wait for ever.
        let (result, is_in_doubt, attempts) =
            catch_unwind(AssertUnwindSafe(send)).unwrap_or_else(|panic| {
                std::mem::forget(panic);
                (Err(Error::internal("the library panicked")), true, 1)
            });
        let sent = Sent {
            number: piece.number,
            length: piece.content.length(),
            attempts,
            progress: journal.progress,
            is_in_doubt,
            is_somebody_elses: journal.is_somebody_elses,
            result,
        };
        drop(piece);
        shared.tell(News::Sent(hand, sent));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_what_nobody_comes_for_so_much_is_kept_and_how_much_is_not_is_told() {
        let mut pending = Pending::default();
        for number in 0..MOST_PENDING + 7 {
            pending.add(News::Progress(0, Progress::default()));
            pending.add(News::Line(Level::Info, number.to_string()));
        }
        let mut lines = Vec::new();
        while let Some(news) = pending.take() {
            if let News::Line(_, line) = news {
                lines.push(line);
            }
        }
        assert_eq!(lines.len(), MOST_PENDING);
        assert_eq!(lines[MOST_PENDING - 2], (MOST_PENDING - 2).to_string());
        assert!(lines[MOST_PENDING - 1].starts_with("8 lines are left out"), "{:?}", lines.last());
    }
}
