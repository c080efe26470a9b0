//! How far an upload has come, told to the caller now and then, on its own thread; and for how long nothing
//! has got through. Here, too, it is noticed that a callback has forked: the child must not go on with what
//! is its parent's.

use crate::process;
use crate::wait::lock;
use std::cell::Cell;
use std::error::Error;
use std::fmt;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Takes what an upload tells of itself, on the thread that is inside the call.
pub(crate) trait Listener {
    /// Takes how far it has come.
    fn progress(&self, progress: &Progress);
    /// Takes the state to go on from, after another part was confirmed.
    fn state(&self, state: &str);
}

/// How far an upload has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// In parts that the service has confirmed; never goes back.
    pub bytes_confirmed: u64,
    /// Besides, of the part under way.
    pub bytes_sent: u64,
    pub bytes_total: u64,
    /// Sent in vain.
    pub bytes_repeated: u64,
    pub parts_confirmed: u32,
    pub parts_total: u32,
    pub activity: Activity,
    /// How long it will wait, if it waits to try again or for the rate limit.
    pub wait: Duration,
}

/// What an upload is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Activity {
    #[default]
    Sending,
    WaitingForAnswer,
    WaitingToRetry,
    WaitingForRateLimit,
}

/// Keeps count of an upload, and tells its listener.
pub(crate) struct Meter {
    listener: Rc<dyn Listener>,
    interval: Duration,
    generation: u32,
    progress: Cell<Progress>,
    told: Cell<Option<Instant>>,
    /// Of several parts at once: what was told last that they do.
    told_activity: Cell<Activity>,
    /// When something got through last.
    pulse: Arc<Pulse>,
    /// Its own place there.
    place: u32,
    /// The same when the attempt under way began.
    quiet_before: Cell<Instant>,
    /// Since when the rate limit's gate is waited at, if it is.
    at_gate_since: Cell<Option<Instant>>,
}

/// When something got through last, of whatever part. Each meter has a place of its own in it, so that what
/// does not count for one is not taken from the others.
#[derive(Default)]
pub(crate) struct Pulse {
    beats: Mutex<Beats>,
    /// Whether any byte has got through.
    has_got_through: AtomicBool,
}

#[derive(Default)]
struct Beats {
    /// Of those who have left, and of the beginning.
    last: Option<Instant>,
    /// Of each that is here, by its place.
    own: Vec<(u32, Instant)>,
    visitors: u32,
}

impl Pulse {
    /// Something begins.
    pub fn beat(&self) {
        lock(&self.beats).last = Some(Instant::now());
    }

    /// A byte has got through.
    pub fn note_byte(&self) {
        self.has_got_through.store(true, Ordering::Relaxed);
    }

    /// Whether any byte has got through.
    pub fn has_got_through(&self) -> bool {
        self.has_got_through.load(Ordering::Relaxed)
    }

    fn enter(&self) -> u32 {
        let mut beats = lock(&self.beats);
        beats.visitors += 1;
        let place = beats.visitors;
        beats.own.push((place, Instant::now()));
        place
    }

    fn leave(&self, place: u32) {
        let mut beats = lock(&self.beats);
        if let Some(at) = beats.own.iter().position(|(own, _)| *own == place) {
            let (_, since) = beats.own.swap_remove(at);
            beats.last = beats.last.max(Some(since));
        }
    }

    fn set(&self, place: u32, since: Instant) {
        self.with_own(place, |own| *own = since);
    }

    fn own(&self, place: u32) -> Instant {
        self.with_own(place, |own| *own)
    }

    /// What `work` makes of the time in this place.
    fn with_own<T>(&self, place: u32, work: impl FnOnce(&mut Instant) -> T) -> T {
        let mut beats = lock(&self.beats);
        match beats.own.iter_mut().find(|(own, _)| *own == place) {
            Some((_, since)) => work(since),
            None => work(&mut Instant::now()),
        }
    }

    /// For how long nothing has got through anywhere.
    fn quiet_for(&self) -> Duration {
        let beats = lock(&self.beats);
        let latest = beats.own.iter().map(|(_, since)| *since).max().max(beats.last);
        latest.map_or(Duration::ZERO, |latest| latest.elapsed())
    }
}

/// What was begun by another process, whose child this one is.
#[derive(Debug)]
pub(crate) struct Inherited;

impl fmt::Display for Inherited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the upload is that of the process that forked this one")
    }
}

impl Error for Inherited {}

impl Meter {
    /// A meter that goes on from `progress`, and tells `listener` of what moves once every `interval`.
    /// It is of the process of this generation alone.
    pub fn new(
        listener: Rc<dyn Listener>,
        interval: Duration,
        progress: Progress,
        pulse: Arc<Pulse>,
        generation: u32,
    ) -> Self {
        Meter {
            listener,
            interval,
            generation,
            progress: Cell::new(progress),
            told: Cell::new(None),
            told_activity: Cell::default(),
            place: pulse.enter(),
            pulse,
            quiet_before: Cell::new(Instant::now()),
            at_gate_since: Cell::new(None),
        }
    }

