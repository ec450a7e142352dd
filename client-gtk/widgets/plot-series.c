#include "client-gtk/widgets/plot-series.h"

#include <glib/gi18n.h>
#include <math.h>

#include "common/parse.h"

struct _PlotSeries {
    GObject parent_instance;

    PlotKeep keep;
    guint capacity, first, n; /* a ring */
    PlotSample *samples;
    gint64 apart; /* samples that are kept are at least so far apart; PLOT_KEEP_ALL */
};

G_DEFINE_FINAL_TYPE(PlotSeries, plot_series, G_TYPE_OBJECT)

static guint signal_changed;

static PlotSample *at(PlotSeries *self, guint i) {
    return &self->samples[(self->first + i) % self->capacity];
}

/* ---- in ---- */

/* From now on, what comes is only kept as far apart as what is left: all the time is equally dense.
 */
static void thin_out(PlotSeries *self) {
    guint i;

    for (i = 1; 2 * i < self->n; i++)
        *at(self, i) = *at(self, 2 * i);
    self->n = i;
    self->apart = (at(self, i - 1)->usec - at(self, 0)->usec) / (i - 1);
}

static void make_room(PlotSeries *self) {
    if (self->keep == PLOT_KEEP_ALL) {
        thin_out(self);
        return;
    }
    self->first = (self->first + 1) % self->capacity;
    self->n--;
}

/* The last one is always the newest, however near it is to the one before; then it gives way. */
static gboolean last_is_too_near(PlotSeries *self) {
    return self->keep == PLOT_KEEP_ALL && self->n >= 2 &&
           at(self, self->n - 1)->usec - at(self, self->n - 2)->usec < self->apart;
}

void plot_series_add(PlotSeries *self, gint64 usec, double value) {
    if (self->n > 0 && usec < at(self, self->n - 1)->usec)
        plot_series_clear(self);
    if (last_is_too_near(self))
        self->n--;
    if (self->n == self->capacity)
        make_room(self);
    *at(self, self->n++) = (PlotSample){.usec = usec, .value = value};
    g_signal_emit(self, signal_changed, 0);
}

void plot_series_clear(PlotSeries *self) {
    if (self->n == 0)
        return;
    self->first = self->n = 0;
    self->apart = 0;
    g_signal_emit(self, signal_changed, 0);
}

/* ---- out ---- */

guint plot_series_get_n(PlotSeries *self) {
    return self->n;
}

PlotSample plot_series_get(PlotSeries *self, guint i) {
    g_return_val_if_fail(i < self->n, (PlotSample){0});
    return *at(self, i);
}

static void widen(PlotExtent *extent, double value) {
    if (!isfinite(value))
        return;
    extent->low = extent->n == 0 ? value : MIN(extent->low, value);
    extent->high = extent->n == 0 ? value : MAX(extent->high, value);
    extent->now = value;
    extent->n++;
}

PlotExtent plot_series_extent(PlotSeries *self) {
    PlotExtent extent = {0};

    if (self->n == 0)
        return extent;
    extent.first = at(self, 0)->usec;
    extent.last = at(self, self->n - 1)->usec;
    for (guint i = 0; i < self->n; i++)
        widen(&extent, at(self, i)->value);
    return extent;
}

static double nice_decimal(double value) {
    double ten = pow(10, floor(log10(value)));
    static const double steps[] = {1, 2, 5};

    /* What is 20 only but for a rounding is 20. */
    for (guint i = 0; i < G_N_ELEMENTS(steps); i++)
        if (value <= steps[i] * ten * (1 + 1e-9))
            return steps[i] * ten;
    return 10 * ten;
}

double plot_nice_limit(double value, gboolean binary) {
    if (!isfinite(value) || value <= 0)
        return 1;
    return binary ? exp2(ceil(log2(value) - 1e-9)) : nice_decimal(value);
}

char *plot_series_describe(PlotSeries *self, PlotFormat format) {
    PlotExtent extent = plot_series_extent(self);
    g_autofree char *now = NULL, *low = NULL, *high = NULL;
    char span[FORMAT_MAX];

    if (extent.n == 0)
        return g_strdup(_("No values yet"));
    now = format(extent.now);
    if (extent.n == 1)
        return g_steal_pointer(&now);
    low = format(extent.low);
    high = format(extent.high);
    /* Translators: a value; the lowest and the highest one in the last "2h 5min". */
    return g_strdup_printf(_("%s; between %s and %s in the last %s"), now, low, high,
                           format_span(span, (guint64)(extent.last - extent.first)));
}

/* ---- the object ---- */

static void finalize(GObject *object) {
    g_free(LONGRUN_PLOT_SERIES(object)->samples);
    G_OBJECT_CLASS(plot_series_parent_class)->finalize(object);
}

static void plot_series_class_init(PlotSeriesClass *class) {
    G_OBJECT_CLASS(class)->finalize = finalize;
    signal_changed = g_signal_new("changed", LONGRUN_TYPE_PLOT_SERIES, G_SIGNAL_RUN_LAST, 0, NULL,
                                  NULL, NULL, G_TYPE_NONE, 0);
}

static void plot_series_init(PlotSeries *self) {
}

PlotSeries *plot_series_new(PlotKeep keep, guint capacity) {
    PlotSeries *self = g_object_new(LONGRUN_TYPE_PLOT_SERIES, NULL);

    self->keep = keep;
    self->capacity = MAX(capacity, 4u);
    self->samples = g_new0(PlotSample, self->capacity);
    return self;
}
