//! The text formats that scrapers ask for: OpenMetrics, and the older one of Prometheus, which every scraper reads.

use std::collections::HashMap;

use http::HeaderMap;
use http::header::ACCEPT;

/// A text format of metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// OpenMetrics 1.0.
    OpenMetrics,
    /// The text format 0.0.4 of Prometheus.
    Prometheus,
}

impl Format {
    /// The format that a scraper prefers. Who does not ask for OpenMetrics may not know it, and gets what everybody reads.
    pub fn preferred(headers: &HeaderMap) -> Self {
        let accepted: Vec<&str> = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
        let ranges = || accepted.iter().flat_map(|value| value.split(','));
        let weight = |of: fn(&str) -> bool| ranges().filter_map(|range| weight_of(range, of)).fold(0.0, f64::max);
        let open_metrics = weight(|media| media.eq_ignore_ascii_case("application/openmetrics-text"));
        let prometheus = weight(|media| media.eq_ignore_ascii_case("text/plain"));
        if open_metrics > 0.0 && open_metrics >= prometheus { Self::OpenMetrics } else { Self::Prometheus }
    }

    /// The value of `Content-Type`. Prometheus 3 takes no answer without one.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
        }
    }

    /// A text of OpenMetrics in this format.
    pub fn write(self, open_metrics: String) -> String {
        match self {
            Self::OpenMetrics => open_metrics,
            Self::Prometheus => older(&open_metrics),
        }
    }
}

/// The weight of a media range (RFC 9110 §12.4.2), if it is of this media type.
fn weight_of(range: &str, is_of: fn(&str) -> bool) -> Option<f64> {
    let mut parts = range.split(';').map(str::trim);
    let media = parts.next()?;
    let weight = parts.find_map(|parameter| parameter.strip_prefix("q=").or_else(|| parameter.strip_prefix("Q=")));
    is_of(media).then(|| weight.and_then(|weight| weight.parse().ok()).unwrap_or(1.0))
}

/// In the older format a counter's family has the name of its series, with `_total`; and the text has no end mark.
fn older(open_metrics: &str) -> String {
    let types: HashMap<&str, &str> =
        open_metrics.lines().filter_map(|line| line.strip_prefix("# TYPE ")).filter_map(|line| line.split_once(' ')).collect();
    let mut text = String::with_capacity(open_metrics.len());
    for line in open_metrics.lines().filter(|line| *line != "# EOF" && !line.starts_with("# UNIT ")) {
        match described(line) {
            Some((keyword, name, rest)) if types.get(name) == Some(&"counter") => {
                text.extend([keyword, name, "_total ", rest]);
            }
            Some(_) | None => text.push_str(line),
        }
        text.push('\n');
    }
    text
}

/// Keyword, name and rest of a line that describes a family.
fn described(line: &str) -> Option<(&str, &str, &str)> {
    ["# HELP ", "# TYPE "].into_iter().find_map(|keyword| {
        let (name, rest) = line.strip_prefix(keyword)?.split_once(' ')?;
        Some((keyword, name, rest))
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn preferred(accept: &'static str) -> Format {
        Format::preferred(&HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept))]))
    }

    #[test]
    fn each_scraper_gets_what_it_prefers() {
        for (accept, format) in [
            // Prometheus 3, and one that is told to use the older format.
            (
                "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
                Format::OpenMetrics,
            ),
            ("text/plain;version=0.0.4;q=0.5,application/openmetrics-text;version=1.0.0;q=0.4,*/*;q=0.1", Format::Prometheus),
            // Prometheus with native histograms: protobuf first, which is not served.
            (
                "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.2",
                Format::OpenMetrics,
            ),
            // VictoriaMetrics, curl, a browser.
            ("text/plain;version=0.0.4;q=1,*/*;q=0.1", Format::Prometheus),
            ("*/*", Format::Prometheus),
            ("text/html,application/xhtml+xml,*/*;q=0.8", Format::Prometheus),
            ("application/openmetrics-text; version=1.0.0", Format::OpenMetrics),
            ("application/openmetrics-text;q=0, text/plain", Format::Prometheus),
        ] {
            assert_eq!(preferred(accept), format, "{accept}");
        }
        assert_eq!(Format::preferred(&HeaderMap::new()), Format::Prometheus);
    }

    #[test]
    fn the_older_format_names_counters_by_their_series() {
        let text = "# HELP a_seconds How long.\n# TYPE a_seconds counter\n# UNIT a_seconds seconds\na_seconds_total 1\n# HELP b Now.\n# TYPE b gauge\nb{c=\"# TYPE a_seconds d\"} 2\n# EOF\n";
        let expected = "# HELP a_seconds_total How long.\n# TYPE a_seconds_total counter\na_seconds_total 1\n# HELP b Now.\n# TYPE b gauge\nb{c=\"# TYPE a_seconds d\"} 2\n";
        assert_eq!(Format::Prometheus.write(text.to_owned()), expected);
        assert_eq!(Format::OpenMetrics.write(text.to_owned()), text);
    }
}
