#include "client-gtk/log/log-palette.h"

#include <math.h>

/* What GNOME's terminals show for the first 16. */
static const guint32 basic[16] = {
    0x241f31, 0xc01c28, 0x2ec27e, 0xf5c211, 0x1e78e4, 0x9841bb, 0x0ab9dc, 0xc0bfbc,
    0x5e5c64, 0xed333b, 0x57e389, 0xf8e45c, 0x51a1ff, 0xc061cb, 0x4fd2fd, 0xf6f5f4,
};

static guint32 rgb(guint r, guint g, guint b) {
    return r << 16 | g << 8 | b;
}

guint32 log_palette_colour(guint index) {
    static const guint8 steps[] = {0, 95, 135, 175, 215, 255};

    if (index < 16)
        return basic[index];
    if (index >= 232) {
        guint level = 8 + 10 * (MIN(index, 255u) - 232);
        return rgb(level, level, level);
    }
    index -= 16;
    return rgb(steps[index / 36], steps[index / 6 % 6], steps[index % 6]);
}

guint32 log_palette_text(gboolean dark) {
    return dark ? 0xffffff : 0x1e1e1e;
}

guint32 log_palette_paper(gboolean dark) {
    return dark ? 0x1e1e1e : 0xffffff;
}

/* ---- contrast ---- */

static double linear(guint value) {
    double v = value / 255.0;

    return v <= 0.04045 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4);
}

static double luminance(guint32 c) {
    return 0.2126 * linear(c >> 16 & 0xff) + 0.7152 * linear(c >> 8 & 0xff) +
           0.0722 * linear(c & 0xff);
}

double log_palette_contrast(guint32 a, guint32 b) {
    double x = luminance(a), y = luminance(b);

    return (MAX(x, y) + 0.05) / (MIN(x, y) + 0.05);
}

static guint mix(guint value, guint towards, guint percent) {
    return (value * (100 - percent) + towards * percent) / 100;
}

guint32 log_palette_readable(guint32 colour, gboolean dark) {
    guint32 paper = log_palette_paper(dark), c = colour;
    guint towards = dark ? 0xff : 0;

    for (guint percent = 5; percent <= 100 && log_palette_contrast(c, paper) < LOG_PALETTE_CONTRAST;
         percent += 5)
        c = rgb(mix(colour >> 16 & 0xff, towards, percent),
                mix(colour >> 8 & 0xff, towards, percent), mix(colour & 0xff, towards, percent));
    return c;
}
