//! `mmsfit batch submit`, `worker`, `status`, `cancel`: options in, tables out.

use std::time::Duration;

use bytes::Bytes as Buffer;

use crate::{
    batch::{
        self, Progress, Select,
        cluster::{self, Access, ClusterError, Standing, Submission, WorkerOptions},
    },
    service::{Service, request::Content},
};

use super::{
    Failure,
    args::{CancelArgs, QueueArgs, StatusArgs, SubmitArgs, WorkerArgs},
    json, request,
    safe::safe,
    table::{Align, Cell, Table},
    term::{Screen, Tone},
};

/// Some items have no result.
const PARTLY: u8 = 5;

fn access(args: &QueueArgs) -> Access {
    Access {
        url: args.nats.clone(),
        credentials: args.nats_creds.clone(),
        authorities: args.nats_ca.clone(),
    }
}

fn told(error: ClusterError) -> Failure {
    Failure::fault(&error)
}

/// `mmsfit batch submit`.
pub fn submit(service: &Service, args: &SubmitArgs, screen: &Screen) -> Result<u8, Failure> {
    let nothing = Content::Bare { data: Buffer::new(), name: String::new() };
    let submission = Submission {
        input: args.input.clone(),
        output: args.output.clone(),
        manifest: args.manifest.clone(),
        select: Select {
            include: args.include.clone(),
            exclude: args.exclude.clone(),
            limit: args.limit,
            shard: None,
        },
        request: request::build(nothing, &args.device, &args.limits)?,
        on_cannot_fit: args.on_cannot_fit.into(),
        silent: Duration::from_secs(args.silent.into()),
        progress: if screen.is_watched() { Progress::Bar } else { Progress::Lines },
    };
    let queue = access(&args.queue);
    let done = cluster::submit(service, &queue, &args.queue.job, &submission).map_err(told)?;
    if args.json {
        screen.out(&format!("{}\n", json::value(&done)?))?;
    } else {
        let job = args.queue.job.as_str();
        screen.out(&format!("{job}: {} items, {} added now\n", done.total, done.added))?;
    }
    Ok(0)
}

/// `mmsfit batch worker`.
pub fn work(service: &Service, args: &WorkerArgs, screen: &Screen) -> Result<u8, Failure> {
    let options = WorkerOptions {
        jobs: args.jobs.map_or_else(|| service.config().threads, usize::from),
        memory: args.memory.unwrap_or_else(batch::default_memory),
        drain: args.drain,
    };
    let queue = access(&args.queue);
    let done = cluster::work(service, &queue, &args.queue.job, options).map_err(told)?;
    if args.json {
        screen.out(&format!("{}\n", json::value(&done)?))?;
    } else {
        screen.out(&format!(
            "{} items finished, {} of them into quarantine; {} given back\n",
            done.finished, done.quarantined, done.returned
        ))?;
    }
    Ok(0)
}

/// `mmsfit batch status`.
pub fn status(args: &StatusArgs, screen: &Screen) -> Result<u8, Failure> {
    let queue = access(&args.queue);
    let standing = cluster::status(&queue, &args.queue.job).map_err(told)?;
    if let Some(path) = &args.report {
        cluster::report(&queue, &args.queue.job, path).map_err(told)?;
    }
    if args.json {
        screen.out(&format!("{}\n", json::value(&standing)?))?;
    } else {
        screen.out(&table(&standing, screen))?;
    }
    let over = standing.waiting == 0 && standing.in_work == 0 && standing.submitted;
    Ok(if over && !standing.is_whole() { PARTLY } else { 0 })
}

/// `mmsfit batch cancel`.
pub fn cancel(args: &CancelArgs, screen: &Screen) -> Result<u8, Failure> {
    let queue = access(&args.queue);
    let purged = cluster::cancel(&queue, &args.queue.job, args.forget).map_err(told)?;
    screen.out(&format!("{}: {purged} items taken out\n", args.queue.job.as_str()))?;
    Ok(0)
}

fn table(standing: &Standing, screen: &Screen) -> String {
    let mut table = Table::new(&[("items", Align::Right), ("", Align::Left)]);
    let mut row = |count: u64, what: &str, tone| {
        if count > 0 {
            table.row(vec![Cell::toned(count.to_string(), tone), safe(what).into()]);
        }
    };
    for (status, count) in &standing.by_status {
        let tone = match status.as_str() {
            "done" | "unchanged" => Tone::Good,
            "failed" | "refused" => Tone::Bad,
            _ => Tone::Changed,
        };
        row(*count, status, tone);
    }
    for (reason, count) in &standing.by_reason {
        row(*count, &format!("of these: {reason}"), Tone::Faint);
    }
    row(standing.in_work, "in work", Tone::Changed);
    row(standing.waiting, "waiting", Tone::Changed);
    let table_end = if standing.submitted { "in all" } else { "in all; not all are in the queue" };
    row(standing.total, table_end, Tone::Strong);
    let mut page = table.render(screen.width(), screen.paint(true));
    page.push_str(&format!("\n{} → {}\n", safe(&standing.input), safe(&standing.output)));
    if standing.cancelled {
        page.push_str("cancelled\n");
    }
    if let (Some(rate), Some(left)) = (standing.per_second, standing.seconds_left) {
        page.push_str(&format!("{rate:.1} items/s, {left:.0} s to go\n"));
    }
    for worker in &standing.workers {
        page.push_str(&format!(
            "worker {}: {} of {} in work, {} finished\n",
            safe(&worker.name),
            worker.in_work,
            worker.jobs,
            worker.finished
        ));
    }
    page
}
