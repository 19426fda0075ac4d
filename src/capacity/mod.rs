//! What messages cost on this machine: for those who size clusters.

pub mod bench;
pub mod costs;
pub mod load;
pub mod size;
