//! (fit)
