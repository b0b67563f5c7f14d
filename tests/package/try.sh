#!/usr/bin/env bash
# Tries the one adapt_*.deb of its folder in a Debian that has nothing else of adapt: installs it without recommended packages,
# works with it as an ordinary user, removes it and looks for what was left. Needs root, and changes the machine.
# Exit code: 0 all as it should be, else 1.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

adapt_files() {
  find / -xdev -not -path "$PWD/*" -not -path '/proc/*' \( -name adapt -o -name 'adapt[-.]*' -o -path '*/adapt/*' \) | sort
}

# What an ordinary user does, without the source tree: trains on two ranks, evaluates, exports, reports.
visit() {
  cd
  export OMPI_MCA_btl_tcp_if_include=lo OMPI_MCA_btl_vader_single_copy_mechanism=none
  export OMPI_MCA_rmaps_base_oversubscribe=1 PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe
  local experiments=/usr/share/adapt/experiments name format
  local short=(--set data.train_samples=2048 --set data.test_samples=512 --set training.epochs=1)
  adapt --version
  for name in quickstart_float32 quickstart quickstart_integer; do
    mpirun -n 2 adapt train "$experiments/$name.yaml" "${short[@]}" --out "runs/$name"
  done
  adapt info runs/quickstart
  adapt evaluate runs/quickstart_integer --engine integer
  for format in onnx qonnx arrays packed; do
    adapt export runs/quickstart_integer --to "$format" --out "model.$format"
    test -s "model.$format"
  done
  adapt analyse report runs/* --out report
  test -s report/report.html
  echo "package: trained, evaluated, exported, reported"
}

export DEBIAN_FRONTEND=noninteractive
before="$(adapt_files)"
apt-get -q update
apt-get -q install -y --no-install-recommends "$PWD"/adapt_*.deb

useradd --create-home --shell /bin/bash visitor
runuser -u visitor -- bash -euo pipefail -c "$(declare -f visit); visit"

mapfile -t installed < <(dpkg -L adapt | grep -i adapt)
((${#installed[@]} > 10)) || { echo "package: dpkg lists only ${#installed[@]} files of adapt" >&2 && exit 1; }
python3 /usr/share/adapt/analysis/compare.py --help >/dev/null # root's run leaves __pycache__
dpkg --purge adapt
userdel --remove visitor 2>/dev/null || true # no mail spool
left="$(comm -13 <(echo "$before") <(adapt_files | grep -v '/var/log/\|/var/cache/apt/'))"
[[ -z "$left" ]] || { printf 'package: left behind:\n%s\n' "$left" >&2 && exit 1; }
echo "package: installed, used and removed; nothing is left"
