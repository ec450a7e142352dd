#include <dlfcn.h>
#include <gio/gio.h>
#include <glib-unix.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Preloaded into a program with a GLib main loop, tells how long that was busy with something else:
 * a timer of 4 ms on it measures the gaps between its ticks.
 *
 *     LD_PRELOAD=…/stall-meter.so LONGRUN_STALL_FILE=FILE longrun-gtk
 *
 * SIGUSR1 begins anew; SIGUSR2 appends a line to the file: how many gaps there were; what half of
 * them, and 99 % of them, were not above, and the longest; and likewise of the CPU time that the
 * loop's thread took in between, which is the same on a machine with other things to do. In
 * microseconds. */

#define TICK_MS 4
#define STEP_USEC 100
#define STEPS 100000 /* ten seconds */

typedef struct Gaps {
    guint64 count;
    gint64 last, longest;
    guint32 steps[STEPS];
} Gaps;

static Gaps wall, cpu;

static gint64 percentile(const Gaps *g, guint percent) {
    guint64 wanted = (g->count * percent + 99) / 100, sum = 0;

    for (guint i = 0; i < STEPS; i++) {
        sum += g->steps[i];
        if (sum >= wanted)
            return MIN((gint64)(i + 1) * STEP_USEC, g->longest);
    }
    return g->longest;
}

static void add(Gaps *g, gint64 now) {
    gint64 gap = now - g->last;

    if (g->last > 0) {
        g->count++;
        g->steps[MIN(gap / STEP_USEC, STEPS - 1)]++;
        g->longest = MAX(g->longest, gap);
    }
    g->last = now;
}

static gboolean on_tick(gpointer userdata) {
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    add(&wall, g_get_monotonic_time());
    add(&cpu, (gint64)now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000);
    return G_SOURCE_CONTINUE;
}

static gboolean on_begin(gpointer userdata) {
    memset(&wall, 0, sizeof(wall));
    memset(&cpu, 0, sizeof(cpu));
    return G_SOURCE_CONTINUE;
}

static void print(FILE *file, const Gaps *g) {
    fprintf(file, " %" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %" G_GINT64_FORMAT, percentile(g, 50),
            percentile(g, 99), g->longest);
}

static gboolean on_report(gpointer userdata) {
    FILE *file = fopen(g_getenv("LONGRUN_STALL_FILE"), "a");

    if (!file)
        g_error("stall-meter: cannot open LONGRUN_STALL_FILE");
    fprintf(file, "%" G_GUINT64_FORMAT, wall.count);
    print(file, &wall);
    print(file, &cpu);
    fputc('\n', file);
    fclose(file);
    wall.last = cpu.last = 0; /* the time that this took is nobody's */
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
