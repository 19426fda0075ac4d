//! (grpc)
