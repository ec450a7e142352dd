#include "client-cli/append.h"

#include <stdio.h>

#include "client-cli/client.h"
#include "client-cli/output.h"

#define SIGNATURE_MAX 16

static int reported(int r) {
    return r < 0 ? client_report(NULL, r) : 0;
}

int append_open(sd_bus_message *call) {
    return reported(sd_bus_message_open_container(call, 'a', "{sv}"));
}

int append_close(sd_bus_message *call) {
    return reported(sd_bus_message_close_container(call));
}

int append_string(sd_bus_message *call, const char *key, const char *value) {
    int r = text_check(key, value);

    return r != 0 ? r : reported(sd_bus_message_append(call, "{sv}", key, "s", value));
}

int append_u64(sd_bus_message *call, const char *key, uint64_t value) {
    return reported(sd_bus_message_append(call, "{sv}", key, "t", value));
}

int append_u32(sd_bus_message *call, const char *key, uint32_t value) {
    return reported(sd_bus_message_append(call, "{sv}", key, "u", value));
}

int append_i32(sd_bus_message *call, const char *key, int32_t value) {
    return reported(sd_bus_message_append(call, "{sv}", key, "i", value));
}

int append_bool(sd_bus_message *call, const char *key, bool value) {
    return reported(sd_bus_message_append(call, "{sv}", key, "b", (int)value));
}

int append_bytes(sd_bus_message *call, const char *key, const void *data, size_t size) {
    int r = sd_bus_message_open_container(call, 'e', "sv");

    if (r >= 0)
        r = sd_bus_message_append_basic(call, 's', key);
    if (r >= 0)
        r = sd_bus_message_open_container(call, 'v', "ay");
    if (r >= 0)
        r = sd_bus_message_append_array(call, 'y', data, size);
    if (r >= 0)
        r = sd_bus_message_close_container(call);
    return reported(r < 0 ? r : sd_bus_message_close_container(call));
}

int append_open_array(sd_bus_message *call, const char *key, const char *contents) {
    char signature[SIGNATURE_MAX];
    int r;

    snprintf(signature, sizeof(signature), "a%s", contents);
    r = sd_bus_message_open_container(call, 'e', "sv");
    if (r >= 0)
        r = sd_bus_message_append_basic(call, 's', key);
    if (r >= 0)
        r = sd_bus_message_open_container(call, 'v', signature);
    if (r >= 0)
        r = sd_bus_message_open_container(call, 'a', contents);
    return reported(r);
}

int append_close_array(sd_bus_message *call) {
    int r = 0;

    for (unsigned i = 0; i < 3 && r >= 0; i++)
        r = sd_bus_message_close_container(call);
    return reported(r);
}

int append_strings(sd_bus_message *call, const char *key, const char *const *values) {
    int r = append_open_array(call, key, "s");

    for (; *values && r == 0; values++) {
        r = text_check(key, *values);
        if (r == 0)
            r = reported(sd_bus_message_append_basic(call, 's', *values));
    }
    return r != 0 ? r : append_close_array(call);
}
