#!/usr/bin/env bash
# Puts a dataset where adapt finds it: downloads the official files, or takes a local copy, checks them, and
# unpacks them into DEST. See --help and README.md.
set -euo pipefail

usage() {
    cat <<'TEXT'
usage: fetch.sh NAME [DEST] [--from COPY]

  NAME         mnist, fashion_mnist, kmnist, cifar10 or cifar100
  DEST         folder that receives the dataset's folder (default: $ADAPT_DATA, else ./data)
  --from COPY  take the official files from COPY instead of the internet: a folder that holds them (the IDX files
               plain or .gz; the CIFAR archive or its unpacked files), or the CIFAR archive itself

Where Debian's package dataset-fashion-mnist is installed, fashion_mnist comes from there.

Everything is checked before it is put in place; a dataset that is already there is left alone (its files must have
the right sizes).
Exit codes: 0 done, 1 failed, 2 bad usage.
TEXT
}

say() { echo "fetch.sh: $*" >&2; }
fail() { say "$*"; exit 1; }
reject() { say "$* (see fetch.sh --help)"; exit 2; }

# ---- What there is to fetch. Checksums of archives are the MD5s that their publishers give; those of plain files
# ---- (MNIST's; Fashion-MNIST's as Debian has them) are SHA-256. Sizes are in bytes.

idx_files=(train-images-idx3-ubyte train-labels-idx1-ubyte t10k-images-idx3-ubyte t10k-labels-idx1-ubyte)
idx_sizes=(47040016 60008 7840016 10008)
plain_sha256=()
archive=
packaged= # folder of a Debian package, whose .gz files are compressed anew: their content is checked

describe() { # NAME
    case $1 in
    mnist)
        folder=mnist
        url=https://ossci-datasets.s3.amazonaws.com/mnist
        md5=(f68b3c2dcbeaaa9fbdd348bbdeb94873 d53e105ee54ea40749a09fcbcd1e9432
             9fb629c4189551a2d022fa330f9573f3 ec29112dd5afa0611ce80d1b7f02629c)
        plain_sha256=(ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db
                      65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5
                      0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7
                      ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2) ;;
    fashion_mnist)
        folder=fashion-mnist
        url=http://fashion-mnist.s3-website.eu-central-1.amazonaws.com
        md5=(8d4fb7e6c68d591d4c3dfef9ec88bf0d 25c81989df183df01b3e8a0aad5dffbe
             bef4ecab320f06d8554ea6380940ec79 bb300cfdad3c16e7a12a480ee83cd310)
        packaged=${ADAPT_PACKAGED_DATASETS:-/usr/share/datasets}/fashion-mnist # dataset-fashion-mnist
        plain_sha256=(c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888
                      bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9
                      5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b
                      0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34) ;;
    kmnist)
        folder=kmnist
        url=http://codh.rois.ac.jp/kmnist/dataset/kmnist
        md5=(bdb82020997e1d708af4cf47b453dcf7 e144d726b3acfaa3e44228e80efcd344
             5c965bf0a639b31b8f53240b1b52f4d7 7320c461ea6c1c855c0b718fb2a4b134) ;;
    cifar10)
        folder=cifar-10-batches-bin
        url=https://www.cs.toronto.edu/~kriz
        archive=cifar-10-binary.tar.gz
        md5=(c32a1d4ab5d03f1284b67883e8d87530)
        cifar_files=(data_batch_{1,2,3,4,5}.bin test_batch.bin)
        cifar_sizes=(30730000 30730000 30730000 30730000 30730000 30730000) ;;
    cifar100)
        folder=cifar-100-binary
        url=https://www.cs.toronto.edu/~kriz
        archive=cifar-100-binary.tar.gz
        md5=(03b5dce01913d631647c71ecec9e9cb8)
        cifar_files=(train.bin test.bin)
        cifar_sizes=(153700000 30740000) ;;
    *) reject "unknown dataset '$1': expected mnist, fashion_mnist, kmnist, cifar10 or cifar100" ;;
    esac
    if [ -n "$archive" ]; then
        files=("${cifar_files[@]}") sizes=("${cifar_sizes[@]}")
    else
        files=("${idx_files[@]}") sizes=("${idx_sizes[@]}")
    fi
}

# ---- Checks

check_md5() { # FILE EXPECTED
    local found
    found=$(md5sum <"$1" | cut -d ' ' -f 1)
    [ "$found" = "$2" ] || fail "$1: expected MD5 $2, found $found; nothing was installed"
}

check_sha256() { # FILE EXPECTED
    local found
    found=$(sha256sum <"$1" | cut -d ' ' -f 1)
    [ "$found" = "$2" ] || fail "$1: expected SHA-256 $2, found $found; nothing was installed"
}

check_size() { # FILE EXPECTED CONSEQUENCE
    local found
    found=$(wc -c <"$1")
    [ "$found" -eq "$2" ] || fail "$1: expected $2 bytes, found $found; $3"
}

complete() { # FOLDER: whether it holds every file (IDX: plain or .gz)
    local file
    for file in "${files[@]}"; do
        [ -f "$1/$file" ] || { [ -z "$archive" ] && [ -f "$1/$file.gz" ]; } || return 1
    done
}

