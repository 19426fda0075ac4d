//! What work costs, whatever machine it is done on and whatever else is done there: the processor's
//! time of this thread, in units of a fixed piece of work that it has just done.
#![allow(dead_code, reason = "each program uses a part of this")]

use cpu_time::ThreadTime;

/// Does `work`. Its result and its cost: one unit is some 10 ms on a machine of 2026.
pub fn of<T>(work: impl FnOnce() -> T) -> (T, f64) {
    // The machine may change its pace: before and after, the slower one counts.
    let before = unit();
    let start = ThreadTime::now();
    let result = work();
    let took = start.elapsed().as_secs_f64();
    (result, took / before.max(unit()))
}

/// Seconds that a fixed piece of work takes: numbers by multiplication, and reads all over 1 MiB.
fn unit() -> f64 {
    const STEPS: usize = 1_500_000;
    let start = ThreadTime::now();
    let mut memory = vec![1_u32; 1 << 18];
    let mut state = 1_u64;
    for _ in 0..STEPS {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let at = (state >> 46) as usize;
        memory[at] = memory[at].wrapping_add(state as u32);
    }
    std::hint::black_box(memory);
    start.elapsed().as_secs_f64()
}
