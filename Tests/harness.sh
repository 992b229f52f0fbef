# Sourced by the scripts that run a Python harness: finds its environment, made by scripts/setup where it is not there yet.
#
#   harness NAME PROGRAM "$@"      MLFLOW2=yes before it: the environment of MLflow 2 as well, looked after on each run
harness() {
  local name=$1 program=$2 root deps previous="" argument
  shift 2
  root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
  deps="$root/.deps"
  for argument in "$@"; do  # --deps DIR names another folder than ours
    [[ $previous == --deps ]] && deps="$argument"
    [[ $argument == --deps=* ]] && deps="${argument#--deps=}"
    previous="$argument"
  done
  if [[ $deps == "$root/.deps" && ( ! -d $deps || -n ${MLFLOW2:-} ) && -x $root/scripts/setup ]]; then
    "$root/scripts/setup" ${MLFLOW2:+--mlflow2}
  fi
  local python="$deps/python/bin/python"
  [[ -x $python ]] || { echo "$name: no $python. Run scripts/setup${MLFLOW2:+ --mlflow2} first." >&2; exit 1; }
  exec "$python" -B "$root/$program" "$@"
}
