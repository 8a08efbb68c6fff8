//! The only file that writes to the API server.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{ObjectReference, Secret};
use kube::api::{Patch, PatchParams, PostParams};
use kube::core::ObjectMeta;
use kube::runtime::events::{Event, EventType, Recorder};
use kube::{Api, Resource as _};
use serde_json::json;

use super::context::Context;
use super::error::Error;
use super::watched_secret::WatchedSecret;
use crate::api::TokenSource;
use crate::api::condition::Reason;
use crate::api::names::{FIELD_MANAGER, MANAGED_BY, MANAGED_BY_LABEL, REFRESH_FIELD_MANAGER, REFRESH_REQUESTED_AT};
use crate::api::status::TokenSourceStatus;
use crate::token_source::failure::Failure;
use crate::token_source::outcome::{Note, Report};
use crate::token_source::secret_facts::SecretFacts;
use crate::token_source::target::Target;

/// A version that no object has: an apply that demands it can only create.
const NO_VERSION: &str = "1";
/// How often a write is tried anew when someone else changed the Secret in between.
const CONFLICTS_MAX: usize = 4;

/// How a Secret is judged: as the target, or as one that the source has beside it.
type Read = fn(Option<&SecretFacts>, &TokenSource) -> Target;

/// Applies a Secret of a source in one write, on the condition that it still is what ownership was judged on: absent,
/// or ours at a known version. The token in hand is not lost to a conflict; the judgement is made anew.
pub async fn secret(
    context: &Context,
    source: &TokenSource,
    read: Read,
    judged: &Target,
    mut secret: Secret,
) -> Result<Result<(), Failure>, Error> {
    let name = secret.metadata.name.clone().unwrap_or_default();
    let name = name.as_str();
    let secrets: Api<Secret> = Api::namespaced(context.shared.client.clone(), source.namespace());
    let mut judged = judged.clone();
    for _ in 0..CONFLICTS_MAX {
        let version = judged.held().and_then(|held| held.version.clone());
        secret.metadata.resource_version = Some(version.unwrap_or_else(|| NO_VERSION.to_owned()));
        let (params, patch) = (PatchParams::apply(FIELD_MANAGER).force(), Patch::Apply(&secret));
        // Only metadata comes back, not the token once more.
        match context.shared.leadership.while_held(secrets.patch_metadata(name, &params, &patch)).await? {
            Ok(written) => {
                context.recent_secrets.wrote(WatchedSecret::of(&written.metadata));
                return Ok(Ok(()));
            }
            Err(kube::Error::Api(status)) if status.code == 409 => {}
            Err(kube::Error::Api(status)) if (400..500).contains(&status.code) && status.code != 429 => {
                return Ok(Err(Failure::unwritable(name, status.code, &status.reason)));
            }
            Err(error) => return Err(Error::write(format!("Secret {name}"))(error)),
        }
        let found = secrets.get_metadata_opt(name).await.map_err(Error::read(format!("Secret {name}")))?;
        judged = read(found.map(|secret| SecretFacts::of(&secret.metadata)).as_ref(), source);
        if let Target::Foreign { whose } = &judged {
            return Ok(Err(Failure::local(Reason::SecretConflict, format!("Secret {name} {whose}: it is left as it is"))));
        }
    }
    Ok(Err(Failure::local_polled(Reason::SecretConflict, format!("Secret {name} is changed by someone else all the time"))))
}

/// Whether the report tells something that the status does not.
pub fn is_news(source: &TokenSource, report: &Report) -> bool {
    source.status.as_ref().map_or(report.status != TokenSourceStatus::default(), |known| *known != report.status)
}

/// Writes the status if it differs, and tells the transition, after the write.
pub async fn report(context: &Context, source: &TokenSource, report: &Report) -> Result<(), Error> {
    if is_news(source, report) {
        match status(context, source, report).await? {
            Some(written) => context.recent_sources.wrote(written),
            // There is nobody to report to.
            None => return Ok(()),
        }
    }
    if let Some(note) = &report.event {
        context.shared.events.tell(source.object_ref(&()), note.clone());
    }
    Ok(())
}

