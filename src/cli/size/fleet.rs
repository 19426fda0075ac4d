//! `mmsfit size --fleet`: times by the way of spreading calls.

use serde::Serialize;

use crate::{
    capacity::{
        costs::Costs,
        size::fleet::{Balance, Fleet, Times, Trouble, times},
    },
    cli::{
        Failure,
        args::SizeArgs,
        json,
        table::{Align, Table},
        term::Screen,
    },
};

/// One way under one trouble.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    balance: Balance,
    trouble: Trouble,
    #[serde(flatten)]
    times: Times,
}

pub fn run(costs: &Costs, instances: u32, args: &SizeArgs, screen: &Screen) -> Result<u8, Failure> {
    if args.used >= 1.0 {
        return Err(Failure::usage(
            "SIZE",
            "--used is below 1 here: no queue of a full fleet ends",
        ));
    }
    let fleet = Fleet { instances: instances as usize, cores: args.cores.into(), busy: args.used };
    let mut rows = Vec::new();
    for balance in Balance::ALL {
        for trouble in Trouble::ALL {
            let times = times(costs, &fleet, balance, trouble, args.seed);
            rows.push(Row { balance, trouble, times });
        }
    }
    if args.json {
        screen.out(&format!("{}\n", json::value(&rows)?))?;
        return Ok(0);
    }
    let mut table = Table::new(&[
        ("spread by", Align::Left),
        ("p50 ms", Align::Right),
        ("p99", Align::Right),
        ("slow ones: p50", Align::Right),
        ("p99", Align::Right),
        ("a third lost: p50", Align::Right),
        ("p99", Align::Right),
    ]);
    for (balance, of) in Balance::ALL.into_iter().zip(rows.chunks(Trouble::ALL.len())) {
        let times = of.iter().flat_map(|row| [row.times.p50_ms, row.times.p99_ms]);
        let cells = times.map(|ms| format!("{ms:.0}").into());
        table.row(std::iter::once(balance.in_words().into()).chain(cells).collect());
    }
    let table = table.render(screen.width(), screen.paint(true));
    screen.out(&format!(
        "{table}\n{instances} instances of {} cores, {:.0} % busy while nothing is wrong\n",
        args.cores,
        100.0 * args.used
    ))?;
    Ok(0)
}
