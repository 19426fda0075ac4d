//! Curves as inline SVG, drawn in the colours of the page.

use super::escape;

/// Of the drawing; it is as wide as its place.
const WIDTH: f64 = 1000.0;
const HEIGHT: f64 = 240.0;
/// Room for the figures at the left and below.
const LEFT: f64 = 64.0;
const BOTTOM: f64 = 30.0;
const TOP: f64 = 10.0;
const RIGHT: f64 = 12.0;
/// Points of a curve: more than there are dots on a screen are put together, the highest of each.
const POINTS: usize = 1200;

/// A curve.
pub struct Curve<'a> {
    /// For people.
    pub name: &'a str,
    /// A class of the page's colours: `k0` to `k5`, `good`, `changed`, `bad`.
    pub color: &'a str,
    /// Places from left to right and values; none: a gap.
    pub points: Vec<(f64, Option<f64>)>,
}

/// A drawing.
pub struct Chart<'a> {
    /// Above it.
    pub title: &'a str,
    /// Behind its title.
    pub unit: &'a str,
    /// Powers of ten instead of equal distances.
    pub is_log: bool,
    /// What places are counted in.
    pub across: &'a str,
    /// The place at the right end.
    pub until: f64,
    /// Where steps begin, and their names.
    pub marks: &'a [(f64, String)],
    /// One at least.
    pub curves: Vec<Curve<'a>>,
}

impl Chart<'_> {
    /// As a card; nothing, where there are no values.
    pub fn card(&self) -> String {
        let values = || {
            let points = self.curves.iter().flat_map(|curve| &curve.points);
            points.filter_map(|(_, value)| *value).filter(|value| value.is_finite())
        };
        if values().next().is_none() {
            return String::new();
        }
        let most = values().fold(0.0, f64::max);
        let (low, high, ticks) = if self.is_log {
            let least = values().filter(|value| *value > 0.0).fold(most.max(1e-3), f64::min);
            decades(least, most.max(1e-3))
        } else {
            even(most)
        };
        let y = |value: f64| {
            let share = if self.is_log {
                (value.max(low).ln() - low.ln()) / (high.ln() - low.ln())
            } else {
                (value - low) / (high - low)
            };
            TOP + (HEIGHT - TOP - BOTTOM) * (1.0 - share.clamp(0.0, 1.0))
        };
        let x = |at: f64| LEFT + (WIDTH - LEFT - RIGHT) * (at / self.until.max(1e-9)).min(1.0);
        let mut drawn = String::new();
        for tick in &ticks {
            let at = y(*tick);
            drawn.push_str(&format!(
                "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>\
                 <text class=\"at\" x=\"{}\" y=\"{:.1}\">{}</text>",
                WIDTH - RIGHT,
                LEFT - 8.0,
                at + 4.5,
                number(*tick)
            ));
        }
        for tick in even(self.until).2.iter().filter(|tick| **tick <= self.until) {
            drawn.push_str(&format!(
                "<text class=\"when\" x=\"{:.1}\" y=\"{}\">{} {}</text>",
                x(*tick),
                HEIGHT - 9.0,
                number(*tick),
                escape(self.across)
            ));
        }
        for (at, name) in self.marks.iter().filter(|_| self.marks.len() > 1) {
            drawn.push_str(&format!(
                "<line class=\"mark\" x1=\"{0:.1}\" x2=\"{0:.1}\" y1=\"{TOP}\" y2=\"{1}\"><title>{2}</title></line>",
                x(*at),
                HEIGHT - BOTTOM,
                escape(name)
            ));
        }
        for curve in &self.curves {
            drawn.push_str(&format!("<g class=\"{}\">{}</g>", curve.color, path(curve, x, y)));
        }
        let legend: String = self
            .curves
            .iter()
            .map(|curve| {
                format!(
                    "<li class=\"{}\"><i class=\"line\"></i><span>{}</span></li>",
                    curve.color,
                    escape(curve.name)
                )
            })
            .collect();
        format!(
            "<section class=\"card\"><div class=\"head\"><h2>{}</h2><ul class=\"legend flat\">{legend}</ul></div>\
             <svg class=\"chart\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">{drawn}</svg></section>\n",
            format_args!("{} <small>{}</small>", escape(self.title), escape(self.unit)),
            escape(self.title),
        )
    }
}

