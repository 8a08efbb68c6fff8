//! What the operator does, seen from outside: the real binary against a real API server, real authorization servers,
//! and a scripted token endpoint for faults. One behaviour a file.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]
#![allow(missing_docs, reason = "tests are named by sentences")]

mod administration;
mod assertions;
mod bad_input;
mod commands;
mod conflict;
mod credentials;
mod deletion;
mod docs;
mod egress;
mod faults;
mod fixpoint;
mod forced;
mod grants;
mod heal;
mod hygiene;
mod issue;
mod leader;
mod lockout;
mod metrics;
mod mutual_tls;
mod probe;
mod readme;
mod real_servers;
mod recordings;
mod refresh_token;
mod refusal;
mod refused_assertions;
mod refused_certificates;
mod refused_client_assertions;
mod refused_clients;
mod refused_refresh_tokens;
mod refused_requests;
mod refused_users;
mod remedies;
mod renew;
mod request_parts;
mod restart;
mod schedule;
mod schema;
mod shapes;
mod signed;
mod stage;
mod suspend;
mod trusted_issuers;
mod turns;
mod unwritable;
