#!/usr/bin/env bash
# A smaller and better-read en-mini, not finished: see "en-mini-2" in experiments/LOG.md.
# Stopped (Ctrl-C) once it trains, it can go on from the state that is kept here:
#   python experiments/pretrain/state.py unpack experiments/pretrain/en-mini-2.state runs/en-mini-2.run/forward
#   ulmfit resume runs/en-mini-2.run
set -euo pipefail
data=${1:-../shared/data}
out=${2:-runs/en-mini-2}
ulmfit pretrain "$data"/wikipedia-en/articles-2015.parquet "$data"/wikipedia-en/articles-2021.parquet \
  --text title --text text --embedding 256 --hidden 512 --layers 2 --softmax sampled \
  --tokens 24000000 --batch 128 --rate 0.005 --storage int8 --seed 0 --out "$out"
