# Build:  docker build -t mmsfit .
# Run:    docker run --init --read-only --cap-drop=ALL -p 50051:50051 mmsfit
#
# The service needs no writable path, no capability and no root. Reports and devices of your own are
# mounted read-only and named in the configuration. The worker confines its processes by itself
# (seccomp, limits, landlock): it needs no capability for that, and refuses to run where it cannot.

FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN scripts/setup.sh build
# Each by itself: built together, the worker would get the server's features of what both use.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --release --locked -p mmsfit \
    && cargo build --release --locked -p mmsfit-worker \
    && install -D -m 0755 -s target/release/mmsfit /out/mmsfit \
    && install -D -m 0755 -s target/release/mmsfit-worker /out/mmsfit-worker

# The codec libraries of the worker (GPL and LGPL: see README) make this a Debian image.
FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends libavcodec-extra libavformat-extra libswscale6 libswresample4 libheif1 \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /out/mmsfit /out/mmsfit-worker /usr/local/bin/
COPY LICENSE-APACHE LICENSE-MIT /usr/share/doc/mmsfit/
USER 65532:65532
EXPOSE 50051
ENTRYPOINT ["/usr/local/bin/mmsfit"]
CMD ["serve", "--listen", "0.0.0.0:50051"]
