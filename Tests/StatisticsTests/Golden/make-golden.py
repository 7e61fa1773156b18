#!/usr/bin/env python3
"""Writes golden.json: what SciPy, NumPy, Datadog's ddsketch and brute force say.

    pip install numpy==2.4.6 scipy==1.17.1 ddsketch==3.0.1
    python3 make-golden.py

Deterministic: all randomness comes from the seeds below. Nothing here follows the algorithms of the library
under test: where no package has a figure, it is enumerated or counted in whole numbers.

On two-sided p-values: scipy.stats.permutation_test defines its two-sided p-value as twice the smaller of the
one-sided ones, at most 1, which is what the library does. scipy.stats.mannwhitneyu doubles the tail of the
larger U, which is the same where the null distribution is symmetric (no ties) or taken as normal.
"""

import functools
import itertools
import json
import math
import os
import sys

import ddsketch
import numpy as np
import scipy
from scipy import stats
from scipy.special import ndtr, ndtri

rng = np.random.default_rng(20240607)
sys.setrecursionlimit(10_000)  # arrangements() goes as deep as both sides together


def lognormal(n, median=30000.0, spread=0.1):
    """Positive values of six digits or so."""
    return np.round(median * np.exp(spread * rng.standard_normal(n)), 3)


def tied(n, low, high):
    """Whole numbers, hence ties."""
    return rng.integers(low, high, n).astype(float)


def floats(values):
    return [float(v) for v in values]


def normal_cases():
    p = [1e-300, 1e-100, 1e-20, 1e-10, 1e-6, 1e-4, 0.001, 0.01, 0.025, 0.05, 0.07499, 0.075, 0.1, 0.25, 0.4, 0.5]
    p += [0.6, 0.75, 0.9, 0.925, 0.9251, 0.95, 0.975, 0.99, 0.999, 0.9999, 1 - 1e-10]
    p += floats(np.round(rng.uniform(0, 1, 40), 6))
    x = [-37.0, -20.0, -8.0, -5.5, -3.0, -1.96, -1.0, -0.1, 0.0, 0.3, 1.0, 2.5, 4.0, 8.0]
    return {"p": p, "quantile": floats(ndtri(p)), "x": x, "cdf": floats(ndtr(x))}


def summary_cases():
    samples = [lognormal(1), lognormal(2), lognormal(3), tied(10, 0, 4), lognormal(11), lognormal(100)]
    samples += [1e9 + tied(50, 0, 5), np.full(7, 33813.703)]
    levels = [0, 0.01, 0.25, 0.3, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1]
    return [
        {
            "values": floats(s),
            "levels": levels,
            "quantiles": floats(np.quantile(s, levels, method="linear")),
            "mean": float(np.mean(s.astype(np.longdouble))),
            "standardDeviation": float(np.std(s.astype(np.longdouble), ddof=1)) if len(s) > 1 else None,
        }
        for s in samples
    ]


def midrank_sum(x, y, axis=-1):
    ranks = stats.rankdata(np.concatenate([x, y], axis=axis), axis=axis)
    return np.sum(ranks[..., : x.shape[-1]], axis=axis)


def permutation_p(x, y):
    result = stats.permutation_test(
        (x, y), midrank_sum, permutation_type="independent", n_resamples=np.inf, vectorized=True,
        alternative="two-sided", axis=-1)
    assert len(result.null_distribution) == math.comb(len(x) + len(y), len(x)), "not exhaustive"
    return float(result.pvalue)


def counted_p(x, y):
    """Counts, in whole numbers, the choices by their doubled midrank sum, value by value."""
    ranks = [int(r) for r in 2 * stats.rankdata(np.concatenate([x, y]))]
    n = len(x)
    top = sum(sorted(ranks)[-n:])
    ways = np.zeros((n + 1, top + 1), dtype=object)
    ways[0, 0] = 1
    for r in ranks:
        for k in range(n, 0, -1):
            ways[k, r:] = ways[k, r:] + ways[k - 1, : top + 1 - r]
    observed = sum(ranks[:n])
    total = math.comb(len(ranks), n)
    row = ways[n]
    assert sum(row) == total
    lower, upper = sum(row[: observed + 1]), sum(row[observed:])
    return min(1.0, 2 * min(lower, upper) / total)


def cliffs_delta(x, y):
    pairs = np.sign(np.subtract.outer(x, y))
    return float(pairs.mean())


def u_statistic(x, y):
    pairs = np.sign(np.subtract.outer(x, y))
    return float((pairs + 1).sum() / 2)


def test_case(method, x, y, p):
    return {
        "method": method, "first": floats(x), "second": floats(y), "u": u_statistic(x, y), "pValue": float(p),
        "cliffsDelta": cliffs_delta(x, y)}


