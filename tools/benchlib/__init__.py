# SPDX-License-Identifier: MIT
"""What tools/bench is made of; docs/benchmarks.md has the whole."""
