# shellcheck shell=bash
# What every script needs to get from a bare machine to a built program. To be sourced; defines
#   adapt_install_packages [NAME...]   installs the Debian packages that are missing, of those named beside ADAPT_PACKAGES, too
#   adapt_configure_and_build PRESET   builds into build/PRESET
#   adapt_mpirun N PROGRAM [ARG...]    runs a program on N ranks of this machine
# Nothing is printed and nothing is done where nothing is missing.
# ADAPT_SKIP_PACKAGES=1 leaves packages alone, for machines whose packages come from elsewhere.

ADAPT_ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)"

ADAPT_PACKAGES=(
  build-essential cmake ninja-build pkg-config git ca-certificates
  libopenmpi-dev openmpi-bin libdnnl-dev ocl-icd-opencl-dev libhdf5-dev hdf5-tools
  libboost-program-options-dev libyaml-cpp-dev nlohmann-json3-dev librandom123-dev zlib1g-dev libpng-dev libssl-dev libgtest-dev
  libonnx-dev libprotobuf-dev protobuf-compiler
  python3 python3-h5py python3-numpy python3-matplotlib python3-scipy python3-yaml
)

# The packages of ADAPT_PACKAGES and of the arguments that are not installed, one a line.
adapt_missing_packages() {
  local installed package
  # shellcheck disable=SC2016  # dpkg-query's own variables
  installed="$(dpkg-query -W -f='${Package} ${db:Status-Status}\n' "${ADAPT_PACKAGES[@]}" "$@" 2>/dev/null || true)"
  for package in "${ADAPT_PACKAGES[@]}" "$@"; do
    grep -qx "$package installed" <<<"$installed" || echo "$package"
  done
}

# Runs a command silently; prints what it said only if it fails.
adapt_quietly() {
  local log status=0
  log="$(mktemp)"
  "$@" >"$log" 2>&1 </dev/null || status=$?
  if ((status != 0)); then
    cat "$log" >&2
  fi
  rm -f "$log"
  return "$status"
}

adapt_install_packages() {
  if [[ "${ADAPT_SKIP_PACKAGES:-0}" == 1 ]]; then
    return 0
  fi
  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    echo "adapt: this is not a Debian system; install what these Debian packages hold by hand, then set" \
      "ADAPT_SKIP_PACKAGES=1: ${ADAPT_PACKAGES[*]}${*:+ $*}" >&2
    return 2
  fi
  local missing as_root=()
  mapfile -t missing < <(adapt_missing_packages "$@")
  if ((${#missing[@]} == 0)); then
    return 0
  fi
  if [[ "$(id -u)" != 0 ]]; then
    if ! sudo -n true 2>/dev/null; then
      echo "adapt: packages are missing and this user may not install them; have root run:" >&2
      echo "apt-get update && apt-get install -y --no-install-recommends ${missing[*]}" >&2
      return 2
    fi
    as_root=(sudo -n)
  fi
  echo "adapt: installing ${missing[*]}"
  local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300)
  # Without a network the packages may still be at hand: only the second command decides.
  adapt_quietly "${apt[@]}" update || echo "adapt: apt-get update failed; trying with the lists at hand" >&2
  adapt_quietly "${apt[@]}" install -y --no-install-recommends "${missing[@]}"
}

adapt_configure_and_build() {
  local preset="$1"
  local build="$ADAPT_ROOT/build/$preset"
  local fresh=()
  if ! grep -qsxF "CMAKE_HOME_DIRECTORY:INTERNAL=$ADAPT_ROOT" "$build/CMakeCache.txt"; then
    fresh=(--fresh) # never configured, or the tree was moved since
  fi
  (
    cd "$ADAPT_ROOT" || exit 1
    # Later changes of the CMake files are noticed by the build itself.
    if ((${#fresh[@]} > 0)) || [[ ! -e "$build/build.ninja" ]]; then
      adapt_quietly cmake "${fresh[@]}" --preset "$preset" || exit 1
    fi
    cmake --build --preset "$preset" --parallel "$(nproc)" || exit 1
  )
}

# Cores that this process may use; hardware threads of one core count once.
adapt_cores() {
  local cores cpus
  cpus="$(nproc)"
  cores="$(lscpu -p=CORE,SOCKET 2>/dev/null | grep -v '^#' | sort -u | wc -l)"
  echo "$((cores > 0 && cores < cpus ? cores : cpus))"
}

# OMP_NUM_THREADS is kept when set, else the cores are shared out. Ranks are bound to cores of their own when
# there are enough, else they share all cores and yield while they wait. No network is needed: what does not go through
# shared memory goes over loopback, unless the user has named interfaces.
adapt_mpirun() {
  local ranks="$1"
  shift
  local cores threads
  cores="$(adapt_cores)"
  threads="${OMP_NUM_THREADS:-$((cores >= ranks ? cores / ranks : 1))}"
  local variables=("OMP_NUM_THREADS=$threads")
  local placement=(--bind-to core --map-by "slot:PE=$threads")
  if ((ranks * threads > cores)); then
    placement=(--oversubscribe --bind-to none)
    variables+=(OMPI_MCA_mpi_yield_when_idle=1)
  fi
  if [[ -z "${OMPI_MCA_btl_tcp_if_include:-}${OMPI_MCA_btl_tcp_if_exclude:-}" ]]; then
    variables+=(OMPI_MCA_btl_tcp_if_include=lo)
  fi
  if [[ "$(id -u)" == 0 ]]; then
    variables+=(OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1)
  fi
  env "${variables[@]}" mpirun -n "$ranks" "${placement[@]}" "$@"
}
