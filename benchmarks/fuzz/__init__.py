"""Fuzzing of everything that reads what others have written: `python -m benchmarks.fuzz --inputs 10000000 --seed 1`.

`corpus` holds what really comes (the simulated platform's frames, WebSocket bytes, headers, answers, journal files) and nasty
things made by hand; `mutate` changes it at random, as bytes and as JSON; `targets` says of each reader what it promises and
checks that it keeps it. `__main__` runs blocks of inputs in several processes and watches their memory.

Every input follows from seed, target and the number of its block alone, so that a failure can be had again. A mutator of our
own and not a coverage-guided fuzzer: nearly all of the parsing is done in C inside msgspec, where such a fuzzer for Python sees
nothing (atheris found nothing in 2 million runs at 22,000 a second), while knowing JSON and frames leads further in.
"""
