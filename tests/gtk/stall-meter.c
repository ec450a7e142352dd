#include <dlfcn.h>
#include <gio/gio.h>
#include <glib-unix.h>
#include <stdio.h>
#include <string.h>

/* Preloaded into a program with a GLib main loop, tells how long that was busy with something else:
 * a timer of 4 ms on it measures the gaps between its ticks.
 *
 *     LD_PRELOAD=…/stall-meter.so LONGRUN_STALL_FILE=FILE longrun-gtk
 *
 * SIGUSR1 begins anew; SIGUSR2 appends a line to the file: how many gaps there were, half of them,
 * and 99 % of them, were not above, and the longest, in microseconds. */

#define TICK_MS 4
#define STEP_USEC 100
#define STEPS 100000 /* ten seconds */

static struct {
    guint64 count;
    gint64 last, longest;
    guint32 steps[STEPS];
} meter;

static gint64 percentile(guint percent) {
    guint64 wanted = (meter.count * percent + 99) / 100, sum = 0;

    for (guint i = 0; i < STEPS; i++) {
        sum += meter.steps[i];
        if (sum >= wanted)
            return MIN((gint64)(i + 1) * STEP_USEC, meter.longest);
    }
    return meter.longest;
}

static gboolean on_tick(gpointer userdata) {
    gint64 now = g_get_monotonic_time(), gap = now - meter.last;

    if (meter.last > 0) {
        meter.count++;
        meter.steps[MIN(gap / STEP_USEC, STEPS - 1)]++;
        meter.longest = MAX(meter.longest, gap);
    }
    meter.last = now;
    return G_SOURCE_CONTINUE;
}

static gboolean on_begin(gpointer userdata) {
    memset(&meter, 0, sizeof(meter));
    return G_SOURCE_CONTINUE;
}

static gboolean on_report(gpointer userdata) {
    FILE *file = fopen(g_getenv("LONGRUN_STALL_FILE"), "a");

    if (!file)
        g_error("stall-meter: cannot open LONGRUN_STALL_FILE");
    fprintf(file,
            "%" G_GUINT64_FORMAT " %" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %" G_GINT64_FORMAT
            "\n",
            meter.count, percentile(50), percentile(99), meter.longest);
    fclose(file);
    meter.last = 0; /* the time that this took is nobody's */
    return G_SOURCE_CONTINUE;
}

/* Takes the place of GIO's. */
int g_application_run(GApplication *app, int argc, char **argv) {
    int (*run)(GApplication *, int, char **) = dlsym(RTLD_NEXT, "g_application_run");

    if (g_getenv("LONGRUN_STALL_FILE")) {
        g_timeout_add_full(G_PRIORITY_HIGH, TICK_MS, on_tick, NULL, NULL);
        g_unix_signal_add(SIGUSR1, on_begin, NULL);
        g_unix_signal_add(SIGUSR2, on_report, NULL);
    }
    return run(app, argc, argv);
}
