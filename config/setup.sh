# Brings .venv up to the lock file requirements/$1.txt; does nothing when that is what it holds already.
set -euo pipefail
cd "$(dirname "$0")/.."
wanted="$1"

digest() { cat requirements/base.txt "requirements/$1.txt" | sha256sum | cut -d' ' -f1; }

find_python() {
    for name in python3.13 python3.12 python3.11 python3; do
        # A name on PATH may be a shim that only prints an error, so each one is tried.
        if "$name" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
            echo "$name"
            return
        fi
    done
    echo "Tenantry needs Python 3.11, 3.12 or 3.13 with its venv module (Debian: apt-get install python3-venv)." >&2
    return 1
}

pip() { .venv/bin/python -m pip --quiet --disable-pip-version-check "$@"; }

installed() { [ "$(cat ".venv/$1.lock" 2>/dev/null)" = "$(digest "$1")" ]; }

# What tests need includes what a site needs.
if ! installed "$wanted" && ! installed dev; then
    if ! [ -x .venv/bin/python ]; then
        python="$(find_python)"
        "$python" -m venv .venv
    fi
    echo "Installing requirements/$wanted.txt into .venv ..."
    pip install --require-hashes -r "requirements/$wanted.txt"
    digest "$wanted" >".venv/$wanted.lock"
fi

# Our own connectors are found by entry points, as everybody's are.
project="$(sha256sum pyproject.toml | cut -d' ' -f1)"
if [ "$(cat .venv/project.lock 2>/dev/null)" != "$project" ]; then
    PYTHONWARNINGS=ignore pip install --no-deps --no-build-isolation --no-index -e .
    echo "$project" >.venv/project.lock
fi
