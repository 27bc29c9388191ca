"""Settings, addresses, clock and processes: how the applications are put together.

`config.clock`, `config.crypto` and `config.celery` may be used by every application; the rest is on top of them all.
"""
