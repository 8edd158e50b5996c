#!/usr/bin/env bash
# The engine on an accelerator: does it compute the same, and how fast? Needs no network and less than 9 minutes.
#
#     benchmarks/accelerator.sh [--quick] [--data FOLDER] [RESULTS]
#     KERAS_BACKEND=jax benchmarks/accelerator.sh
#
# 1. the parity tests, with full float32 products; 2. a study of 100 trials of 30 epochs in the `cifar` space without
# pruning; 3. stacks against Keras's own fit; 4. the engine's table with its picture, in the time that is left. Each
# step has a time limit, goes on where another failed, and writes what it found into RESULTS (default: accelerator).
# Images are random unless FOLDER holds cifar10.npz. PYTHON names the interpreter (default: python), SLOTS the slots of
# the study's stacks. --quick shows within a few minutes that all of it works, on a processor as well.
set -euo pipefail

quick=false data="" results=accelerator
while [ $# -gt 0 ]; do
    case $1 in
        --quick) quick=true ;;
        --data) data=$(cd "${2:?--data: expected a folder}" && pwd) && shift ;;
        -h | --help) sed -n '2,/^set/{/^set/!s/^# \{0,1\}//p}' "$0" && exit ;;
        -*) echo "$1: expected --quick, --data FOLDER or --help" >&2 && exit 2 ;;
        *) results=$1 ;;
    esac
    shift
done
mkdir -p "$results"
results=$(cd "$results" && pwd)
cd "$(dirname "$0")/.."

export KERAS_BACKEND=${KERAS_BACKEND:-tensorflow} PYTHONPATH="$PWD${PYTHONPATH:+:$PYTHONPATH}"
export TF_CPP_MIN_LOG_LEVEL=3 TF_FORCE_GPU_ALLOW_GROWTH=true XLA_PYTHON_CLIENT_PREALLOCATE=false
export COLUMNS=${COLUMNS:-132}
unset LENET_SEARCH_DATA LENET_SEARCH_STORAGE
python=${PYTHON:-python}
all=520 # seconds for everything
failed=()
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

left() { echo $((all - SECONDS > 1 ? all - SECONDS : 1)); }

# step LIMIT NAME COMMAND...: runs it for at most LIMIT seconds, or what is left, and remembers whether it failed.
# What it prints is shown and goes into RESULTS/NAME.txt.
step() {
    local limit=$1 name=$2 begun=$SECONDS status=0
    shift 2
    if [ "$(left)" -lt "$limit" ]; then limit=$(left); fi
    printf '\n== %s (at most %s s)\n' "$name" "$limit"
    timeout --signal=INT --kill-after=15 "$limit" "$@" 2>&1 | tee "$results/$name.txt" || status=$?
    printf -- '-- %s: %s after %s s\n' "$name" "$([ "$status" -eq 0 ] && echo done || echo "failed ($status)")" \
        $((SECONDS - begun))
    if [ "$status" -ne 0 ]; then failed+=("$name"); fi
}

has() { "$python" -c "import importlib.util, sys; sys.exit(importlib.util.find_spec('$1') is None)"; }

if command -v nvidia-smi > /dev/null; then
    nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader
fi
"$python" -c "
import keras, numpy, optuna, platform
print('python', platform.python_version(), 'keras', keras.__version__, keras.backend.backend(), end=' ')
print(__import__(keras.backend.backend()).__version__, 'numpy', numpy.__version__, 'optuna', optuna.__version__)
from lenet_search.engine import device
print('device:', device.describe())
" 2> /dev/null || { echo "Keras's backend $KERAS_BACKEND cannot be had from $python" >&2; exit 1; }

# Parity is about formulas, so products keep all of float32's digits; what a device rounds by default is its own matter.
parity=(tests/engine/test_parity.py tests/engine/test_isolation.py tests/engine/test_forward.py)
if $quick; then parity=(tests/engine/test_parity.py -k mixed_stack); fi
if has pytest; then
    printf '[pytest]\n' > "$work/pytest.ini" # the project's own asks for plugins that may not be there
    alone=(-c "$work/pytest.ini" --rootdir "$PWD" --confcutdir "$PWD" -p no:cacheprovider)
    if has xdist && ! $quick; then alone+=(-n "${TESTS_AT_ONCE:-6}"); fi
    step 150 parity env NVIDIA_TF32_OVERRIDE=0 JAX_DEFAULT_MATMUL_PRECISION=highest \
        "$python" -m pytest -q "${alone[@]}" "${parity[@]}"
else
    echo "parity: not checked, pytest is not installed here" && failed+=(parity)
fi

if [ -z "$data" ]; then
    "$python" - "$work" "$($quick && echo 1800 || echo 45000)" << 'END'
import sys
from pathlib import Path

sys.path.insert(0, "benchmarks")
from measure.structures import write_images

write_images(Path(sys.argv[1]), int(sys.argv[2]))
END
fi
size=(--trials 100 --set train.epochs=30)
if $quick; then size=(--trials 4 --set train.epochs=2 --set data.limit=2000 --set data.validation=200); fi
if [ -n "${SLOTS:-}" ]; then size+=(--slots "$SLOTS"); fi
step 165 study "$python" -m lenet_search run --study cifar --no-confirm "${size[@]}" --set 'study.pruner={ kind = "NopPruner" }' \
    --data "${data:-$work}" --storage "$work/study.journal" --timeout 150s

common=(${data:+--data "$data"} --json)
if $quick; then common+=(--quick); fi
# The object goes into RESULTS, the table to the screen.
engine() {
    local limit=$1 name=$2
    shift 2
    step "$limit" "$name" bash -c 'json=$1; shift; "$@" > "$json"' - "$results/$name.json" \
        "$python" benchmarks/engine.py "${common[@]}" "$@"
}
if $quick; then sizes=(4); else sizes=(32 128); fi
engine 80 against-keras --against-keras --sizes "${sizes[@]}" --augment none --repeat 3 --seconds 2
budget=$(($(left) - 20 > 30 ? $(left) - 20 : 30))
engine "$(left)" table --augment none cifar all flip --plot "$results/throughput.html" --repeat 3 --seconds 1 --budget "$budget"

printf '\nEverything is in %s, after %s s.\n' "$results" "$SECONDS"
if [ ${#failed[@]} -gt 0 ]; then
    echo "Failed: ${failed[*]}"
    exit 1
fi
