//! How long things may take, each with what it follows from. Nothing here was found by trying until a run passed.

use std::time::Duration;

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// From the moment in which a token is needed to the moment in which it is in the Secret, with nothing wrong: times are whole
/// seconds, so 1 s; the queue of the endpoint and one request, 1 s; the ledger's record and the write, 1 s; reading the
/// credentials, 1 s; and 2 s for a machine with two slow cores, on which the whole cluster runs beside this.
pub const ATTEMPT: Duration = seconds(6);

/// A token that another token is the assertion of needs that one first.
pub const CHAINED: Duration = seconds(12);

/// `--min-refresh-interval`, not set: never two automatic requests of a source within it (docs/concepts.md, Renewal).
pub const FLOOR: Duration = seconds(10);

/// From the leader's death to another's first look at the sources. The Lease (15 s, docs/concepts.md, One leader) runs out 15 s after the standby saw its last
/// renewal, which it sees up to a second late, and it looks once a second; then it reads key, ledger, sources and Secrets
/// like a new process: 3 s for the machine.
pub const TAKE_OVER: Duration = seconds(15 + 1 + 1 + 3);

/// A leader that died may have led so long after its last sign of life (docs/adr/0013): that it sent a renewal which fell due then is
/// not known to be wrong.
pub const LED_UNSEEN: Duration = seconds(10);

/// For a minute after a clock was set back the Lease's times do not follow it (docs/adr/0006), and then a look at it takes 5 s.
pub const LEASE_STANDS_STILL: Duration = seconds(60 + 5);

/// What the new leader then has to do: everything that fell due, at most one request for a client at a time.
pub const AFTER_TAKE_OVER: Duration = ATTEMPT;

/// A process that ended is started again by the harness after a second, which stands for the kubelet's first restart.
pub const RESTART: Duration = seconds(1);

/// From the API server's being ready again to the next look. A leader that could not renew the Lease for 10 s has ended, so
/// another start and a whole Lease: a first look finds a Lease of a holder that it knows nothing of.
pub const API_SERVER: Duration = seconds(1 + 1 + 15 + 1 + 1 + 3);

/// While some requests to the API server fail: a failed look is repeated after 5 s (`error_policy`), and 50 in a hundred fail,
/// four to a token (credentials, ledger, Secret, status). What was not over when the failures ended has one 5 s ahead.
pub const API_RETRY: Duration = seconds(5);

/// A watch that was dropped is opened again after 0.8 s, doubling up to 30 s while drops go on (kube's default back-off); a
/// change is seen so late. Renewals do not wait for it.
pub const WATCH: Duration = seconds(31);

/// Status against truth (the demand).
pub const STATUS: Duration = seconds(30);

/// After a trouble at a token endpoint that lasted so long: the waits between tries double from the floor, so none is longer
/// than the trouble so far and the floor, and a tenth is added as jitter (docs/failures.md, backoff).
pub fn after_trouble(lasted: Duration) -> Duration {
    (lasted + FLOOR).mul_f64(1.1) + seconds(1)
}

/// After 429 without `Retry-After`: RFC 6585 leaves the wait to the client, and the operator takes a minute, with a tenth of
/// jitter. At the slowest pace one request in 10 s goes out then, and the pace recovers to 50 a second within 300 s, so that 25
/// sources have had their turn after `sqrt(25 * 2 * 300 / 50)` = 18 s more.
pub const AFTER_STORM: Duration = seconds(66 + 1 + 10 + 18);

/// A pace that was halved and has its pause behind it: the turns of 25 sources, as above.
pub const SLOWEST_PACE: Duration = seconds(10 + 18);

/// A request that hangs ends after `readTimeout`, which is not set: 10 s, after 10 s for connecting.
pub const READ_TIMEOUT: Duration = seconds(10);

/// The ledger's window and number (README, Lock-out safety).
pub const WINDOW: Duration = seconds(3600);
pub const REFUSALS: usize = 2;

/// A kill strikes between an answer and its write only if it comes so soon after the answer; the writes take milliseconds.
pub const ANSWER_TO_WRITE: Duration = seconds(2);
