#!/usr/bin/python3
"""qt-pool.py N THREADS: runs N runnables that do nothing on a QThreadPool and prints the seconds that it took."""

import sys
import time

from PyQt6.QtCore import QRunnable, QThreadPool


class Noop(QRunnable):
    def run(self):
        pass


def main():
    pool = QThreadPool()
    pool.setMaxThreadCount(int(sys.argv[2]))
    begin = time.perf_counter()
    for _ in range(int(sys.argv[1])):
        pool.start(Noop())
    pool.waitForDone()
    print(time.perf_counter() - begin)


if __name__ == "__main__":
    main()
