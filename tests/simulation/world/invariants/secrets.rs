//! No foreign Secret is changed: one that people made, or that was made for another source, by UID.

use std::sync::Arc;

use super::super::api_requests::Call;
use super::super::api_server::Refused;
use super::super::{APPS, State};
use crate::clock;
use crate::process::Process;

impl State {
    /// The API server does what a process has sent.
    pub fn perform(&mut self, process: &Arc<Process>, call: Call) -> Result<Vec<u8>, Refused> {
        let (target, status, lease) = match &call {
            Call::ApplySecret(APPS, name, secret) => {
                self.judge_ownership(name, secret);
                (Some(name.clone()), None, None)
            }
            Call::ApplyStatus(name, ..) => (None, self.index(name), None),
            Call::WriteLease(lease, _) => (None, None, lease.spec.as_ref().and_then(|spec| spec.holder_identity.clone())),
            Call::ApplySecret(..)
            | Call::ReadSecret(..)
            | Call::ReadMetadata(..)
            | Call::ReadSourceMetadata(_)
            | Call::MergeSecret(..)
            | Call::CreateSecret(..)
            | Call::ReadLease
            | Call::TellEvent(_) => (None, None, None),
        };
        if let Some(index) = target.as_ref().and_then(|name| self.index(name)) {
            self.judge_freshness(index);
        }
        self.prepared(process, &call);
        let told = call.told();
        let result = call.perform(&mut self.api, clock::at(clock::elapsed()));
        if result == Err(409) {
            self.saw("conflict");
        }
        self.note(|| format!("the API server: {told}{}", result.as_ref().err().map(|code| format!(" -> {code}")).unwrap_or_default()));
        if result.is_ok() {
            if let Some(name) = target {
                self.written(&name);
            }
            if let Some(index) = status {
                self.judge_silence(index);
            }
            if let Some(holder) = lease {
                self.lease_holder = (!holder.is_empty()).then_some(process.number);
            }
        }
        result
    }

    fn judge_ownership(&mut self, name: &str, applied: &k8s_openapi::api::core::v1::Secret) {
        let Some(found) = self.api.secret(APPS, name) else { return };
        let version = &applied.metadata.resource_version;
        // The API server refuses it: somebody was faster.
        if version.is_some() && *version != found.secret.metadata.resource_version {
            return;
        }
        let owner = applied.metadata.owner_references.as_ref().and_then(|owners| owners.first()).map(|owner| owner.uid.clone());
        if found.made_for.is_none() || found.made_for != owner {
            let made_for = found.made_for.clone();
            self.violated("foreign Secret", format!("Secret {name} of {made_for:?} is overwritten for {owner:?}"));
        }
    }

    /// The operator has written a Secret.
    fn written(&mut self, name: &str) {
        let Some(index) = self.index(name) else { return };
        self.disturb(index);
        if name == self.tracks[index].name {
            self.saw("target Secret written");
            self.tracks[index].is_tampered = false;
            self.judge_order(index);
        } else {
            self.saw("refresh token Secret written");
        }
    }
}
