//! Whether a watch has listed everything once. Of our own, because a store of kube-runtime 5 wakes only the last of those
//! who wait for it.

use kube::runtime::watcher::Event;
use tokio::sync::watch;

/// Told by a watch's events, awaited by whoever needs the whole list.
#[derive(Clone)]
pub struct Listed(watch::Sender<bool>);

impl Default for Listed {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl Listed {
    /// Takes note of an event that the store has taken in.
    pub fn saw<K>(&self, event: &Event<K>) {
        match event {
            Event::InitDone => _ = self.0.send_replace(true),
            Event::Init | Event::InitApply(_) | Event::Apply(_) | Event::Delete(_) => {}
        }
    }

    /// Waits for the first whole list.
    pub async fn wait(&self) {
        // It can't fail: the sender is ours.
        _ = self.0.subscribe().wait_for(|listed| *listed).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::future::join_all;
    use k8s_openapi::api::core::v1::ConfigMap;

    #[tokio::test]
    async fn all_who_wait_are_woken() {
        let listed = Listed::default();
        let waiting: Vec<_> = (0..3)
            .map(|_| {
                tokio::spawn({
                    let listed = listed.clone();
                    async move { listed.wait().await }
                })
            })
            .collect();
        tokio::task::yield_now().await;
        listed.saw(&Event::<ConfigMap>::Init);
        assert!(waiting.iter().all(|task| !task.is_finished()));
        listed.saw(&Event::<ConfigMap>::InitDone);
        assert!(join_all(waiting).await.into_iter().all(|ended| ended.is_ok()));
        listed.wait().await;
    }
}
