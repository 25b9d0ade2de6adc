#!/usr/bin/env bash
# Before a lease's clock starts: all that its calls carry, under .lease/ (LEASE.md). Give it the
# folder that encode.py wrote (or a run of `ulmfit pretrain` that has turned the texts into ids).
set -euo pipefail
run=$(realpath "${1:?folder with corpus/ and tokenizer.json}")
cd "$(dirname "$0")/../../.."
gpu=experiments/pretrain/gpu
test=${2:-../shared/data}/wikitext-103/wiki.test.tokens
python=${PYTHON:-.venv/bin/python}
rm -rf .lease/work .lease/begin
mkdir -p .lease/work/whole .lease/work/hundredth .lease/begin
$python -m pip download --quiet --no-deps --only-binary=:all: --python-version 3.12 \
  --implementation cp --platform manylinux_2_28_x86_64 --platform manylinux_2_17_x86_64 \
  --platform manylinux2014_x86_64 --requirement $gpu/wheels.txt --dest .lease/begin/wheels
$python $gpu/pack.py "$run" .lease/work/hundredth/trial --documents 430 --test "$test"
cp -r .lease/work/hundredth/trial .lease/begin/
$python $gpu/pack.py "$run" .lease/work/whole/packed --test "$test" # two minutes of one core
$python $gpu/stow.py .lease/work/whole/packed --name ids
$python $gpu/sizes.py "Lease 1" || true
