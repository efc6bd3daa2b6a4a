"""CPU time and memory, compared with a baseline of az in the same run; tests never assert a time."""
