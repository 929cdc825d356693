//! The picture of the README: CPU per request, raw echo beside Rotor.
//!
//! The scenarios differ by a factor of a thousand, so each has a scale of its own: its bound stands at the same place
//! in all of them, and a bar that ends before that line meets it.

use std::fmt::Write;

use crate::summary::Summary;

/// The picture as an SVG document.
pub fn draw(summaries: &[Summary]) -> String {
    let height = HEADER + ROW * summaries.len() + FOOTER;
    let mut svg = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" role="img" font-family="system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif" font-size="13">
<title>Server CPU per request: Rotor beside a raw epoll echo</title>
<rect width="{WIDTH}" height="{height}" rx="6" fill="#ffffff"/>
<text x="{MARGIN}" y="32" font-size="17" font-weight="600" fill="#1f2328">Server CPU per request</text>
<text x="{MARGIN}" y="53" fill="#59636e">Microseconds, medians; shorter is better. Each row has its own scale, set by its bound.</text>
"##
    );
    for (index, summary) in summaries.iter().enumerate() {
        row(&mut svg, summary, HEADER + index * ROW);
    }
    legend(&mut svg, HEADER + summaries.len() * ROW + 24);
    svg.push_str("</svg>\n");
    svg
}

fn row(svg: &mut String, summary: &Summary, top: usize) {
    let scale = BOUND_AT / summary.cpu_bound();
    let scenario = summary.scenario;
    let label = scenario.title;
    line(svg, format_args!(r##"<text x="{MARGIN}" y="{}" fill="#1f2328">{label}</text>"##, top + 20));
    let noise = if summary.quiet == 0 { "; measured in noise" } else { "" };
    let formula = scenario.cpu.formula() + noise;
    line(
        svg,
        format_args!(r##"<text x="{MARGIN}" y="{}" font-size="11" fill="#59636e">bound: {formula}</text>"##, top + 37),
    );
    let rotor_fill = if summary.cpu_is_met() { ROTOR } else { NOT_MET };
    let bars = [(summary.raw.cpu, top + 6, RAW, "raw"), (summary.rotor.cpu, top + 25, rotor_fill, "Rotor")];
    let width = |cpu: f64| (cpu * scale).clamp(1.0, LONGEST);
    for (cpu, y, fill, _) in bars {
        let width = width(cpu);
        line(svg, format_args!(r#"<rect x="{BARS}" y="{y}" width="{width:.1}" height="15" rx="2" fill="{fill}"/>"#));
    }
    let x = f64::from(BARS) + BOUND_AT;
    bound_line(svg, x, top + 2, top + 44);
    for (cpu, y, _, who) in bars {
        let x = f64::from(BARS) + width(cpu) + 6.0;
        let figure = format!("{who} {}", short(cpu));
        // A white edge keeps the figure legible where the line of the bound crosses it.
        line(
            svg,
            format_args!(
                r##"<text x="{x:.1}" y="{}" font-size="12" fill="#1f2328" stroke="#ffffff" stroke-width="3" paint-order="stroke">{figure}</text>"##,
                y + 12
            ),
        );
    }
}

fn bound_line(svg: &mut String, x: f64, from: usize, to: usize) {
    line(
        svg,
        format_args!(
            r#"<line x1="{x}" y1="{from}" x2="{x}" y2="{to}" stroke="{BOUND}" stroke-width="1.5" stroke-dasharray="3 2"/>"#
        ),
    );
}

fn legend(svg: &mut String, y: usize) {
    let entries = [
        ("raw epoll echo, no PHP", RAW, 170),
        ("Rotor, callback in PHP", ROTOR, 170),
        ("above its bound", NOT_MET, 125),
    ];
    let mut x = MARGIN;
    for (label, fill, width) in entries {
        line(svg, format_args!(r#"<rect x="{x}" y="{}" width="12" height="12" rx="2" fill="{fill}"/>"#, y - 10));
        line(svg, format_args!(r##"<text x="{}" y="{y}" font-size="12" fill="#59636e">{label}</text>"##, x + 18));
        x += width;
    }
    bound_line(svg, f64::from(x) + 6.0, y - 12, y + 4);
    line(svg, format_args!(r##"<text x="{}" y="{y}" font-size="12" fill="#59636e">bound</text>"##, x + 14));
}

fn line(svg: &mut String, line: std::fmt::Arguments<'_>) {
    writeln!(svg, "{line}").expect("a string takes all");
}

/// Three digits that matter.
fn short(value: f64) -> String {
    match value {
        value if value >= 100.0 => format!("{value:.0} µs"),
        value if value >= 10.0 => format!("{value:.1} µs"),
        value => format!("{value:.2} µs"),
    }
}

const WIDTH: usize = 820;
const MARGIN: u16 = 20;
const HEADER: usize = 72;
const ROW: usize = 54;
const FOOTER: usize = 44;
/// Where the bars begin, behind the longest title.
const BARS: u16 = 340;
/// How far from there the bound stands.
const BOUND_AT: f64 = 300.0;
/// Room for a figure stays behind the longest bar.
const LONGEST: f64 = 375.0;
const RAW: &str = "#8c959f";
const ROTOR: &str = "#0969da";
const NOT_MET: &str = "#bc4c00";
const BOUND: &str = "#1f2328";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::SCENARIOS;
    use crate::summary::{Figures, Round};

    #[test]
    fn every_scenario_has_a_row_and_every_bar_stays_inside() {
        let figures = |cpu| Figures { cpu, ..Figures::default() };
        let summaries: Vec<Summary> = SCENARIOS
            .iter()
            .map(|scenario| {
                let round = Round { raw: figures(4.0), rotor: figures(4000.0), others: 0.0 };
                Summary::new(scenario, &[round]).unwrap()
            })
            .collect();
        let svg = draw(&summaries);
        for scenario in SCENARIOS {
            assert!(svg.contains(scenario.title));
        }
        for width in svg.split("width=\"").skip(1).filter_map(|rest| rest.split('"').next()?.parse::<f64>().ok()) {
            assert!(width <= 820.0);
        }
        assert!(svg.ends_with("</svg>\n"));
    }
}
