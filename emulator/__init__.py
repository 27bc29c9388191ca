"""A separate program that speaks the clouds' own wire protocols: the demo's clouds, the test double, the simulator.

It imports nothing of the rest and nothing of the rest imports it; tests, benchmarks and the demo start it as a process
(`python -m emulator`) or call the WSGI application of `emulator.app.create_app` in their own process.
"""
