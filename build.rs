//! Compiles `proto/` in pure Rust: no protoc. Leaves the descriptor set for reflection and tests.
//! The library alone has no protos.

use std::error::Error;

fn main() -> Result<(), Box<dyn Error>> {
    // The embedded packs of devices and carriers.
    println!("cargo:rerun-if-changed=profiles");
    #[cfg(feature = "server")]
    compile_protos()?;
    Ok(())
}

#[cfg(feature = "server")]
fn compile_protos() -> Result<(), Box<dyn Error>> {
    use std::path::PathBuf;

    use prost::Message as _;

    println!("cargo:rerun-if-changed=proto");
    let mut files: Vec<PathBuf> = std::fs::read_dir("proto/mmsfit/v1")?
        .map(|entry| entry.map(|e| e.path()))
        .collect::<Result<_, _>>()?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "proto"));
    files.sort();

    let descriptors = protox::compile(&files, ["proto"])?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("mmsfit_descriptor.bin"), descriptors.encode_to_vec())?;
    // `Bytes` for every bytes field: the message is a slice of the request's buffer, not a copy.
    tonic_prost_build::configure().bytes(".").compile_fds(descriptors)?;
    Ok(())
}
