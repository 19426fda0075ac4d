//! A page of rate and quality, readable without network.

use std::fmt::Write as _;

use crate::{
    Outcome, Results,
    cases::{CASES, Case},
};

const COLOURS: [(&str, &str); 7] = [
    ("oracle", "#888"),
    ("FAST", "#7fb3ff"),
    ("BALANCED", "#1f6feb"),
    ("BEST", "#0b2f6b"),
    ("search, libjpeg-turbo", "#d97706"),
    ("search, MozJPEG", "#b91c1c"),
    ("steps, as phone apps", "#65a30d"),
];
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 380.0;
const MARGIN: f64 = 48.0;

fn mean(outcomes: &[Option<Outcome>], of: impl Fn(&Outcome) -> f64) -> f64 {
    let all: Vec<f64> = outcomes.iter().flatten().map(of).collect();
    all.iter().sum::<f64>() / all.len().max(1) as f64
}

pub fn page(results: &Results) -> String {
    let mut out = String::from(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Rate and quality</title>\
         <style>body{font:15px system-ui;max-width:780px;margin:2em auto;padding:0 1em;\
         background:#fff;color:#111}svg text{font:12px system-ui;fill:currentColor}\
         @media(prefers-color-scheme:dark){body{background:#111;color:#eee}}\
         table{border-collapse:collapse}td,th{padding:.2em .7em;text-align:right}</style>\
         <h1>Rate and quality</h1><p>SSIMULACRA2 at the bounds against the photo made small by Lanczos, \
         mean over all photos, by the limit.</p>",
    );
    for bounds in [(640, 480), (1600, 1200)] {
        let places: Vec<usize> =
            (0..CASES.len()).filter(|at| CASES[*at].bounds == bounds).collect();
        out.push_str(&plot(results, bounds, &places));
    }
    out.push_str("</html>\n");
    out
}

fn plot(results: &Results, bounds: (u32, u32), places: &[usize]) -> String {
    let limit = |at: usize| (CASES[at].limit as f64).ln();
    let span = |values: &mut dyn Iterator<Item = f64>| {
        values.fold((f64::MAX, f64::MIN), |(low, high), v| (low.min(v), high.max(v)))
    };
    let lines: Vec<(&str, &str, Vec<(f64, f64)>)> = COLOURS
        .iter()
        .filter_map(|(way, colour)| {
            let of = results.get(*way)?;
            let mut line: Vec<(f64, f64)> = places
                .iter()
                .map(|at| (limit(*at), mean(&of[*at], |o| o.scores.lanczos)))
                .collect();
            line.sort_by(|a, b| a.0.total_cmp(&b.0));
            Some((*way, *colour, line))
        })
        .collect();
    let (left, right) = span(&mut places.iter().map(|at| limit(*at)));
    let (bottom, top) = span(&mut lines.iter().flat_map(|(.., line)| line.iter().map(|p| p.1)));
    let (bottom, top) = ((bottom / 10.0).floor() * 10.0, (top / 10.0).ceil() * 10.0);
    let x = |v: f64| MARGIN + (v - left) / (right - left) * (WIDTH - 2.0 * MARGIN);
    let y = |v: f64| HEIGHT - MARGIN - (v - bottom) / (top - bottom) * (HEIGHT - 2.0 * MARGIN);
    let mut out = format!(
        "<h2>{}×{}</h2><svg viewBox=\"0 0 {WIDTH} {}\" role=\"img\" aria-label=\"rate and quality\">",
        bounds.0,
        bounds.1,
        HEIGHT + 60.0
    );
    let mut tick = bottom;
    while tick <= top {
        let _ = write!(
            out,
            "<line x1=\"{MARGIN}\" x2=\"{}\" y1=\"{1:.1}\" y2=\"{1:.1}\" stroke=\"#8884\"/>\
             <text x=\"8\" y=\"{1:.1}\">{tick:.0}</text>",
            WIDTH - MARGIN,
            y(tick)
        );
        tick += 10.0;
    }
    for at in places {
        let Case { limit: bytes, .. } = CASES[*at];
        let _ = write!(
            out,
            "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">{} kB</text>",
            x(limit(*at)),
            HEIGHT - MARGIN + 20.0,
            bytes / 1000
        );
    }
    for (number, (way, colour, line)) in lines.iter().enumerate() {
        let points: Vec<String> =
            line.iter().map(|(a, b)| format!("{:.1},{:.1}", x(*a), y(*b))).collect();
        let (column, row) = ((number % 4) as f64, (number / 4) as f64);
        let _ = write!(
            out,
            "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" points=\"{}\"/>\
             <text x=\"{:.0}\" y=\"{:.0}\" style=\"fill:{colour}\">{way}</text>",
            points.join(" "),
            MARGIN + column * 165.0,
            HEIGHT + 10.0 + row * 20.0
        );
    }
    out.push_str("</svg><table><tr><th></th>");
    for at in places {
        let _ = write!(out, "<th>{} kB</th>", CASES[*at].limit / 1000);
    }
    out.push_str("</tr>");
    for (way, _) in COLOURS {
        let Some(of) = results.get(way) else { continue };
        let _ = write!(out, "<tr><th>{way}</th>");
        for at in places {
            let _ = write!(out, "<td>{:.1}</td>", mean(&of[*at], |o| o.scores.lanczos));
        }
        out.push_str("</tr>");
    }
    out.push_str("</table>");
    out
}
