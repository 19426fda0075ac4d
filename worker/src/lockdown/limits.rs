//! Limits of resources, kept by the kernel.

#![allow(unsafe_code, reason = "calls libc and the kernel")]

use mmsfit::worker::protocol::JobLimits;

/// Descriptors a job may have open: three to nowhere and its socket.
const DESCRIPTORS: u64 = 4;

/// Sets them; soft and hard at once, so that they cannot be raised again.
pub(super) fn set(limits: JobLimits) -> Result<(), String> {
    let cpu = limits.cpu_seconds.max(1);
    for (resource, soft, hard, name) in [
        (libc::RLIMIT_AS, limits.memory_bytes, limits.memory_bytes, "address space"),
        // The first ends the job by SIGXCPU, which tells what happened; the second by SIGKILL.
        (libc::RLIMIT_CPU, cpu, cpu + 1, "CPU time"),
        (libc::RLIMIT_FSIZE, 0, 0, "file size"),
        (libc::RLIMIT_NOFILE, DESCRIPTORS, DESCRIPTORS, "descriptors"),
        (libc::RLIMIT_CORE, 0, 0, "core size"),
        (libc::RLIMIT_MEMLOCK, 0, 0, "locked memory"),
        (libc::RLIMIT_MSGQUEUE, 0, 0, "message queues"),
    ] {
        let limit = libc::rlimit { rlim_cur: soft, rlim_max: hard };
        // SAFETY: `limit` lives through the call, which only reads it.
        if unsafe { libc::setrlimit(resource, &limit) } != 0 {
            return Err(format!("limit of {name}: {}", std::io::Error::last_os_error()));
        }
    }
    Ok(())
}
