//! Landlock, where the kernel has it: no file system, no TCP, no signals to the outside.

#![allow(unsafe_code, reason = "calls libc and the kernel")]

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr, Scope,
};

/// The newest interface that this build knows.
const NEWEST: ABI = ABI::V6;

/// The kernel's version of the interface; 0 where there is none.
pub(super) fn version() -> u32 {
    const CREATE_RULESET_VERSION: libc::c_uint = 1;
    // SAFETY: with this flag the call takes no pointer and answers a number.
    let version = unsafe {
        libc::syscall(
            libc::SYS_landlock_create_ruleset,
            std::ptr::null::<libc::c_void>(),
            0usize,
            CREATE_RULESET_VERSION,
        )
    };
    u32::try_from(version).unwrap_or(0)
}

/// Denies all that the kernel can deny. Whether it did is found out by [`super::prove`].
pub(super) fn restrict() {
    let rules = || {
        Ruleset::default()
            .set_compatibility(CompatLevel::BestEffort)
            .handle_access(AccessFs::from_all(NEWEST))?
            .handle_access(AccessNet::from_all(NEWEST))?
            .scope(Scope::from_all(NEWEST))?
            .create()?
            .restrict_self()
    };
    let _: Result<_, landlock::RulesetError> = rules();
}
