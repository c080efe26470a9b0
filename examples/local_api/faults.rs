//! What goes wrong on purpose: a share of the requests fails before any work is done, another loses
//! its answer after it. One number is drawn for each request, so that both shares are exact and a
//! seed repeats them.

use std::str::FromStr;

use fastrand::Rng;

/// A share of the requests, from 0 to 1.
#[derive(Clone, Copy, Debug)]
pub struct Rate(f64);

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let percent: f64 = text
            .strip_suffix('%')
            .unwrap_or(text)
            .parse()
            .map_err(|error| format!("PERCENT: {error}"))?;
        if !(0.0..=100.0).contains(&percent) {
            return Err("PERCENT: must be from 0 to 100".to_owned());
        }
        Ok(Self(percent / 100.0))
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    /// The work is not done, the answer says so.
    Failure,
    /// The work is done, the answer never arrives.
    AnswerLost,
}

pub struct Faults {
    failures: f64,
    answers_lost: f64,
    random: Rng,
}

impl Faults {
    pub fn new(failures: Rate, answers_lost: Rate, seed: Option<u64>) -> Result<Self, String> {
        if failures.0 + answers_lost.0 > 1.0 {
            return Err("--fail-rate and --drop-rate are more than 100 together".to_owned());
        }
        Ok(Self {
            failures: failures.0,
            answers_lost: answers_lost.0,
            random: seed.map_or_else(Rng::new, Rng::with_seed),
        })
    }

    pub fn draw(&mut self) -> Option<Fault> {
        let drawn = self.random.f64();
        if drawn < self.failures {
            Some(Fault::Failure)
        } else if drawn < self.failures + self.answers_lost {
            Some(Fault::AnswerLost)
        } else {
            None
        }
    }
}
