//! The gate that holds a client's threads back before they run into the service's rate limit together:
//! what the answers tell is counted down here, and those who must wait queue up, first come, first served.

use crate::call::jitter;
use crate::call::rate_limit::RateLimit;
use crate::process;
use crate::wait::deadline::Deadline;
use crate::wait::waiter::Waiter;
use crate::wait::{Interruption, Wait, lock};
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

/// The gate never closes for longer: what asks for more is told to the caller that got it.
const LONGEST_CLOSURE: Duration = Duration::from_secs(60);

/// Whether the gate holds a request back for as long as it has to wait after a 429 that `asked` for
/// some time: not if the back-off is longer than that, nor if the gate does not close for so long.
pub(crate) fn holds(wait: Duration, asked: Option<Duration>) -> bool {
    asked == Some(wait) && wait <= LONGEST_CLOSURE
}

/// Why a request may not pass.
#[derive(Debug)]
pub(crate) enum Stopped {
    /// The gate opens only after the call's deadline, in this time.
    OpensTooLate(Duration),
    /// The wait was ended.
    Interrupted(Interruption),
}

/// Holds requests back while the rate limit is used up, first come, first served. It counts: the
/// least that an answer has told to be left in this window, less the requests whose answer is still
/// to come.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Requests without an answer yet.
    in_flight: u64,
    /// The least that an answer has told to be left in this window, in whatever order the answers
    /// came; unknown is unlimited.
    left: Option<u64>,
    /// Requests in a window, as far as told.
    limit: Option<u64>,
    /// When this window ends, as far as told.
    window_end: Option<Instant>,
    /// When one that nothing was told of yet will have ended at the latest.
    unknown_until: Option<Instant>,
    /// The longest time to the end of a window that was told.
    window: Duration,
    /// A 429 was answered: nothing goes before this.
    closed_until: Option<Instant>,
    /// Over how long those who waited are spread out, once it opens without telling how many may go.
    spread: Duration,
    /// Those who wait.
    queue: VecDeque<Queued>,
    /// How many tickets were given out.
    tickets: u64,
}

/// One of those who wait.
#[derive(Debug)]
struct Queued {
    ticket: u64,
    waiter: Waiter,
    /// The call's.
    deadline: Deadline,
}

/// When a closed gate opens.
#[derive(Clone, Copy)]
enum Opens {
    WithNewsOrAt(Instant),
    At(Instant),
}

impl Gate {
    /// Waits until a request may go, and tells of a wait for the next window before it begins, while
    /// others may go first.
    pub fn enter(&self, wait: &Wait, tell: impl FnOnce(Duration)) -> Result<Pass<'_>, Stopped> {
        let mut state = lock(&self.state);
        let now = Instant::now();
        state.begin_window_if_due(now);
        match state.opens_at(now) {
            None if state.queue.is_empty() => return Ok(self.let_pass(state, now)),
            // Behind others it may be longer.
            Some(Opens::At(time)) if !wait.has_ended_at(time) => {
                drop(state);
                tell(time - now);
                state = lock(&self.state);
            }
            _ => {}
        }
        let waiter = Waiter::new(wait);
        let place = Place { gate: self, ticket: state.queue_up(waiter.clone(), wait.end()) };
        loop {
            let now = Instant::now();
            state.begin_window_if_due(now);
            let opens = state.opens_at(now);
            let is_first = state.queue.front().is_some_and(|first| first.ticket == place.ticket);
            state = match opens {
                None if is_first => {
                    state.space_out_the_next(now);
                    let pass = self.let_pass(state, now);
                    drop(place);
                    return Ok(pass);
                }
                Some(Opens::At(time)) if wait.has_ended_at(time) => {
                    drop(state);
                    return Err(Stopped::OpensTooLate(time - now));
                }
                Some(Opens::At(time)) if is_first => {
                    drop(state);
                    wait.pause(Deadline::at(with_chance(time, now, wait.end())))
                        .map_err(Stopped::Interrupted)?;
                    lock(&self.state)
                }
                // Those before it in the queue, or those under way, will tell more.
                _ => {
                    let until = match opens {
                        Some(Opens::WithNewsOrAt(time)) if is_first => Deadline::at(time),
                        _ => Deadline::NEVER,
                    };
                    let calls = waiter.calls();
                    drop(state);
                    match waiter.wait(calls, &wait.or_earlier(until)) {
                        Err(Interruption::TimedOut) if !wait.end().has_passed() => {}
                        result => result.map_err(Stopped::Interrupted)?,
                    }
                    lock(&self.state)
                }
            };
        }
    }

    fn let_pass(&self, mut state: MutexGuard<'_, State>, now: Instant) -> Pass<'_> {
        state.in_flight += 1;
        let generation = process::generation();
        Pass { gate: self, time: now, generation, is_answered: false }
    }
}

