#!/usr/bin/env python3
"""Scores a results folder by the rules of the Numenta Anomaly Benchmark v1.1, Standard profile, and asks how well
a threshold travels: chosen on half of the files, applied to the other half.

usage: nab_halves.py RESULTS NAB [--threshold 0.5]
RESULTS holds <group>/<detector>_<file>.csv (timestamp,value,anomaly_score); NAB holds labels/combined_windows.json.
Needs python3 only. Files are split alternately in the order of their names.
"""
import argparse
import csv
import glob
import json
import math
import os
import random
import sys

FALSE_POSITIVE_WEIGHT = 0.11


def sigmoid(x):
    return -1.0 if x > 3 else 2 / (1 + math.exp(5 * x)) - 1


TOP = 2 / (1 + math.exp(-5)) - 1


def rows_of(results, name):
    group, base = name.split('/')
    found = sorted(glob.glob(f'{results}/{group}/*_{base}')) or glob.glob(f'{results}/{name}')
    if not found:
        sys.exit(f'nab_halves: no result for {name} below {results}')
    with open(found[0], newline='') as file:
        return [(r['timestamp'][:19].replace('T', ' '), float(r['anomaly_score'])) for r in csv.DictReader(file)]


def records(results, name, windows):
    """(score, window or None, worth) of every row after the probation, and the windows that can be hit."""
    rows = rows_of(results, name)
    probation = min(math.floor(0.15 * len(rows)), 750)
    first = {}
    for index, (time, _) in enumerate(rows):
        first.setdefault(time, index)
    spans = [(first[a[:19]], first[b[:19]]) for a, b in windows]
    out, before, hits = [], None, set()
    for index, (_, score) in enumerate(rows):
        inside = next((s for s in spans if s[0] <= index <= s[1]), None)
        if inside:
            worth = sigmoid(-(inside[1] - index + 1) / (inside[1] - inside[0] + 1)) / TOP
        elif before:
            worth = sigmoid((index - before[1]) / (before[1] - before[0]))
        else:
            worth = -1.0
        if index >= probation:
            key = (name, inside) if inside else None
            if key:
                hits.add(key)
            if score > 0:
                out.append((score, key, worth))
        before = inside if inside and index == inside[1] else before
    return out, hits, len(windows)


def score(parts, threshold=None):
    """Standard score and threshold; the best one where none is given."""
    rows = sorted((r for p in parts for r in p[0]), key=lambda r: -r[0])
    part = {key: -1.0 for p in parts for key in p[1]}
    total, labels = sum(part.values()), sum(p[2] for p in parts)
    best, last = (total, 1.1), 1.1
    for value, key, worth in rows:
        if value != last:
            if threshold is None and total > best[0]:
                best = (total, last)
            if threshold is not None and value < threshold:
                break
            last = value
        if key is None:
            total += FALSE_POSITIVE_WEIGHT * worth
        elif worth > part[key]:
            total += worth - part[key]
            part[key] = worth
    if threshold is not None:
        best = (total, threshold)
    elif total > best[0]:
        best = (total, last)
    missed = -len(part)
    return 100 * (best[0] - missed) / (labels - missed), best[1]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('results')
    parser.add_argument('nab')
    parser.add_argument('--threshold', type=float, default=0.5)
    given = parser.parse_args()
    windows = json.load(open(os.path.join(given.nab, 'labels/combined_windows.json')))
    parts = [records(given.results, name, windows[name]) for name in sorted(windows)]
    halves = parts[0::2], parts[1::2]
    print(f'{len(parts)} files, Standard profile, causal if the results are')
    print('all files, threshold optimised on them   %6.2f  at %.3f' % score(parts))
    print('all files, the one fixed threshold       %6.2f  at %.3f' % score(parts, given.threshold))
    crossed = []
    for name, own, other in (('A', halves[0], halves[1]), ('B', halves[1], halves[0])):
        best, threshold = score(own)
        crossed.append(score(other, threshold)[0])
        print(f'half {name}: optimised {best:.2f} at {threshold:.3f}, fixed {score(own, given.threshold)[0]:.2f}; '
              f'that threshold on the other half {crossed[-1]:.2f}')
    print('a threshold chosen on one half, scored on the other: mean %.2f' % (sum(crossed) / 2))
    shuffled = random.Random(1)
    outcomes = []
    for _ in range(100):
        order = shuffled.sample(parts, len(parts))
        own, other = order[:len(order) // 2], order[len(order) // 2:]
        outcomes.append((score(other, score(own)[1])[0], score(other, given.threshold)[0]))
    for place, name in enumerate(('a threshold chosen on the other files', 'the one fixed threshold')):
        values = [outcome[place] for outcome in outcomes]
        mean = sum(values) / len(values)
        spread = (sum((v - mean) ** 2 for v in values) / (len(values) - 1)) ** 0.5
        print(f'100 random halves, {name}: mean {mean:.2f}, standard deviation {spread:.2f}')


if __name__ == '__main__':
    main()
