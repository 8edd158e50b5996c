#!/usr/bin/env bash
# What bfloat16 costs in accuracy: recipes in float32 and in mixed_bfloat16, on the same seeds, as paired differences.
#
#     benchmarks/precision.sh OUT EPOCHS SEEDS RECIPE... [-- OPTION...]
#     benchmarks/precision.sh precision 10 16 lenet5-cifar lenet5-cifar-adam lenet5-cifar-tuned -- --data FOLDER
#
# Options after `--` are `lenet-search compare`'s: --test, --workers 1. Run it again to go on where it stopped.
set -euo pipefail
recipes=$(cd "$(dirname "$0")/../recipes" && pwd)
out=$1 epochs=$2 seeds=$3
shift 3
names=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do
    names+=("$1")
    shift
done
[ $# -eq 0 ] || shift
mkdir -p "$out"
for name in "${names[@]}"; do
    for precision in float32 mixed_bfloat16; do # without the claim: it is of the recipe as it is
        sed -e '/^\[claim\]/,$d' -e "s/^epochs .*/epochs = $epochs\nprecision = \"$precision\"/" "$recipes/$name.toml" \
            > "$out/$name-$precision.toml"
    done
    lenet-search compare "$out/$name-float32.toml" "$out/$name-mixed_bfloat16.toml" --seeds "$seeds" --out "$out" "$@"
done
