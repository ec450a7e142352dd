#include "daemon/bus/bus-backend-settings.h"

#include <errno.h>
#include <stdio.h>

#include "common/strv.h"
#include "daemon/bus/bus-options.h"

/* ---- reading ---- */

typedef struct SettingsReader {
    BackendSettings *settings;
    uint64_t given; /* a bit for each place in the table */
} SettingsReader;

static int unknown_setting(const char *name, Error *error) {
    char known[1024] = "";
    size_t n = 0;

    for (const BackendSetting *s = backend_settings(); s->name && n < sizeof(known); s++)
        n += (size_t)snprintf(known + n, sizeof(known) - n, "%s%s", n > 0 ? ", " : "", s->name);
    return error_set(error, ERROR_UNKNOWN_OPTION,
                     "There is no setting \"%.100s\" of a backend. Known are: %s", name, known);
}

static int read_string(sd_bus_message *m, const char *name, char **field, Error *error) {
    const char *text;
    int r = bus_option_read_basic(m, name, "s", &text, error);

    if (r < 0)
        return r;
    char *copy = strdup(text);
    if (!copy)
        return -ENOMEM;
    free(*field);
    *field = copy;
    return 0;
}

static int read_strings(sd_bus_message *m, const char *name, char ***field, Error *error) {
    _cleanup_(strv_freep) char **list = NULL;
    int r = bus_option_read_strings(m, name, &list, error);

    if (r < 0)
        return r;
    strv_free(*field);
    *field = TAKE_PTR(list);
    return 0;
}

static int read_flag(sd_bus_message *m, const char *name, bool *field, Error *error) {
    int flag;
    int r = bus_option_read_basic(m, name, "b", &flag, error);

    if (r >= 0)
        *field = flag;
    return r;
}

static int read_value(sd_bus_message *m, const BackendSetting *setting, BackendSettings *s,
                      Error *error) {
    void *field = (char *)s + setting->offset;

    if (streq(setting->type, "s"))
        return read_string(m, setting->name, field, error);
    if (streq(setting->type, "as"))
        return read_strings(m, setting->name, field, error);
    if (streq(setting->type, "b"))
        return read_flag(m, setting->name, field, error);
    return bus_option_read_basic(m, setting->name, setting->type, field, error);
}

static int read_setting(sd_bus_message *m, const char *name, void *userdata, Error *error) {
    SettingsReader *to = userdata;
    const BackendSetting *setting = backend_setting_by_name(name);

    if (!setting)
        return unknown_setting(name, error);
    uint64_t bit = UINT64_C(1) << (setting - backend_settings());
    if (to->given & bit)
        return error_set(error, ERROR_INVALID_OPTION, "%s is given twice", name);
    to->given |= bit;
    return read_value(m, setting, to->settings, error);
}

int bus_backend_settings_read(sd_bus_message *m, BackendSettings *s, Error *error) {
    SettingsReader to = {.settings = s};

    return bus_entries_read(m, read_setting, &to, error);
}

/* ---- showing ---- */

static int append_value(sd_bus_message *m, const BackendSetting *setting,
                        const BackendSettings *s) {
    const void *field = (const char *)s + setting->offset;
    int flag;

    switch (setting->type[0]) {
    case 's':
        return sd_bus_message_append_basic(m, 's', *(char *const *)field);
    case 'a':
        return sd_bus_message_append_strv(m, *(char **const *)field);
    case 'b':
        flag = *(const bool *)field;
        return sd_bus_message_append_basic(m, 'b', &flag);
    default:
        return sd_bus_message_append_basic(m, setting->type[0], field);
    }
}

static int append_setting(sd_bus_message *m, const BackendSetting *setting,
                          const BackendSettings *s) {
    int r = sd_bus_message_open_container(m, 'e', "sv");

    if (r >= 0)
        r = sd_bus_message_append_basic(m, 's', setting->name);
    if (r >= 0)
        r = sd_bus_message_open_container(m, 'v', setting->type);
    if (r >= 0)
        r = append_value(m, setting, s);
    if (r >= 0)
        r = sd_bus_message_close_container(m);
    return r < 0 ? r : sd_bus_message_close_container(m);
}

int bus_backend_settings_append(sd_bus_message *m, const BackendSettings *s) {
    int r = sd_bus_message_open_container(m, 'a', "{sv}");

    for (const BackendSetting *i = backend_settings(); r >= 0 && i->name; i++)
        r = append_setting(m, i, s);
    return r < 0 ? r : sd_bus_message_close_container(m);
}
