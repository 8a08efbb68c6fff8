//! Who lives in a seed's world: clients with their users, and sources that ask with them.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::core::ObjectMeta;
use serde_json::json;

use crate::api::TokenSource;
use crate::random::Random;
use crate::world::authorization_server::{Grant, Group, credentials};
use crate::world::track::Track;
use crate::world::{APPS, OPERATOR, State};

/// The key of the digests: the same in every run, so that runs are the same.
pub const KEY: [u8; 32] = [7; 32];

/// Makes clients, users and the objects of the operator's own namespace. Sources come later.
pub fn settle(state: &mut State, random: &mut Random) {
    let key = Secret {
        metadata: ObjectMeta { name: Some("tokensource-digest-key".to_owned()), ..ObjectMeta::default() },
        data: Some(BTreeMap::from([("key".to_owned(), ByteString(KEY.to_vec()))])),
        ..Secret::default()
    };
    state.api.create_secret(OPERATOR, key, None).unwrap();
    state.weather.request_faults = random.pick(&[0, 0, 10, 40]);
    state.weather.api_faults = random.pick(&[0, 0, 3, 15]);
    let groups = 1 + random.index(3);
    for number in 0..groups {
        let grant =
            random.pick(&[Grant::ClientCredentials, Grant::ClientCredentials, Grant::Password, Grant::Password, Grant::RefreshToken]);
        // One in six has tokens that live for minutes; its sources don't stay for the whole day.
        let life = if random.per_mille(170) { random.pick(&[60, 300, 900]) } else { random.pick(&[3600, 3 * 3600, 12 * 3600, 12 * 3600]) };
        state.servers.groups.push(Group {
            name: format!("g{number}"),
            host: random.index(2),
            grant,
            secrets: vec![format!("secret-{number}-0")],
            password: format!("password-{number}-0"),
            is_unclear: grant == Grant::Password && random.per_mille(300),
            life,
            live: BTreeSet::new(),
        });
        let initial = (grant == Grant::RefreshToken).then(|| state.servers.give_refresh_token(number));
        let group = state.servers.groups[number].clone();
        state.api.create_secret(APPS, secret(&group.name, credentials(&group, initial)), None).unwrap();
        // A refresh token is one source's alone.
        let sources = if grant == Grant::RefreshToken { 1 } else { random.pick(&[1, 1, 2, 3]) };
        for _ in 0..sources {
            state.tracks.push(Track { name: format!("s{}", state.tracks.len()), group: number, ..Track::default() });
        }
    }
}

/// Makes a source.
pub fn create_source(state: &mut State, index: usize) {
    let (name, group) = (state.tracks[index].name.clone(), state.servers.groups[state.tracks[index].group].clone());
    let grant = match group.grant {
        Grant::ClientCredentials => "ClientCredentials",
        Grant::Password => "Password",
        Grant::RefreshToken => "RefreshToken",
    };
    let source: TokenSource = serde_json::from_value(json!({
        "apiVersion": "tokensource.dev/v1alpha1", "kind": "TokenSource",
        "metadata": {"name": name, "namespace": APPS, "generation": 1, "labels": {"shard": "a"}},
        "spec": {
            "tokenURL": format!("https://auth{}.example.com/token", group.host),
            "credentials": {"secretRef": {"name": group.name}},
            "grant": {"type": grant},
            "request": {"headers": {"x-source": name}},
        },
    }))
    .unwrap();
    state.api.put_source(source);
    state.disturb(index);
    state.forgive(index);
    state.saw("source made");
    state.note(|| format!("people make source {name} with {}, {grant}, tokens of {} s", group.name, group.life));
}

/// A Secret of people's.
pub fn secret(name: &str, data: BTreeMap<String, String>) -> Secret {
    let bytes = |(key, value): (String, String)| (key, ByteString(value.into_bytes()));
    Secret {
        metadata: ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() },
        data: Some(data.into_iter().map(bytes).collect()),
        ..Secret::default()
    }
}
