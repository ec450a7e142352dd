#include "daemon/bus/bus-resource.h"

#include "common/cleanup.h"
#include "daemon/bus/bus-error.h"
#include "daemon/bus/bus-message.h"
#include "daemon/bus/bus-reply.h"

int bus_method_configure_resource(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
    _cleanup_error_ Error error = {};
    Bus *b = userdata;
    uint32_t capacity;
    const char *name;
    int r = sd_bus_message_read(m, "su", &name, &capacity);

    if (r >= 0)
        r = b->api->configure_resource(b->api_userdata, name, capacity, &error);
    if (r < 0)
        return bus_error_from(ret_error, r, &error);
    return bus_reply_nothing(b, m);
}

int bus_method_list_resources(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
    _cleanup_message_ sd_bus_message *reply = NULL;
    Bus *b = userdata;
    int r = sd_bus_message_new_method_return(m, &reply);

    if (r >= 0)
        r = sd_bus_message_open_container(reply, 'a', "(suu)");
    for (const Resource *i = NULL; r >= 0 && (i = b->api->next_resource(b->api_userdata, i));)
        r = sd_bus_message_append(reply, "(suu)", i->name, i->capacity, i->used);
    if (r >= 0)
        r = sd_bus_message_close_container(reply);
    return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}
