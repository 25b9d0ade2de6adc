#!/usr/bin/env bash
# TREC-6 with all 5,452 training questions, three seeds; PRESET=v2 takes another preset, LM=en-small
# another language model.
set -euo pipefail
data=${1:-../shared/data}
out=${2:-runs/trec}
for seed in 0 1 2; do
  ulmfit train "$data"/trec/train_5500.label --test "$data"/trec/TREC_10.label --seed $seed \
    --preset "${PRESET:-default}" ${LM:+--lm "$LM"} --out "$out/$seed" --json | tail -n 1
done
python experiments/tfidf.py "$data"/trec/train_5500.label "$data"/trec/TREC_10.label
