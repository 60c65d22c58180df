"""Side-by-side benchmarks: each prints the rival and us from one run. Not part of the product."""

from persona.cpu_threads import bound_spinning

bound_spinning()  # before any of them, or a process that it starts, imports torch: as commands do
