//! Faults that people and other controllers make of the objects.

use std::sync::Arc;
use std::time::Duration;

use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::authorization_server::Verdict;
use crate::bounds;
use crate::faults::Run;
use crate::random::Random;
use crate::sources::{DOOMED, Kind, Source};
use crate::timeline::Scope;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectFault {
    SecretEdited,
    SecretDeleted,
    CredentialsRotated,
    CrdUpdated,
    NamespaceDeleted,
}

/// So long a request is held while something changes under it.
const HELD: Duration = Duration::from_secs(3);

impl ObjectFault {
    pub const ALL: [Self; 5] =
        [Self::SecretEdited, Self::SecretDeleted, Self::CredentialsRotated, Self::CrdUpdated, Self::NamespaceDeleted];
    pub const SHORT: [Self; 2] = [Self::SecretEdited, Self::CredentialsRotated];

    pub fn name(self) -> &'static str {
        match self {
            Self::SecretEdited => "target Secret edited by another manager",
            Self::SecretDeleted => "target Secret deleted",
            Self::CredentialsRotated => "credentials rotated during the request",
            Self::CrdUpdated => "CRD updated in place",
            Self::NamespaceDeleted => "namespace deleted during requests",
        }
    }

    pub async fn make(self, run: &Arc<Run>, random: &mut Random) {
        let struck = match self {
            Self::SecretEdited => self.spoil_target(run, random, true).await,
            Self::SecretDeleted => self.spoil_target(run, random, false).await,
            Self::CredentialsRotated => self.rotate(run, random).await,
            Self::CrdUpdated => self.update_crd(run, random).await,
            Self::NamespaceDeleted => self.delete_namespace(run).await,
        };
        if struck {
            run.stage.strikes(self.name());
        }
    }

    fn victim(run: &Run, random: &mut Random) -> Source {
        random.pick(&run.stage.of(&[Kind::Own, Kind::User])).clone()
    }

    /// True once there is a token again.
    async fn spoil_target(self, run: &Run, random: &mut Random, edits: bool) -> bool {
        let source = Self::victim(run, random);
        let (key, secrets) = (source.key(), run.stage.secrets(&source.namespace));
        let ongoing = run.stage.timeline.begin(Scope::Source(key.clone()), format!("{} {key}", self.name()));
        run.stage.needs(&key);
        if edits {
            let edit = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": source.name}, "stringData": {"access_token": "somebody's"}});
            let params = PatchParams::apply("somebody").force();
            run.stage.insist(|| async { secrets.patch(&source.name, &params, &Patch::Apply(&edit)).await }).await;
        } else {
            _ = secrets.delete(&source.name, &DeleteParams::default()).await;
        }
        run.stage.needs(&key);
        // Two automatic requests are never closer than the floor.
        run.stage.timeline.end(ongoing, bounds::FLOOR);
        run.until_token(&key, Instant::now()).await
    }

    /// The server takes another secret while a request with the old one is under way; a second later the Secret has it too.
    async fn rotate(self, run: &Run, random: &mut Random) -> bool {
        let source = random.pick(&run.stage.of(&[Kind::Own])).clone();
        let (key, server) = (source.key(), &run.stage.server);
        let ongoing = run.stage.timeline.begin(Scope::Source(key.clone()), format!("{} {key}", self.name()));
        server.hold(&source.header, HELD);
        run.hurry_source(&source).await;
        sleep(Duration::from_millis(1200)).await;
        let secret = run.stage.mark.secret();
        let rotated = Instant::now();
        server.rotate(&source.client, secret.clone());
        sleep(Duration::from_millis(random.between(0, 1000))).await;
        run.stage.give_secret(&source, &secret).await;
        server.hold(&source.header, Duration::ZERO);
        run.stage.timeline.end(ongoing, HELD);
        let was_refused = || {
            server
                .records()
                .iter()
                .any(|record| record.source == source.header && record.at > rotated && record.verdict == Verdict::ClientRefused)
        };
        let deadline = Instant::now() + Duration::from_secs(20);
        while !was_refused() && Instant::now() < deadline {
            sleep(Duration::from_millis(200)).await;
        }
        was_refused() && run.until_token(&key, rotated).await
    }

    async fn update_crd(self, run: &Run, random: &mut Random) -> bool {
        let round = random.between(1, 1000);
        let (all, watches) =
            (run.stage.timeline.begin(Scope::Everything, self.name()), run.stage.timeline.begin(Scope::Watches, "watches after that"));
        let is_other = run.stage.update_crd(usize::try_from(round).unwrap()).await;
        run.stage.timeline.end(all, bounds::API_RETRY + bounds::ATTEMPT);
        run.stage.timeline.end(watches, bounds::WATCH);
        is_other
    }

    async fn delete_namespace(self, run: &Run) -> bool {
        let doomed = run.stage.of(&[Kind::Doomed]);
        let counts = || doomed.iter().map(|source| run.stage.server.count(&source.header)).sum::<usize>();
        let ongoing = run.stage.timeline.begin(Scope::Namespace(DOOMED.to_owned()), self.name());
        for source in &doomed {
            run.stage.server.hold(&source.header, HELD);
            run.hurry_source(source).await;
        }
        sleep(Duration::from_secs(1)).await;
        let before = counts();
        for source in &doomed {
            run.stage.sources.write().unwrap().remove(&source.key());
        }
        run.stage.delete_namespace(DOOMED).await;
        let under_way = counts() > before;
        run.stage.namespace(DOOMED).await;
        for source in run.next_doomed() {
            run.stage.add(source).await;
        }
        run.stage.timeline.end(ongoing, bounds::ATTEMPT);
        under_way
    }
}
