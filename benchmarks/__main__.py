"""Run every benchmark: ``python -m benchmarks``."""

from benchmarks import encounter, mcp_call, process

for benchmark in (encounter, mcp_call, process):
    print("\n".join(benchmark.report()))
