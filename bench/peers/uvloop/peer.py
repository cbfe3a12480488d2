# SPDX-License-Identifier: MIT
"""asyncio's workloads on uvloop's event loop, which is libuv's."""

import pathlib
import sys

import uvloop

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "asyncio"))

import workloads  # noqa: E402

uvloop.install()
workloads.main("uvloop")
