//! The page of what a traffic takes: figures, how long answers take as the rate rises, the day, and
//! what matters most. Self-contained, as the page of a message.

use super::{
    chart::{Chart, Curve},
    document, escape, figures, table, told,
};
use crate::{
    capacity::{costs::Costs, size::Answer},
    model::Bytes,
};

/// One instance at a rate, as it is reckoned.
pub struct At {
    /// Calls a second.
    pub rate: f64,
    /// Milliseconds.
    pub p50_ms: Option<f64>,
    /// Milliseconds.
    pub p99_ms: Option<f64>,
}

/// What is drawn beside the answer.
pub struct Drawn<'a> {
    /// By rate.
    pub rates: &'a [At],
    /// Calls a second in each hour, growth included; one: the same all day.
    pub hours: &'a [f64],
    /// What 99 of a hundred answers may take, in milliseconds.
    pub p99_ms: f64,
    /// Of the rate that an instance carries, what it is to get.
    pub used: f64,
    /// Cores of an instance.
    pub cores: f64,
}

/// The page.
pub fn page(costs: &Costs, answer: &Answer, drawn: &Drawn<'_>) -> String {
    let body = format!(
        "<header>\n<h1>Capacity</h1>\n<p class=\"lead\">{}</p></header>\n{}{}{}{}{}\
         <footer>Made by mmsfit {} from costs measured by mmsfit {}. Times are simulated; \
         docs/capacity.md says from what, and how far they are right.</footer>\n",
        lead(answer, drawn),
        sums(answer),
        latency(answer, drawn),
        day(answer, drawn),
        kinds(costs),
        sensitivity(answer),
        env!("CARGO_PKG_VERSION"),
        escape(&costs.version),
    );
    document("Capacity", &body)
}

fn lead(answer: &Answer, drawn: &Drawn<'_>) -> String {
    escape(&format!(
        "{:.0} calls a second in the busiest hour, 99 of 100 answered within {} ms: {} instances of \
         {} cores, each with {:.0} % of what it carries.",
        answer.peak_per_second,
        drawn.p99_ms,
        answer.instances,
        drawn.cores,
        100.0 * drawn.used
    ))
}

fn sums(answer: &Answer) -> String {
    let ms = answer.p99_ms.map_or("–".to_owned(), |ms| format!("{ms:.0} ms"));
    let knee = format!("{:.1}/s", answer.knee_per_second);
    let busy = format!("with {:.0} % of its cores busy", 100.0 * answer.busy_at_knee);
    let mut all = vec![
        told("Instances", &answer.instances.to_string(), &format!("{:.0} cores", answer.cores)),
        told("Memory", &Bytes::new(answer.memory_bytes).to_string(), "of all instances"),
        told("An instance carries", &knee, &busy),
        told("p99", &ms, "at what it is to get"),
        told("From the cache", &format!("{:.0} %", 100.0 * answer.cache_hits), "of the calls"),
    ];
    if answer.cost_per_million > 0.0 {
        let scaled = format!("{:.2} with instances by the hour", answer.cost_per_million_scaled);
        all.push(told("A million messages", &format!("{:.2}", answer.cost_per_million), &scaled));
    }
    figures(&all)
}

fn latency(answer: &Answer, drawn: &Drawn<'_>) -> String {
    let curve = |name, color, of: fn(&At) -> Option<f64>| Curve {
        name,
        color,
        points: drawn.rates.iter().map(|at| (at.rate, of(at))).collect(),
    };
    let until = drawn.rates.iter().map(|at| at.rate).fold(answer.knee_per_second, f64::max);
    let asked = Curve {
        name: "asked for",
        color: "ko",
        points: vec![(0.0, Some(drawn.p99_ms)), (until, Some(drawn.p99_ms))],
    };
    let marks = [
        (answer.knee_per_second * drawn.used, "what it is to get".to_owned()),
        (answer.knee_per_second, "what it carries".to_owned()),
    ];
    let curves =
        vec![asked, curve("p99", "k4", |at| at.p99_ms), curve("p50", "k0", |at| at.p50_ms)];
    Chart {
        title: "One instance as its rate rises",
        unit: "ms",
        is_log: true,
        across: "/s",
        until,
        marks: &marks,
        curves,
    }
    .card()
}

