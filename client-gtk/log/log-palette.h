#pragma once

#include <glib.h>

/* The colours of a terminal as they are shown: text on the window's own background is made as dark
 * or as light as it takes to be read. */

#define LOG_PALETTE_SIZE 256

/* 0xrrggbb */
guint32 log_palette_colour(guint index);

/* The text and background where no sequence says anything. */
guint32 log_palette_text(gboolean dark);
guint32 log_palette_paper(gboolean dark);

/* The colour, or one of its hue that has a contrast of at least LOG_PALETTE_CONTRAST to the
 * paper. */
guint32 log_palette_readable(guint32 colour, gboolean dark);

/* As WCAG 2 has it: 1 to 21. */
double log_palette_contrast(guint32 a, guint32 b);

#define LOG_PALETTE_CONTRAST 4.5
