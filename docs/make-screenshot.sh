#!/usr/bin/env bash
# Makes docs/demo.png, the picture in README.md: the demo page with two people who talk, in a Chromium without a window.
# It needs the .NET 10 SDK and Chromium (Debian, Ubuntu) and takes about a minute; nothing else has to run.
# The test that it runs starts the service on a free port of this machine, and ends both the service and the browser.
set -euo pipefail
cd "$(dirname "$0")/.."

command -v dotnet >/dev/null 2>&1 || { echo "The .NET 10 SDK is missing: https://dotnet.microsoft.com/download/dotnet/10.0" >&2; exit 1; }
[ -x /usr/bin/chromium ] || { echo "Chromium is missing. As root: apt-get install -y --no-install-recommends chromium" >&2; exit 1; }

dotnet build ChatServer.Tests -v quiet -nologo
# Longer than any good run: a hang must not look like one.
timeout --kill-after=10s 3m dotnet ChatServer.Tests/bin/Debug/net10.0/ChatServer.Tests.dll -noColor -explicit only -class '*ScreenshotTests'
echo "docs/demo.png has $(stat -c %s docs/demo.png) bytes"
