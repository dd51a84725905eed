#!/usr/bin/env bash
# Installs what the tests need (Debian, Ubuntu), builds without a warning, runs every test.
#   ./test.sh                    everything
#   ./test.sh -class '*Replay*'  what xunit's filters choose, of every test project
#   ./test.sh faults             the long run of random faults, and the runs with a protection switched off that must turn red; nothing else.
#                                CHAT_FAULT_SEED (a random one) and CHAT_FAULT_SECONDS (300) choose the run.
#   ./test.sh fuzz               odd input for long, for everything that reads what others wrote, and over sockets; nothing else.
#                                CHAT_FUZZ_SEED (a random one) and CHAT_FUZZ_SECONDS (120, for each of the two) choose the run.
# The last line counts the results: N passed, N failed, N skipped.
set -euo pipefail
cd "$(dirname "$0")"

packages=()
need() { # a command or a file that shows that a package is there, and the package
  command -v "$1" >/dev/null 2>&1 || [ -e "$1" ] || packages+=("$2")
}
python_needs() {
  /usr/bin/python3 -c "import $1" >/dev/null 2>&1 || packages+=("$2")
}
need redis-server redis-server
need /usr/bin/chromium chromium
need openssl openssl
need /usr/bin/python3 python3
python_needs django python3-django
python_needs rest_framework python3-djangorestframework
python_needs redis python3-redis
python_needs dotenv python3-dotenv
python_needs cryptography python3-cryptography
python_needs websockets python3-websockets
if [ ${#packages[@]} -gt 0 ]; then
  install="apt-get install -y --no-install-recommends ${packages[*]}"
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "The tests need: ${packages[*]}. As root: $install" >&2
    exit 1
  fi
  echo "Installing ${packages[*]}"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive $install -qq >/dev/null
fi
command -v dotnet >/dev/null 2>&1 || { echo "The tests need the .NET 10 SDK: https://dotnet.microsoft.com/download/dotnet/10.0" >&2; exit 1; }

dotnet build ChatServer.sln -v quiet -nologo

projects=(ChatServer.Tests)
limit=1200 # Seconds, longer than any good run: a hang must not look like one.
if [ "${1:-}" = faults ]; then
  shift
  set -- -explicit only -namespace ChatServer.Tests.Faults -showLiveOutput "$@"
elif [ "${1:-}" = fuzz ]; then
  shift
  set -- -explicit only -namespace ChatServer.Tests.Fuzz -showLiveOutput "$@"
  limit=$((2 * ${CHAT_FUZZ_SECONDS:-120} + 600))
fi

results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
passed=0 failed=0 skipped=0 broken=0
for project in "${projects[@]}"; do
  name=$(basename "$project")
  echo "== $name"
  timeout --kill-after=30s "${limit}s" dotnet "$project/bin/Debug/net10.0/$name.dll" -noColor -xml "$results/$name.xml" "$@" || broken=1
  [ -s "$results/$name.xml" ] || { echo "$name left no results" >&2; broken=1; failed=$((failed + 1)); continue; }
  count() { grep -o "<assembly [^>]*" "$results/$name.xml" | grep -o " $1=\"[0-9]*\"" | grep -o '[0-9]*' | awk "{ sum += \$1 } END { print sum + 0 }"; }
  passed=$((passed + $(count passed)))
  failed=$((failed + $(count failed) + $(count errors)))
  skipped=$((skipped + $(count skipped)))
done
[ "$failed" -eq 0 ] && [ "$skipped" -eq 0 ] && [ $((passed > 0)) -eq 1 ] || broken=1
echo "$passed passed, $failed failed, $skipped skipped"
exit "$broken"
