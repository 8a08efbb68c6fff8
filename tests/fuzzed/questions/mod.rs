//! What must hold for any input from outside, whoever wrote it. A question takes bytes and panics where something does not hold.
//!
//! Asked here with the seeds and a few hundred changes of each, and by the fuzzers in `fuzz/` for as long as one likes.

pub mod answer;
pub mod certificate;
pub mod credentials;
pub mod destination;
pub mod issue;
pub mod key_store;
pub mod parts;
pub mod template;

/// A question, by the name of its fuzz target.
pub type Question = (&'static str, fn(&[u8]));

/// All of them.
pub const ALL: [Question; 7] = [
    ("answer", answer::ask),
    ("certificate", certificate::ask),
    ("credentials", credentials::ask),
    ("destination", destination::ask),
    ("issue", issue::ask),
    ("key_store", key_store::ask),
    ("template", template::ask),
];
