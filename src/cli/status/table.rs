//! Many sources, a row each, and below a row what is wrong.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::cli::paragraph::{columns, paragraph};
use crate::cli::relative::{next, relative};
use crate::token_source::overview::Overview;

/// What stands below a row is set in by this.
const INDENT: &str = "    ";

/// The table. `width` is the terminal's; a row is never broken.
pub(super) fn table(overviews: &[Overview], with_namespace: bool, now: Timestamp, width: usize) -> String {
    let heads = ["NAMESPACE", "NAME", "READY", "VERDICT", "EXPIRES", "NEXT"].map(str::to_owned).to_vec();
    let rows: Vec<Vec<String>> = std::iter::once(heads).chain(overviews.iter().map(|overview| row(overview, now))).collect();
    let first = usize::from(!with_namespace);
    let rows: Vec<Vec<String>> = rows.into_iter().map(|row| row.into_iter().skip(first).collect()).collect();
    let mut lines = columns(&rows).into_iter();
    let head = lines.next().into_iter();
    let body = lines.zip(overviews).flat_map(|(line, overview)| {
        let problem = overview.problem().into_iter().map(|text| paragraph(&text, INDENT, INDENT, width));
        std::iter::once(line).chain(problem).collect::<Vec<_>>()
    });
    head.chain(body).collect::<Vec<_>>().join("\n")
}

fn row(overview: &Overview, now: Timestamp) -> Vec<String> {
    vec![
        overview.namespace.clone(),
        overview.name.clone(),
        format!("{:?}", overview.ready),
        overview.verdict(),
        expires(overview.expiration_time.as_ref(), now),
        next(overview.next(), now),
    ]
}

fn expires(time: Option<&Time>, now: Timestamp) -> String {
    time.map_or_else(|| "-".to_owned(), |time| relative(time.0, now))
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
