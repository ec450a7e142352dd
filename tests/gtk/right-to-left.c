/* Preloaded into the window: GTK is in its user's language, and from right to left where that is so
 * written, although the window has not been translated into it. GLib would not have a window of two
 * languages. */

#include <libintl.h>

const char *g_dgettext(const char *domain, const char *text);

const char *g_dgettext(const char *domain, const char *text) {
    return dgettext(domain, text);
}
