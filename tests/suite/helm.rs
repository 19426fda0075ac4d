//! The Helm chart, through a real Helm: what it gives without any value is what the manifests for
//! kustomize are, and values come to what they say.

use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
};

use serde_json::{Value, json};

use crate::support::need;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const CHART: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/helm/mmsfit");

/// Runs Helm; `None` where it cannot be had.
#[track_caller]
fn helm(what: &str, options: &[&str]) -> Option<Output> {
    let script = Path::new(ROOT).join("tests/python/run.sh");
    let mut command = Command::new("sh");
    command.arg(script).args(["chart.py", what, CHART]).args(options).stdin(Stdio::null());
    let output = command.output().expect("sh runs");
    if output.status.code() == Some(77) {
        need::missing("python", String::from_utf8_lossy(&output.stderr));
        return None;
    }
    Some(output)
}

/// The documents that it gives, by their kinds.
#[track_caller]
fn rendered(options: &[&str]) -> Option<Value> {
    let output = helm("template", options)?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let all: Vec<Value> = serde_json::from_slice(&output.stdout).expect("JSON");
    let by_kind = all.into_iter().map(|it| (it["kind"].as_str().expect("a kind").to_owned(), it));
    Some(Value::Object(by_kind.collect()))
}

/// A document of the manifests.
fn manifest(name: &str) -> Value {
    const READ: &str = "import json, sys, yaml; print(json.dumps(yaml.safe_load(sys.stdin)))";
    let file = Path::new(ROOT).join(format!("deploy/kubernetes/{name}.yaml"));
    let file = fs::File::open(file).expect("it is there");
    let read = Command::new("python3").args(["-c", READ]).stdin(file).output().expect("python3");
    assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    serde_json::from_slice(&read.stdout).expect("JSON")
}

/// Without what tells releases apart.
fn bare(mut of: Value) -> Value {
    match &mut of {
        Value::Object(fields) => {
            // Labels that Helm's own customs add; kustomize adds its label elsewhere.
            for label in ["instance", "version", "managed-by"] {
                fields.remove(&format!("app.kubernetes.io/{label}"));
            }
            fields.remove("helm.sh/chart");
            fields.remove("checksum/config");
            fields.values_mut().for_each(|value| *value = bare(value.take()));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| *item = bare(item.take())),
        _ => {}
    }
    of
}

#[test]
fn without_values_it_is_what_the_manifests_are() {
    let Some(chart) = rendered(&[]) else { return };
    for (kind, name) in [
        ("Service", "service"),
        ("HorizontalPodAutoscaler", "hpa"),
        ("PodDisruptionBudget", "poddisruptionbudget"),
        ("NetworkPolicy", "networkpolicy"),
    ] {
        assert_eq!(bare(chart[kind]["spec"].clone()), manifest(name)["spec"], "{kind}");
    }
    let account = &chart["ServiceAccount"]["automountServiceAccountToken"];
    assert_eq!(account, &manifest("serviceaccount")["automountServiceAccountToken"]);

    let mut deployment = bare(chart["Deployment"]["spec"].clone());
    let mut wanted = manifest("deployment")["spec"].clone();
    // kustomize gives the image its tag and the pods their label.
    let image = format!("mmsfit:{}", env!("CARGO_PKG_VERSION"));
    let container = "/template/spec/containers/0";
    let own = deployment.pointer_mut(container).expect("a container");
    assert_eq!(own["image"], image);
    own["image"] = json!("mmsfit");
    assert_eq!(
        own.as_object_mut().expect("fields").remove("imagePullPolicy"),
        Some(json!("IfNotPresent"))
    );
    wanted["template"]["metadata"]["labels"] = json!({"app.kubernetes.io/name": "mmsfit"});
    assert_eq!(deployment, wanted);

    let shipped = fs::read_to_string(Path::new(ROOT).join("deploy/kubernetes/mmsfit.toml"));
    let text = chart["ConfigMap"]["data"]["mmsfit.toml"].as_str().expect("a file");
    assert_eq!(text.trim_end(), shipped.expect("it is there").trim_end());

    // All select the pods.
    let pods = chart["Deployment"]["spec"]["template"]["metadata"]["labels"].as_object();
    let pods = pods.expect("labels");
    for pointer in [
        "/Deployment/spec/selector/matchLabels",
        "/Service/spec/selector",
        "/PodDisruptionBudget/spec/selector/matchLabels",
        "/NetworkPolicy/spec/podSelector/matchLabels",
    ] {
        let labels = chart.pointer(pointer).and_then(Value::as_object).expect(pointer);
        assert!(
            labels.len() == 2 && labels.iter().all(|(k, v)| pods.get(k) == Some(v)),
            "{pointer}"
        );
    }
}

#[test]
fn values_come_to_what_they_say() {
    let values = tempfile::NamedTempFile::with_suffix(".json").expect("a place");
    let given = json!({
        "config": "listen = \"0.0.0.0:50051\"\n",
        "secretName": "mmsfit-tls",
        "autoscaling": {"priceSeconds": "2"},
        "networkPolicy": {"egress": [{"ports": [{"protocol": "TCP", "port": 3310}]}]},
        "image": {"repository": "registry.example/mmsfit", "tag": "9"},
        "env": [{"name": "MMSFIT_LOG", "value": "info"}],
    });
    fs::write(values.path(), given.to_string()).expect("it is written");
    let path = values.path().to_string_lossy().into_owned();
    let Some(chart) = rendered(&["--values", &path]) else { return };
    let metric = &chart["HorizontalPodAutoscaler"]["spec"]["metrics"][1]["pods"];
    assert_eq!(metric["metric"]["name"], "mmsfit_price_seconds");
    assert_eq!(metric["target"]["averageValue"], "2");
    assert_eq!(chart["NetworkPolicy"]["spec"]["egress"], given["networkPolicy"]["egress"]);
    assert_eq!(chart["ConfigMap"]["data"]["mmsfit.toml"], given["config"]);
    let pod = &chart["Deployment"]["spec"]["template"]["spec"];
    assert_eq!(pod["containers"][0]["image"], "registry.example/mmsfit:9");
    assert_eq!(pod["containers"][0]["env"], given["env"]);
    assert_eq!(pod["volumes"][1]["secret"]["secretName"], "mmsfit-tls");

    let off = ["autoscaling.enabled", "networkPolicy.enabled", "podDisruptionBudget.enabled"];
    let off = off.map(|key| format!("--set={key}=false"));
    let off: Vec<&str> = off.iter().map(String::as_str).collect();
    let chart = rendered(&off).expect("it could be had");
    assert_eq!(chart.as_object().expect("kinds").len(), 4, "{chart}");
    assert_eq!(chart["Deployment"]["spec"]["replicas"], 3);
}

#[test]
fn it_is_sound_and_refuses_what_it_does_not_know() {
    let Some(linted) = helm("lint", &[]) else { return };
    assert!(linted.status.success(), "{}", String::from_utf8_lossy(&linted.stderr));
    for wrong in ["image.tgo=1", "replicas=0", "autoscaling.cpuUtilization=101"] {
        let refused = helm("template", &["--set", wrong]).expect("it could be had");
        assert_eq!(refused.status.code(), Some(1), "{wrong}");
        let told = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(told.contains("schema"), "{wrong}: {told}");
    }
    let chart = fs::read_to_string(Path::new(CHART).join("Chart.yaml")).expect("it is there");
    let version = format!("appVersion: \"{}\"", env!("CARGO_PKG_VERSION"));
    assert!(chart.contains(&version), "the chart is of another version");
}
