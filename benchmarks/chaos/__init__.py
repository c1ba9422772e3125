"""Random faults against a running ingest, and a comparison at the end: `make chaos`, `python -m benchmarks.chaos --seed 7`.

`plan` draws what goes wrong and when from the seed alone: faults of the platform, broken sockets, `kill -9`, stopped processes,
a store that is locked or a disk that is full. `rig` runs the simulated platform and `journeymap ingest` as processes of their
own, carries the plan out, and starts ingest again whenever it has ended, as a service manager does. `verdict` waits until all
is well again and compares: what the platform sent and what was acknowledged (it answered a later ping) with what the journal and
the store hold, and the store's journeys with `journeymap stitch` over what was received.
"""
