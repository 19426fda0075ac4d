//! (capacity)
