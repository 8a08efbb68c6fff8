//! The text formats that scrapers ask for: OpenMetrics, and the older one of Prometheus, which every scraper reads.

use std::fmt::{self, Write};

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

    /// What takes a text of OpenMetrics and gives it in this format.
    pub fn writer(self) -> Writer {
        Writer { format: self, line: String::new(), help: None, full: Vec::new(), chunk: String::new() }
    }
}

/// How long a piece of the text may be: the series of ten thousand sources are megabytes, which are held once and let go of piece by
/// piece as they are sent.
const CHUNK: usize = 32 * 1024;

/// Takes a text of OpenMetrics, line by line.
#[derive(Debug)]
pub struct Writer {
    format: Format,
    line: String,
    /// The description of a family whose type is not known yet.
    help: Option<String>,
    full: Vec<String>,
    chunk: String,
}

impl Writer {
    /// The text, in pieces.
    pub fn finish(mut self) -> Vec<String> {
        self.full.push(self.chunk);
        self.full
    }

    fn push(&mut self, parts: &[&str]) {
        self.chunk.extend(parts.iter().copied());
        self.chunk.push('\n');
        if self.chunk.len() >= CHUNK {
            self.full.push(std::mem::take(&mut self.chunk));
        }
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        match self.format {
            Format::OpenMetrics => self.push(&[&line]),
            Format::Prometheus => self.older(&line),
        }
        self.line = line;
        self.line.clear();
    }

    /// In the older format a counter's family has the name of its series, with `_total`; and the text has no end mark.
    fn older(&mut self, line: &str) {
        if line == "# EOF" || line.starts_with("# UNIT ") {
            return;
        }
        if line.starts_with(HELP) {
            self.help = Some(line.to_owned());
            return;
        }
        let of_counter = line.strip_prefix(TYPE).and_then(|family| family.strip_suffix(" counter"));
        let help = self.help.take();
        match (of_counter, help.as_deref()) {
            (Some(name), help) => {
                if let Some((_, told)) = help.and_then(|help| help.strip_prefix(HELP)?.split_once(' ')) {
                    self.push(&[HELP, name, "_total ", told]);
                }
                self.push(&[TYPE, name, "_total counter"]);
            }
            (None, help) => {
                if let Some(help) = help {
                    self.push(&[help]);
                }
                self.push(&[line]);
            }
        }
    }
}

impl Write for Writer {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for part in text.split_inclusive('\n') {
            match part.strip_suffix('\n') {
                Some(end) => {
                    self.line.push_str(end);
                    self.end_line();
                }
                None => self.line.push_str(part),
            }
        }
        Ok(())
    }
}

const HELP: &str = "# HELP ";
const TYPE: &str = "# TYPE ";

/// The weight of a media range (RFC 9110 §12.4.2), if it is of this media type.
fn weight_of(range: &str, is_of: fn(&str) -> bool) -> Option<f64> {
    let mut parts = range.split(';').map(str::trim);
    let media = parts.next()?;
    let weight = parts.find_map(|parameter| parameter.strip_prefix("q=").or_else(|| parameter.strip_prefix("Q=")));
    is_of(media).then(|| weight.and_then(|weight| weight.parse().ok()).unwrap_or(1.0))
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
        let written = |format: Format| {
            let mut writer = format.writer();
            // In parts that do not end with lines.
            for part in text.as_bytes().chunks(7) {
                writer.write_str(std::str::from_utf8(part).unwrap()).unwrap();
            }
            writer.finish().concat()
        };
        assert_eq!(written(Format::Prometheus), expected);
        assert_eq!(written(Format::OpenMetrics), text);
    }

    #[test]
    fn a_long_text_comes_in_pieces_and_nothing_of_it_is_lost() {
        let mut writer = Format::Prometheus.writer();
        let lines: Vec<String> = (0..10_000).map(|number| format!("series{{number=\"{number}\"}} 1\n")).collect();
        for line in &lines {
            writer.write_str(line).unwrap();
        }
        let pieces = writer.finish();
        assert!(pieces.len() > 5 && pieces.iter().all(|piece| piece.len() < CHUNK + 100), "{} pieces", pieces.len());
        assert_eq!(pieces.concat(), lines.concat());
    }
}
