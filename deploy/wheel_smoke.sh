#!/usr/bin/env bash
# Builds wheel and sdist, installs the wheel in an empty environment and runs a small job outside the checkout.
set -euo pipefail
cd "$(dirname "$0")/.."
here=$PWD
work=$(mktemp -d)
trap 'cd /; [[ -x $work/env/bin/gridgis ]] && (cd "$work/job" && "$work/env/bin/gridgis" db remove --yes >/dev/null 2>&1); rm -rf "$work"' EXIT
chmod 711 "$work"
.venv/bin/python -m pip install -q --disable-pip-version-check build hatchling
.venv/bin/python -m build -q --no-isolation --outdir "$work/dist" .
python3 -m venv "$work/env"
"$work/env/bin/python" -m pip install -q --disable-pip-version-check -c constraints.txt "$work"/dist/*.whl
mkdir "$work/job"
cp -r tests/data/toy "$work/toy"
cd "$work/job"
unset GRIDGIS_DATABASE_URL GRIDGIS_DATA_DIR
gridgis=$work/env/bin/gridgis
"$gridgis" city list
"$gridgis" city init --profile "$work/toy/profile"
"$gridgis" cases import "$work/toy/cases.csv" --crs wgs84 --rejects rejects.csv --synthetic
"$gridgis" analyse density --month 2024-03
"$gridgis" map density --month 2024-03 --out map.html
test -s map.html
"$work/env/bin/python" - <<'PY'
from maps import vendor
vendor.check()
print("every vendored asset opens from the wheel")
PY
