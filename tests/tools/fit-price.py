#!/usr/bin/env python3
"""Fits the constants of src/service/price.rs to what Adapt paid.

    MMSFIT_ALL=1 cargo test --test suite foretold:: -- --nocapture > foretold.log
    tests/tools/fit-price.py foretold.log

Each line `price,...` of the log is one fit: kind, type, pixels, frames, milliseconds and bytes of the
source, pixels and codec of the output, encodes, planned and paid milliseconds of CPU. Prints, for each
type, the constants (fixed, megabytes, megapixels of all frames of the source, of the output, seconds)
of least error in the logarithm, and price over cost at the 10th, 50th and 90th percentile.
"""
import math
import random
import sys


def rows(path):
    for line in open(path):
        if line.startswith("price,"):
            kind, media, px, frames, ms, size, out, _, _, _, paid = line.strip().split(",")[1:]
            frames = max(1, int(frames))
            px, out = int(px) / 1e6, int(out) / 1e6
            features = [1.0, int(size) / 1e6, px * frames, out * frames, int(ms) / 1e3]
            yield (kind, media), features, float(paid)


def price(constants, features):
    return max(0.5, sum(a * b for a, b in zip(constants, features)))


def fit(samples, rounds=4000):
    def loss(constants):
        return sum(abs(math.log(price(constants, f) / paid)) ** 1.5 for f, paid in samples)

    constants = [1.0] * len(samples[0][0])
    least = loss(constants)
    dice = random.Random(1)
    for _ in range(rounds):
        other = constants[:]
        at = dice.randrange(len(other))
        other[at] = max(0.0, other[at] * math.exp(dice.gauss(0, 0.5)) + dice.choice([0, 0, dice.gauss(0, 1)]))
        found = loss(other)
        if found < least:
            least, constants = found, other
    return constants


def main():
    by_type = {}
    for key, features, paid in rows(sys.argv[1]):
        by_type.setdefault(key, []).append((features, paid))
    for key, samples in sorted(by_type.items()):
        constants = fit(samples)
        ratios = sorted(price(constants, f) / paid for f, paid in samples)
        at = [ratios[int(share * (len(ratios) - 1))] for share in (0.1, 0.5, 0.9)]
        shown = " ".join(f"{c:8.1f}" for c in constants)
        print(f"{key[0]:6} {key[1]:20} {len(samples):5} {shown}   " + " ".join(f"{r:.2f}" for r in at))


main()
