//! How fast one token endpoint is asked: so many requests a second, half of it after a 429, slowly recovered; nothing
//! while the server wants a pause. Where a pause tells how many the server takes in what time, the rate is not halved below that.

use std::collections::VecDeque;
use std::time::Duration;

use crate::oauth::endpoint::TokenEndpoint;
use crate::oauth::vendor::Vendor;

/// Identity Authentication takes 1,000 requests a minute a tenant, from all clients together.
const IDENTITY_AUTHENTICATION_RATE: f64 = 15.0;
/// A halved rate is back at the full one after this time.
const RECOVERY: Duration = Duration::from_secs(300);
/// What was learned of a server is reckoned with for so long.
const LEARNED: Duration = RECOVERY;
/// Limits are so many in a minute, or in less.
const WINDOW: Duration = Duration::from_secs(60);
/// However often it was halved, one request in this time goes out.
const SLOWEST: f64 = 0.1;

/// The rate for an endpoint, in requests a second, where `configured` is the operator's.
pub fn rate_for(endpoint: &TokenEndpoint, configured: f64) -> f64 {
    if Vendor::of(endpoint) == Vendor::IdentityAuthentication { configured.min(IDENTITY_AUTHENTICATION_RATE) } else { configured }
}

/// The pace of one endpoint. Times are since any fixed point, by a clock that nobody sets: no pause grows by what is set back.
#[derive(Debug, Clone)]
pub struct Pace {
    full_rate: f64,
    reduced_rate: f64,
    reduced_at: Option<Duration>,
    /// It was reduced to about what the server takes.
    is_limit_known: bool,
    next_slot: Duration,
    paused_until: Option<Duration>,
    /// How many slots were taken in each second of the last minute.
    taken: VecDeque<(u64, u32)>,
    /// When the first slot of all was taken.
    taken_since: Option<Duration>,
    /// What the last pauses taught, and until when that counts.
    learned: Option<(Outlook, Duration)>,
}

/// What to reckon with for the next minutes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outlook {
    /// Requests a second, pauses and all.
    pub rate: f64,
    /// How long a pause may be.
    pub pause: Duration,
}

impl Pace {
    /// A pace of so many requests a second.
    pub fn new(rate: f64) -> Self {
        Self {
            full_rate: rate,
            reduced_rate: rate,
            reduced_at: None,
            is_limit_known: false,
            next_slot: Duration::ZERO,
            paused_until: None,
            taken: VecDeque::new(),
            taken_since: None,
            learned: None,
        }
    }

    /// Takes the next slot, or says when there is one.
    pub fn take_slot(&mut self, now: Duration) -> Result<(), Duration> {
        if self.next_slot > now {
            return Err(self.next_slot);
        }
        self.next_slot = now + Duration::from_secs_f64(1.0 / self.rate(now));
        self.taken_since.get_or_insert(now);
        self.count(now);
        Ok(())
    }

    fn count(&mut self, now: Duration) {
        match self.taken.back_mut() {
            Some((second, taken)) if *second == now.as_secs() => *taken += 1,
            Some(_) | None => self.taken.push_back((now.as_secs(), 1)),
        }
        let begin = now.saturating_sub(WINDOW).as_secs();
        while self.taken.front().is_some_and(|(second, _)| *second < begin) {
            self.taken.pop_front();
        }
    }

    /// The rate now, in requests a second. Near a limit that was learned it doubles in the time that restores it otherwise, so that the
    /// next pause is a short one.
    pub fn rate(&self, now: Duration) -> f64 {
        let Some(reduced_at) = self.reduced_at else { return self.full_rate };
        let recovered = now.saturating_sub(reduced_at).as_secs_f64() / RECOVERY.as_secs_f64();
        let rate = if self.is_limit_known {
            (self.reduced_rate * recovered.exp2()).min(self.full_rate)
        } else {
            self.reduced_rate + (self.full_rate - self.reduced_rate) * recovered.min(1.0)
        };
        rate.max(SLOWEST)
    }

    fn learned(&self, now: Duration) -> Option<Outlook> {
        self.learned.filter(|(_, counts_until)| *counts_until > now).map(|(learned, _)| learned)
    }

