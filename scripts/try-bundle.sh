#!/usr/bin/env bash
# Installs dist/ as a user would, into a folder of its own, and runs it on every Node that can be had.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

tarball=$(cd dist && npm pack --silent --pack-destination "$folder")
mkdir "$folder/user"
(cd "$folder/user" && npm init --yes >/dev/null && npm install --silent --ignore-scripts --no-audit --no-fund "$folder/$tarball")

tried=0
missing=0
try() {
  local node=$1 version
  version=$("$node" --version)
  "$node" "$folder/user/node_modules/wheelhouse/wheelhouse.js" --version
  "$node" "$folder/user/node_modules/wheelhouse/wheelhouse.js" --help >/dev/null
  "$node" "$folder/user/node_modules/wheelhouse/wheelhouse.js" hub --help >/dev/null
  "$node" "$folder/user/node_modules/wheelhouse/wheelhouse.js" spoke --help >/dev/null
  echo "runs on Node $version"
  tried=$((tried + 1))
}

# The Node this project brings along, the host's when it is new enough, and other lines from the registry.
try node_modules/node-linux-"$(node -p process.arch)"/bin/node
for version in 22.23.3 26.10.0; do
  if npm install --silent --ignore-scripts --no-audit --no-fund --no-save --prefix "$folder/node-$version" "node-linux-$(node -p process.arch)@$version" 2>/dev/null; then
    try "$folder/node-$version/node_modules/node-linux-$(node -p process.arch)/bin/node"
  else
    echo "Node $version could not be had; not tried"
    missing=$((missing + 1))
  fi
done
[ "$tried" -ge 1 ]
# Spokes get flags of V8 on all these lines: what nobody tried is not to be published.
if [ "${CI:-}" = true ] && [ "$missing" -gt 0 ]; then
  echo "in CI every line of Node is tried; $missing could not be had" >&2
  exit 1
fi
