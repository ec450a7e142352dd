#pragma once

#include <glib-object.h>

/* What a plot shows: values over time, never more than a fixed number of them. A value that is NAN
 * is a gap: nothing was measured then.
 *
 * Signal: "changed" (nothing besides). */
typedef enum PlotKeep {
    PLOT_KEEP_NEWEST, /* when it is full the oldest goes */
    PLOT_KEEP_ALL, /* when it is full every other one goes: all the time since the first is seen */
} PlotKeep;

#define LONGRUN_TYPE_PLOT_SERIES (plot_series_get_type())
G_DECLARE_FINAL_TYPE(PlotSeries, plot_series, LONGRUN, PLOT_SERIES, GObject)

/* capacity: of samples, at least 4. */
PlotSeries *plot_series_new(PlotKeep keep, guint capacity);

/* usec: of any clock, always the same. A time before that of the last sample (the clock was set)
 * makes the series begin anew. */
void plot_series_add(PlotSeries *self, gint64 usec, double value);
void plot_series_clear(PlotSeries *self);

typedef struct PlotSample {
    gint64 usec;
    double value;
} PlotSample;

guint plot_series_get_n(PlotSeries *self);
/* Oldest first; i < n. */
PlotSample plot_series_get(PlotSeries *self, guint i);

typedef struct PlotExtent {
    gint64 first, last;    /* of all samples */
    double low, high, now; /* of those that are no gaps; now is the newest of them */
    guint n;               /* of those that are no gaps; 0: low, high and now are 0 */
} PlotExtent;

PlotExtent plot_series_extent(PlotSeries *self);

/* The next of 1, 2, 5, 10, 20, 50, … that is not below value (binary: 1, 2, 4, …, 512, 1024, …):
 * the upper end of an axis from 0. 1 for what is 0, negative or no number. */
double plot_nice_limit(double value, gboolean binary);

/* "12 ms; between 3 ms and 40 ms in the last 2min" for who cannot see the plot. format: of a value;
 * g_free(). */
typedef char *(*PlotFormat)(double value);
char *plot_series_describe(PlotSeries *self, PlotFormat format);
