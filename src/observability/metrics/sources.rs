//! What stands in the sources' statuses, read from the watches at each scrape: the series of a deleted source goes with
//! it, and none can differ from its object.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use kube::runtime::reflector::Store;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;

use crate::api::TokenSource;
use crate::api::condition::{ConditionStatus, ConditionType, find};
use crate::clock;

/// The sources that are told about.
#[derive(Clone, Default)]
pub struct Sources(Arc<Mutex<Vec<Store<TokenSource>>>>);

impl fmt::Debug for Sources {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Sources").finish_non_exhaustive()
    }
}

/// The labels of a source's series. Ordered, and unique: two equal series would spoil the whole scrape.
type Labels<'a> = [(&'static str, &'a str); 2];

fn labels(source: &TokenSource) -> Option<Labels<'_>> {
    Some([("namespace", source.metadata.namespace.as_deref()?), ("name", source.metadata.name.as_deref()?)])
}

/// What the series of one source tell.
struct Seen {
    /// When the token expires, in seconds since 1970.
    expires: Option<i64>,
    /// When it is due to be renewed, likewise.
    renews: Option<i64>,
    ready: bool,
    stalled: bool,
    suspended: bool,
}

impl Seen {
    fn of(source: &TokenSource) -> Self {
        let status = source.status.as_ref();
        let holds = |condition_type| {
            let condition = status.and_then(|status| find(&status.conditions, condition_type));
            condition.is_some_and(|condition| condition.status == ConditionStatus::True)
        };
        Self {
            expires: status.and_then(|status| status.expiration_time.as_ref()).map(|time| time.0.as_second()),
            renews: status.and_then(|status| status.renewal_time.as_ref()).map(|time| time.0.as_second()),
            ready: holds(ConditionType::Ready),
            stalled: holds(ConditionType::Stalled),
            suspended: source.spec.suspend,
        }
    }

    /// Whether it waits for a token: for its first one, or because the one there is due.
    fn waits(&self, now: Timestamp) -> bool {
        let is_due = !self.ready || self.renews.is_some_and(|renews| renews <= now.as_second());
        is_due && !self.stalled && !self.suspended
    }
}

impl Sources {
    /// Takes these in place of those before.
    pub fn watch(&self, stores: Vec<Store<TokenSource>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = stores;
    }

    fn all(&self) -> Vec<Arc<TokenSource>> {
        let stores = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        stores.iter().flat_map(Store::state).collect()
    }
}

impl Collector for Sources {
    fn encode(&self, mut encoder: DescriptorEncoder) -> Result<(), fmt::Error> {
        let (sources, now) = (self.all(), clock::now());
        let seen: BTreeMap<Labels<'_>, Seen> = sources.iter().filter_map(|source| Some((labels(source)?, Seen::of(source)))).collect();
        let told: [Told; 5] = [
            ("token_expiry_timestamp_seconds", "When the token in the Secret expires, in seconds since 1970", |seen| seen.expires),
            ("token_renewal_timestamp_seconds", "When the token is due to be renewed, in seconds since 1970", |seen| seen.renews),
            ("ready", "Whether the source is Ready: 1, else 0", |seen| Some(seen.ready.into())),
            ("stalled", "Whether the source is Stalled: 1, else 0", |seen| Some(seen.stalled.into())),
            ("suspended", "Whether the source is suspended: 1, else 0", |seen| Some(seen.suspended.into())),
        ];
        for (name, help, value) in told {
            encode_gauge(&mut encoder, name, help, seen.iter().filter_map(|(labels, seen)| Some((labels, value(seen)?))))?;
        }
        let waiting = seen.values().filter(|seen| seen.waits(now)).count();
        let help = "Sources that wait for a token: for the first one, or due for renewal; without the stalled and suspended";
        let metric = encoder.encode_descriptor("backlog", help, None, MetricType::Gauge)?;
        ConstGauge::new(i64::try_from(waiting).unwrap_or(i64::MAX)).encode(metric)
    }
}

/// Name, description and value of a gauge.
type Told = (&'static str, &'static str, fn(&Seen) -> Option<i64>);

/// Tells a gauge of each source; nothing where there is no source, since a family without series is not well formed.
fn encode_gauge<'a>(
    encoder: &mut DescriptorEncoder,
    name: &str,
    help: &str,
    values: impl Iterator<Item = (&'a Labels<'a>, i64)>,
) -> Result<(), fmt::Error> {
    let mut values = values.peekable();
    if values.peek().is_none() {
        return Ok(());
    }
    let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
    for (labels, value) in values {
        ConstGauge::new(value).encode(metric.encode_family(labels)?)?;
    }
    Ok(())
}
