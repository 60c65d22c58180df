"""Side-by-side benchmarks: each prints the rival and us from one run. Not part of the product."""
