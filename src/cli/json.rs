//! Answers as JSON, with the names of the proto's JSON mapping.

use serde_json::{Value, json};

use crate::service::request::{AdaptResponse, PlanResponse};

use super::Failure;

/// `adapt --json`.
pub fn adapted(
    response: &AdaptResponse,
    file: &str,
    output: Option<&str>,
) -> Result<Value, Failure> {
    Ok(json!({
        "requestId": response.request_id,
        "file": file,
        "output": output,
        "report": value(&response.report)?,
        "limits": value(&response.limits)?,
    }))
}

/// `plan --json`.
pub fn planned(response: &PlanResponse, file: &str) -> Result<Value, Failure> {
    Ok(json!({
        "requestId": response.request_id,
        "file": file,
        "report": value(&response.report)?,
        "limits": value(&response.limits)?,
        "costCpuMs": response.cost_cpu_ms,
        "costMemoryBytes": response.cost_memory,
    }))
}

/// Anything that the model lets be written.
pub fn value(of: &impl serde::Serialize) -> Result<Value, Failure> {
    serde_json::to_value(of).map_err(|error| Failure::internal("JSON", error.to_string()))
}
