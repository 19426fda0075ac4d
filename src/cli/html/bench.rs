//! The page of a bench: what messages cost on this machine. Self-contained, as the page of a message.

use super::{document, escape, figures, table, told};
use crate::capacity::bench::{Case, Earlier, Results};

/// The page; `share`: of a core, what one thread got at the least.
pub fn page(results: &Results, earlier: Option<&Earlier>, share: Option<f64>) -> String {
    let mean = |of: &dyn Fn(&Case) -> Option<f64>| {
        let values: Vec<f64> = results.cases.iter().filter_map(of).collect();
        let sum: f64 = values.iter().map(|value| value.ln()).sum();
        (!values.is_empty()).then(|| (sum / values.len() as f64).exp())
    };
    let number = |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{value:.2}"));
    let threads = format!("{} threads", results.threads);
    let mut all = vec![
        told("Cases", &results.cases.len().to_string(), &threads),
        told("Scaling", &number(mean(&|case| Some(case.scaling))), "1 is linear; the mean"),
    ];
    if let Some(peak) = results.peak_memory_bytes {
        all.push(told("Peak memory", &peak.to_string(), "of the whole run"));
    }
    if let Some(share) = share {
        let note = "what one thread got at the least";
        all.push(told("Of a core", &format!("{:.0} %", 100.0 * share), note));
    }
    if let Some(earlier) = earlier {
        let over = number(mean(&|case| earlier.over(case)));
        all.push(told("CPU, × before", &over, "geometric mean"));
    }
    let body = format!(
        "<header>\n<h1>Bench</h1>\n<p class=\"lead\">CPU time of one message, worker processes \
         included.</p></header>\n{}{}{}<footer>Made by mmsfit {}.</footer>\n",
        figures(&all),
        bars(&results.cases),
        rows(results, earlier),
        escape(results.version),
    );
    document("Bench", &body)
}

/// A bar for the median of each case, one scale for all.
fn bars(cases: &[Case]) -> String {
    let most = cases.iter().map(|case| case.cpu_ms).fold(1e-9, f64::max);
    let row = |case: &Case| {
        format!(
            "<div class=\"row wide\"><b>{} → {}</b><div class=\"bar\"><i class=\"k0\" \
             style=\"width:{:.2}%\"></i></div><span>{:.1} ms, p99 {:.1}</span></div>",
            escape(&case.source),
            escape(&case.target),
            100.0 * case.cpu_ms / most,
            case.cpu_ms,
            case.cpu_ms_p99
        )
    };
    let rows: String = cases.iter().map(row).collect();
    format!(
        "<section class=\"card\"><div class=\"head\"><h2>CPU time <small>ms, medians</small></h2></div>{rows}</section>\n"
    )
}

fn rows(results: &Results, earlier: Option<&Earlier>) -> String {
    let mut head =
        vec!["case", "source", "out", "p50 ms", "p95", "p99", "/s, 1 core", "/s, all", "scaling"];
    if earlier.is_some() {
        head.push("× before");
    }
    let row = |case: &Case| {
        let mut row = vec![
            format!("{} → {}", case.source, case.target),
            case.source_bytes.to_string(),
            case.wire_bytes.to_string(),
            format!("{:.1}", case.cpu_ms),
            format!("{:.1}", case.cpu_ms_p95),
            format!("{:.1}", case.cpu_ms_p99),
            format!("{:.1}", case.per_core_per_second),
            format!("{:.1}", case.all_cores_per_second),
            format!("{:.2}", case.scaling),
        ];
        if let Some(earlier) = earlier {
            let over = earlier.over(case);
            row.push(over.map_or("new".to_owned(), |over| format!("{over:.2}")));
        }
        row
    };
    table("Case by case", &head, &results.cases.iter().map(row).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Bytes, Effort};

    #[test]
    fn every_case_is_in_it() {
        let case = |source: &str, cpu_ms| Case {
            source: source.to_owned(),
            source_bytes: Bytes::new(3_000_000),
            target: "640x480".to_owned(),
            wire_bytes: Bytes::new(99_000),
            messages: 9,
            cpu_ms,
            cpu_ms_p95: cpu_ms * 1.5,
            cpu_ms_p99: cpu_ms * 2.0,
            per_core_per_second: 1e3 / cpu_ms,
            all_cores_per_second: 1.9e3 / cpu_ms,
            scaling: 0.95,
        };
        let results = Results {
            version: "1",
            threads: 2,
            effort: Effort::Balanced,
            peak_memory_bytes: Some(Bytes::new(1 << 26)),
            cases: vec![case("<a>", 40.0), case("b", 10.0)],
        };
        let page = page(&results, None, Some(0.98));
        for text in ["&lt;a&gt; → 640x480", "width:25.00%", "80.0", "98 %", "0.95"] {
            assert!(page.contains(text), "{text}");
        }
        assert!(!page.contains("<a>") && !page.contains("× before"));
    }
}
