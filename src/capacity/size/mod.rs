//! How many cores, how much memory, what it costs: reckoned from measured costs, by a simulation of the
//! service as it is.

pub mod fleet;
pub mod plan;
mod queue;
pub mod sim;

pub use plan::{Answer, Demand, Growth, plan};
pub use sim::{Machine, Simulated, simulate};
