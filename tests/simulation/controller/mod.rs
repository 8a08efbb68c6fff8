//! The operator's own files, compiled a second time over simulated surroundings: a virtual clock, an API server and token
//! endpoints in memory. Not one line of them is copied; what stands in for the outside has the same names as what it replaces.

#![allow(dead_code, unused_imports, reason = "the simulation runs the loop, neither the commands nor the files' own tests")]

/// Declares files of `src/controller` as modules of this one.
macro_rules! of_the_operator {
    ($($(#[$path:meta])+ $name:ident;)+) => { $($(#[$path])+ pub mod $name;)+ };
}

of_the_operator! {
    #[path = "../../../src/controller/apply.rs"] apply;
    #[path = "../../../src/controller/attempt.rs"] attempt;
    #[path = "../../../src/controller/audiences.rs"] audiences;
    #[path = "../../../src/controller/clock_watch.rs"] clock_watch;
    #[path = "../../../src/controller/codes.rs"] codes;
    #[path = "../../../src/controller/context.rs"] context;
    #[path = "../../../src/controller/dereference.rs"] dereference;
    #[path = "../../../src/controller/error.rs"] error;
    #[path = "../../../src/controller/events.rs"] events;
    #[path = "../../../src/controller/exchange.rs"] exchange;
    #[path = "../../../src/controller/gather.rs"] gather;
    #[path = "../../../src/controller/identity.rs"] identity;
    #[path = "../../../src/controller/journal.rs"] journal;
    #[path = "../../../src/controller/key.rs"] key;
    #[path = "../../../src/controller/leadership.rs"] leadership;
    #[path = "../../../src/controller/lease.rs"] lease;
    #[path = "../../../src/controller/ledger.rs"] ledger;
    #[path = "../../../src/controller/listed.rs"] listed;
    #[path = "../../../src/controller/memory.rs"] memory;
    #[path = "../../../src/controller/objects.rs"] objects;
    #[path = "../../../src/controller/pacing.rs"] pacing;
    #[path = "../../../src/controller/proofs.rs"] proofs;
    #[path = "../../../src/controller/read_request.rs"] read_request;
    #[path = "../../../src/controller/recent.rs"] recent;
    #[path = "../../../src/controller/reconcile.rs"] reconcile;
    #[path = "../../../src/controller/references.rs"] references;
    #[path = "../../../src/controller/refresh_token.rs"] refresh_token;
    #[path = "../../../src/controller/trim.rs"] trim;
    #[path = "../../../src/controller/turn.rs"] turn;
    #[path = "../../../src/controller/waiting.rs"] waiting;
    #[path = "../../../src/controller/warm_up.rs"] warm_up;
    #[path = "../../../src/controller/watched_secret.rs"] watched_secret;
    #[path = "../../../src/controller/watches.rs"] watches;
}

/// In place of the connections of `src/controller/http.rs`.
pub mod http;
/// In place of the wiring in `src/controller/mod.rs` and of kube's `Controller`.
pub mod operator;
/// In place of the random identifiers of `src/controller/random.rs`.
pub mod random;
/// In place of `src/controller/task.rs`.
pub mod task;
/// In place of kube's watches.
pub mod watching;

pub use self::error::chain;