    /// What to reckon with for the next minutes: what the last pauses taught, or the rate.
    pub fn outlook(&self, now: Duration) -> Outlook {
        let rate = self.rate(now);
        match self.learned(now) {
            Some(learned) => Outlook { rate: learned.rate.min(rate).max(SLOWEST), pause: learned.pause },
            None => Outlook { rate, pause: Duration::ZERO },
        }
    }

    /// The server answered 429 to a request that was sent then: half as fast from here. What was sent before the last such
    /// answer says nothing of the pace since, and what is answered during a pause nothing that the pause does not say. With a pause it told what it takes on the average: the rate does not fall below.
    pub fn slow_down(&mut self, sent: Duration, now: Duration, paused_until: Option<Duration>) {
        let average = paused_until.map(|until| self.average(until));
        if self.paused_until(now).is_none() && self.reduced_at.is_none_or(|reduced_at| sent > reduced_at) {
            let rate = self.rate(now);
            self.reduced_rate = average.unwrap_or_default().clamp(rate / 2.0, rate);
            self.reduced_at = Some(now);
            self.is_limit_known = average.is_some_and(|average| average > 0.0);
        }
        if let Some(until) = paused_until {
            self.rest(now, until, average);
        }
    }

    /// The server asked for a pause, not because it was asked too often.
    pub fn pause(&mut self, now: Duration, until: Duration) {
        self.rest(now, until, None);
    }

    /// An earlier pause that lasts longer stays. `average` is what the server takes, as far as this pause tells.
    fn rest(&mut self, now: Duration, until: Duration, average: Option<f64>) {
        if self.paused_until.is_some_and(|earlier| earlier >= until) {
            return;
        }
        let before = self.outlook(now);
        let rate = average.filter(|_| self.paused_until(now).is_none()).unwrap_or(before.rate);
        // What was long once need not stay long.
        let pause = until.saturating_sub(now).max(before.pause / 2);
        self.learned = Some((Outlook { rate, pause }, until + LEARNED));
        self.paused_until = Some(until);
    }

    /// How many requests a second went out in the minute before the end of a pause that begins. What was taken before that minute says
    /// nothing of the limit: it may have been less. A pause within it does: it is of the same limit, and may have ended too early.
    fn average(&self, until: Duration) -> f64 {
        let begin = self.taken_since.unwrap_or(until).max(until.saturating_sub(WINDOW));
        let taken: u32 = self.taken.iter().filter(|(second, _)| *second >= begin.as_secs()).map(|(_, taken)| taken).sum();
        let seconds = until.saturating_sub(begin).as_secs_f64();
        if seconds > 0.0 { f64::from(taken) / seconds } else { 0.0 }
    }

