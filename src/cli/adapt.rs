//! `mmsfit adapt` and `mmsfit plan`.

use crate::{
    message::Form,
    model::{ContentClass, Stop},
    service::Service,
};

use super::{
    Failure,
    args::{AdaptArgs, DeviceArgs, FormArg, LimitArgs, PlanArgs, is_dash},
    html, json, matrix, output, previews,
    report::{self, Names, Tense},
    request,
    term::Screen,
};

/// Adapts one message, tells what was done, and writes the result if asked to.
pub fn adapt(service: &Service, args: &AdaptArgs, screen: &Screen) -> Result<u8, Failure> {
    let input = request::read_inputs(service, &args.input)?;
    let about = |failure: Failure| failure.about(&input.title);
    let mut request = request::build(input.content.clone(), &args.device, &args.limits)?;
    if let Some(form) = args.output_form {
        request.output_form = Some(match form {
            FormArg::Pdu => Form::MmsPdu,
            FormArg::Mime => Form::Mime,
        });
    }
    if let Some(path) = &args.output
        && !is_dash(path)
    {
        // An output that is the input is told before the work, not after it.
        output::target(path, &input, "mms")?;
    }
    let names = names(&args.device, &args.limits);
    let response =
        service.adapt(request, &Stop::never()).map_err(|error| about(Failure::from(error)))?;

    let written = match &args.output {
        Some(path) => {
            Some(output::write(path, &input, &response.content, &response.report, screen)?)
        }
        None => None,
    };
    if let Some(path) = &args.html {
        let parse = &service.config().parse;
        let pairs = previews::pairs(&input.content, &response.content, &response.report, parse);
        let page = html::page(&input.title, &response.report, &response.limits, names, &pairs);
        output::write_file(path, page.as_bytes())?;
    }

    let stdout = written.as_deref() != Some("-");
    if args.json {
        let value = json::adapted(&response, &input.title, written.as_deref())?;
        return screen.tell(stdout, &format!("{value}\n")).map(|()| 0);
    }
    let mut text = report::render(
        &response.report,
        &response.limits,
        Tense::Done,
        names,
        screen.width(),
        screen.paint(stdout),
    );
    match written.as_deref() {
        Some("-") => {}
        Some(file) => text.push_str(&format!("written to {}\n", super::safe::safe(file))),
        None => text.push_str("nothing written: say where with -o\n"),
    }
    screen.tell(stdout, &text)?;
    Ok(0)
}

/// Tells what `adapt` would do.
pub fn plan(service: &Service, args: &PlanArgs, screen: &Screen) -> Result<u8, Failure> {
    let input = request::read_inputs(service, &args.input)?;
    let request = request::build(input.content.clone(), &args.device, &args.limits)?;
    if args.matrix {
        return matrix::run(service, args, &request, &input.title, screen);
    }
    let response = service
        .plan(request, &Stop::never())
        .map_err(|error| Failure::from(error).about(&input.title))?;
    if args.json {
        screen.out(&format!("{}\n", json::planned(&response, &input.title)?))?;
        return Ok(0);
    }
    let names = names(&args.device, &args.limits);
    let mut text = report::render(
        &response.report,
        &response.limits,
        Tense::Planned,
        names,
        screen.width(),
        screen.paint(true),
    );
    text.push_str(&format!(
        "would cost about {:.0} ms of one core and {} of memory\n",
        response.cost_cpu_ms, response.cost_memory
    ));
    screen.out(&text)?;
    Ok(0)
}

/// Device and carrier as they were named on the command line.
fn names<'a>(device: &'a DeviceArgs, limits: &'a LimitArgs) -> Names<'a> {
    let class = device.class.map(ContentClass::name);
    let device = class.or(device.device.as_deref()).or(device.user_agent.as_deref());
    Names {
        device: device.unwrap_or_default(),
        carrier: limits.carrier.as_deref().unwrap_or_default(),
    }
}
