//! How fast one token endpoint is asked: so many requests a second, half of it after a 429, slowly recovered; nothing
//! while the server wants a pause.

use std::time::Duration;

use crate::oauth::endpoint::TokenEndpoint;
use crate::oauth::vendor::Vendor;

/// Identity Authentication takes 1,000 requests a minute a tenant, from all clients together.
const IDENTITY_AUTHENTICATION_RATE: f64 = 15.0;
/// A halved rate is back at the full one after this time.
const RECOVERY: Duration = Duration::from_secs(300);
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
    next_slot: Duration,
    paused_until: Option<Duration>,
}

impl Pace {
    /// A pace of so many requests a second.
    pub fn new(rate: f64) -> Self {
        Self { full_rate: rate, reduced_rate: rate, reduced_at: None, next_slot: Duration::ZERO, paused_until: None }
    }

    /// Takes the next slot, or says when there is one.
    pub fn take_slot(&mut self, now: Duration) -> Result<(), Duration> {
        if self.next_slot > now {
            return Err(self.next_slot);
        }
        self.next_slot = now + Duration::from_secs_f64(1.0 / self.rate(now));
        Ok(())
    }

    /// The rate now, in requests a second.
    pub fn rate(&self, now: Duration) -> f64 {
        let Some(reduced_at) = self.reduced_at else { return self.full_rate };
        let recovered = now.saturating_sub(reduced_at).as_secs_f64() / RECOVERY.as_secs_f64();
        (self.reduced_rate + (self.full_rate - self.reduced_rate) * recovered.min(1.0)).max(SLOWEST)
    }

    /// The server answered 429 to a request that was sent then: half as fast from here. What was sent before the last such
    /// answer says nothing of the pace since.
    pub fn slow_down(&mut self, sent: Duration, now: Duration) {
        if self.reduced_at.is_none_or(|reduced_at| sent > reduced_at) {
            self.reduced_rate = self.rate(now) / 2.0;
            self.reduced_at = Some(now);
        }
    }

    /// The server asked for a pause; an earlier one that lasts longer stays.
    pub fn pause(&mut self, until: Duration) {
        self.paused_until = self.paused_until.max(Some(until));
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
        pace.slow_down(second(1), second(2));
        pace.slow_down(second(1), second(3)); // sent before the answer that halved the rate
        pace.slow_down(second(3), second(2));
        assert!((pace.rate(second(2)) - 10.0).abs() < 1e-9);
        assert!((pace.rate(second(152)) - 25.0).abs() < 1e-9);
        assert!((pace.rate(second(302)) - 40.0).abs() < 1e-9);
        for millis in 0..100 {
            pace.slow_down(Duration::from_millis(400_001 + millis), Duration::from_millis(400_001 + millis));
        }
        assert!((pace.rate(second(400)) - SLOWEST).abs() < 1e-9);
    }

    #[test]
    fn of_two_pauses_the_longer_one_counts() {
        let at = Duration::from_secs;
        let mut pace = Pace::new(1.0);
        pace.pause(at(60));
        pace.pause(at(30));
        assert_eq!(pace.paused_until(at(59)), Some(at(60)));
        assert_eq!(pace.paused_until(at(60)), None);
    }

    #[test]
    fn identity_authentication_gets_fifteen_a_second_at_the_most() {
        let endpoint = |url| TokenEndpoint::parse(url, UrlType::Dedicated, false).unwrap();
        assert!((rate_for(&endpoint("https://t.accounts.ondemand.com/oauth2/token"), 50.0) - 15.0).abs() < 1e-9);
        assert!((rate_for(&endpoint("https://t.accounts.cloud.sap/oauth2/token"), 5.0) - 5.0).abs() < 1e-9);
        assert!((rate_for(&endpoint("https://auth.example.com/token"), 50.0) - 50.0).abs() < 1e-9);
    }
}