def mann_whitney_cases():
    cases = []
    for n, m in [(1, 1), (1, 3), (2, 2), (3, 2), (4, 4), (5, 5), (4, 7), (7, 3), (7, 7), (8, 6)]:
        for low, high in [(0, 2), (0, 4), (0, 30)]:
            x, y = tied(n, low, high), tied(m, low, high) + rng.integers(0, 2)
            if min(n, m) == 1:  # which permutation_test refuses
                cases.append(test_case("counted", x, y, counted_p(x, y)))
            else:
                p = permutation_p(x, y)
                assert math.isclose(p, counted_p(x, y), rel_tol=1e-12)
                cases.append(test_case("permutation", x, y, p))
    x = np.array([1.0, 1, 1, 2])
    y = np.array([2.0, 3, 3, 3, 3])
    cases.append(test_case("permutation", x, y, permutation_p(x, y)))
    cases.append(test_case("permutation", x, np.ones(3), permutation_p(x, np.ones(3))))
    for n, m in [(2, 9), (10, 10), (20, 35), (50, 50), (50, 49)]:
        for shift in [1.0, 1.03, 1.15]:
            x, y = lognormal(n) * shift, lognormal(m)
            assert len(set(floats(x) + floats(y))) == n + m
            p = stats.mannwhitneyu(x, y, alternative="two-sided", method="exact").pvalue
            cases.append(test_case("exact", x, y, p))
    x, y = lognormal(3) * 1.2, lognormal(400)
    cases.append(test_case("exact", x, y, stats.mannwhitneyu(x, y, method="exact").pvalue))
    for n, m, span, shift in [(50, 50, 3, 0), (50, 50, 12, 2), (50, 50, 60, 25), (30, 45, 25, -6), (49, 20, 8, 1)]:
        x, y = tied(n, 0, span), tied(m, 0, span) + shift
        cases.append(test_case("counted", x, y, counted_p(x, y)))
    for n, m in [(51, 60), (120, 300), (2000, 1500)]:
        for x, y in [(lognormal(n), lognormal(m) * 1.02), (tied(n, 0, 15), tied(m, 1, 15))]:
            p = stats.mannwhitneyu(x, y, alternative="two-sided", method="asymptotic", use_continuity=True).pvalue
            cases.append(test_case("asymptotic", x, y, p))
    return cases


@functools.lru_cache(maxsize=None)
def arrangements(n, m):
    """By U, the number of arrangements of n and m values: whether the largest value is of the first sample."""
    if n == 0 or m == 0:
        return (1,)
    counts = [0] * (n * m + 1)
    for u, c in enumerate(arrangements(n - 1, m)):
        counts[u + m] += c
    for u, c in enumerate(arrangements(n, m - 1)):
        counts[u] += c
    return tuple(counts)


