//! Names the system's libraries that have no binding crate.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-link-lib=dylib=heif");
}