/// A while after `time`, so as not to meet other clients with the same limit just then: up to a tenth
/// of the wait, and no more than half of what is left of the call's time.
fn with_chance(time: Instant, now: Instant, deadline: Deadline) -> Instant {
    let wait = time - now;
    let tenth = wait.mul_f64(jitter::fraction() / 10.0);
    let spare = deadline.remaining().map_or(tenth, |left| left.saturating_sub(wait) / 2);
    time + tenth.min(spare)
}

/// A place in the queue before the gate.
struct Place<'g> {
    gate: &'g Gate,
    ticket: u64,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut state = lock(&self.gate.state);
        let was_first = state.queue.front().is_some_and(|first| first.ticket == self.ticket);
        state.queue.retain(|other| other.ticket != self.ticket);
        if was_first {
            state.wake_the_first();
        }
    }
}

impl State {
    /// A ticket at the end of the queue.
    fn queue_up(&mut self, waiter: Waiter, deadline: Deadline) -> u64 {
        self.tickets += 1;
        self.queue.push_back(Queued { ticket: self.tickets, waiter, deadline });
        self.tickets
    }

    /// Who is first has the gate to look at: the others wait for that alone.
    fn wake_the_first(&self) {
        if let Some(first) = self.queue.front() {
            first.waiter.wake();
        }
    }

    /// Wakes those whom news concerns: the first, and whoever now learns that the gate opens too late.
    fn tell_the_queue(&self, now: Instant) {
        if self.queue.is_empty() {
            return;
        }
        self.wake_the_first();
        if let Some(Opens::At(time)) = self.opens_at(now) {
            for queued in self.queue.iter().skip(1) {
                if queued.deadline.has_passed_at(time) {
                    queued.waiter.wake();
                }
            }
        }
    }

    /// When the gate opens, or `None` if it is open.
    fn opens_at(&self, now: Instant) -> Option<Opens> {
        if let Some(until) = self.closed_until
            && now < until
        {
            return Some(Opens::At(until));
        }
        let is_used_up = self.left.is_some_and(|left| left <= self.in_flight);
        let end = self.window_end.or(self.unknown_until).filter(|end| is_used_up && now < *end)?;
        match (self.in_flight, self.window_end) {
            (0, Some(_)) => Some(Opens::At(end)),
            // Of whose end nothing will be told unless another goes.
            (0, None) => None,
            _ => Some(Opens::WithNewsOrAt(end)),
        }
    }

    /// In a new window all requests may go again that the service allows in one.
    fn begin_window_if_due(&mut self, now: Instant) {
        if self.window_end.is_some_and(|end| now >= end) {
            self.window_end = None;
            self.unknown_until = Some(now + self.window);
            self.left = self.limit;
        }
    }

    /// After a closure that did not tell how many may go, those who wait go one after the other, all
    /// within its spread.
    fn space_out_the_next(&mut self, now: Instant) {
        let others = u32::try_from(self.queue.len() - 1).unwrap_or(u32::MAX);
        if others == 0 {
            self.spread = Duration::ZERO;
        } else if self.left.is_none() && !self.spread.is_zero() {
            let step = self.spread / others;
            self.spread -= step;
            self.closed_until = Some(now + step);
        }
    }

    /// Takes in what an answer tells.
    fn learn(&mut self, told: RateLimit, now: Instant) {
        self.begin_window_if_due(now);
        self.limit = told.limit.or(self.limit);
        self.left = match told.remaining {
            Some(remaining) => {
                let known = self.window_end.and(self.left);
                Some(known.map_or(remaining, |left| left.min(remaining)))
            }
            None => self.left.map(|left| left.saturating_sub(1)),
        };
        let end = told.reset_seconds.map(Duration::from_secs);
        if let Some(end) = end.filter(|end| *end <= LONGEST_CLOSURE) {
            self.window = self.window.max(end);
            // Seconds are rounded up, so the earliest end that was told in this window is nearest.
            let end = now + end;
            self.window_end = Some(self.window_end.map_or(end, |known| known.min(end)));
        }
    }