fn day(answer: &Answer, drawn: &Drawn<'_>) -> String {
    if drawn.hours.len() < 2 {
        return String::new();
    }
    let points = |of: &dyn Fn(f64) -> f64| {
        let hours = drawn.hours.iter().enumerate();
        hours.map(|(hour, rate)| (hour as f64 + 0.5, Some(of(*rate)))).collect()
    };
    let carried = answer.knee_per_second * answer.instances as f64;
    let curves = vec![
        Curve { name: "all instances carry", color: "ko", points: points(&|_| carried) },
        Curve { name: "calls", color: "k0", points: points(&|rate| rate) },
    ];
    Chart {
        title: "The day",
        unit: "calls a second",
        is_log: false,
        across: "h",
        until: drawn.hours.len() as f64,
        marks: &[],
        curves,
    }
    .card()
}

fn kinds(costs: &Costs) -> String {
    let all: f64 = costs.kinds.iter().map(|kind| kind.share).sum();
    let row = |kind: &crate::capacity::costs::KindCosts| {
        vec![
            kind.name.clone(),
            format!("{:.0} %", 100.0 * kind.share / all),
            format!("{:.1}", kind.work_mean(false)),
            format!("{:.1}", kind.work_mean(true)),
            format!("{:.2}", kind.other_ms),
            format!("{:.1}", kind.parallel),
        ]
    };
    let rows: Vec<_> = costs.kinds.iter().map(row).collect();
    let head = ["message", "share", "encode, ms of CPU", "with less effort", "all else", "threads"];
    table("What messages cost", &head, &rows)
}

fn sensitivity(answer: &Answer) -> String {
    let row =
        |(name, change): &(String, f64)| vec![name.clone(), format!("{:+.0} %", 100.0 * change)];
    let rows: Vec<_> = answer.sensitivity.iter().map(row).collect();
    table("What if", &["each alone", "cores"], &rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capacity::costs::KindCosts;

    #[test]
    fn all_that_is_told_is_in_it_and_nothing_is_fetched() {
        let kind = KindCosts {
            name: "<photo>".to_owned(),
            share: 1.0,
            contents: 0,
            calls: 9,
            other_ms: 0.5,
            work_ms: vec![30.0],
            reduced_ms: vec![20.0],
            reused_ms: None,
            sender_ms: 0.1,
            parallel: 1.0,
        };
        let costs = Costs {
            version: "1".to_owned(),
            threads: 2,
            peak_memory_bytes: 1 << 20,
            core_share: 1.0,
            crowding: 1.0,
            kinds: vec![kind],
        };
        let answer = Answer {
            knee_per_second: 100.0,
            busy_at_knee: 0.9,
            p99_ms: Some(123.0),
            cache_hits: 0.25,
            peak_per_second: 1_000.0,
            instances: 15,
            cores: 60.0,
            memory_bytes: 3_000_000_000,
            messages_per_day: 1e7,
            cost_per_million: 2.5,
            cost_per_million_scaled: 1.25,
            sensitivity: vec![("twice the p99".to_owned(), -0.07)],
        };
        let drawn = Drawn {
            rates: &[
                At { rate: 50.0, p50_ms: Some(30.0), p99_ms: Some(60.0) },
                At { rate: 100.0, p50_ms: Some(40.0), p99_ms: Some(500.0) },
            ],
            hours: &[500.0, 1_000.0],
            p99_ms: 500.0,
            used: 0.7,
            cores: 4.0,
        };
        let page = page(&costs, &answer, &drawn);
        for text in ["15", "123 ms", "&lt;photo&gt;", "-7 %", "2.50", "The day", "asked for"] {
            assert!(page.contains(text), "{text}");
        }
        assert!(!page.contains("<photo>") && !page.contains("://"), "nothing from elsewhere");
        assert_eq!(page.matches("<svg").count(), 2);
    }
}
