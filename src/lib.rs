//! Keeps OAuth access tokens fresh in Kubernetes Secrets, and says exactly why when it can't.
//!
//! ```text
//!    controller  ─────►  token_source  ─────►  api
//!   (async, I/O)        (pure decisions)  └──►  oauth
//! ```
//!
//! * [`oauth`] knows the RFCs and `http` types; nothing of Kubernetes.
//! * [`api`] is the custom resource.
//! * [`destination`] turns exported SAP BTP destinations into manifests.
//! * [`token_source`] decides: `now` is an argument, and there is no I/O.
//! * [`controller`] does what was decided: beside the command line the only place that awaits.
//! * [`cli`] parses the command line, and prints what it reads back of a cluster.
//!
//! ```text
//!  TokenSource ─┐
//!  credentials ─┼─ dereference ─► Observed ─┐
//!  target meta ─┘   [I/O]                   │ now
//!                                           ▼
//!                                     plan::decide ──► Keep │ Hold │ Stall │ Request
//!                                           │                                │
//!                                           │           request::encode ◄────┘
//!                                           │                  │ http::Request
//!                                           │              http::send [I/O]
//!                                           │                  │ http::Response or TransportFault
//!                                           │          response::classify ──► IssuedToken │ Refusal
//!                                           │                  │
//!                                           │            secret::render ──► Secret ─► apply [I/O]
//!                                           ▼                  ▼
//!                                     status::report(previous, outcome, now) ──► status, at most one Event, requeue
//! ```

pub mod api;
pub mod cli;
pub mod clock;
pub mod controller;
pub mod destination;
pub mod oauth;
pub mod observability;
pub mod token_source;
