#include "client-gtk/demo/demo-words.h"

#include <cjson/cJSON.h>
#include <glib/gi18n.h>
#include <math.h>

#include "common/macro.h"

char *demo_words_status(const char *status, gint64 elapsed_sec) {
    /* Translators: what is being done, and for how many seconds that has been */
    return g_strdup_printf(_("%s (Elapsed: %ds)"), status, (int)MAX(elapsed_sec, (gint64)0));
}

char *demo_words_log_line(gint64 when_sec, const char *text) {
    g_autoptr(GDateTime) when = g_date_time_new_from_unix_local(when_sec);
    g_autofree char *time = g_date_time_format(when, "%H:%M:%S");

    return g_strdup_printf("[%s] %s", time, text);
}

/* 0.29 is a little less than 29 hundredths. */
guint demo_words_percent(double fraction) {
    return fraction > 0 ? (guint)floor(fmin(fraction, 1) * 100 + 1e-9) : 0;
}

/* ---- result ---- */

static char *text_of(const cJSON *object, const char *name) {
    return g_strdup(strempty(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name))));
}

/* With as many digits as a double has. */
static char *number_of(const cJSON *object, const char *name, const char *format) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

    if (!cJSON_IsNumber(item))
        return g_strdup("");
    if (!format)
        return g_strdup_printf("%.16g", item->valuedouble);
    return g_strdup_printf("%.0f", item->valuedouble);
}

static char *seconds_of(const cJSON *object, const char *name) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

    /* Translators: seconds */
    return cJSON_IsNumber(item) ? g_strdup_printf(_("%.2f s"), item->valuedouble) : g_strdup("");
}

gboolean demo_result_read(const char *json, DemoResult *ret) {
    cJSON *object = cJSON_Parse(json);
    gboolean is_result = cJSON_HasObjectItem(object, "value");

    if (is_result)
        *ret = (DemoResult){
            .uuid = text_of(object, "uuid"),
            .value = number_of(object, "value", NULL),
            .duration = seconds_of(object, "duration"),
            .iterations = number_of(object, "iterations", "0"),
        };
    cJSON_Delete(object);
    return is_result;
}

void demo_result_clear(DemoResult *result) {
    g_free(result->uuid);
    g_free(result->value);
    g_free(result->duration);
    g_free(result->iterations);
    *result = (DemoResult){0};
}