def enumerated(n, m):
    """The same by listing every arrangement; for small sizes, as a check of the recurrence."""
    counts = [0] * (n * m + 1)
    for chosen in itertools.combinations(range(n + m), n):
        counts[sum(chosen) - n * (n - 1) // 2] += 1
    return tuple(counts)


def hodges_lehmann_cases():
    for n, m in [(1, 1), (2, 3), (4, 4), (5, 3)]:
        assert arrangements(n, m) == enumerated(n, m)
    cases = []
    sizes = [(1, 2), (2, 2), (1, 39), (1, 40), (3, 3), (3, 4), (4, 4), (5, 5), (4, 9), (12, 7), (30, 50), (50, 50)]
    for n, m in sizes:
        for alpha in [0.05, 0.01, 0.001, 0.2]:
            for x, y in [(lognormal(n), lognormal(m)), (tied(n, 0, 9), tied(m, 0, 12))]:
                differences = np.sort(np.subtract.outer(x, y), axis=None)
                counts = arrangements(n, m)
                total = math.comb(n + m, n)
                c, below = 0, 0
                while 2 * (below + counts[c]) <= alpha * total and 2 * (c + 1) <= n * m + 1:
                    below += counts[c]
                    c += 1
                decisive = c >= 1
                c = max(1, c)
                confidence = 1 - 2 * sum(counts[:c]) / total
                cases.append({
                    "first": floats(x), "second": floats(y), "alpha": alpha,
                    "shift": float(np.median(differences)), "lower": float(differences[c - 1]),
                    "upper": float(differences[n * m - c]), "confidence": confidence, "isDecisive": decisive})
    # Lopsided: a tiny side against many.
    for n, m in [(5, 600), (501, 8)]:
        x, y = lognormal(n), lognormal(m)
        differences = np.sort(np.subtract.outer(x, y), axis=None)
        cumulated = list(itertools.accumulate(arrangements(n, m)))
        total = math.comb(n + m, n)
        c = sum(1 for below in cumulated if 2 * below <= 0.05 * total)
        cases.append({
            "first": floats(x), "second": floats(y), "alpha": 0.05, "shift": float(np.median(differences)),
            "lower": float(differences[c - 1]), "upper": float(differences[n * m - c]),
            "confidence": 1 - 2 * cumulated[c - 1] / total, "isDecisive": True})
    # Beyond the exact distribution: U as normal, with continuity correction.
    for n, m in [(70, 90), (400, 300)]:
        x, y = lognormal(n), lognormal(m, spread=0.2)
        differences = np.sort(np.subtract.outer(x, y), axis=None)
        mean, deviation = n * m / 2, math.sqrt(n * m * (n + m + 1) / 12)
        c = math.floor(mean + 0.5 + stats.norm.ppf(0.025) * deviation)
        confidence = 1 - 2 * stats.norm.cdf((c - 0.5 - mean) / deviation)
        cases.append({
            "first": floats(x), "second": floats(y), "alpha": 0.05, "shift": float(np.median(differences)),
            "lower": float(differences[c - 1]), "upper": float(differences[n * m - c]),
            "confidence": float(confidence), "isDecisive": True})
    return cases


def holm_cases():
    cases = []
    for k in [1, 2, 5, 20]:
        for power in [1, 4]:
            p = np.round(rng.uniform(0, 1, k) ** power, 4)
            if k == 20:
                p[3] = p[7] = p[11] = 0.0021
            alpha = 0.05
            # Straight from the paper: adjusted p of rank r is the largest of min(1, (k - s + 1) p_(s)), s <= r.
            ranked = sorted(p)
            adjusted = [
                max(min(1.0, (k - s) * ranked[s]) for s in range(k) if ranked[s] <= value) for value in p]
            rejected = set()
            for s in range(k):  # the sequentially rejective procedure itself
                if ranked[s] > alpha / (k - s):
                    break
                rejected.add(ranked[s])
            cases.append({
                "p": floats(p), "alpha": alpha, "adjusted": floats(adjusted),
                "rejected": [bool(value in rejected) for value in p]})
    return cases


def bca_case(name, statistic, x, y, alpha, resamples):
    def ratio(a, b, axis=-1):
        return statistic(a, axis=axis) / statistic(b, axis=axis)

    result = stats.bootstrap(
        (x, y), ratio, paired=False, vectorized=True, n_resamples=resamples, batch=1000,
        confidence_level=1 - alpha, method="BCa", rng=np.random.default_rng(99))
    # The acceleration is not random; by its definition, with the jackknife written out.
    jackknife_x = np.array([ratio(np.delete(x, i), y) for i in range(len(x))])
    jackknife_y = np.array([ratio(x, np.delete(y, i)) for i in range(len(y))])
    influence = [(len(j) - 1) * (j.mean() - j) for j in (jackknife_x, jackknife_y)]
    cubes = sum((u**3).sum() / len(u) ** 3 for u in influence)
    squares = sum((u**2).sum() / len(u) ** 2 for u in influence)
    return {
        "statistic": name, "first": floats(x), "second": floats(y), "alpha": alpha, "ratio": float(ratio(x, y)),
        "acceleration": float(cubes / (6 * squares**1.5)), "lower": float(result.confidence_interval.low),
        "upper": float(result.confidence_interval.high)}


def bca_cases():
    def p99(values, axis=-1):
        return np.quantile(values, 0.99, axis=axis, method="linear")

    return [
        bca_case("mean", np.mean, lognormal(25, spread=0.6), lognormal(40, 15000, 0.4), 0.05, 99_999),
        bca_case("mean", np.mean, np.round(rng.exponential(5, 15), 4), np.round(rng.exponential(9, 12), 4), 0.1, 99_999),
        bca_case("p99", p99, lognormal(500, spread=0.3), lognormal(620, 20000, 0.4), 0.05, 20_000),
        bca_case("mean", np.mean, lognormal(20, spread=1.4), lognormal(30, spread=0.1), 0.05, 99_999),
    ]


def sketch_cases():
    cases = []
    streams = [
        (0.005, 4096, np.round(np.exp(rng.normal(8, 2, 600)), 3)), (0.01, 4096, tied(200, 0, 50)),
        (0.02, 64, np.round(np.exp(rng.normal(3, 3, 400)), 4))]
    for error, limit, values in streams:
        sketch = ddsketch.LogCollapsingLowestDenseDDSketch(error, limit)
        for v in values:
            sketch.add(float(v))
        bins = [
            [i + sketch._store.offset, int(c)] for i, c in enumerate(sketch._store.bins) if c > 0]
        levels = [0.001, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999]
        cases.append({
            "relativeError": error, "maximumBins": limit, "values": floats(values), "bins": bins,
            "zeroCount": int(sketch._zero_count), "levels": levels,
            "quantiles": floats(sketch.get_quantile_value(q) for q in levels)})
    return cases


def main():
    golden = {
        "versions": {"python": sys.version.split()[0], "numpy": np.__version__, "scipy": scipy.__version__},
        "normal": normal_cases(),
        "summary": summary_cases(),
        "mannWhitney": mann_whitney_cases(),
        "hodgesLehmann": hodges_lehmann_cases(),
        "holm": holm_cases(),
        "bca": bca_cases(),
        "sketch": sketch_cases(),
    }
    print(golden["versions"])
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "golden.json")
    with open(path, "w", encoding="utf-8") as file:
        rows = []
        for key, value in golden.items():
            if isinstance(value, list):
                lines = ",\n".join(json.dumps(v, separators=(",", ":"), allow_nan=False) for v in value)
                rows.append(f"{json.dumps(key)}:[\n{lines}\n]")
            else:
                rows.append(f"{json.dumps(key)}:{json.dumps(value, separators=(',', ':'), allow_nan=False)}")
        file.write("{\n" + ",\n".join(rows) + "\n}\n")


if __name__ == "__main__":
    main()
