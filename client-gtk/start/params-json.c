#include "client-gtk/start/params-json.h"

#include <cjson/cJSON.h>
#include <glib/gi18n.h>
#include <string.h>

#define PIECE_MAX 20 /* bytes */

struct ParamsJson {
    cJSON *object;
};

ParamsJson *params_json_new(void) {
    ParamsJson *self = g_new0(ParamsJson, 1);

    self->object = cJSON_CreateObject();
    return self;
}

void params_json_free(ParamsJson *self) {
    cJSON_Delete(self->object);
    g_free(self);
}

/* ---- values ---- */

static cJSON *new_array(GVariant *value) {
    cJSON *array = cJSON_CreateArray();
    const char *item;
    GVariantIter iter;

    g_variant_iter_init(&iter, value);
    while (g_variant_iter_next(&iter, "&s", &item))
        cJSON_AddItemToArray(array, cJSON_CreateString(item));
    return array;
}

static cJSON *new_object(GVariant *value) {
    cJSON *object = cJSON_CreateObject();
    const char *name, *text;
    GVariantIter iter;

    g_variant_iter_init(&iter, value);
    while (g_variant_iter_next(&iter, "{&s&s}", &name, &text))
        cJSON_AddStringToObject(object, name, text);
    return object;
}

/* All digits: cJSON's numbers are doubles. */
static cJSON *new_number(guint64 number) {
    g_autofree char *digits = g_strdup_printf("%" G_GUINT64_FORMAT, number);

    return cJSON_CreateRaw(digits);
}

static cJSON *new_value(GVariant *value) {
    switch (g_variant_classify(value)) {
    case G_VARIANT_CLASS_BOOLEAN:
        return cJSON_CreateBool(g_variant_get_boolean(value));
    case G_VARIANT_CLASS_UINT64:
        return new_number(g_variant_get_uint64(value));
    case G_VARIANT_CLASS_UINT32:
        return new_number(g_variant_get_uint32(value));
    case G_VARIANT_CLASS_DOUBLE:
        return cJSON_CreateNumber(g_variant_get_double(value));
    case G_VARIANT_CLASS_STRING:
        return cJSON_CreateString(g_variant_get_string(value, NULL));
    default:
        return g_variant_is_of_type(value, G_VARIANT_TYPE("a{ss}")) ? new_object(value)
                                                                    : new_array(value);
    }
}

void params_json_add(ParamsJson *self, const char *name, GVariant *value) {
    g_autoptr(GVariant) sunk = g_variant_ref_sink(value);

    cJSON_AddItemToObject(self->object, name, new_value(sunk));
}

void params_json_add_raw(ParamsJson *self, const char *name, const char *json) {
    cJSON_AddRawToObject(self->object, name, json);
}

char *params_json_print(ParamsJson *self) {
    char *printed = cJSON_PrintUnformatted(self->object), *text = g_strdup(printed);

    cJSON_free(printed);
    return text;
}

/* ---- what people write ---- */

/* Not half a character at its end. */
static char *piece_of(const char *text) {
    const char *end;

    g_utf8_validate(text, (gssize)strnlen(text, PIECE_MAX), &end);
    return g_strndup(text, (gsize)(end - text));
}

static void set_wrong(const char *text, const char *end, char **ret_error) {
    g_autofree char *piece = end ? piece_of(end) : NULL;
    int line = 1;

    if (!end || !*end) {
        *ret_error = g_strdup(_("This is not JSON: the text ends too early."));
        return;
    }
    for (const char *p = text; p < end; p++)
        line += *p == '\n';
    /* Translators: the second is a piece of what was written. */
    *ret_error =
        g_strdup_printf(_("This is not JSON: look at line %d, near “%.20s”."), line, piece);
}

static cJSON *parse(const char *text, char **ret_error) {
    const char *end = NULL;
    cJSON *json = cJSON_ParseWithOpts(text, &end, 1);

    if (!json)
        set_wrong(text, end, ret_error);
    return json;
}

bool params_json_check(const char *text, char **ret_error) {
    cJSON *json = parse(text, ret_error);
    bool good = json;

    cJSON_Delete(json);
    return good;
}

bool params_json_check_object(const char *text, char **ret_error) {
    cJSON *json = parse(text, ret_error);
    bool good = json && cJSON_IsObject(json);

    if (json && !good)
        *ret_error = g_strdup(_("Write a JSON object, such as {\"steps\": 10}."));
    cJSON_Delete(json);
    return good;
}
