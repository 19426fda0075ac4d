//! What is shipped to run the service: the configuration file tells what the code does, and manifests
//! name what is there.

use std::{
    collections::{BTreeSet, HashMap},
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use mmsfit::{
    config::{Config, ConfigError},
    policy::{Language, Policy, PolicySettings},
};
use serde_json::Value;

use crate::support::need;

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn shipped(path: &str) -> String {
    fs::read_to_string(repository(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Loads a text as a configuration file, without an environment.
fn load(text: &str) -> Result<Config, ConfigError> {
    let dir = tempfile::tempdir().expect("a place for it");
    let path = dir.path().join("mmsfit.toml");
    fs::write(&path, text).expect("it is written");
    Config::load(Some(&path), &HashMap::<String, String>::new())
}

/// The shipped file without the marks in front of what is commented out.
fn uncommented(marks: &[&str]) -> String {
    let text = shipped("deploy/mmsfit.toml");
    let bare = |line: &str| {
        let setting = |rest: &&str| rest.starts_with(|c: char| c.is_ascii_lowercase());
        let found = marks.iter().find_map(|mark| line.strip_prefix(mark).filter(setting));
        found.unwrap_or(line).to_owned()
    };
    text.lines().map(bare).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_shipped_configuration_is_the_default() {
    for text in [shipped("deploy/mmsfit.toml"), uncommented(&["#"])] {
        let config = load(&text).expect("it loads");
        let own = Config::default();
        assert_eq!((config.listen, config.admin_listen), (own.listen, own.admin_listen));
        assert_eq!(config.threads, own.threads);
        assert_eq!(config.max_request_bytes, own.max_request_bytes);
        assert_eq!(config.cache_bytes, own.cache_bytes);
        assert_eq!(config.devices_dirs, own.devices_dirs);
        assert_eq!(config.carriers_dirs, own.carriers_dirs);
        assert_eq!(config.uaprof_mirror_dir, own.uaprof_mirror_dir);
        assert_eq!(config.profile_fetch, own.profile_fetch);
        assert_eq!(config.scan, own.scan);
        assert_eq!(config.parse, own.parse);
        assert_eq!(config.decode, own.decode);
        assert_eq!(config.defaults, own.defaults);
        assert_eq!(config.worker, own.worker);
        assert_eq!(config.server, own.server);
        assert_eq!(Policy::of(&config.policy, None), Policy::default());
        for country in ["de", "jp", "us"] {
            let of = |settings| Policy::of(settings, Some(country));
            assert_eq!(of(&config.policy), of(&own.policy));
        }
        let stated = [config.policy.notice.is_some(), config.policy.margin.is_some()];
        if stated != [false, false] {
            assert_eq!(config.policy.notice.unwrap_or_default(), Default::default());
            assert_eq!(config.policy.margin.unwrap_or_default(), Default::default());
            assert!(config.policy.refuse.as_ref().is_none_or(Vec::is_empty));
        }
        assert_eq!(config.policy.allow, None);
    }
    let stated = load(&uncommented(&["#"])).expect("it loads").policy.stated;
    assert!(stated.len() >= 25, "{stated:?}");
}

#[test]
fn the_examples_in_it_are_valid() {
    let config = load(&uncommented(&["#", "#> "])).expect("it loads");
    assert!(config.admin_listen.is_some() && config.threads == 4);
    assert!(config.policy.allow.is_some_and(|types| types.len() > 3));
    assert_ne!(config.defaults, Config::default().defaults);
}

/// The keys that the parser names where it meets one that it does not know; tables among them.
fn known(table: &str) -> Vec<String> {
    let header = if table.is_empty() { String::new() } else { format!("[{table}]\n") };
    match load(&format!("{header}no_such_key = 1\n")) {
        Err(ConfigError::Syntax { message, .. }) => {
            let quoted = message.split('`').skip(1).step_by(2);
            quoted.filter(|key| *key != "no_such_key").map(str::to_owned).collect()
        }
        other => panic!("{other:?}"),
    }
}

/// The keys that a file states, from the root on; those of tables without their own.
fn stated(text: &str) -> BTreeSet<String> {
    fn walk(prefix: &str, table: &toml::Table, found: &mut BTreeSet<String>) {
        for (key, value) in table {
            let key = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
            match value {
                toml::Value::Table(inner) => walk(&key, inner, found),
                _ => {
                    found.insert(key);
                }
            }
        }
    }
    let mut found = BTreeSet::new();
    walk("", &text.parse().expect("TOML"), &mut found);
    found
}

#[test]
fn it_has_every_key() {
    const TABLES: [&str; 9] = [
        "profile_fetch",
        "scan",
        "parse",
        "decode",
        "worker",
        "server",
        "tls",
        "tracing",
        "defaults",
    ];
    let top = known("");
    assert!(top.len() > 14 && TABLES.iter().all(|table| top.iter().any(|key| key == table)));
    let mut wanted = BTreeSet::new();
    for key in top {
        match key.as_str() {
            // Its keys have a table of their own.
            "policy" => {}
            table if TABLES.contains(&table) => {
                wanted.extend(known(table).iter().map(|key| format!("{table}.{key}")));
            }
            _ => {
                wanted.insert(key);
            }
        }
    }
    wanted.extend(PolicySettings::KEYS.iter().map(|key| format!("policy.{key}")));
    wanted.extend(Language::ALL.iter().map(|(_, code, _)| format!("policy.notices.{code}")));
    let has = stated(&uncommented(&["#", "#> "]));
    let missing: Vec<_> = wanted.difference(&has).collect();
    let unknown: Vec<_> = has.difference(&wanted).collect();
    assert!(missing.is_empty() && unknown.is_empty(), "missing {missing:?}, unknown {unknown:?}");
}

#[test]
fn the_table_of_settings_has_every_key() {
    let page = shipped("docs/operations.md");
    for key in stated(&uncommented(&["#", "#> "])) {
        // One row for all languages.
        let name = if key.starts_with("policy.notices.") { "policy.notices.en" } else { &key };
        assert!(page.contains(&format!("`{name}`")), "{key} is not in docs/operations.md");
    }
}

#[test]
fn the_command_prints_it() {
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mmsfit"));
        command.args(arguments).stdin(Stdio::null()).output().expect("it starts")
    };
    let printed = run(&["config", "--default"]);
    assert_eq!(printed.status.code(), Some(0));
    assert_eq!(String::from_utf8_lossy(&printed.stdout), shipped("deploy/mmsfit.toml"));
    assert_eq!(run(&["config"]).status.code(), Some(2));
}

/// The documents of YAML files by their path; `None` where there is no Python with PyYAML.
#[track_caller]
fn yaml() -> Option<HashMap<String, Vec<Value>>> {
    const READ: &str = "import json, pathlib, sys, yaml
root = pathlib.Path(sys.argv[1])
files = [p for p in root.rglob('*') if p.suffix in ('.yaml', '.yml') and 'helm' not in p.parts]
print(json.dumps({str(p.relative_to(root)): list(yaml.safe_load_all(p.read_text())) for p in files}))";
    let python =
        |arguments: &[&str]| Command::new("python3").args(arguments).stdin(Stdio::null()).output();
    match python(&["-c", "import yaml"]) {
        Ok(output) if output.status.success() => {}
        Ok(_) => {
            need::missing("python", "it has no PyYAML");
            return None;
        }
        Err(error) => {
            need::missing("python", error);
            return None;
        }
    }
    let root = repository("deploy");
    let read = python(&["-c", READ, &root.to_string_lossy()]).expect("it starts");
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    Some(serde_json::from_slice(&read.stdout).expect("JSON"))
}

/// The user and group that the image runs as.
fn user() -> (u64, u64) {
    let file = shipped("Dockerfile");
    let line = file.lines().find_map(|line| line.strip_prefix("USER ")).expect("a user");
    let (user, group) = line.split_once(':').expect("with a group");
    (user.parse().expect("a number"), group.parse().expect("a number"))
}

#[test]
fn kubernetes_names_what_is_there() {
    let Some(files) = yaml() else { return };
    let one = |name: &str| &files[&format!("kubernetes/{name}.yaml")][0];
    let kustomization = one("kustomization");
    for resource in kustomization["resources"].as_array().expect("resources") {
        assert!(files.contains_key(&format!("kubernetes/{}", resource.as_str().expect("a name"))));
    }
    assert_eq!(kustomization["images"][0]["newTag"], env!("CARGO_PKG_VERSION"));

    let config = load(&shipped("deploy/kubernetes/mmsfit.toml")).ok();
    // Without a worker beside the tests `worker.mode` is refused; the rest is looked at all the same.
    let text = shipped("deploy/kubernetes/mmsfit.toml").replace("\"required\"", "\"auto\"");
    let config = config.unwrap_or_else(|| load(&text).expect("it loads"));
    let ports = [config.listen.port(), config.admin_listen.expect("an admin port").port()];
    assert!(config.listen.ip().is_unspecified());

    let pod = &one("deployment")["spec"]["template"]["spec"];
    let container = &pod["containers"][0];
    let declared: Vec<_> = container["ports"].as_array().expect("ports").iter().collect();
    assert_eq!(declared[0]["containerPort"], ports[0]);
    assert_eq!(declared[1]["containerPort"], ports[1]);
    assert_eq!(container["livenessProbe"]["httpGet"]["path"], "/healthz");
    assert_eq!(container["readinessProbe"]["httpGet"]["path"], "/readyz");
    for probe in ["livenessProbe", "readinessProbe"] {
        assert_eq!(container[probe]["httpGet"]["port"], declared[1]["name"]);
    }
    assert_eq!(container["args"][0], "serve");
    assert_eq!(container["args"][2], container["volumeMounts"][0]["mountPath"]);
    let context = &pod["securityContext"];
    assert_eq!((context["runAsUser"].as_u64(), context["runAsGroup"].as_u64()), {
        let (user, group) = user();
        (Some(user), Some(group))
    });
    // `preStop` and the time that `serve` gives to calls.
    let grace = pod["terminationGracePeriodSeconds"].as_u64().expect("a time");
    let stop = container["lifecycle"]["preStop"]["exec"]["command"][1].as_str();
    assert!(grace > drain() + stop.expect("a time").parse::<u64>().expect("a number"));

    let service = &one("service")["spec"];
    assert_eq!(
        (&service["clusterIP"], &service["ports"][0]["port"]),
        (&"None".into(), &ports[0].into())
    );
    let policy = &one("networkpolicy")["spec"];
    for (at, port) in ports.iter().enumerate() {
        assert_eq!(policy["ingress"][at]["ports"][0]["port"], *port);
    }
    // All select the same pods.
    let labels = &one("deployment")["spec"]["selector"]["matchLabels"];
    assert_eq!(&kustomization["labels"][0]["pairs"], labels);
    assert_eq!(&service["selector"], labels);
    assert_eq!(&policy["podSelector"]["matchLabels"], labels);
    assert_eq!(&one("poddisruptionbudget")["spec"]["selector"]["matchLabels"], labels);
}

/// Runs the command with the arguments of a container.
fn batch(container: &Value, mend: impl Fn(&str) -> String) -> std::process::Output {
    let arguments = container["args"].as_array().expect("arguments");
    let arguments = arguments.iter().map(|argument| mend(argument.as_str().expect("a text")));
    let mut command = Command::new(env!("CARGO_BIN_EXE_mmsfit"));
    command.args(arguments).stdin(Stdio::null());
    for variable in container["env"].as_array().into_iter().flatten() {
        let text = |key: &str| variable[key].as_str().expect("a text").to_owned();
        command.env(text("name"), mend(&text("value")));
    }
    command.output().expect("it starts")
}

#[test]
fn jobs_of_batches_name_what_is_there() {
    let Some(files) = yaml() else { return };
    let one = |name: &str| &files[&format!("keda/{name}.yaml")][0]["spec"];
    let scaled = one("scaledjob");
    let indexed = one("indexed-job");
    for pod in [&scaled["jobTargetRef"]["template"]["spec"], &indexed["template"]["spec"]] {
        let container = &pod["containers"][0];
        assert_eq!(container["image"], format!("mmsfit:{}", env!("CARGO_PKG_VERSION")));
        let context = &pod["securityContext"];
        let stated = (context["runAsUser"].as_u64(), context["runAsGroup"].as_u64());
        assert_eq!(stated, (Some(user().0), Some(user().1)));
    }

    // The queue has the names that the code gives it.
    let code = shipped("src/batch/cluster/queue.rs");
    let container = &scaled["jobTargetRef"]["template"]["spec"]["containers"][0];
    let trigger = &scaled["triggers"][0]["metadata"];
    let job =
        container["env"].as_array().and_then(|all| all.iter().find(|v| v["name"] == "MMSFIT_JOB"));
    let job = job.expect("a job")["value"].as_str().expect("a name");
    assert!(code.contains("format!(\"MMSFIT_{}\", self.job)"));
    assert_eq!(trigger["stream"], format!("MMSFIT_{job}"));
    let consumer = trigger["consumer"].as_str().expect("a name");
    assert!(code.contains(&format!("const WORKERS: &str = \"{consumer}\"")));
    // Its arguments are understood: what fails is the connection.
    let ended = batch(container, |text| text.replace("nats.nats.svc:4222", "127.0.0.1:1"));
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(said.contains("the queue does not answer"), "{said}");

    // A shard of nothing.
    let shards = indexed["completions"].as_u64().expect("a number");
    assert_eq!(indexed["completionMode"], "Indexed");
    let dir = tempfile::tempdir().expect("a place for it");
    let (input, output) = (dir.path().join("in"), dir.path().join("out"));
    fs::create_dir(&input).expect("it is made");
    let ended = batch(&indexed["template"]["spec"]["containers"][0], |text| match text {
        "/in" => input.to_string_lossy().into_owned(),
        "/out" => output.to_string_lossy().into_owned(),
        _ => text.replace("$(JOB_COMPLETION_INDEX)", &(shards - 1).to_string()),
    });
    assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
    let last = format!(".mmsfit/shard-{}-of-{shards}/report.jsonl", shards - 1);
    assert!(output.join(last).exists());
}

/// Seconds that `serve` gives to calls at work, as the code has it.
fn drain() -> u64 {
    let code = shipped("src/grpc/serve.rs");
    let from = "const DRAIN: Duration = Duration::from_secs(";
    let rest = code.split_once(from).expect("it is there").1;
    rest.split_once(')').expect("it ends").0.parse().expect("a number")
}

#[test]
fn compose_names_what_is_there() {
    let Some(files) = yaml() else { return };
    let services = &files["compose/docker-compose.yml"][0]["services"];
    let service = &services["mmsfit"];
    let (user, group) = user();
    assert_eq!(service["user"], format!("{user}:{group}"));
    assert_eq!(service["image"], format!("mmsfit:{}", env!("CARGO_PKG_VERSION")));
    assert_eq!(service["read_only"], true);
    let grace = service["stop_grace_period"].as_str().and_then(|time| time.strip_suffix('s'));
    assert!(grace.expect("seconds").parse::<u64>().expect("a number") > drain());
    // What its variables come to.
    let variables = service["environment"].as_object().expect("variables");
    let mut environment: HashMap<String, String> = variables
        .iter()
        .map(|(name, value)| (name.clone(), value.as_str().expect("a text").to_owned()))
        .collect();
    environment.remove("MMSFIT_WORKER_MODE");
    let config = Config::load(Some(&repository("deploy/mmsfit.toml")), &environment);
    let config = config.expect("it loads");
    let admin = config.admin_listen.expect("an admin port").port();
    let port = config.listen.port();
    assert_eq!(service["ports"][0], format!("127.0.0.1:{port}:{port}"));
    let target = &files["compose/prometheus.yml"][0]["scrape_configs"][0];
    assert_eq!(target["static_configs"][0]["targets"][0], format!("mmsfit:{admin}"));
    // The rules ask for the name of the job.
    let job = target["job_name"].as_str().expect("a name");
    assert!(shipped("deploy/prometheus/rules.yml").contains(&format!("job=\"{job}\"")));
    for service in ["mmsfit", "prometheus", "grafana"] {
        for volume in services[service]["volumes"].as_array().expect("volumes") {
            let from = volume.as_str().and_then(|text| text.split(':').next()).expect("a source");
            let there = repository("deploy/compose").join(from).exists();
            assert!(there || !from.starts_with('.'), "{service}: {from} is not there");
        }
    }
}

#[test]
fn the_unit_names_what_is_there() {
    let unit = shipped("deploy/systemd/mmsfit.service");
    let value = |key: &str| {
        let found = unit.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        found.unwrap_or_else(|| panic!("{key} is not there"))
    };
    // Where the image has the program, too.
    let entry = shipped("Dockerfile");
    let program = value("ExecStart").split(' ').next().expect("a program");
    assert!(entry.contains(&format!("ENTRYPOINT [\"{program}\"]")), "{program}");
    assert!(value("ExecStart").contains(" serve "));
    assert!(value("ExecReload").contains("-HUP"));
    assert!(value("TimeoutStopSec").parse::<u64>().expect("seconds") > drain());
    // SIGTERM to all of the group would end the workers of calls that may finish.
    assert_eq!(value("KillMode"), "mixed");
}

#[test]
fn the_image_serves_on_the_port_that_it_exposes() {
    let file = shipped("Dockerfile");
    let port = file.lines().find_map(|line| line.strip_prefix("EXPOSE ")).expect("a port");
    assert_eq!(port, Config::default().listen.port().to_string());
    assert!(file.contains(&format!("\"--listen\", \"0.0.0.0:{port}\"")), "{file}");
}
