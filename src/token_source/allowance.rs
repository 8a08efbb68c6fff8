//! So many at once and so many a second: what is taken comes back with time.

use std::time::Duration;

/// An allowance that refills evenly. Times are since any fixed point, by a clock that nobody sets.
#[derive(Debug, Clone)]
pub struct Allowance {
    at_once: f64,
    a_second: f64,
    left: f64,
    counted_at: Duration,
}

impl Allowance {
    /// A full one.
    pub fn new(at_once: f64, a_second: f64) -> Self {
        Self { at_once, a_second, left: at_once, counted_at: Duration::ZERO }
    }

    /// Takes one, if one is left.
    pub fn take(&mut self, now: Duration) -> bool {
        let refilled = now.saturating_sub(self.counted_at).as_secs_f64() * self.a_second;
        (self.left, self.counted_at) = ((self.left + refilled).min(self.at_once), now);
        let is_left = self.left >= 1.0;
        if is_left {
            self.left -= 1.0;
        }
        is_left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_are_given_at_once_and_then_so_many_a_second() {
        let mut allowance = Allowance::new(5.0, 2.0);
        let mut taken = |second| (0..10).filter(|_| allowance.take(Duration::from_secs(second))).count();
        assert_eq!([0, 0, 1, 3, 1000].map(&mut taken), [5, 0, 2, 4, 5]);
    }
}
