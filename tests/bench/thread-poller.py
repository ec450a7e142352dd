#!/usr/bin/python3
"""Asks each url of stdin every so many seconds, with a thread for each request, as a first version of such a program does.

    thread-poller.py SECONDS
"""

import sys
import threading
import time

TIMEOUT_SEC = 5

try:
    import requests

    def fetch(url):
        return requests.get(url, timeout=TIMEOUT_SEC).json()
except ImportError:
    import json
    import urllib.request

    def fetch(url):
        with urllib.request.urlopen(url, timeout=TIMEOUT_SEC) as response:
            return json.load(response)

known, under_way = {}, set()


def poll(url):
    try:
        value = fetch(url)
        if known.get(url) != value:
            known[url] = value
    except (OSError, ValueError):
        known.pop(url, None)
    finally:
        under_way.discard(url)


def main():
    interval, urls = float(sys.argv[1]), sys.stdin.read().split()
    begin = time.monotonic()
    for i in range(sys.maxsize):
        url = urls[i % len(urls)]
        time.sleep(max(0, begin + i * interval / len(urls) - time.monotonic()))
        if url not in under_way:
            under_way.add(url)
            threading.Thread(target=poll, args=(url,), daemon=True).start()


if __name__ == "__main__":
    main()
