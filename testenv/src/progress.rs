//! What is going on, on stderr: one line a step, with the seconds since the start.

use std::future::Future;
use std::time::{Duration, Instant};

const SIGN_OF_LIFE: Duration = Duration::from_secs(15);

/// The world's progress, told to whoever waits for it.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    start: Instant,
}

impl Progress {
    /// Seconds count from now.
    pub fn start() -> Self {
        Self { start: Instant::now() }
    }

    /// Tells one step.
    #[expect(clippy::print_stderr, reason = "this is where progress goes: stdout belongs to the command that is run")]
    pub fn say(&self, component: &str, step: &str) {
        eprintln!("testenv {:6.1}s  {component}: {step}", self.start.elapsed().as_secs_f64());
    }

    /// Tells the start of something long, that it still goes on every 15 s, and how long it took.
    pub(crate) async fn long<T, E>(&self, component: &str, step: &str, work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        self.say(component, &format!("{step} …"));
        let begun = Instant::now();
        let mut work = std::pin::pin!(work);
        loop {
            match tokio::time::timeout(SIGN_OF_LIFE, work.as_mut()).await {
                Ok(Ok(done)) => {
                    self.say(component, &format!("{step}: done in {:.1} s", begun.elapsed().as_secs_f64()));
                    return Ok(done);
                }
                Ok(Err(error)) => return Err(error),
                Err(_) => self.say(component, &format!("still {step} ({} s)", begun.elapsed().as_secs())),
            }
        }
    }
}
