# SPDX-License-Identifier: MIT
"""CPython's asyncio on its own event loop."""

import workloads

workloads.main("asyncio")
