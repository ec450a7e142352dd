#include "client-cli/backend.h"

#include <errno.h>
#include <stdio.h>

#include "client-cli/client.h"
#include "client-cli/output.h"

#define PREFIX CLIENT_ROOT "/backend"

/* ---- where it is ---- */

char *backend_path(const char *name) {
    char *path;

    return must(sd_bus_path_encode(PREFIX, name, &path) < 0 ? NULL : path);
}

char *backend_name(const char *path) {
    char *name = NULL;

    return sd_bus_path_decode(path, PREFIX, &name) > 0 ? name : NULL;
}

/* ---- calls ---- */

int backend_new_call(sd_bus *bus, const char *name, const char *interface, const char *member,
                     sd_bus_message **ret) {
    _cleanup_free_ char *path = NULL;
    int r = text_check("the name", name);

    if (r != 0)
        return r;
    path = backend_path(name);
    r = sd_bus_message_new_method_call(bus, ret, CLIENT_NAME, path, interface, member);
    return r < 0 ? client_report(NULL, r) : 0;
}

static void move_items(cJSON *to, cJSON *from) {
    while (from->child) {
        cJSON *item = cJSON_DetachItemViaPointer(from, from->child);
        _cleanup_free_ char *key = must(strdup(item->string));
        cJSON_AddItemToObject(to, key, item);
    }
}

int backend_properties(sd_bus *bus, const char *name, cJSON **ret) {
    _cleanup_json_ cJSON *backend = NULL, *messenger = NULL;
    _cleanup_free_ char *path = NULL;
    int r = text_check("the name", name);

    if (r != 0)
        return r;
    path = backend_path(name);
    r = client_properties(bus, path, CLIENT_BACKEND, &backend);
    if (r == 0 && streq(json_string(backend, "type"), "messenger")) {
        r = client_properties(bus, path, CLIENT_MESSENGER, &messenger);
        if (r == 0)
            move_items(backend, messenger);
    }
    if (r == 0)
        *ret = TAKE_PTR(backend);
    return r;
}

static int read_names(sd_bus_message *reply, cJSON *names) {
    const char *name, *path;
    int r = sd_bus_message_enter_container(reply, 'a', "(so)");

    while (r >= 0 && (r = sd_bus_message_read(reply, "(so)", &name, &path)) > 0)
        cJSON_AddItemToArray(names, must(cJSON_CreateString(name)));
    return r;
}

int backend_names(sd_bus *bus, cJSON **ret) {
    _cleanup_message_ sd_bus_message *reply = NULL;
    _cleanup_json_ cJSON *names = must(cJSON_CreateArray());
    int r = client_call_manager(bus, &reply, "ListBackends", NULL);

    if (r < 0)
        return r;
    r = read_names(reply, names);
    if (r < 0)
        return client_report(NULL, r);
    *ret = TAKE_PTR(names);
    return 0;
}

/* ---- errors ---- */

bool backend_report(sd_bus_message *call, const sd_bus_error *error) {
    _cleanup_free_ char *name = backend_name(sd_bus_message_get_path(call));
    const char *interface = sd_bus_message_get_interface(call);

    if (!name)
        return false;
    if (sd_bus_error_has_name(error, SD_BUS_ERROR_UNKNOWN_OBJECT))
        print_error("there is no backend \"%s\"; \"longrun backend list\" shows those that there "
                    "are",
                    name);
    else if (sd_bus_error_has_name(error, SD_BUS_ERROR_UNKNOWN_METHOD) &&
             streq(strempty(interface), CLIENT_MESSENGER))
        print_error("backend \"%s\" is no messenger: it was added without --type messenger", name);
    else
        return false;
    return true;
}