    fn close(&mut self, wait: Duration, now: Instant) {
        let until = now + wait;
        if self.closed_until.is_none_or(|known| known < until) {
            self.closed_until = Some(until);
            self.spread = wait / 10;
        }
    }
}

/// The right to make one request, which counts until its answer has come.
pub(crate) struct Pass<'g> {
    gate: &'g Gate,
    time: Instant,
    /// The process that it was given to.
    generation: u32,
    is_answered: bool,
}

impl Pass<'_> {
    /// When it was given.
    pub fn time(&self) -> Instant {
        self.time
    }

    /// The request was answered: takes in what that tells, and closes the gate after a 429 for as long
    /// as that asks.
    pub fn answered(mut self, told: RateLimit, refused_for: Option<Duration>) {
        self.is_answered = true;
        let now = Instant::now();
        let mut state = lock(&self.gate.state);
        state.in_flight -= 1;
        state.learn(told, now);
        if let Some(wait) = refused_for.filter(|wait| *wait <= LONGEST_CLOSURE) {
            state.close(wait, now);
        }
        state.tell_the_queue(now);
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        // A child, forked by a callback while the request was under way, must not touch its parent's lock.
        if self.is_answered || self.generation != process::generation() {
            return;
        }
        // Without an answer it may have been counted all the same.
        let mut state = lock(&self.gate.state);
        let now = Instant::now();
        state.in_flight -= 1;
        state.learn(RateLimit::default(), now);
        state.tell_the_queue(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wait::cancel::Cancel;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    fn told(limit: u64, remaining: u64, reset_seconds: u64) -> RateLimit {
        RateLimit {
            limit: Some(limit),
            remaining: Some(remaining),
            reset_seconds: Some(reset_seconds),
        }
    }

    fn within(time: Duration) -> Wait {
        Wait::new(Deadline::after(Some(time)), None)
    }

    fn soon() -> Wait {
        within(Duration::from_millis(20))
    }

    #[test]
    fn the_gate_holds_what_is_asked_for_up_to_a_minute() {
        let seconds = Duration::from_secs;
        assert!(holds(seconds(60), Some(seconds(60))));
        assert!(!holds(seconds(61), Some(seconds(61))), "it does not close for so long");
        assert!(!holds(seconds(1), Some(seconds(0))), "the back-off is longer");
        assert!(!holds(seconds(1), None), "nothing was asked for");
    }

    #[test]
    fn a_gate_that_nothing_is_known_of_is_open() {
        let gate = Gate::default();
        let passes: Vec<_> = (0..1000).map(|_| gate.enter(&soon(), |_| ())).collect();
        assert!(passes.iter().all(Result::is_ok));
    }

    #[test]
    fn it_closes_before_the_limit_is_passed() {
        let gate = Gate::default();
        gate.enter(&soon(), |_| ()).expect("open").answered(told(3, 2, 60), None);
        for _ in 0..2 {
            gate.enter(&soon(), |_| ()).expect("two are left").answered(RateLimit::default(), None);
        }
        match gate.enter(&soon(), |_| ()) {
            Err(Stopped::OpensTooLate(wait)) => assert!(wait > Duration::from_secs(50), "{wait:?}"),
            _ => panic!("the third passed"),
        }
    }

    #[test]
    fn requests_under_way_count_as_used_until_they_tell() {
        let gate = Gate::default();
        let under_way = gate.enter(&soon(), |_| ()).expect("open");
        gate.enter(&soon(), |_| ()).expect("open").answered(told(10, 1, 60), None);
        // One is left, but the other may have taken it.
        assert!(matches!(
            gate.enter(&soon(), |_| ()),
            Err(Stopped::Interrupted(Interruption::TimedOut))
        ));
        under_way.answered(told(10, 1, 60), None);
        assert!(gate.enter(&soon(), |_| ()).is_ok());
    }

    #[test]
    fn a_429_closes_it_for_all_and_a_longer_one_than_a_minute_for_none() {
        let gate = Gate::default();
        let refused = |seconds| {
            let wait = Some(Duration::from_secs(seconds));
            gate.enter(&soon(), |_| ()).expect("open").answered(RateLimit::default(), wait);
        };
        refused(61);
        refused(60);
        assert!(matches!(gate.enter(&soon(), |_| ()), Err(Stopped::OpensTooLate(_))));
    }

    #[test]
    fn all_who_wait_are_told_so_and_not_the_first_alone() {
        let gate = Gate::default();
        gate.enter(&soon(), |_| ()).expect("open").answered(told(10, 0, 60), None);
        let cancel = Arc::new(Cancel::new());
        let tellings = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for waiting in 1..=3 {
                scope.spawn(|| {
                    let wait = Wait::new(Deadline::NEVER, Some(cancel.clone()));
                    let tell = |_| _ = tellings.fetch_add(1, SeqCst);
                    assert!(gate.enter(&wait, tell).is_err());
                });
                while lock(&gate.state).queue.len() < waiting {
                    std::thread::yield_now();
                }
                assert_eq!(tellings.load(SeqCst), waiting);
            }
            cancel.trigger();
        });
    }

    #[test]
    fn who_waits_behind_others_learns_at_once_that_it_opens_too_late() {
        let gate = Gate::default();
        let under_way = gate.enter(&soon(), |_| ()).expect("open");
        gate.enter(&soon(), |_| ()).expect("open").answered(told(10, 1, 60), None);
        let cancel = Arc::new(Cancel::new());
        std::thread::scope(|scope| {
            let first = scope.spawn(|| {
                let wait = Wait::new(Deadline::NEVER, Some(cancel.clone()));
                gate.enter(&wait, |_| ()).err()
            });
            while lock(&gate.state).queue.is_empty() {
                std::thread::yield_now();
            }
            let begin = Instant::now();
            let second = scope.spawn(|| gate.enter(&within(Duration::from_secs(30)), |_| ()).err());
            while lock(&gate.state).queue.len() < 2 {
                std::thread::yield_now();
            }
            under_way.answered(RateLimit::default(), Some(Duration::from_secs(60)));
            let stopped = second.join().expect("no panic");
            assert!(matches!(stopped, Some(Stopped::OpensTooLate(_))), "{stopped:?}");
            // Not when its time is over.
            assert!(begin.elapsed() < Duration::from_secs(20));
            cancel.trigger();
            assert!(first.join().expect("no panic").is_some());
        });
    }

    #[test]
    fn a_new_window_opens_it_again() {
        let gate = Gate::default();
        let begin = Instant::now();
        gate.enter(&soon(), |_| ()).expect("open").answered(told(5, 0, 1), None);
        assert!(gate.enter(&within(Duration::from_secs(20)), |_| ()).is_ok());
        assert!(begin.elapsed() >= Duration::from_secs(1));
    }

    #[test]
    fn no_more_go_in_a_new_window_than_it_has_before_one_has_told_of_it() {
        let gate = Gate::default();
        gate.enter(&soon(), |_| ()).expect("open").answered(told(3, 2, 60), None);
        gate.enter(&soon(), |_| ()).expect("open").answered(told(3, 0, 1), None);
        let later = within(Duration::from_secs(20));
        let passes: Vec<_> = (0..3).map(|_| gate.enter(&later, |_| ()).expect("three")).collect();
        let fourth = gate.enter(&soon(), |_| ());
        assert!(matches!(fourth, Err(Stopped::Interrupted(Interruption::TimedOut))));
        // Without an answer nothing is known of the window, but that it has ended after its time.
        lock(&gate.state).unknown_until = Some(Instant::now());
        assert!(gate.enter(&soon(), |_| ()).is_ok());
        drop(passes);
    }

    #[test]
    fn where_the_limit_is_none_at_all_one_goes_after_each_window_to_ask_again() {
        let gate = Gate::default();
        gate.enter(&soon(), |_| ()).expect("open").answered(told(0, 1, 60), None);
        gate.enter(&soon(), |_| ()).expect("open").answered(told(0, 0, 1), None);
        let asking = gate.enter(&within(Duration::from_secs(20)), |_| ()).expect("the next window");
        assert!(gate.enter(&soon(), |_| ()).is_err(), "one is enough");
        asking.answered(told(9, 8, 1), None);
        assert!(gate.enter(&soon(), |_| ()).is_ok());
    }

    #[test]
    fn an_answer_that_comes_late_tells_nothing_back() {
        let gate = Gate::default();
        let late = gate.enter(&soon(), |_| ()).expect("open");
        gate.enter(&soon(), |_| ()).expect("open").answered(told(10, 0, 60), None);
        late.answered(told(10, 1, 60), None);
        assert!(matches!(gate.enter(&soon(), |_| ()), Err(Stopped::OpensTooLate(_))));
    }

    #[test]
    fn a_window_that_has_just_ended_does_not_swallow_what_is_told_of_the_next() {
        let gate = Gate::default();
        gate.enter(&soon(), |_| ()).expect("open").answered(told(10, 5, 0), None);
        gate.enter(&soon(), |_| ()).expect("open").answered(told(10, 0, 60), None);
        assert!(matches!(gate.enter(&soon(), |_| ()), Err(Stopped::OpensTooLate(_))));
    }

    #[test]
    fn who_is_told_of_a_wait_may_make_another_request_meanwhile() {
        let gate = Gate::default();
        gate.enter(&soon(), |_| ()).expect("open").answered(told(5, 0, 1), None);
        let later = within(Duration::from_secs(20));
        let begin = Instant::now();
        let passed = gate.enter(&later, |_| {
            gate.enter(&later, |_| ()).expect("not held up").answered(told(5, 3, 1), None);
        });
        assert!(passed.is_ok());
        assert!(begin.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn those_who_waited_are_spread_out_and_none_beyond_its_time() {
        let gate = Gate::default();
        // In which all of them come to wait.
        let wait = Duration::from_secs(3);
        gate.enter(&soon(), |_| ()).expect("open").answered(RateLimit::default(), Some(wait));
        let times = Mutex::new(Vec::new());
        let until = Deadline::after(Some(Duration::from_secs(8)));
        std::thread::scope(|scope| {
            for _ in 0..50 {
                scope.spawn(|| {
                    let pass = gate.enter(&Wait::new(until, None), |_| ()).expect("there is time");
                    lock(&times).push(Instant::now());
                    pass.answered(RateLimit::default(), None);
                });
            }
        });
        let times = lock(&times);
        let (first, last) = (times.iter().min(), times.iter().max());
        let spread = *last.expect("all passed") - *first.expect("all passed");
        assert!(spread > Duration::from_millis(50), "{spread:?}");
    }

    #[test]
    fn who_comes_first_goes_first() {
        let gate = Gate::default();
        let under_way = gate.enter(&soon(), |_| ()).expect("open");
        gate.enter(&soon(), |_| ()).expect("open").answered(told(10, 1, 60), None);
        let order = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for number in 0..6 {
                let (gate, order) = (&gate, &order);
                scope.spawn(move || {
                    let pass =
                        gate.enter(&Wait::new(Deadline::NEVER, None), |_| ()).expect("no limit");
                    lock(order).push((pass.time(), number));
                    pass.answered(told(10, 1, 60), None);
                });
                // The next comes once this one has queued up.
                while lock(&gate.state).queue.len() <= number {
                    std::thread::yield_now();
                }
            }
            // It leaves one, and each of them leaves that to the next.
            under_way.answered(told(10, 1, 60), None);
        });
        // By when they were let pass: a thread may be held up before it says so.
        lock(&order).sort_unstable();
        assert!(lock(&order).iter().map(|(_, number)| *number).eq(0..6), "{order:?}");
    }

    #[test]
    fn waiting_at_the_gate_can_be_cancelled() {
        let gate = Gate::default();
        gate.enter(&soon(), |_| ()).expect("open").answered(told(5, 0, 30), None);
        let cancel = Arc::new(Cancel::new());
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                let wait = Wait::new(Deadline::NEVER, Some(cancel.clone()));
                gate.enter(&wait, |_| ()).err()
            });
            cancel.trigger();
            assert!(matches!(
                waiting.join().expect("no panic"),
                Some(Stopped::Interrupted(Interruption::Cancelled))
            ));
        });
    }
}
