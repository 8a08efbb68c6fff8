//! Whose turn it is at a token endpoint that can't be asked for everybody at once.
//!
//! Where an endpoint's limit can't keep all tokens alive, serving those without a token first would let others expire, which
//! then were without one: each source would have a token for a part of the time. So a token that is there is kept, soonest
//! expiry first, and who has none is served with what is left. Renewals are due long before the expiry: as long as all of
//! them can wait, the others go first. That way as many sources as the limit can keep alive are, and stay so.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::time::Duration;

use jiff::Timestamp;

use super::pace::Outlook;
use super::schedule::{after, between};

/// A renewal no longer waits for others when less than this is left beside what the renewals before it need, and a pause.
const RESERVE: Duration = Duration::from_secs(15);

/// Who waits. `K` tells sources apart.
#[derive(Debug)]
pub struct Turns<K> {
    /// With a valid token: by its expiry, then in order of arrival.
    renewals: BTreeMap<(Timestamp, u64), K>,
    /// Without one: in order of arrival.
    first_tokens: BTreeMap<u64, K>,
    places: HashMap<K, Place>,
    arrivals: u64,
    /// So many first tokens can go before any renewal gets urgent, for the second to come; then it is counted anew.
    spare: u64,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    expiry: Option<Timestamp>,
    arrival: u64,
}

impl<K> Default for Turns<K> {
    fn default() -> Self {
        Self { renewals: BTreeMap::new(), first_tokens: BTreeMap::new(), places: HashMap::new(), arrivals: 0, spare: 0 }
    }
}

impl<K: Clone + Eq + Hash> Turns<K> {
    /// Takes a place. `expiry` is when a token that is still valid expires. Who waits already stays where it was, unless its
    /// token has expired meanwhile.
    pub fn enter(&mut self, who: &K, expiry: Option<Timestamp>) {
        if let Some(place) = self.places.get(who).copied() {
            if place.expiry == expiry {
                return;
            }
            self.leave(who);
        }
        self.arrivals += 1;
        let arrival = self.arrivals;
        self.places.insert(who.clone(), Place { expiry, arrival });
        match expiry {
            Some(expiry) => {
                self.renewals.insert((expiry, arrival), who.clone());
                self.spare = 0;
            }
            None => {
                self.first_tokens.insert(arrival, who.clone());
            }
        }
    }

