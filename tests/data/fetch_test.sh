#!/usr/bin/env bash
# Offline checks of data/fetch.sh: fetch_test.sh PATH/TO/fetch.sh
set -u
fetch=$1
scratch=$(mktemp -d)
trap 'rm -rf -- "$scratch"' EXIT
failures=0

# expect CODE TEXT ARGUMENTS...: the exit code, and a text that the output must hold
expect() {
    local code=$1 text=$2 output status
    shift 2
    output=$(bash "$fetch" "$@" 2>&1)
    status=$?
    if [ "$status" -ne "$code" ] || [[ $output != *"$text"* ]]; then
        echo "FAILED: fetch.sh $*: expected exit $code and \"$text\", got exit $status and: $output"
        failures=$((failures + 1))
    fi
}

expect_nothing_in() {
    if [ -n "$(ls -A "$1" 2>/dev/null)" ]; then
        echo "FAILED: left behind in $1: $(ls -A "$1")"
        failures=$((failures + 1))
    fi
}

idx_files="train-images-idx3-ubyte train-labels-idx1-ubyte t10k-images-idx3-ubyte t10k-labels-idx1-ubyte"
dest=$scratch/dest
copy=$scratch/copy
mkdir "$copy"

# Usage
expect 0 "usage: fetch.sh NAME" --help
expect 2 "which dataset"
expect 2 "unknown dataset 'imagenet': expected mnist" imagenet "$dest"
expect 2 "unknown option '--force'" mnist "$dest" --force
expect 2 "--from needs" mnist "$dest" --from
expect 2 "surplus argument 'more'" mnist "$dest" more
expect_nothing_in "$dest"

# Copies that are missing, incomplete or wrong are refused, and nothing is left behind
expect 1 "no such file or folder" mnist "$dest" --from "$scratch/nothing"
for name in mnist fashion_mnist kmnist; do
    expect 1 "train-images-idx3-ubyte or train-images-idx3-ubyte.gz" "$name" "$dest" --from "$copy"
    for file in $idx_files; do echo wrong | gzip >"$copy/$file.gz"; done
    expect 1 "expected MD5" "$name" "$dest" --from "$copy"
    rm "$copy"/*
    for file in $idx_files; do echo wrong >"$copy/$file"; done
    expect 1 "expected " "$name" "$dest" --from "$copy"
    rm "$copy"/*
    expect_nothing_in "$dest"
done
for name in cifar10 cifar100; do
    number=${name#cifar}
    expect 1 "expected cifar-$number-binary.tar.gz or all of" "$name" "$dest" --from "$copy"
    echo wrong >"$copy/cifar-$number-binary.tar.gz"
    expect 1 "expected MD5" "$name" "$dest" --from "$copy"
    expect 1 "expected MD5" "$name" "$dest" --from "$copy/cifar-$number-binary.tar.gz"
    rm "$copy"/*
done
for file in data_batch_{1,2,3,4,5}.bin test_batch.bin; do echo wrong >"$copy/$file"; done
expect 1 "expected 30730000 bytes, found 6" cifar10 "$dest" --from "$copy"
rm "$copy"/*
expect_nothing_in "$dest"

# The files of Debian's package are checked by what is in them
packaged=$scratch/datasets
mkdir -p "$packaged/fashion-mnist"
export ADAPT_PACKAGED_DATASETS=$packaged
for file in $idx_files; do echo wrong | gzip >"$packaged/fashion-mnist/$file.gz"; done
expect 1 "expected SHA-256 c59f468a" fashion_mnist "$dest"
echo wrong >"$packaged/fashion-mnist/train-images-idx3-ubyte.gz"
expect 1 "$packaged/fashion-mnist/train-images-idx3-ubyte.gz: expected gzip data" fashion_mnist "$dest"
expect_nothing_in "$dest"
unset ADAPT_PACKAGED_DATASETS
if [ -d /usr/share/datasets/fashion-mnist ]; then
    expect 0 "fashion-mnist is ready" fashion_mnist "$scratch/from_package"
fi

# A copy of the right sizes, already unpacked: taken, saying what could not be checked; then left alone
mkdir "$copy/cifar-100-binary"
truncate -s 153700000 "$copy/cifar-100-binary/train.bin"
truncate -s 30740000 "$copy/cifar-100-binary/test.bin"
expect 0 "checksum could not be applied" cifar100 "$dest" --from "$copy"
expect 0 "already there" cifar100 "$dest" --from "$copy"
[ "$(ls -A "$dest")" = cifar-100-binary ] || { echo "FAILED: found $(ls -A "$dest")"; failures=$((failures + 1)); }
truncate -s -3074 "$dest/cifar-100-binary/test.bin"
expect 1 "test.bin: expected 30740000 bytes, found 30736926; move $dest/cifar-100-binary away" cifar100 "$dest"
rm "$dest/cifar-100-binary/test.bin"
expect 1 "incomplete" cifar100 "$dest" --from "$copy"

# The folder is the environment's when none is given
ADAPT_DATA=$scratch/variable expect 0 "$scratch/variable/cifar-100-binary is ready" cifar100 --from "$copy"

[ "$failures" -eq 0 ] && echo "fetch.sh: all checks passed"
exit $((failures > 0))
