//! The system calls of a job. All others end it.
//!
//! Two filters, of which the stricter answer counts: the first answers with an error what
//! libraries try and can do without; the second allows what is listed and kills for the rest.

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen as Length, SeccompCmpOp as Compare,
    SeccompCondition, SeccompFilter, SeccompRule, TargetArch,
};

/// Allowed whatever the arguments.
const ALLOWED: &[libc::c_long] = &[
    // The job's socket.
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_recvfrom,
    libc::SYS_sendto,
    libc::SYS_close,
    libc::SYS_lseek,
    // Memory; what makes it executable is below.
    libc::SYS_brk,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    // Threads of a decoder, and their locks.
    libc::SYS_futex,
    libc::SYS_set_robust_list,
    libc::SYS_rseq,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_gettid,
    libc::SYS_getpid,
    // Clocks. Sleeping is harmless: the host looks at its own clock.
    libc::SYS_clock_gettime,
    libc::SYS_clock_getres,
    libc::SYS_gettimeofday,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
    libc::SYS_restart_syscall,
    // Seeds of hash tables.
    libc::SYS_getrandom,
    // How many processors, how much memory.
    libc::SYS_sysinfo,
    libc::SYS_uname,
    // Ending, by itself or by `abort`.
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack,
];

/// Answered with an error: what a library asks in passing.
const REFUSED: &[(libc::c_long, i32)] = &[
    // Files: configuration, character sets, /proc and /sys. There are none.
    (libc::SYS_openat, libc::EACCES),
    (libc::SYS_readlinkat, libc::EACCES),
    (libc::SYS_faccessat, libc::EACCES),
    (libc::SYS_faccessat2, libc::EACCES),
    (libc::SYS_newfstatat, libc::EACCES),
    (libc::SYS_statx, libc::EACCES),
    (libc::SYS_fstat, libc::EACCES),
    (libc::SYS_getcwd, libc::EACCES),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_open, libc::EACCES),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_readlink, libc::EACCES),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_access, libc::EACCES),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_stat, libc::EACCES),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_lstat, libc::EACCES),
    // Whether a descriptor is a terminal.
    (libc::SYS_ioctl, libc::ENOTTY),
    // Its structure cannot be looked into by a filter: the C library falls back to `clone`.
    (libc::SYS_clone3, libc::ENOSYS),
    // Where memory lies on big machines.
    (libc::SYS_get_mempolicy, libc::ENOSYS),
    (libc::SYS_set_mempolicy, libc::ENOSYS),
    (libc::SYS_mbind, libc::ENOSYS),
    (libc::SYS_membarrier, libc::ENOSYS),
    // The standard library asks whether descriptors are open.
    (libc::SYS_fcntl, libc::EPERM),
];

fn text(error: impl std::fmt::Display) -> String {
    format!("system-call filter: {error}")
}

fn condition(argument: u8, compare: Compare, value: u64) -> Result<SeccompCondition, String> {
    SeccompCondition::new(argument, Length::Qword, compare, value).map_err(text)
}

fn rule(conditions: Vec<SeccompCondition>) -> Result<SeccompRule, String> {
    SeccompRule::new(conditions).map_err(text)
}

/// The filters in the order in which they are put in force.
pub(super) fn programs() -> Result<Vec<BpfProgram>, String> {
    let mut programs = Vec::new();
    let mut by_error: BTreeMap<i32, BTreeMap<i64, Vec<SeccompRule>>> = BTreeMap::new();
    for (call, errno) in REFUSED {
        by_error.entry(*errno).or_default().insert(*call, Vec::new());
    }
    for (errno, rules) in by_error {
        let answer = SeccompAction::Errno(errno as u32);
        programs.push(compile(rules, SeccompAction::Allow, answer)?);
    }
    programs.push(compile(allowed()?, SeccompAction::KillProcess, SeccompAction::Allow)?);
    Ok(programs)
}

fn compile(
    rules: BTreeMap<i64, Vec<SeccompRule>>,
    otherwise: SeccompAction,
    listed: SeccompAction,
) -> Result<BpfProgram, String> {
    let arch = TargetArch::try_from(std::env::consts::ARCH).map_err(text)?;
    let filter = SeccompFilter::new(rules, otherwise, listed, arch).map_err(text)?;
    filter.try_into().map_err(text)
}

/// The list, with conditions where an argument makes the difference.
fn allowed() -> Result<BTreeMap<i64, Vec<SeccompRule>>, String> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
    for call in ALLOWED.iter().chain(REFUSED.iter().map(|(call, _)| call)) {
        rules.insert(*call, Vec::new());
    }
    // No memory that can be executed: all code was there before the input.
    let exec = libc::PROT_EXEC as u64;
    let plain = || rule(vec![condition(2, Compare::MaskedEq(exec), 0)?]);
    rules.insert(libc::SYS_mmap, vec![plain()?]);
    rules.insert(libc::SYS_mprotect, vec![plain()?]);
    // Threads, never processes.
    let thread = (libc::CLONE_THREAD | libc::CLONE_VM) as u64;
    rules.insert(
        libc::SYS_clone,
        vec![rule(vec![condition(0, Compare::MaskedEq(thread), thread)?])?],
    );
    // Limits are read with a null pointer for the new one.
    rules.insert(libc::SYS_prlimit64, vec![rule(vec![condition(2, Compare::Eq, 0)?])?]);
    // Threads are given names.
    let name = libc::PR_SET_NAME as u64;
    rules.insert(libc::SYS_prctl, vec![rule(vec![condition(0, Compare::Eq, name)?])?]);
    // To whom is in the filter of `own_signals`, which knows the process.
    rules.insert(libc::SYS_tgkill, Vec::new());
    Ok(rules)
}

/// Kills for a signal to any other process: `abort` sends its own to itself.
pub(super) fn own_signals(pid: u32) -> Result<BpfProgram, String> {
    let others = rule(vec![condition(0, Compare::Ne, pid.into())?])?;
    let rules = BTreeMap::from([(libc::SYS_tgkill, vec![others])]);
    compile(rules, SeccompAction::Allow, SeccompAction::KillProcess)
}
