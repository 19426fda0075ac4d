//! What is wrong with a request, field by field.

use std::fmt;

/// One field that breaks its rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Path of the field by its proto names: `device.capabilities.max_image.width`.
    pub field: String,
    /// What is wrong with it; lower case.
    pub description: String,
}

/// An invalid request: every violation found, at least one.
#[derive(Clone, Debug, Default, PartialEq, Eq, thiserror::Error)]
pub struct BadRequest {
    /// The fields at fault.
    pub violations: Vec<Violation>,
}

impl fmt::Display for BadRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bad request")?;
        for (i, violation) in self.violations.iter().enumerate() {
            let separator = if i == 0 { ": " } else { "; " };
            write!(f, "{separator}`{}` {}", violation.field, violation.description)?;
        }
        Ok(())
    }
}

/// Violations that are recorded past this number would only swell the answer.
const MAX_VIOLATIONS: usize = 32;

impl BadRequest {
    /// One violation.
    pub fn of(field: &str, description: &str) -> Self {
        let mut bad = Self::default();
        bad.add(field, description);
        bad
    }

    /// Records a violation.
    pub(super) fn add(&mut self, field: impl Into<String>, description: impl Into<String>) {
        if self.violations.len() < MAX_VIOLATIONS {
            let (field, description) = (field.into(), description.into());
            self.violations.push(Violation { field, description });
        }
    }

    /// Takes over the violations of a nested message that stands in `field`.
    pub(super) fn nest<T>(&mut self, field: &str, result: Result<T, Self>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(nested) => {
                for violation in nested.violations {
                    self.add(format!("{field}.{}", violation.field), violation.description);
                }
                None
            }
        }
    }

    /// `Err` with all that was recorded, or `value`.
    pub(super) fn finish<T>(self, value: Option<T>) -> Result<T, Self> {
        match value {
            Some(value) if self.violations.is_empty() => Ok(value),
            _ => Err(self),
        }
    }
}