    /// Gives the place up.
    pub fn leave(&mut self, who: &K) {
        let Some(Place { expiry, arrival }) = self.places.remove(who) else { return };
        match expiry {
            Some(expiry) => self.renewals.remove(&(expiry, arrival)),
            None => self.first_tokens.remove(&arrival),
        };
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Nobody waits.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Who is next, at an endpoint with this outlook.
    pub fn next(&mut self, now: Timestamp, outlook: Outlook) -> Option<K> {
        let who = if self.first_token_goes(now, outlook) {
            self.first_tokens.first_entry()?.get().clone()
        } else {
            self.renewals.first_entry()?.get().clone()
        };
        self.leave(&who);
        Some(who)
    }

    fn first_token_goes(&mut self, now: Timestamp, outlook: Outlook) -> bool {
        if self.renewals.is_empty() || self.first_tokens.is_empty() {
            return self.renewals.is_empty();
        }
        if self.spare == 0 {
            self.spare = self.count_spare(now, outlook);
        }
        let goes = self.spare > 0;
        self.spare = self.spare.saturating_sub(1);
        goes
    }

    /// How many others can be served before any renewal has less than the reserve left when its turn comes.
    fn count_spare(&self, now: Timestamp, Outlook { rate, pause }: Outlook) -> u64 {
        let urgent = after(now, RESERVE.saturating_add(pause));
        let mut spare = in_whole(rate.ceil());
        for ((expiry, _), turn) in self.renewals.keys().zip(1_u64..) {
            let left = between(urgent, *expiry).as_secs_f64();
            spare = spare.min(in_whole(left * rate).saturating_sub(turn));
            if spare == 0 {
                // Where many wait, the first ones settle it.
                break;
            }
        }
        spare
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float becomes an integer saturating, and it is not negative"
)]
fn in_whole(count: f64) -> u64 {
    count as u64
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;
    use crate::token_source::pace::Pace;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    const ONE_A_SECOND: Outlook = Outlook { rate: 1.0, pause: Duration::ZERO };

    fn order(turns: &mut Turns<&'static str>) -> Vec<&'static str> {
        (0..).map_while(|second| turns.next(at(second), ONE_A_SECOND)).collect()
    }

    #[test]
    fn renewals_go_by_expiry_and_first_tokens_by_arrival() {
        let mut turns = Turns::default();
        for (who, expiry) in [("late", Some(at(12))), ("soon", Some(at(11))), ("first", None), ("second", None)] {
            turns.enter(&who, expiry);
        }
        assert_eq!(order(&mut turns), ["soon", "late", "first", "second"]);
        assert!(turns.is_empty());
    }

    #[test]
    fn first_tokens_go_before_renewals_that_can_wait() {
        let mut turns = Turns::default();
        // At one a second there is time for three others, besides itself, before a quarter of a minute is left.
        turns.enter(&"renewal", Some(at(19)));
        for who in ["a", "b", "c", "d"] {
            turns.enter(&who, None);
        }
        assert_eq!(order(&mut turns), ["a", "b", "c", "renewal", "d"]);
    }

    #[test]
    fn who_waits_keeps_the_place_until_the_token_expires() {
        let mut turns = Turns::default();
        turns.enter(&"a", None);
        turns.enter(&"b", None);
        turns.enter(&"a", None);
        assert_eq!((turns.len(), order(&mut turns)), (2, vec!["a", "b"]));
        turns.enter(&"a", Some(at(5)));
        turns.enter(&"b", None);
        turns.enter(&"a", None);
        assert_eq!(order(&mut turns), ["b", "a"]);
        turns.enter(&"a", None);
        turns.leave(&"a");
        turns.leave(&"a");
        assert_eq!(turns.next(at(0), ONE_A_SECOND), None);
    }

    #[test]
    fn a_renewal_that_a_pause_could_make_late_goes_first() {
        let mut turns = Turns::default();
        turns.enter(&"renewal", Some(at(60)));
        turns.enter(&"first", None);
        assert_eq!(turns.next(at(0), Outlook { pause: Duration::from_secs(50), ..ONE_A_SECOND }), Some("renewal"));
    }

    /// Takes so many requests in each minute, and asks for a pause until the next one then.
    struct Endpoint {
        a_minute: u32,
        minute: u64,
        taken: u32,
    }

    impl Endpoint {
        fn answers(&mut self, second: u64) -> Result<(), Duration> {
            if second / 60 != self.minute {
                (self.minute, self.taken) = (second / 60, 0);
            }
            if self.taken == self.a_minute {
                return Err(Duration::from_secs((self.minute + 1) * 60));
            }
            self.taken += 1;
            Ok(())
        }
    }

    /// Serves `sources` with tokens of five minutes, renewed at two thirds of them, at an endpoint of 180 requests a minute, by a pace of
    /// `rate` a second, for two hours; gives back how many had a valid token at the least and at the most over the last hour, and how
    /// many tokens expired there.
    fn alive(sources: usize, rate: f64) -> (usize, usize, usize) {
        const LIFE: u64 = 300;
        let (mut endpoint, mut pace) = (Endpoint { a_minute: 180, minute: 0, taken: 0 }, Pace::new(rate));
        let mut turns = Turns::default();
        let mut expiries: Vec<Option<u64>> = vec![None; sources];
        let mut due: VecDeque<(u64, usize)> = VecDeque::new();
        let second = |time: u64| at(i64::try_from(time).unwrap());
        (0..sources).for_each(|who| turns.enter(&who, None));
        let (mut least, mut most, mut expired) = (usize::MAX, 0, 0);
        for now in 0..7200 {
            while let Some((_, who)) = due.front().filter(|(time, _)| *time <= now).copied() {
                due.pop_front();
                turns.enter(&who, expiries[who].map(second));
            }
            for (who, expiry) in expiries.iter_mut().enumerate().filter(|(_, expiry)| **expiry == Some(now)) {
                turns.enter(&who, None);
                *expiry = None;
                expired += usize::from(now >= 3600);
            }
            for time in (0..50).map(|part| Duration::from_micros(now * 1_000_000 + part * 20_000)) {
                if pace.paused_until(time).is_some() || turns.is_empty() || pace.take_slot(time).is_err() {
                    continue;
                }
                let who = turns.next(second(now), pace.outlook(time)).unwrap();
                match endpoint.answers(now) {
                    Ok(()) => {
                        expiries[who] = Some(now + LIFE);
                        due.push_back((now + LIFE * 2 / 3, who));
                    }
                    Err(until) => {
                        pace.slow_down(time, time, Some(until));
                        turns.enter(&who, expiries[who].map(second));
                    }
                }
            }
            if now >= 3600 {
                let valid = expiries.iter().flatten().count();
                (least, most) = (least.min(valid), most.max(valid));
            }
        }
        (least, most, expired)
    }

    #[test]
    fn as_many_as_the_limit_allows_stay_alive_and_none_of_them_expires() {
        // 3 a second times 300 seconds are 900 tokens; the reserve takes a twentieth.
        let (least, most, expired) = alive(2_000, 2.941_2); // 17 parts of a second
        assert!(least >= 820 && most - least <= 10 && expired == 0, "{least} to {most}, {expired} expired");
    }

    #[test]
    fn a_pace_above_the_limit_learns_it_from_the_pauses() {
        for rate in [4.0, 9.0, 30.0] {
            let (least, most, expired) = alive(2_000, rate);
            assert!(least >= 800 && most - least <= 45 && expired == 0, "at {rate}: {least} to {most}, {expired} expired");
        }
    }

    #[test]
    fn where_the_limit_suffices_all_are_alive() {
        assert_eq!(alive(500, 2.941_2), (500, 500, 0));
        assert_eq!(alive(500, 30.0), (500, 500, 0));
    }
}
