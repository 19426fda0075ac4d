//! What is handed from preparing to executing.

use crate::{
    pipeline::examine::Examined,
    plan::{PartFacts, Plan},
};

/// A planned job.
#[derive(Clone, Debug)]
pub struct Prepared {
    pub(in crate::pipeline) examined: Examined,
    pub(in crate::pipeline) plan: Plan,
}

impl Prepared {
    /// What is known of the parts.
    pub fn facts(&self) -> &[PartFacts] {
        &self.examined.facts
    }

    /// What will be done.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }
}
