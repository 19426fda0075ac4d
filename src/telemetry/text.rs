//! The text that a scrape gets, in the format that it asks for.

/// How metrics are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// OpenMetrics 1.0.
    OpenMetrics,
    /// The older text format of Prometheus, which every tool reads.
    Prometheus,
}

impl Format {
    /// What an `Accept` header asks for: OpenMetrics only where it is named.
    pub fn asked(accept: &str) -> Self {
        if accept.contains("application/openmetrics-text") {
            Self::OpenMetrics
        } else {
            Self::Prometheus
        }
    }

    /// The content type.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
        }
    }
}

/// OpenMetrics in the older format, which names a counter with its `_total` in HELP and TYPE, too,
/// and knows neither units nor an end.
pub(super) fn older(open: &str) -> String {
    let mut text = String::with_capacity(open.len());
    let mut lines = open.lines().peekable();
    while let Some(line) = lines.next() {
        if line == "# EOF" || line.starts_with("# UNIT ") {
            continue;
        }
        // HELP stands before TYPE, which alone tells that it is a counter.
        let kind = if line.starts_with("# HELP ") { lines.peek().copied() } else { Some(line) };
        let counter = kind.is_some_and(|l| l.starts_with("# TYPE ") && l.ends_with(" counter"));
        let mut words = line.splitn(4, ' ');
        match (counter, words.next(), words.next(), words.next(), words.next()) {
            (true, Some(hash), Some(what), Some(name), Some(rest)) => {
                text.extend([hash, " ", what, " ", name, "_total ", rest]);
            }
            _ => text.push_str(line),
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_older_format_names_counters_by_their_samples() {
        let open = "# HELP a_seconds Time.\n# TYPE a_seconds counter\n# UNIT a_seconds seconds\n\
            a_seconds_total 1.5\n# HELP b Now.\n# TYPE b gauge\nb{x=\"y\"} 2\n# EOF\n";
        let expected = "# HELP a_seconds_total Time.\n# TYPE a_seconds_total counter\n\
            a_seconds_total 1.5\n# HELP b Now.\n# TYPE b gauge\nb{x=\"y\"} 2\n";
        assert_eq!(older(open), expected);
    }

    #[test]
    fn open_metrics_only_where_it_is_asked_for() {
        let prometheus =
            "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.2,*/*;q=0.1";
        assert_eq!(Format::asked(prometheus), Format::OpenMetrics);
        assert_eq!(Format::asked("*/*"), Format::Prometheus);
        assert_eq!(Format::asked(""), Format::Prometheus);
    }
}
