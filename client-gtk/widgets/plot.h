#pragma once

#include <gtk/gtk.h>

#include "client-gtk/widgets/plot-series.h"

/* A line of values over time: from 0 to a round number above the highest, the newest at the end of
 * the line as it is read. Line in the colour of the node "plot", which style.css gives. */
#define LONGRUN_TYPE_PLOT (plot_get_type())
G_DECLARE_FINAL_TYPE(Plot, plot, LONGRUN, PLOT, GtkWidget)

/* title: what is shown, "Latency": the name for screen readers, whose description is the summary of
 * the series. */
GtkWidget *plot_new(const char *title);

/* The same, for one that was made by a .ui file; there its property is "title". */
void plot_set_title(Plot *self, const char *title);

/* NULL: nothing to show. */
void plot_set_series(Plot *self, PlotSeries *series);

/* How values are written; default: as numbers. */
void plot_set_format(Plot *self, PlotFormat format);

/* Upper end of the axis; 0 (default): what suits the series; binary: by powers of two then, as
 * suits bytes. */
void plot_set_limit(Plot *self, double limit, gboolean binary);
