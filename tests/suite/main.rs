//! The acceptance tests: one program, since linking a program is most of what building one costs.
//! A single subject: `cargo test --test suite golden::`.

#[path = "../support/mod.rs"]
mod support;

mod batch;
mod batch_corpus;
mod batch_parquet;
mod cache;
mod carrier_schema;
mod cases;
mod ceilings;
mod cli;
mod cluster;
mod contract;
mod deploy;
mod determinism;
mod drawings;
mod fetching;
mod foretold;
mod fuzz;
mod golden;
mod grpc;
mod grpc_adapt;
mod headers;
mod helm;
mod hostile;
mod joint;
mod load;
mod mail;
mod many;
mod moving;
mod pdus;
mod pictures;
mod profiles;
mod properties;
mod proto_lint;
mod python_client;
mod random;
mod scanning;
mod security;
mod serving;
mod sharing;
mod size;
mod telemetry;
mod voice_notes;
mod whole;
mod words;