check_installed() { # FOLDER
    local i file
    complete "$1" || fail "$1 is there but incomplete: move it away and run again"
    for i in "${!files[@]}"; do
        file=$1/${files[$i]}
        [ ! -f "$file" ] || check_size "$file" "${sizes[$i]}" "move $1 away and run again"
    done
}

# ---- Sources: each leaves checked files in $stage

download() { # FILE
    say "downloading $url/$1"
    if command -v curl >/dev/null; then
        curl --fail --location --silent --show-error --retry 3 --output "$temporary/$1" -- "$url/$1" ||
            fail "cannot download $url/$1; with a local copy use --from"
    elif command -v wget >/dev/null; then
        wget --quiet --tries=3 --output-document="$temporary/$1" -- "$url/$1" ||
            fail "cannot download $url/$1; with a local copy use --from"
    else
        fail "neither curl nor wget found; install one, or use --from"
    fi
}

unpack_idx() { # GZ_FILE NUMBER
    check_md5 "$1" "${md5[$2]}"
    gzip -dc -- "$1" >"$stage/${files[$2]}"
}

unpack_archive() { # ARCHIVE
    check_md5 "$1" "${md5[0]}"
    tar -xzf "$1" -C "$temporary" --no-same-owner
    [ -d "$temporary/$folder" ] || fail "$1: expected the folder $folder in it"
    mv -- "$temporary/$folder"/* "$stage/"
}

copy_plain_idx() { # FILE NUMBER
    if [ ${#plain_sha256[@]} -gt 0 ]; then
        check_sha256 "$1" "${plain_sha256[$2]}"
    else
        say "$1: only the checksum of the .gz is published, so only the size is checked"
    fi
    cp -- "$1" "$stage/${files[$2]}"
}

unpack_packaged() { # GZ_FILE NUMBER
    gzip -dc -- "$1" >"$stage/${files[$2]}" || fail "$1: expected gzip data; nothing was installed"
    check_sha256 "$stage/${files[$2]}" "${plain_sha256[$2]}"
}

take_idx() {
    local i
    if [ -z "$from" ] && [ -n "$packaged" ] && [ -d "$packaged" ]; then
        say "taking the files of $packaged"
        for i in "${!files[@]}"; do unpack_packaged "$packaged/${files[$i]}.gz" "$i"; done
        return
    fi
    [ -z "$from" ] || [ -d "$from" ] || fail "$from: expected a folder with ${files[0]}[.gz] and the other files"
    for i in "${!files[@]}"; do
        if [ -z "$from" ]; then
            download "${files[$i]}.gz"
            unpack_idx "$temporary/${files[$i]}.gz" "$i"
        elif [ -f "$from/${files[$i]}.gz" ]; then
            unpack_idx "$from/${files[$i]}.gz" "$i"
        elif [ -f "$from/${files[$i]}" ]; then
            copy_plain_idx "$from/${files[$i]}" "$i"
        else
            fail "$from: expected ${files[$i]} or ${files[$i]}.gz in it, found neither"
        fi
    done
}

take_archive() {
    local source=$from
    if [ -z "$from" ]; then
        download "$archive"
        unpack_archive "$temporary/$archive"
    elif [ -f "$from" ]; then
        unpack_archive "$from"
    elif [ -f "$from/$archive" ]; then
        unpack_archive "$from/$archive"
    else
        [ ! -d "$from/$folder" ] || source=$from/$folder
        complete "$source" || fail "$from: expected $archive or all of ${files[*]} in it"
        say "$source is unpacked already: the archive's checksum could not be applied, only sizes are checked"
        cp -- "${files[@]/#/$source/}" "$stage/"
    fi
}

# ---- Command line

name='' dest='' from=''
while [ $# -gt 0 ]; do
    case $1 in
    -h | --help) usage; exit 0 ;;
    --from) [ $# -ge 2 ] && [ -n "$2" ] || reject "--from needs a folder or file"; from=$2; shift 2 ;;
    -*) reject "unknown option '$1'" ;;
    *)
        if [ -z "$name" ]; then name=$1; elif [ -z "$dest" ]; then dest=$1; else reject "surplus argument '$1'"; fi
        shift ;;
    esac
done
[ -n "$name" ] || reject "which dataset? expected mnist, fashion_mnist, kmnist, cifar10 or cifar100"
describe "$name"
dest=${dest:-${ADAPT_DATA:-data}}
[ -z "$from" ] || [ -e "$from" ] || fail "$from: no such file or folder"

target=$dest/$folder
if [ -e "$target" ]; then
    check_installed "$target"
    say "$target is already there"
    exit 0
fi
mkdir -p -- "$dest"
temporary=$(mktemp -d -- "$dest/.fetch.XXXXXX")
trap 'rm -rf -- "$temporary"' EXIT
trap 'exit 1' HUP INT TERM
stage=$temporary/stage
mkdir -- "$stage"
if [ -n "$archive" ]; then take_archive; else take_idx; fi
for i in "${!files[@]}"; do check_size "$stage/${files[$i]}" "${sizes[$i]}" "nothing was installed"; done
mv -T -- "$stage" "$target" # one rename: the folder appears whole or not at all
say "$target is ready"