/// Lines, broken at gaps; a point alone is a dot.
fn path(curve: &Curve<'_>, x: impl Fn(f64) -> f64, y: impl Fn(f64) -> f64) -> String {
    let together = curve.points.len().div_ceil(POINTS).max(1);
    let points = curve.points.chunks(together).map(|chunk| {
        let highest = chunk.iter().filter_map(|(_, value)| *value).reduce(f64::max);
        (chunk[0].0, highest)
    });
    let (mut drawn, mut line) = (String::new(), Vec::new());
    let mut end = |line: &mut Vec<(f64, f64)>| {
        match line.as_slice() {
            [] => {}
            [(x, y)] => {
                drawn.push_str(&format!(
                    "<circle class=\"dot\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2.5\"/>"
                ));
            }
            line => {
                let points: Vec<String> =
                    line.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
                drawn.push_str(&format!("<polyline points=\"{}\"/>", points.join(" ")));
            }
        }
        line.clear();
    };
    for (at, value) in points {
        match value {
            Some(value) => line.push((x(at), y(value))),
            None => end(&mut line),
        }
    }
    end(&mut line);
    drawn
}

/// From 0 to a round number at or above `most`, in two to five steps.
fn even(most: f64) -> (f64, f64, Vec<f64>) {
    let most = if most > 0.0 { most } else { 1.0 };
    let ten = 10_f64.powf((most / 5.0).log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|by| by * ten).into_iter().find(|step| step * 5.0 >= most);
    let step = step.unwrap_or(ten * 10.0);
    let count = (most / step).ceil().max(1.0);
    (0.0, count * step, (0..=count as u32).map(|n| f64::from(n) * step).collect())
}

/// The powers of ten around.
fn decades(least: f64, most: f64) -> (f64, f64, Vec<f64>) {
    let low = least.log10().floor() as i32;
    let high = (most.log10().ceil() as i32).max(low + 1);
    (10_f64.powi(low), 10_f64.powi(high), (low..=high).map(|power| 10_f64.powi(power)).collect())
}

fn number(value: f64) -> String {
    // Sums of binary fractions.
    let rounded = (value * 1e4).round() / 1e4;
    format!("{rounded}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_hold_what_is_drawn() {
        for most in [0.0, 0.003, 0.9, 1.0, 4.0, 7.3, 99.0, 100.0, 1_234.0, 1e6] {
            let (low, high, ticks) = even(most);
            assert!(
                low <= most && most <= high && (2..=7).contains(&ticks.len()),
                "{most} {ticks:?}"
            );
            let (low, high, _) = decades(most.max(0.1) / 3.0, most.max(0.1));
            assert!(low <= most.max(0.1) / 3.0 && most <= high * 1.000_001, "{most} {high}");
        }
    }

    #[test]
    fn gaps_are_gaps_and_names_are_escaped() {
        let points = [1.0, 2.0, f64::NAN, 4.0].map(|v| (v, (!v.is_nan()).then_some(v))).to_vec();
        let curves = vec![Curve { name: "<p99>", color: "k0", points }];
        let marks = [];
        let (is_log, across, until) = (true, "s", 4.0);
        let chart =
            Chart { title: "Latency", unit: "ms", is_log, across, until, marks: &marks, curves };
        let card = chart.card();
        assert_eq!(card.matches("<polyline").count(), 1);
        assert_eq!(card.matches("<circle").count(), 1);
        assert!(card.contains("&lt;p99&gt;") && !card.contains("NaN"), "{card}");
    }
}
