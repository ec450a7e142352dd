#pragma once

#include <glib.h>

/* How text looks, as a terminal's colour sequences (SGR) say. */

typedef enum LogAttribute {
    LOG_BOLD = 1 << 0,
    LOG_DIM = 1 << 1,
    LOG_ITALIC = 1 << 2,
    LOG_UNDERLINE = 1 << 3,
    LOG_REVERSE = 1 << 4,
    LOG_STRIKE = 1 << 5,
} LogAttribute;

#define LOG_ATTRIBUTES 6

/* Colours are 0 for the default, else 1 + one of the 256 of xterm: others become the nearest of
 * them, so that there is an end to how many looks there are. */
typedef struct LogStyle {
    guint16 foreground, background;
    guint16 attributes;
} LogStyle;

static inline gboolean log_style_equal(const LogStyle *a, const LogStyle *b) {
    return a->foreground == b->foreground && a->background == b->background &&
           a->attributes == b->attributes;
}

static inline gboolean log_style_is_plain(const LogStyle *s) {
    return s->foreground == 0 && s->background == 0 && s->attributes == 0;
}

/* Applies a sequence, from its ESC to its last byte; one that is no SGR changes nothing. */
void log_style_apply(LogStyle *s, const char *sequence, gsize size);

/* The nearest of the 240 colours of xterm that no theme changes, as in LogStyle. */
guint16 log_style_nearest(guint8 red, guint8 green, guint8 blue);
