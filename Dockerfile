# Build:  docker build -t mmsfit .
# Run:    docker run --read-only --cap-drop=ALL -p 50051:50051 mmsfit
#
# The service needs no writable path, no capability and no root. Reports and devices of your own are
# mounted read-only and named in the configuration.

FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked --bin mmsfit \
    && install -D -m 0755 -s target/release/mmsfit /out/mmsfit

# glibc, its loader and libgcc, a non-root user; no shell, no package manager.
FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /out/mmsfit /usr/local/bin/mmsfit
COPY LICENSE-APACHE LICENSE-MIT /usr/share/doc/mmsfit/
USER nonroot:nonroot
EXPOSE 50051
ENTRYPOINT ["/usr/local/bin/mmsfit"]
CMD ["serve", "--listen", "0.0.0.0:50051"]
