"""What compiled CPU kernels share: vectors, tiles, threads, memory, the compiler."""
