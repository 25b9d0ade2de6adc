#!/usr/bin/env bash
# IMDb with 100 and 1,000 labels: each direction and both, with the language model and without any.
# The language model reads the 25,000 training reviews nine times, under the scripts' dropouts; then
# each classifier is of one seed's labels. Stopped, it goes on.
set -euo pipefail
data=${1:-../shared/data}
lm=${2:-en-small}
out=${3:-runs/imdb-transfer}
train=$data/imdb/train.parquet test=$data/imdb/test.parquet
dropouts='{"output": 0.1, "hidden": 0.15, "input": 0.25, "embedding": 0.02, "weight": 0.2}'
if [ ! -d "$out/lm" ]; then
  if [ -d "$out/lm.run" ]; then ulmfit resume "$out/lm.run"; else
    ulmfit finetune "$lm" "$train" --epochs "${EPOCHS:-9}" --seed 0 --out "$out/lm" \
      --settings "{\"language_model\": {\"dropouts\": $dropouts}}"
  fi
fi
for start in --lm --untrained; do
  measured() { python experiments/transfer.py "$train" "$test" $start "$out/lm" --out "$out/$1" "${@:2}"; }
  measured "100$start" --labels 100
  measured "1000$start" --labels 1000 --epochs 8
done
for labels in 100 1000; do python experiments/tfidf.py "$train" "$test" --labels $labels; done
