"""The public engine's side of benchmarks/reduction.py: run in `.venv-engine`, times itself.

    python reduction_engine.py data.npy made.npz POINTS

Only the generator's call counts, in CPU seconds of this process, after a small one that loads
what it loads lazily.
"""

from __future__ import annotations

import sys
import time

import numpy as np
import torch
from learnware.specification import generate_rkme_table_spec


def main() -> None:
    """Reduce the data and save points, weights and seconds."""
    given, made, size = sys.argv[1], sys.argv[2], int(sys.argv[3])
    torch.set_num_threads(1)
    data = np.load(given)
    generate_rkme_table_spec(data[:200].copy(), reduced_set_size=10, cuda_idx=-1)
    torch.manual_seed(0)
    np.random.seed(0)
    started = time.process_time()
    spec = generate_rkme_table_spec(data, reduced_set_size=size, cuda_idx=-1)
    seconds = time.process_time() - started
    np.savez(made, points=spec.get_z(), weights=spec.get_beta(), seconds=seconds)


if __name__ == "__main__":
    main()
