# shellcheck shell=bash
# Bash completion of adapt. The tables at the end were written by the build, from what the program says of itself:
# _adapt_words (command: commands below it and options), _adapt_valued (its options that take a value), _adapt_values (command
# and option: names; "=": assignments), _adapt_assignments.
_adapt_assignments=()

# The command that the words so far lead to, into the variable `command`.
_adapt_find_command() {
  command=adapt
  local word
  for word in "$@"; do
    [[ -n "${_adapt_words["$command $word"]:-}" ]] || return 0
    command+=" $word"
  done
}

# Names between commas: what stands before the last comma stays.
_adapt_names() {
  local current="$1" names="$2" before=""
  [[ "$current" == *,* ]] && before="${current%,*},"
  mapfile -t COMPREPLY < <(compgen -P "$before" -W "$names" -- "${current#"$before"}")
}

# Keys; once there is a "=", values. Bash takes "=" for the end of a word: what stands before it is not repeated.
_adapt_assign() {
  local current="$1" assignment
  for assignment in "${_adapt_assignments[@]}"; do
    [[ "$current" == *=* ]] || assignment="${assignment%%=*}="
    [[ "$assignment" == "$current"* && "$assignment" != "$current" ]] && COMPREPLY+=("$assignment")
  done
  if [[ "$current" == *=* ]]; then
    [[ "$COMP_WORDBREAKS" == *=* ]] && COMPREPLY=("${COMPREPLY[@]#*=}")
  elif ((${#COMPREPLY[@]} > 0)); then
    mapfile -t COMPREPLY < <(printf '%s\n' "${COMPREPLY[@]}" | sort -u)
    compopt -o nospace 2>/dev/null
  fi
  return 0
}

_adapt() {
  local words command line="${COMP_LINE:0:COMP_POINT}"
  read -ra words <<<"$line"
  [[ "$line" == *[[:blank:]] ]] && words+=("")
  # Behind a launcher (mpirun -n 2 adapt ...) the command begins later.
  while ((${#words[@]} > 1)) && [[ "${words[0]##*/}" != adapt ]]; do
    words=("${words[@]:1}")
  done
  COMPREPLY=()
  local current="${words[-1]}" previous=""
  ((${#words[@]} > 2)) && previous="${words[-2]}"
  _adapt_find_command "${words[@]:1:${#words[@]}-2}"
  if [[ " ${_adapt_valued[$command]:-} " == *" $previous "* && -n "$previous" ]]; then
    local names="${_adapt_values["$command $previous"]:-}"
    if [[ "$names" == "=" ]]; then
      _adapt_assign "$current"
    else
      _adapt_names "$current" "$names"
    fi
  else
    # Options only where one has begun: else files, which are bash's own default, would not be offered.
    local unwanted='^-'
    [[ "$current" == -* ]] && unwanted='^$'
    mapfile -t COMPREPLY < <(compgen -W "${_adapt_words[$command]}" -- "$current" | grep -v -- "$unwanted")
  fi
}

complete -o default -F _adapt adapt
