//! Identifiers that no two share, and that are the same in every run of a seed.

use std::cell::Cell;

thread_local! {
    static GIVEN: Cell<u64> = const { Cell::new(0) };
}

/// Another run begins.
pub fn restart() {
    GIVEN.set(0);
}

/// An identifier.
pub fn id() -> String {
    GIVEN.set(GIVEN.get() + 1);
    format!("id-{}", GIVEN.get())
}
