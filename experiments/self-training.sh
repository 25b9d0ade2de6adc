#!/usr/bin/env bash
# Self-training on IMDb: a classifier of 100 labels, then one that learns from its answers on
# the other training reviews, then one that learns from that one's. Stopped, it goes on. LABELS,
# SEEDS, EPOCHS (of the first classifier) and ANSWERS (how many, a number a round) may be set.
set -euo pipefail
lm=${1:?a language model that was fine-tuned on the training reviews}
data=${2:-../shared/data}
out=${3:-runs/self-training}
train=$data/imdb/train.parquet test=$data/imdb/test.parquet
made() { # FOLDER OPTIONS...
  if [ -d "$1" ]; then return; fi
  if [ -d "$1.run" ]; then ulmfit resume "$1.run" --no-report; else
    ulmfit train "$train" --test "$test" --lm "$lm" --no-finetune --no-report --labels ${LABELS:-100} --out "$@"
  fi
}
for seed in ${SEEDS:-0 1 2}; do
  made "$out/$seed-0" --seed "$seed" ${EPOCHS:+--epochs "$EPOCHS"}
  round=0
  for answers in ${ANSWERS:-5000 5000}; do
    teacher=$out/$seed-$round
    round=$((round + 1))
    made "$out/$seed-$round" --seed "$seed" --teacher "$teacher" --pseudo-labels "$answers" --align
  done
done
for model in "$out"/*-[0-9]; do
  python -c 'import json, sys
test = json.load(open(sys.argv[1] + "/metrics.json")).get("test", {})
print(sys.argv[1], round(100 * test.get("accuracy", float("nan")), 2))' "$model"
done
