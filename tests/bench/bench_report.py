"""How figures are made of what was measured, and shown."""

import statistics


def seconds(value):
    return f"{value:.2f} s" if value >= 1 else milliseconds(value)


def milliseconds(value):
    return f"{value * 1e3:.2f} ms" if value < 0.1 else f"{value * 1e3:.0f} ms"


def microseconds(value):
    return f"{value * 1e6:.2f} us"


def speed(value):
    return f"{value / 1e6:.0f} MB/s"


def megabytes(value):
    return f"{value / 1e6:.1f} MB"


def plain(value):
    return f"{value:g}"


def percentile(values, percent):
    ordered = sorted(values)
    return ordered[min(len(ordered) * percent // 100, len(ordered) - 1)]


def interleave(rounds, sides):
    """Runs each of the sides in turn, so many times over, and gives the median of what each returned."""
    values = {name: [] for name in sides}
    for _ in range(rounds):
        for name, measure in sides.items():
            values[name].append(measure())
    return {name: statistics.median(of_one) for name, of_one in values.items()}


class Report:
    """Prints a line as soon as its figures are known, and at the end what became of the targets."""

    def __init__(self):
        self.targets = []
        self.failed = False

    def heading(self):
        print(f"{'':46}{'longrun':>12}   {'peer':<16}{'':>12}{'ratio':>9}")

    def row(self, what, ours, unit, peer=None, theirs=None):
        """Gives the ratio of ours to theirs."""
        if theirs is None:
            print(f"{what:46}{unit(ours):>12}", flush=True)
            return None
        print(f"{what:46}{unit(ours):>12}   {peer:<16}{unit(theirs):>12}{ours / theirs:>9.2f}", flush=True)
        return ours / theirs

    def note(self, text):
        print(text, flush=True)

    def failure(self, what, why):
        self.failed = True
        print(f"{what}: not measured: {why}", flush=True)

    def target(self, met, wanted, figure):
        self.targets.append(f"{'met' if met else 'NOT MET':8} {wanted}: {figure}")

    def end(self):
        for line in self.targets:
            print(line)
