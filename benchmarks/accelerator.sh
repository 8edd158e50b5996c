#!/usr/bin/env bash
# The engine on an accelerator: does it reach its goals, and does it compute the same? Needs no network and less than 9
# minutes.
#
#     KERAS_BACKEND=jax benchmarks/accelerator.sh [--quick] [--data FOLDER] [RESULTS]
#
# 1. whatever has a goal, in two minutes (estimated for an H100, measured on no GPU yet): the engine with `rows`;
#    a study of 100 trials of 30 epochs in the `cifar` space without pruning, from the command to its last line;
#    Keras's `fit` and PyTorch; the first epoch of another process, from the cache
# 2. the engine with `tiles`
# 3. parity and isolation under both, with full float32 products
# 4. both by slots; the longest kernels (JAX); the engine's table with its picture, in the time that is left
#
# Each step has a time limit, goes on where another failed, and writes what it found into RESULTS (by default
# accelerator). Images are random unless FOLDER holds cifar10.npz, for the study and the last table. Programs are kept
# apart from the user's, so that first epochs compile. PYTHON names the interpreter (default: python), SLOTS the
# slots of the study's stacks. --quick shows within a few minutes that all of it works, on a processor as well.
#
# Python needs Keras and its backend, NumPy, Optuna and Pillow. Where typer, plotly or optuna-dashboard are missing, the
# study runs without the command line; without plotly, the last table is left out. Without pytest, parity is not
# checked, which counts as a failure; without PyTorch, there is nothing to compare with, which does not.
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
unset LENET_SEARCH_DATA LENET_SEARCH_STORAGE JAX_COMPILATION_CACHE_DIR
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
    printf '\n== %s (after %s s; at most %s)\n' "$name" "$SECONDS" "$limit"
    timeout --signal=INT --kill-after=15 "$limit" "$@" 2>&1 | tee "$results/$name.txt" || status=$?
    printf -- '-- %s: %s after %s s\n' "$name" "$([ "$status" -eq 0 ] && echo done || echo "failed ($status)")" \
        $((SECONDS - begun))
    if [ "$status" -ne 0 ]; then failed+=("$name"); fi
}

has() { "$python" -c "import importlib.util, sys; sys.exit(importlib.util.find_spec('$1') is None)"; }

if command -v nvidia-smi > /dev/null; then
    nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader || true
fi
if ! has "$KERAS_BACKEND"; then
    echo "Keras's backend $KERAS_BACKEND is not installed for $python" >&2
    exit 1
fi

if $quick; then images=1800; else images=45000; fi
if [ -z "$data" ]; then # ready long before the study begins
    "$python" - "$work" "$images" << 'END' &
import sys
from pathlib import Path

sys.path.insert(0, "benchmarks")
from measure.structures import write_images

write_images(Path(sys.argv[1]), int(sys.argv[2]))
END
    writing=$!
fi

# goals LIMIT NAME OPTION...: the object goes into RESULTS/NAME.json, the lines to the screen.
goals() {
    local limit=$1 name=$2
    shift 2
    if $quick; then set -- --quick "$@"; fi
    export XDG_CACHE_HOME=$work/cache
    step "$limit" "$name" bash -c 'json=$1; shift; "$@" > "$json"' - "$results/$name.json" \
        "$python" benchmarks/goals.py --json "$@"
}
study() {
    local limit=$1 name=$2
    shift 2
    local size=(--trials 100 --epochs 30)
    if $quick; then size=(--trials 4 --epochs 2 --limit 1000 --set data.validation=100 --slots 2); fi
    if [ -n "${SLOTS:-}" ]; then size+=(--slots "$SLOTS"); fi
    export XDG_CACHE_HOME=$work/study-cache
    step "$limit" "$name" "$python" benchmarks/timeline.py "${size[@]}" --data "${data:-$work}" \
        --json "$results/$name.json" "$@"
}
peer() {
    local limit=$1 name=$2 sizes=()
    if $quick; then sizes=(--images 3000 --epochs 1); fi
    step "$limit" "$name" "$python" "benchmarks/with_$name.py" --goals "$results/rows.json" "${sizes[@]}"
}

goals 70 rows --lowering rows
if [ -z "$data" ] && ! wait "$writing"; then
    echo "images: not written" && failed+=(images)
fi
study 90 study --goals "$results/rows.json"
peer 40 keras_fit
peer 40 torch
study 40 study-again --until-first-epoch
if [ "$KERAS_BACKEND" = jax ]; then goals 30 first-again --lowering rows --first; fi
printf '\nAll that has a goal: after %s s.\n' "$SECONDS"

goals 70 tiles --lowering tiles

# Parity is about formulas, so products keep all of float32's digits; what a device rounds by default is its own matter.
# `grouped` and `separate` are for processors.
parity=(tests/engine/test_parity.py tests/engine/test_isolation.py tests/engine/test_forward.py)
chosen="not grouped and not separate"
if $quick; then chosen="(mixed_stack or diverges) and $chosen"; fi
if has pytest; then
    printf '[pytest]\n' > "$work/pytest.ini" # the project's own asks for plugins that may not be there
    alone=(-c "$work/pytest.ini" --rootdir "$PWD" --confcutdir "$PWD" -p no:cacheprovider)
    if has xdist && ! $quick; then alone+=(-n "${TESTS_AT_ONCE:-6}"); fi
    step 150 parity env NVIDIA_TF32_OVERRIDE=0 JAX_DEFAULT_MATMUL_PRECISION=highest \
        "$python" -m pytest -q "${alone[@]}" "${parity[@]}" -k "$chosen"
else
    echo "parity: not checked, pytest is not installed here" && failed+=(parity)
fi

if $quick; then sizes=(3); else sizes=(64 16 1 256 32 4 128 8 2); fi
goals 120 by-slots --slots "${sizes[@]}" --budget 100
if [ "$KERAS_BACKEND" = jax ]; then goals 60 kernels --profile "$results/profile"; fi
if has plotly; then
    common=(${data:+--data "$data"} --json)
    if $quick; then common+=(--quick --workers 1 --sizes 2 --precision float32); fi
    budget=$(($(left) - 20 > 30 ? $(left) - 20 : 30))
    step "$(left)" table bash -c 'json=$1; shift; "$@" > "$json"' - "$results/table.json" \
        "$python" benchmarks/engine.py "${common[@]}" --augment none cifar all flip --plot "$results/throughput.html" \
        --repeat 3 --seconds 1 --budget "$budget"
fi

printf '\nEverything is in %s, after %s s.\n' "$results" "$SECONDS"
if [ ${#failed[@]} -gt 0 ]; then
    echo "Failed: ${failed[*]}"
    exit 1
fi
