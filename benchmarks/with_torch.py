"""LeNet-5 in PyTorch on a GPU, one model: a plain loop, and the same step captured as a CUDA graph.

    python benchmarks/with_torch.py --goals goals.json

Both keep the images on the GPU and train with SGD and momentum, in batches of 128, without augmentation or evaluation:
once with TF32 products, once under bfloat16's autocast. Rates are medians of whole epochs; the first, and capturing,
are not counted. Where PyTorch or a GPU is missing, it says so and ends well. `--device cpu` tries the plain loop there.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from measure import targets

BATCH = 128
WARM_UP = 3  # steps before a step is captured


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=45_000, help="training images (default: 45000)")
    parser.add_argument("--epochs", type=int, default=3, help="epochs that are timed (default: 3)")
    parser.add_argument("--device", default="cuda", choices=("cuda", "cpu"), help="default: cuda")
    parser.add_argument("--goals", type=Path, metavar="FILE", help="output of goals.py --json, to compare with")
    options = parser.parse_args(given)
    if options.images < BATCH or options.epochs < 1:
        parser.error(f"expected --images of at least {BATCH} and --epochs of at least 1")
    return options


class Training:
    """One LeNet-5 with its optimizer, and random images on the device."""

    def __init__(self, torch: Any, device: str, images: int, *, bfloat16: bool) -> None:
        nn = torch.nn
        self._torch, self._device, self._bfloat16 = torch, device, bfloat16
        rng = np.random.default_rng(0)
        pixels = rng.integers(0, 256, (images, 3, 32, 32), np.uint8)
        self._images = torch.from_numpy(pixels).to(device)
        self._labels = torch.from_numpy(rng.integers(0, 10, images)).to(device)
        torch.manual_seed(0)
        convolutions = [nn.Conv2d(3, 6, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2)]
        dense = [nn.Linear(16 * 5 * 5, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10)]
        self._model = nn.Sequential(*convolutions, nn.Flatten(), *dense).to(device)
        self._optimizer = torch.optim.SGD(self._model.parameters(), lr=0.01, momentum=0.9, nesterov=True)
        self.steps = images // BATCH
        self._chosen = torch.zeros(BATCH, dtype=torch.long, device=device)  # the batch that a captured step reads

    def _train(self, chosen: Any) -> None:
        """Forward, backward and update, on the images with these numbers."""
        x, y = self._images[chosen].float().div(255), self._labels[chosen]
        with self._torch.autocast(self._device, dtype=self._torch.bfloat16, enabled=self._bfloat16):
            logits = self._model(x)
        self._torch.nn.functional.cross_entropy(logits.float(), y).backward()
        self._optimizer.step()

    def _fresh(self, chosen: Any) -> None:
        self._optimizer.zero_grad(set_to_none=True)
        self._train(chosen)

    def captured(self) -> Callable[[Any], None]:
        """The step as a CUDA graph, which is replayed on the numbers of another batch.

        Gradients are allocated while it is captured, in the graph's own memory: each replay writes them anew.
        """
        cuda = self._torch.cuda
        beside = cuda.Stream()
        beside.wait_stream(cuda.current_stream())
        with cuda.stream(beside):  # what is done once, such as choosing algorithms, must not be captured
            for _ in range(WARM_UP):
                self._fresh(self._chosen)
        cuda.current_stream().wait_stream(beside)
        self._optimizer.zero_grad(set_to_none=True)
        graph = cuda.CUDAGraph()
        with cuda.graph(graph):
            self._train(self._chosen)

        def replay(chosen: Any) -> None:
            self._chosen.copy_(chosen)
            graph.replay()

        return replay

    def seconds(self, step: Callable[[Any], None]) -> float:
        """Seconds of an epoch of a step, in an order drawn anew."""
        self._wait()
        started = time.perf_counter()
        order = self._torch.randperm(len(self._labels), device=self._device)
        for i in range(self.steps):
            step(order[i * BATCH : (i + 1) * BATCH])
        self._wait()
        return time.perf_counter() - started

    def plain(self) -> Callable[[Any], None]:
        """The step as a plain loop does it."""
        return self._fresh

    def _wait(self) -> None:
        if self._device == "cuda":
            self._torch.cuda.synchronize()


def rate(training: Training, step: Callable[[Any], None], epochs: int) -> float:
    """Images per second of a step, the median of some epochs after a first one."""
    training.seconds(step)
    return training.steps * BATCH / statistics.median(training.seconds(step) for _ in range(epochs))


def main() -> None:
    """Measure and print, line by line."""
    options = arguments()
    try:
        import torch
    except (ImportError, OSError) as error:
        print(f"PyTorch is not installed here, or cannot be loaded ({error}): nothing to compare with")
        return
    if options.device == "cuda" and not torch.cuda.is_available():
        print(f"PyTorch {torch.__version__} finds no GPU with CUDA here: nothing to compare with")
        return
    gpu = options.device == "cuda"
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = True
    print(f"PyTorch {torch.__version__} on {torch.cuda.get_device_name() if gpu else 'a CPU'}", flush=True)
    best, failed = 0.0, False
    for bfloat16 in (False, True):
        precision = "bfloat16" if bfloat16 else "TF32" if gpu else "float32"
        for name in ("loop", "CUDA graph") if gpu else ("loop",):
            try:
                training = Training(torch, options.device, options.images, bfloat16=bfloat16)
                step = training.plain() if name == "loop" else training.captured()
                measured = rate(training, step, options.epochs)
            except RuntimeError as error:
                print(f"PyTorch, {name}, {precision}: failed: {(str(error).splitlines() or [''])[0]}", flush=True)
                failed = True
                continue
            print(f"PyTorch, {name}, {precision}: {measured:,.0f} images/s", flush=True)
            best = max(best, measured)
    if best:
        targets.say_ratio("PyTorch's best", best, targets.TORCH, options.goals)
    if failed:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