    /// How far it has come.
    pub fn progress(&self) -> Progress {
        self.progress.get()
    }

    /// How much there is in all has come out.
    pub fn has_ended(&self, bytes: u64, parts: u32) {
        let progress = self.progress.get();
        self.progress.set(Progress { bytes_total: bytes, parts_total: parts, ..progress });
    }

    /// Fails in a child of the process that began.
    pub fn must_be_ours(&self) -> Result<(), Inherited> {
        if process::generation() == self.generation { Ok(()) } else { Err(Inherited) }
    }

    /// So many bytes of the part under way have got through.
    pub fn count(&self, bytes: u64, is_all: bool) {
        let progress = self.progress.get();
        if bytes > progress.bytes_sent {
            self.has_moved();
        }
        let activity = if is_all { Activity::WaitingForAnswer } else { Activity::Sending };
        let wait = Duration::ZERO;
        self.progress.set(Progress { bytes_sent: bytes, activity, wait, ..progress });
    }

    /// The same, and tells it if that is due.
    pub fn got_through(&self, bytes: u64, is_all: bool) -> Result<(), Inherited> {
        let before = self.progress.get().activity;
        self.count(bytes, is_all);
        let is_due = self.told.get().is_none_or(|told| told.elapsed() >= self.interval);
        if is_due || self.progress.get().activity != before {
            return self.tell();
        }
        self.must_be_ours()
    }

    /// A part of so many bytes is confirmed.
    pub fn confirmed(&self, bytes: u64) {
        // Its answer was waited for, and has come.
        self.has_moved();
        let progress = self.progress.get();
        self.progress.set(Progress {
            bytes_confirmed: progress.bytes_confirmed + bytes,
            parts_confirmed: progress.parts_confirmed + 1,
            bytes_sent: 0,
            activity: Activity::Sending,
            wait: Duration::ZERO,
            ..progress
        });
    }

    /// What of the part under way was sent was sent in vain.
    pub fn sent_in_vain(&self) {
        let progress = self.progress.get();
        let bytes_repeated = progress.bytes_repeated + progress.bytes_sent;
        self.progress.set(Progress { bytes_sent: 0, bytes_repeated, ..progress });
    }

    /// The upload waits.
    pub fn waits(&self, activity: Activity, wait: Duration) -> Result<(), Inherited> {
        self.progress.set(Progress { activity, wait, ..self.progress.get() });
        self.tell()
    }

    /// Tells how far it has come.
    pub fn tell(&self) -> Result<(), Inherited> {
        self.told.set(Some(Instant::now()));
        self.listener.progress(&self.progress.get());
        self.must_be_ours()
    }

    /// Tells how far it has come with all the parts that are under way, if that is due, or `is_due` anyhow, or
    /// if it does something else than was told last.
    pub fn tell_of(&self, parts: &[Option<Progress>], is_due: bool) -> Result<(), Inherited> {
        let parts = || parts.iter().flatten();
        let sum = |of: fn(&Progress) -> u64| parts().map(of).sum::<u64>();
        // Of several the one that is nearest to sending.
        let busiest = parts().min_by_key(|part| (part.activity as u8, part.wait));
        let progress = self.progress.get();
        let all = Progress {
            bytes_sent: sum(|part| part.bytes_sent),
            bytes_repeated: progress.bytes_repeated + sum(|part| part.bytes_repeated),
            activity: busiest.map_or(Activity::Sending, |part| part.activity),
            wait: busiest.map_or(Duration::ZERO, |part| part.wait),
            ..progress
        };
        let is_due = is_due
            || self.told.get().is_none_or(|told| told.elapsed() >= self.interval)
            || self.told_activity.replace(all.activity) != all.activity;
        if !is_due {
            return Ok(());
        }
        self.told_activity.set(all.activity);
        self.told.set(Some(Instant::now()));
        self.listener.progress(&all);
        self.must_be_ours()
    }

    /// So many bytes of a part were sent in vain.
    pub fn repeated(&self, bytes: u64) {
        let progress = self.progress.get();
        self.progress.set(Progress { bytes_repeated: progress.bytes_repeated + bytes, ..progress });
    }

    /// Tells the state to go on from.
    pub fn tell_state(&self, state: &str) -> Result<(), Inherited> {
        self.listener.state(state);
        self.must_be_ours()
    }

    /// Something has moved that is no byte.
    pub fn has_moved(&self) {
        self.pulse.set(self.place, Instant::now());
    }

    /// The rate limit's gate is come to.
    pub fn comes_to_gate(&self) {
        self.at_gate_since.set(Some(Instant::now()));
    }

    /// The gate is passed. What was waited there does not count as quiet.
    pub fn has_passed_gate(&self) {
        if let Some(since) = self.at_gate_since.take() {
            self.forgive(since.elapsed());
        }
        self.quiet_before.set(self.pulse.own(self.place));
    }

    /// Whatever got through in the attempt that has ended, it was refused unlooked at: nothing has moved.
    pub fn was_turned_away(&self) {
        self.pulse.set(self.place, self.quiet_before.get());
    }

