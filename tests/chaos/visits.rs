//! Requests at the token endpoints as they come and go: by this it is known what was under way when a process died.

use std::sync::{Arc, Mutex};

use tokio::time::Instant;

use crate::bounds;

struct Visit {
    client: String,
    from: Instant,
    until: Option<Instant>,
}

/// All visits of a run.
#[derive(Clone, Default)]
pub struct Visits(Arc<Mutex<Vec<Visit>>>);

/// One that goes on; ends when dropped, by the answer or by the end of the connection.
pub struct Stay {
    visits: Visits,
    index: usize,
}

impl Visits {
    pub fn enter(&self, client: &str) -> Stay {
        let mut all = self.0.lock().unwrap();
        all.push(Visit { client: client.to_owned(), from: Instant::now(), until: None });
        Stay { visits: self.clone(), index: all.len() - 1 }
    }

    /// How many requests of a client since then were under way, or had just been answered, when a process died: nobody may know
    /// what became of them.
    pub fn lost(&self, client: &str, since: Instant, kills: &[Instant]) -> usize {
        let all = self.0.lock().unwrap();
        let of_client = all.iter().filter(|visit| visit.client == client && visit.from > since);
        let is_lost = |visit: &&Visit| {
            kills.iter().any(|kill| visit.from <= *kill && visit.until.is_none_or(|until| until + bounds::ANSWER_TO_WRITE >= *kill))
        };
        of_client.filter(is_lost).count()
    }
}

impl Drop for Stay {
    fn drop(&mut self) {
        self.visits.0.lock().unwrap()[self.index].until = Some(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_request_is_lost_if_a_process_died_while_it_was_under_way() {
        let (visits, began) = (Visits::default(), Instant::now());
        let before = began.checked_sub(Duration::from_secs(1)).unwrap();
        let (stay, _other) = (visits.enter("one"), visits.enter("other"));
        assert_eq!(visits.lost("one", before, &[]), 0);
        assert_eq!(visits.lost("one", before, &[before]), 0, "it came later");
        drop(stay);
        let long_after = Instant::now() + Duration::from_secs(60);
        assert_eq!([visits.lost("one", before, &[Instant::now()]), visits.lost("one", before, &[long_after])], [1, 0]);
        assert_eq!(visits.lost("one", long_after, &[Instant::now()]), 0, "a token came since");
    }
}
