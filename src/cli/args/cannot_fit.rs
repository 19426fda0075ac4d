//! What is to become of what cannot be made to fit.

use clap::ValueEnum;

use crate::batch::OnCannotFit;

/// What to do with what cannot be made to fit, as written on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OnCannotFitArg {
    /// It counts as refused, and the exit code is 5
    Fail,
    /// The original is copied, over the limit or not, and the report says so
    Keep,
    /// It is left out, as if that were a result
    Drop,
}

impl From<OnCannotFitArg> for OnCannotFit {
    fn from(what: OnCannotFitArg) -> Self {
        match what {
            OnCannotFitArg::Fail => Self::Fail,
            OnCannotFitArg::Keep => Self::Keep,
            OnCannotFitArg::Drop => Self::Drop,
        }
    }
}