    /// For how long nothing has got through.
    pub fn quiet_for(&self) -> Duration {
        self.pulse.quiet_for()
    }

    /// What was waited for `time` does not count as quiet.
    pub fn forgive(&self, time: Duration) {
        self.pulse.set(self.place, self.pulse.own(self.place) + time);
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        // In a child, a thread of the parent's may have been holding the lock.
        if self.must_be_ours().is_ok() {
            self.pulse.leave(self.place);
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::process::generation;
    use std::cell::RefCell;

    /// Keeps all that it is told.
    #[derive(Default)]
    pub(crate) struct Told {
        pub progress: RefCell<Vec<Progress>>,
        pub states: RefCell<Vec<String>>,
    }

    impl Listener for Told {
        fn progress(&self, progress: &Progress) {
            self.progress.borrow_mut().push(*progress);
        }
        fn state(&self, state: &str) {
            self.states.borrow_mut().push(state.into());
        }
    }

    const NEVER: Duration = Duration::from_secs(1000);

    /// Nothing yet, of so many bytes in parts.
    fn of(bytes_total: u64, parts_total: u32) -> Progress {
        Progress { bytes_total, parts_total, ..Progress::default() }
    }

    #[test]
    fn what_is_confirmed_only_grows_and_what_was_in_vain_is_counted() {
        let told = Rc::new(Told::default());
        let meter =
            Meter::new(told.clone(), Duration::ZERO, of(30, 3), Arc::default(), generation());
        meter.got_through(4, false).expect("ours");
        meter.got_through(10, true).expect("ours");
        meter.confirmed(10);
        meter.tell().expect("ours");
        meter.got_through(7, false).expect("ours");
        meter.sent_in_vain();
        meter.waits(Activity::WaitingToRetry, Duration::from_millis(5)).expect("ours");
        let told: Vec<_> = told
            .progress
            .borrow()
            .iter()
            .map(|it| (it.bytes_confirmed, it.bytes_sent, it.bytes_repeated, it.activity))
            .collect();
        assert_eq!(
            told,
            [
                (0, 4, 0, Activity::Sending),
                (0, 10, 0, Activity::WaitingForAnswer),
                (10, 0, 0, Activity::Sending),
                (10, 7, 0, Activity::Sending),
                (10, 0, 7, Activity::WaitingToRetry),
            ]
        );
    }

    #[test]
    fn what_moves_is_told_once_an_interval_and_what_changes_at_once() {
        let told = Rc::new(Told::default());
        let meter = Meter::new(told.clone(), NEVER, of(1000, 1), Arc::default(), generation());
        (0..1000).for_each(|bytes| meter.got_through(bytes, false).expect("ours"));
        assert_eq!(told.progress.borrow().len(), 1);
        meter.got_through(1000, true).expect("ours");
        assert_eq!(told.progress.borrow().len(), 2);
    }

    #[test]
    fn it_is_quiet_while_nothing_gets_through() {
        let told = Rc::new(Told::default());
        let meter = Meter::new(told.clone(), NEVER, of(10, 1), Arc::default(), generation());
        let hour = Duration::from_secs(3600);
        meter
            .pulse
            .set(meter.place, Instant::now().checked_sub(2 * hour).expect("a clock that runs"));
        meter.got_through(0, false).expect("ours");
        assert!(meter.quiet_for() >= 2 * hour);
        meter.forgive(hour);
        assert!(meter.quiet_for() >= hour && meter.quiet_for() < 2 * hour);
        meter.got_through(1, false).expect("ours");
        assert!(meter.quiet_for() < hour);
        meter
            .pulse
            .set(meter.place, Instant::now().checked_sub(2 * hour).expect("a clock that runs"));
        meter.confirmed(10);
        assert!(meter.quiet_for() < hour);
    }

    #[test]
    fn all_the_time_at_the_rate_limits_gate_is_forgiven() {
        let meter =
            Meter::new(Rc::new(Told::default()), NEVER, of(10, 1), Arc::default(), generation());
        let (now, hour) = (Instant::now(), Duration::from_secs(3600));
        let ago = |hours| Some(now.checked_sub(hours * hour).expect("a clock that runs"));
        meter.pulse.set(meter.place, ago(3).unwrap_or(now));
        meter.at_gate_since.set(ago(2));
        for _ in 0..2 {
            meter.has_passed_gate();
            assert!(meter.quiet_for() >= hour && meter.quiet_for() < 2 * hour);
        }
    }

    #[test]
    fn a_process_that_began_may_go_on_and_another_may_not() {
        let told = Rc::new(Told::default());
        let mut meter = Meter::new(told.clone(), NEVER, of(10, 1), Arc::default(), generation());
        assert!(meter.must_be_ours().is_ok());
        meter.generation = u32::MAX;
        assert!(meter.must_be_ours().is_err());
        assert!(meter.tell().is_err() && meter.tell_state("state").is_err());
        assert!(meter.got_through(1, false).is_err());
    }
}