    /// The end of the pause, if one is on.
    pub fn paused_until(&self, now: Duration) -> Option<Duration> {
        self.paused_until.filter(|until| *until > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::endpoint::UrlType;

    fn taken(pace: &mut Pace, from: f64, seconds: f64) -> usize {
        let (mut now, end, mut count) = (Duration::from_secs_f64(from), Duration::from_secs_f64(from + seconds), 0);
        while now < end {
            match pace.take_slot(now) {
                Ok(()) => count += 1,
                Err(next) => now = next,
            }
        }
        count
    }

    #[test]
    fn so_many_slots_a_second_are_given() {
        assert_eq!(taken(&mut Pace::new(50.0), 0.0, 10.0), 500);
    }

    #[test]
    fn each_429_halves_the_rate_and_five_minutes_restore_it() {
        let (second, mut pace) = (Duration::from_secs, Pace::new(40.0));
        pace.slow_down(second(1), second(2), None);
        pace.slow_down(second(1), second(3), None); // sent before the answer that halved the rate
        pace.slow_down(second(3), second(2), None);
        assert!((pace.rate(second(2)) - 10.0).abs() < 1e-9);
        assert!((pace.rate(second(152)) - 25.0).abs() < 1e-9);
        assert!((pace.rate(second(302)) - 40.0).abs() < 1e-9);
        for millis in 0..100 {
            pace.slow_down(Duration::from_millis(400_001 + millis), Duration::from_millis(400_001 + millis), None);
        }
        assert!((pace.rate(second(400)) - SLOWEST).abs() < 1e-9);
    }

    #[test]
    fn of_two_pauses_the_longer_one_counts() {
        let at = Duration::from_secs;
        let mut pace = Pace::new(1.0);
        pace.pause(at(0), at(60));
        pace.pause(at(0), at(30));
        assert_eq!(pace.outlook(at(61)), Outlook { rate: 1.0, pause: at(60) }, "an outage says nothing of a limit");
        assert_eq!(pace.paused_until(at(59)), Some(at(60)));
        assert_eq!(pace.paused_until(at(60)), None);
    }

    #[test]
    fn a_pause_tells_what_the_server_takes_and_the_rate_does_not_fall_below_that() {
        let (second, mut pace) = (Duration::from_secs, Pace::new(40.0));
        let near = |rate: f64, expected: f64| assert!((rate - expected).abs() < 0.2, "{rate}, not {expected}");
        assert_eq!(pace.outlook(second(0)), Outlook { rate: 40.0, pause: Duration::ZERO });
        // 600 in each minute, by the first quarter of it.
        assert_eq!(taken(&mut pace, 0.0, 15.0), 600);
        pace.slow_down(second(14), second(15), Some(second(60)));
        near(pace.rate(second(15)), 20.0);
        // On its way while the pause began.
        pace.slow_down(Duration::from_millis(15_100), second(16), Some(second(60)));
        near(pace.rate(second(16)), 20.0);
        assert_eq!(pace.outlook(second(15)), Outlook { rate: 10.0, pause: second(45) });
        // Slower, and again all of them before the minute is over.
        let second_minute = taken(&mut pace, 60.0, 25.0);
        assert!((550..=630).contains(&second_minute), "{second_minute}");
        let rate = pace.rate(second(85));
        pace.slow_down(second(84), second(85), Some(second(120)));
        near(pace.rate(second(85)), rate / 2.0);
        assert_eq!(pace.outlook(second(85)).pause, second(35));
        // A longer pause is still to be expected after a short one, half as long; and after some minutes of none, none.
        pace.pause(second(130), second(131));
        assert_eq!(pace.outlook(second(131)).pause, Duration::from_secs_f64(17.5));
        assert_eq!(pace.outlook(second(500)), Outlook { rate: pace.rate(second(500)), pause: Duration::ZERO });
    }

    #[test]
    fn a_time_of_little_demand_before_the_limit_does_not_count() {
        let (second, mut pace) = (Duration::from_secs, Pace::new(40.0));
        (0..600).for_each(|time| assert!(pace.take_slot(second(time)).is_ok()));
        assert_eq!(taken(&mut pace, 600.0, 30.0), 1200);
        pace.slow_down(second(629), second(630), Some(second(660)));
        assert!((pace.rate(second(630)) - 20.0).abs() < 0.1, "{}", pace.rate(second(630)));
        assert!((pace.outlook(second(661)).rate - 20.0).abs() < 0.1);
    }

    #[test]
    fn a_pause_that_ends_a_moment_too_early_does_not_halve_the_rate_again() {
        let (second, mut pace) = (Duration::from_secs, Pace::new(40.0));
        assert_eq!(taken(&mut pace, 0.0, 15.0), 600);
        pace.slow_down(second(14), second(15), Some(second(59)));
        pace.slow_down(Duration::from_millis(59_100), Duration::from_millis(59_200), Some(second(60)));
        assert!((pace.rate(second(60)) - 11.0).abs() < 1.2, "{}", pace.rate(second(60)));
        pace.slow_down(Duration::from_millis(60_100), Duration::from_millis(60_200), Some(second(61)));
        assert!((pace.rate(second(61)) - 10.0).abs() < 1.2, "{}", pace.rate(second(61)));
    }

    #[test]
    fn a_pause_after_hardly_any_request_still_halves_the_rate() {
        let (second, mut pace) = (Duration::from_secs, Pace::new(40.0));
        pace.slow_down(second(1), second(2), Some(second(3600)));
        assert!((pace.rate(second(2)) - 20.0).abs() < 1e-9);
    }

    #[test]
    fn identity_authentication_gets_fifteen_a_second_at_the_most() {
        let endpoint = |url| TokenEndpoint::parse(url, UrlType::Dedicated, false).unwrap();
        assert!((rate_for(&endpoint("https://t.accounts.ondemand.com/oauth2/token"), 50.0) - 15.0).abs() < 1e-9);
        assert!((rate_for(&endpoint("https://t.accounts.cloud.sap/oauth2/token"), 5.0) - 5.0).abs() < 1e-9);
        assert!((rate_for(&endpoint("https://auth.example.com/token"), 50.0) - 50.0).abs() < 1e-9);
    }
}
