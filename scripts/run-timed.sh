#!/bin/sh
# Runs a test program with the standard harness so that it tells the time of each test. Programs
# that are not tests (examples, the command) never come this way.
RUSTC_BOOTSTRAP=1 exec "$@" -Zunstable-options --report-time
