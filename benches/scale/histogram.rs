//! How events spread over time.

use serde_json::{Value, json};

/// Columns of the longest bar.
const WIDTH: usize = 40;

/// How many fell into each stretch of time.
pub struct Histogram {
    /// Seconds that one stretch is long.
    stretch: f64,
    counts: Vec<usize>,
}

impl Histogram {
    /// Of points in time, in seconds, in so many stretches between the first and the last of them.
    pub fn of(times: &[f64], stretches: usize) -> Self {
        let first = times.iter().copied().fold(f64::INFINITY, f64::min);
        let last = times.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        // Times in Kubernetes are whole seconds: the last second belongs to it.
        let stretch = ((last - first + 1.0) / stretches as f64).max(1.0);
        let mut counts = vec![0; stretches];
        for time in times {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index of the list")]
            let index = ((time - first) / stretch) as usize;
            counts[index.min(stretches - 1)] += 1;
        }
        Self { stretch, counts }
    }

    /// The fullest stretch, as a multiple of what each would hold if all were equal.
    pub fn peak(&self) -> f64 {
        let mean = self.counts.iter().sum::<usize>() as f64 / self.counts.len() as f64;
        self.counts.iter().copied().max().unwrap_or_default() as f64 / mean.max(f64::MIN_POSITIVE)
    }

    /// Bars to look at, a line each.
    pub fn bars(&self) -> Vec<String> {
        let most = self.counts.iter().copied().max().unwrap_or_default().max(1);
        let bar = |count: usize| "#".repeat((count * WIDTH).div_ceil(most));
        self.counts
            .iter()
            .enumerate()
            .map(|(index, count)| format!("{:>7.1} s {count:>6} {}", index as f64 * self.stretch, bar(*count)))
            .collect()
    }

    pub fn json(&self) -> Value {
        json!({"stretch_seconds": self.stretch, "counts": self.counts})
    }
}
