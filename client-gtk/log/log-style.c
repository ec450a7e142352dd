#include "client-gtk/log/log-style.h"

#include "common/macro.h"

/* Of a sequence: more are not looked at. */
#define PARAMS_MAX 32

typedef struct Params {
    guint value[PARAMS_MAX];
    gboolean sub[PARAMS_MAX]; /* came after a colon: belongs to the one before */
    guint count;
} Params;

/* ---- colours ---- */

static const guint8 steps[] = {0, 95, 135, 175, 215, 255};

static guint nearest_step(guint8 value) {
    guint best = 0;

    for (guint i = 1; i < G_N_ELEMENTS(steps); i++)
        if (ABS(steps[i] - value) < ABS(steps[best] - value))
            best = i;
    return best;
}

static guint distance(guint8 r, guint8 g, guint8 b, int r2, int g2, int b2) {
    return (guint)((r - r2) * (r - r2) + (g - g2) * (g - g2) + (b - b2) * (b - b2));
}

guint16 log_style_nearest(guint8 red, guint8 green, guint8 blue) {
    guint r = nearest_step(red), g = nearest_step(green), b = nearest_step(blue);
    guint mean = ((guint)red + green + blue) / 3, grey = mean < 8 ? 0 : MIN((mean - 3) / 10, 23u);
    int level = (int)(8 + 10 * grey);

    if (distance(red, green, blue, level, level, level) <
        distance(red, green, blue, steps[r], steps[g], steps[b]))
        return (guint16)(1 + 232 + grey);
    return (guint16)(1 + 16 + 36 * r + 6 * g + b);
}

/* ---- parameters ---- */

/* "1;38;5;208", where each may be empty; FALSE for one of those that mean something else. */
static gboolean read_params(const char *p, const char *end, Params *ret) {
    *ret = (Params){.count = 1};
    for (; p < end; p++) {
        guint *value = &ret->value[ret->count - 1];
        if (*p >= '0' && *p <= '9')
            *value = MIN(*value * 10 + (guint)(*p - '0'), 9999u);
        else if (*p != ';' && *p != ':')
            return FALSE;
        else if (ret->count == PARAMS_MAX)
            return TRUE;
        else
            ret->sub[ret->count++] = *p == ':';
    }
    return TRUE;
}

static guint8 byte_at(const Params *p, guint i) {
    return (guint8)(i < p->count ? MIN(p->value[i], 255u) : 0);
}

static guint count_subs(const Params *p, guint i) {
    guint n = 0;

    while (i + 1 + n < p->count && p->sub[i + 1 + n])
        n++;
    return n;
}

/* 38;5;N, 38;2;R;G;B, 38:5:N, 38:2::R:G:B or 38:2:R:G:B. Gives how many were taken besides the
 * first. */
static guint read_colour(const Params *p, guint i, guint16 *ret) {
    guint subs = count_subs(p, i), kind = i + 1 < p->count ? p->value[i + 1] : 0;

    if (kind == 5 && i + 2 < p->count) {
        *ret = (guint16)(1 + byte_at(p, i + 2));
        return subs > 0 ? subs : 2;
    }
    if (kind == 2) {
        guint first = i + (subs >= 5 ? 3 : 2);
        *ret = log_style_nearest(byte_at(p, first), byte_at(p, first + 1), byte_at(p, first + 2));
        return subs > 0 ? subs : 4;
    }
    return subs;
}

static void set(LogStyle *s, guint attributes) {
    s->attributes |= (guint16)attributes;
}

static void unset(LogStyle *s, guint attributes) {
    s->attributes &= (guint16)~attributes;
}

static void apply_attribute(LogStyle *s, guint value) {
    static const guint16 on[10] = {
        [1] = LOG_BOLD,      [2] = LOG_DIM,     [3] = LOG_ITALIC,
        [4] = LOG_UNDERLINE, [7] = LOG_REVERSE, [9] = LOG_STRIKE,
    };

    if (value == 0)
        *s = (LogStyle){};
    else if (value < 10)
        set(s, on[value]);
    else if (value == 21)
        set(s, LOG_UNDERLINE);
    else if (value == 22)
        unset(s, LOG_BOLD | LOG_DIM);
    else if (value >= 23 && value <= 29)
        unset(s, on[value - 20]);
}

/* Gives how many were taken besides the first. */
static guint apply(LogStyle *s, const Params *p, guint i) {
    guint value = p->value[i];

    if (value == 38)
        return read_colour(p, i, &s->foreground);
    if (value == 48)
        return read_colour(p, i, &s->background);
    if (value == 4 && count_subs(p, i) > 0 && p->value[i + 1] == 0)
        unset(s, LOG_UNDERLINE);
    else if (value >= 30 && value <= 37)
        s->foreground = (guint16)(1 + value - 30);
    else if (value >= 90 && value <= 97)
        s->foreground = (guint16)(1 + 8 + value - 90);
    else if (value == 39)
        s->foreground = 0;
    else if (value >= 40 && value <= 47)
        s->background = (guint16)(1 + value - 40);
    else if (value >= 100 && value <= 107)
        s->background = (guint16)(1 + 8 + value - 100);
    else if (value == 49)
        s->background = 0;
    else
        apply_attribute(s, value);
    return count_subs(p, i);
}

void log_style_apply(LogStyle *s, const char *sequence, gsize size) {
    Params p;

    if (size < 3 || sequence[1] != '[' || sequence[size - 1] != 'm')
        return;
    if (!read_params(sequence + 2, sequence + size - 1, &p))
        return;
    for (guint i = 0; i < p.count; i++)
        i += apply(s, &p, i);
}
