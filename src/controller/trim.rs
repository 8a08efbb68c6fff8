//! Cuts watched sources down to what decisions read.

use crate::api::TokenSource;

/// Who wrote which field of a source is of no interest here, and long.
pub fn source(source: &mut TokenSource) {
    source.metadata.managed_fields = None;
    if let Some(annotations) = &mut source.metadata.annotations {
        annotations.retain(|key, _| key.starts_with("tokensource.dev/"));
    }
}