/// Writes the status. None: the source is deleted, or deleted and made anew.
async fn status(context: &Context, source: &TokenSource, report: &Report) -> Result<Option<TokenSource>, Error> {
    let name = source.metadata.name.as_deref().unwrap_or_default();
    let what = || format!("status of TokenSource {name}");
    let sources: Api<TokenSource> = Api::namespaced(context.shared.client.clone(), source.namespace());
    let status = json!({
        "apiVersion": TokenSource::api_version(&()),
        "kind": TokenSource::kind(&()),
        "metadata": { "uid": source.metadata.uid },
        "status": report.status,
    });
    let (params, patch) = (PatchParams::apply(FIELD_MANAGER).force(), Patch::Apply(&status));
    let mut conflicts = 0;
    loop {
        let conflict = match context.shared.leadership.while_held(sources.patch_status(name, &params, &patch)).await? {
            Ok(written) => return Ok(Some(written)),
            Err(kube::Error::Api(status)) if status.code == 404 => return Ok(None),
            Err(kube::Error::Api(status)) if status.code == 409 => status,
            Err(error) => return Err(Error::write(what())(error)),
        };
        // Another source of the name, or others wrote this one at the same time: only the answer to that tells.
        let found = sources.get_metadata_opt(name).await.map_err(Error::read(what()))?;
        if found.is_none_or(|found| found.metadata.uid != source.metadata.uid) {
            return Ok(None);
        }
        conflicts += 1;
        if conflicts == CONFLICTS_MAX {
            return Err(Error::write(what())(kube::Error::Api(conflict)));
        }
    }
}

/// An Event that can't be written is logged: the condition says the same.
pub async fn event(recorder: &Recorder, about: &ObjectReference, note: &Note) {
    let event = Event {
        type_: if note.is_warning { EventType::Warning } else { EventType::Normal },
        reason: note.reason.to_string(),
        note: Some(note.message.clone()),
        action: "RequestToken".to_owned(),
        secondary: None,
    };
    if let Err(error) = recorder.publish(&event, about).await {
        tracing::warn!(%error, "an Event could not be written");
    }
}

/// Creates a Secret that is not there yet. `false`: someone else was faster.
pub async fn create_secret(secrets: &Api<Secret>, secret: &Secret) -> Result<bool, Error> {
    let params = PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() };
    match secrets.create(&params, secret).await {
        Ok(_) => Ok(true),
        Err(kube::Error::Api(status)) if status.code == 409 => Ok(false),
        Err(error) => Err(Error::write(format!("Secret {}", secret.metadata.name.as_deref().unwrap_or_default()))(error)),
    }
}

/// Sets one key of a Secret of the operator's own, takes the `stale` ones away, and leaves all others as they are. The
/// Secret is made where there is none.
pub async fn merge_own_secret(secrets: &Api<Secret>, name: &str, key: &str, value: &[u8], stale: &[String]) -> Result<(), Error> {
    let params = PatchParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PatchParams::default() };
    let mut data: BTreeMap<&str, Option<ByteString>> = stale.iter().map(|key| (key.as_str(), None)).collect();
    data.insert(key, Some(ByteString(value.to_vec())));
    let patch = Patch::Merge(json!({ "data": data }));
    let missing = match secrets.patch(name, &params, &patch).await {
        Ok(_) => return Ok(()),
        Err(kube::Error::Api(status)) if status.code == 404 => own_secret(name, key, value),
        Err(error) => return Err(Error::write(format!("Secret {name}"))(error)),
    };
    if !create_secret(secrets, &missing).await? {
        // Another process was faster.
        secrets.patch(name, &params, &patch).await.map_err(Error::write(format!("Secret {name}")))?;
    }
    Ok(())
}

/// A Secret of the operator's own with one key.
pub fn own_secret(name: &str, key: &str, value: &[u8]) -> Secret {
    Secret {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            labels: Some(BTreeMap::from([(MANAGED_BY_LABEL.to_owned(), MANAGED_BY.to_owned())])),
            ..ObjectMeta::default()
        },
        data: Some(BTreeMap::from([(key.to_owned(), ByteString(value.to_vec()))])),
        ..Secret::default()
    }
}

/// Writes a Lease over the version it was made of, or creates it where it has none. None: it is there in another version, or
/// not at all.
pub async fn lease(leases: &Api<Lease>, lease: &Lease) -> Result<Option<Lease>, Error> {
    let params = PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() };
    let name = lease.metadata.name.as_deref().unwrap_or_default();
    let (written, is_new) = match lease.metadata.resource_version {
        Some(_) => (leases.replace(name, &params, lease).await, false),
        None => (leases.create(&params, lease).await, true),
    };
    match written {
        Ok(lease) => Ok(Some(lease)),
        Err(kube::Error::Api(status)) if status.code == 409 || status.code == 404 && !is_new => Ok(None),
        Err(error) => Err(Error::write(format!("Lease {name}"))(error)),
    }
}

/// Asks for a token now, as a person does: a new value of the annotation forces one request.
pub async fn refresh_request(sources: &Api<TokenSource>, name: &str, value: &str) -> Result<TokenSource, kube::Error> {
    let params = PatchParams { field_manager: Some(REFRESH_FIELD_MANAGER.to_owned()), ..PatchParams::default() };
    let annotation = json!({ "metadata": { "annotations": { REFRESH_REQUESTED_AT: value } } });
    sources.patch(name, &params, &Patch::Merge(annotation)).await
}
